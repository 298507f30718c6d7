"""A person: body, head and clothes as meshes that one sparse product moves, with the points that ground truth needs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from or_mv_anon.simulation.bodies.body import Body, make_body, random_phenotype
from or_mv_anon.simulation.bodies.part import Part
from or_mv_anon.simulation.bodies.skeleton import Skeleton
from or_mv_anon.simulation.bodies.surfaces import vertex_normals
from or_mv_anon.simulation.clothes.dressing import Clothing, clothe
from or_mv_anon.simulation.clothes.figure import Figure
from or_mv_anon.simulation.clothes.outfits import Palette, outfit_for
from or_mv_anon.simulation.heads.assembly import head_parts, hidden_by_cap, random_head
from or_mv_anon.simulation.heads.skin import skin_parts
from or_mv_anon.simulation.scene import Floats, MaskState, Mesh, Pose, Surface

_POINT_SPACING = 0.045  # metres between the points whose projections give a person's box
_FACE_SPACING = 0.015  # the same for a face's or a head's
_ON_HEAD = (Surface.HEAD, Surface.FACE, Surface.MASK)
_LEADING_AWAY = ("oxygen_hose", "airway_tube")  # begin at the head but are none of it
_HIDDEN_DEPTH = 0.015  # metres inside an outline from which on skin is left out


@dataclass(frozen=True, eq=False)
class PosedPerson:
    """Where a person is at one moment, in world metres.

    Attributes:
        vertices, normals: float32 (V, 3) for each mesh, in the order of `Person.meshes`.
        keypoints: (26, 3) Halpe-26.
        face_points: (F, 3) on the face, forehead to chin.
        head_points: (H, 3) on the head, cap and hair included.
        body_points: (P, 3) on the whole person, clothes included.
        face_centre: (3,).
        face_forward: (3,) unit, where the face looks.
    """

    vertices: Sequence[Floats]
    normals: Sequence[Floats]
    keypoints: Floats
    face_points: Floats
    head_points: Floats
    body_points: Floats
    face_centre: Floats
    face_forward: Floats


class Person:
    """A body with its parts, ready to be posed.

    Attributes:
        number: identity, from 1.
        role: such as 'surgeon'.
        body, skeleton: what is posed.
        meshes: rest meshes with the person's number.
        names: what each mesh is.
    """

    def __init__(self, body: Body, parts: Sequence[Part], *, number: int, role: str) -> None:
        """Put parts on a body; raises ValueError when a part's weights do not fit the body."""
        self.body, self.number, self.role = body, number, role
        self.skeleton = Skeleton(body.labels, body.parents.tolist(), body.rest_bones)
        self.names = [part.name for part in parts]
        self.meshes: list[Mesh] = [replace(part.mesh, person=number, moves=True) for part in parts]
        self._shown_when = [part.shown_when for part in parts]
        for part in parts:
            if part.weights.shape != (len(part.mesh.vertices), len(body.labels)):
                raise ValueError(f"part '{part.name}' has weights {part.weights.shape} that do not fit its mesh")
        ends = np.cumsum([len(mesh.vertices) for mesh in self.meshes])
        self._slices = [slice(int(e - len(m.vertices)), int(e)) for e, m in zip(ends, self.meshes, strict=True)]
        self._rest = _columns([mesh.vertices for mesh in self.meshes])
        self._normals = _columns([_normals(mesh) for mesh in self.meshes])
        self._weights = sparse.vstack([part.weights for part in parts]).tocsr().astype(np.float32)
        self._keypoints = _carried(body.keypoints, body)
        self._face = _carried(_picking(body, _spread(body.vertices, body.face, _FACE_SPACING)), body)
        self._head_points = self._spread_over(parts, _FACE_SPACING, heads=True)
        self._body_points = self._spread_over(parts, _POINT_SPACING, heads=False)
        self._head = body.labels.index("head")

    def shown(self, mask: MaskState) -> list[bool]:
        """Which of the meshes are to be seen when the face mask is worn so."""
        return [when is None or mask in when for when in self._shown_when]

    def posed(self, pose: Pose) -> PosedPerson:
        """The person in a pose: linear blend skinning of all parts at once."""
        transforms = self.skeleton.transforms(pose)
        blend = np.ascontiguousarray((self._weights @ transforms[:, :3].reshape(-1, 12).astype(np.float32)).T)
        x, y, z = self._rest
        vertices = np.stack([r[0] * x + r[1] * y + r[2] * z + r[3] for r in blend.reshape(3, 4, -1)], axis=1)
        x, y, z = self._normals
        turned = [r[0] * x + r[1] * y + r[2] * z for r in blend.reshape(3, 4, -1)]
        scale = 1 / np.sqrt(np.maximum(turned[0] ** 2 + turned[1] ** 2 + turned[2] ** 2, 1e-12))
        normals = np.stack([axis * scale for axis in turned], axis=1)
        face = np.einsum("nbk,bik->ni", self._face, transforms[:, :3])
        forward = transforms[self._head, :3, :3] @ np.array([0.0, -1.0, 0.0])
        return PosedPerson(
            [vertices[at] for at in self._slices],
            [normals[at] for at in self._slices],
            np.einsum("nbk,bik->ni", self._keypoints, transforms[:, :3]).astype(np.float32),
            face.astype(np.float32),
            vertices[self._head_points],
            vertices[self._body_points],
            face.mean(axis=0).astype(np.float32),
            (forward / np.linalg.norm(forward)).astype(np.float32),
        )

    def _spread_over(self, parts: Sequence[Part], spacing: float, *, heads: bool) -> NDArray[np.intp]:
        """Vertex numbers spread over all parts, or over those on the head; without what is not always shown."""
        chosen = [
            _spread(part.mesh.vertices, np.arange(len(part.mesh.vertices)), spacing) + at.start
            for part, at in zip(parts, self._slices, strict=True)
            if part.shown_when is None
            and (not heads or (part.mesh.surface in _ON_HEAD and part.name not in _LEADING_AWAY))
        ]
        return np.concatenate([np.zeros(0, np.intp), *chosen])


def make_person(role: str, seed: int, palette: Palette, *, number: int = 1) -> Person:
    """Somebody of a role: body, face, head and clothes, all from the seed.

    Args:
        role: see `outfits.outfit_for`.
        seed: what makes this person another than the next.
        palette: what the site's laundry hands out, see `outfits.site_palette`.
        number: identity in pictures and ground truth, from 1.

    Raises:
        UserError: the extra `sim` is not installed.
    """
    rng = np.random.default_rng([seed, 0x70657273])
    body = make_body(random_phenotype(rng))
    head = random_head(role, body.phenotype, rng, caps=palette.caps, mask=palette.mask)
    clothing = clothe(Figure(body), outfit_for(role, palette, rng), rng)
    hidden = hidden_skin(body, clothing) | hidden_by_cap(head, body)
    skin = skin_parts(body, head.complexion, rng, covered=hidden)
    return Person(body, [*skin, *head_parts(body, head, rng), *clothing.parts], number=number, role=role)


def hidden_skin(body: Body, clothing: Clothing) -> NDArray[np.bool_]:
    """Which base-mesh vertices (V,) lie so far under clothes that they never show."""
    points = body.vertices.astype(np.float64)
    hidden = np.zeros(len(points), bool)
    for field in clothing.covers:
        hidden |= field(points, body.weights) > _HIDDEN_DEPTH
    return hidden


def _normals(mesh: Mesh) -> NDArray[Any]:
    return vertex_normals(mesh.vertices, mesh.triangles) if mesh.normals is None else mesh.normals


def _columns(arrays: Sequence[NDArray[Any]]) -> NDArray[np.float32]:
    """x, y and z (3, N) of points in several arrays, each contiguous."""
    return np.ascontiguousarray(np.concatenate(arrays).T, np.float32)


def _spread(points: NDArray[Any], among: NDArray[Any], spacing: float) -> NDArray[np.intp]:
    """Of some of the points' numbers, one in each cell of a grid."""
    cells = np.floor(points[among] / spacing).astype(np.int64)
    _, first = np.unique(cells, axis=0, return_index=True)
    return np.asarray(among[np.sort(first)], np.intp)


def _picking(body: Body, vertices: NDArray[Any]) -> sparse.csr_matrix:
    """(N, V) rows that pick vertices."""
    count = len(vertices)
    return sparse.csr_matrix((np.ones(count), (np.arange(count), vertices)), shape=(count, len(body.vertices)))


def _carried(regressor: sparse.csr_matrix, body: Body) -> NDArray[np.float64]:
    """(N, B, 4) such that Σ_b transforms_b · row is the regressed point of the posed body, for every pose."""
    homogeneous = np.column_stack([body.vertices, np.ones(len(body.vertices))])
    columns = [(regressor @ body.weights.multiply(axis[:, None]).tocsr()).toarray() for axis in homogeneous.T]
    return np.stack(columns, axis=-1).astype(np.float64)
