"""What people have on their heads: masks cover what they should and nothing else, caps sit, glasses leave eyes free."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("anny")

from or_mv_anon.simulation.bodies.body import Body, make_body, random_phenotype
from or_mv_anon.simulation.bodies.part import Part
from or_mv_anon.simulation.bodies.surfaces import tube, vertex_normals
from or_mv_anon.simulation.heads.airway import AIRWAYS, airway_parts
from or_mv_anon.simulation.heads.caps import CAPS, cap_parts, under_cap
from or_mv_anon.simulation.heads.eyes import IRISES, eye_parts
from or_mv_anon.simulation.heads.eyewear import EYEWEAR, eyewear_parts
from or_mv_anon.simulation.heads.face_paint import Complexion, paint_head, skin_tone
from or_mv_anon.simulation.heads.hair import STYLES, hair_parts
from or_mv_anon.simulation.heads.head_frame import average_head, inner_point
from or_mv_anon.simulation.heads.masks import FASTENINGS, mask_parts
from or_mv_anon.simulation.heads.skin import skin_parts
from or_mv_anon.simulation.scene import MaskState, Surface

BLUE = (0.3, 0.5, 0.7)
SEEDS = [1, 2, 3, 4, 5, 6]


def somebody(seed: int) -> Body:
    return make_body(random_phenotype(np.random.default_rng(seed)))


def named(parts: list[Part], name: str) -> Part:
    return next(part for part in parts if part.name == name)


def beneath(body: Body, part: Part, points: np.ndarray, inside: np.ndarray) -> np.ndarray:
    """How far points (N, 3) lie below a part's surface, along rays from a point inside the head; NaN where none is."""
    centre = inner_point(body, inside)
    corner = part.mesh.vertices.astype(np.float64)[part.mesh.triangles] - centre
    edge1, edge2 = corner[:, 1] - corner[:, 0], corner[:, 2] - corner[:, 0]
    depth = np.full(len(points), np.nan)
    for k, ray in enumerate(points - centre):
        length = np.linalg.norm(ray)
        p = np.cross(ray / length, edge2)
        determinant = np.einsum("ij,ij->i", edge1, p)
        determinant[np.abs(determinant) < 1e-15] = np.nan
        a = np.einsum("ij,ij->i", -corner[:, 0], p) / determinant
        q = np.cross(-corner[:, 0], edge1)
        b = q @ (ray / length) / determinant
        t = np.einsum("ij,ij->i", edge2, q) / determinant
        hit = (a >= 0) & (b >= 0) & (a + b <= 1) & (t > 0)
        if hit.any():
            depth[k] = t[hit].max() - length
    return depth


@pytest.fixture(scope="module", params=SEEDS)
def body(request: pytest.FixtureRequest) -> Body:
    return somebody(request.param)


def test_a_worn_mask_covers_nose_mouth_and_chin_and_no_skin_pokes_through(body: Body) -> None:
    mask = named(mask_parts(body, BLUE, "loops", np.random.default_rng(0)), "mask_worn")
    points = average_head().points[body.face]
    must = (
        ((points[:, 1] > 0.1) | (points[:, 2] < -0.03))
        & (points[:, 1] > 0.085)
        & (points[:, 2] < -0.012)
        & (np.abs(points[:, 0]) < 0.03)
    )
    skin = body.vertices[body.face[must]].astype(np.float64)
    depth = beneath(body, mask, skin, np.array([0.0, 0.035, -0.045]))
    assert must.sum() > 300
    assert not np.isnan(depth).any()
    assert depth.min() > 0.0005
    assert mask.shown_when == {MaskState.WORN}
    assert mask.mesh.surface == Surface.MASK


def test_a_worn_mask_leaves_the_eyes_bare(body: Body) -> None:
    mask = named(mask_parts(body, BLUE, "ties", np.random.default_rng(0)), "mask_worn")
    eyes = body.keypoints[1:3] @ body.vertices
    assert mask.mesh.vertices[:, 2].max() < eyes[:, 2].mean() + 0.004


def test_a_mask_pulled_down_bares_the_face(body: Body) -> None:
    mask = named(mask_parts(body, BLUE, "loops", np.random.default_rng(0)), "mask_pulled_down")
    mouth = average_head().points
    lips = body.vertices[body.face[np.linalg.norm(mouth[body.face] - [0, 0.104, -0.0545], axis=1) < 0.02]]
    front = np.abs(mask.mesh.vertices[:, 0]) < 0.04
    assert mask.mesh.vertices[front, 2].max() < lips[:, 2].min()
    assert mask.mesh.vertices[:, 2].min() > body.vertices[body.face, 2].min() - 0.1
    assert mask.shown_when == {MaskState.PULLED_DOWN}
    assert mask.mesh.surface == Surface.HEAD


@pytest.mark.parametrize("kind", CAPS)
def test_a_cap_covers_the_skin_it_hides_and_stays_above_the_brows(body: Body, kind: str) -> None:
    cap = named(cap_parts(body, kind, BLUE, np.random.default_rng(0)), "cap")
    scalp = np.intersect1d(np.flatnonzero(under_cap(kind) & ~average_head().ears), body.head)
    depth = beneath(body, cap, body.vertices[scalp].astype(np.float64), np.array([0.0, 0.0, 0.035]))
    assert len(scalp) > 200
    assert np.nanmin(depth) > 0
    assert np.isnan(depth).mean() < 0.01
    brows = (body.keypoints[1:3] @ body.vertices)[:, 2].mean() + 0.018
    front = cap.mesh.vertices[:, 1] < (body.keypoints[1:3] @ body.vertices)[:, 1].mean()
    assert cap.mesh.vertices[front, 2].min() > brows


@pytest.mark.parametrize("kind", ["glasses", "safety"])
def test_nothing_of_glasses_is_in_front_of_the_pupils(body: Body, kind: str) -> None:
    (frame,) = eyewear_parts(body, kind, BLUE)
    for eye in body.keypoints[1:3] @ body.vertices:
        corner = frame.mesh.vertices[frame.mesh.triangles][:, :, [0, 2]] - eye[[0, 2]]
        following = np.roll(corner, -1, axis=1)
        turn = corner[..., 0] * following[..., 1] - corner[..., 1] * following[..., 0]
        assert not ((turn > 0).all(1) | (turn < 0).all(1)).any()
        assert np.linalg.norm(corner, axis=-1).min() > 0.007
    assert frame.mesh.vertices[:, 1].min() < body.vertices[body.face][:, 1].min() + 0.02


def all_parts(body: Body) -> list[Part]:
    rng = np.random.default_rng(0)
    parts = skin_parts(body, Complexion(), rng) + eye_parts(body, "blue", rng)
    for fastening in FASTENINGS:
        parts += mask_parts(body, BLUE, fastening, rng)
    for kind in CAPS:
        parts += cap_parts(body, kind, BLUE, rng)
    for style in STYLES:
        parts += hair_parts(body, style, BLUE, rng)
    for kind in EYEWEAR:
        parts += eyewear_parts(body, kind, BLUE)
    for kind in AIRWAYS:
        parts += airway_parts(body, kind)
    return parts


def test_every_part_is_sound() -> None:
    body = somebody(7)
    for part in all_parts(body):
        mesh = part.mesh
        count = len(mesh.vertices)
        assert part.weights.shape == (count, len(body.labels)), part.name
        np.testing.assert_allclose(np.asarray(part.weights.sum(1)).ravel(), 1, atol=1e-4, err_msg=part.name)
        assert mesh.vertices.dtype == np.float32
        assert np.isfinite(mesh.vertices).all(), part.name
        assert mesh.triangles.dtype == np.int32
        assert 0 <= mesh.triangles.min() <= mesh.triangles.max() < count
        assert mesh.moves
        assert mesh.person == 0
        assert mesh.surface != Surface.ROOM
        assert mesh.normals is not None
        lengths = np.linalg.norm(mesh.normals, axis=1)
        assert ((np.abs(lengths - 1) < 1e-3) | (lengths < 1e-6)).all(), part.name
        assert mesh.uv is None or (mesh.uv.shape == (count, 2) and np.isfinite(mesh.uv).all())


def test_triangles_turn_outwards() -> None:
    body = somebody(8)
    for part in all_parts(body):
        if part.name in ("cap_ties", "eyewear"):
            continue
        mesh = part.mesh
        normals = vertex_normals(mesh.vertices, mesh.triangles)
        if part.name.startswith(("hair", "cap", "mask", "bun", "oxygen_mask", "head_skin")):
            centre = mesh.vertices.mean(0)
            if part.name in ("mask_worn", "mask_pulled_down", "oxygen_mask"):
                centre = centre + np.array([0, 0.06, 0], np.float32)
            outward = mesh.vertices - centre
            assert "straps" in part.name or np.mean(np.sum(normals * outward, 1) > 0) > 0.9, part.name
        assert np.mean(np.sum(normals * mesh.normals, 1) > -1e-6) > 0.97, part.name


def test_surfaces_split_the_head_at_the_face() -> None:
    body = somebody(3)
    parts = skin_parts(body, Complexion(), np.random.default_rng(0))
    face, head, rest = (named(parts, name).mesh for name in ("face_skin", "head_skin", "body_skin"))
    assert (face.surface, head.surface, rest.surface) == (Surface.FACE, Surface.HEAD, Surface.BODY)
    total = sum(len(mesh.triangles) for mesh in (face, head, rest))
    assert total == len(body.groups["skin"].triangles)
    ear = (body.keypoints[3:5] @ body.vertices)[:, 1].mean()
    assert face.vertices[:, 1].max() < ear
    assert rest.vertices[:, 2].max() < (body.keypoints[0] @ body.vertices)[0, 2]


def test_covered_skin_is_left_out() -> None:
    body = somebody(3)
    covered = under_cap("skull")
    whole = skin_parts(body, Complexion(), np.random.default_rng(0))
    less = skin_parts(body, Complexion(), np.random.default_rng(0), covered=covered)
    assert len(named(less, "head_skin").mesh.triangles) < len(named(whole, "head_skin").mesh.triangles) - 300
    assert named(less, "body_skin").mesh.triangles.shape == named(whole, "body_skin").mesh.triangles.shape


@given(light=st.floats(0, 0.45), step=st.floats(0.1, 0.5))
@settings(max_examples=30)
def test_tones_run_from_light_to_dark(light: float, step: float) -> None:
    assert (skin_tone(light) > skin_tone(light + step)).all()


def test_painted_heads_differ_as_people_do() -> None:
    def mean(complexion: Complexion) -> float:
        return float(paint_head(complexion, np.random.default_rng(0)).mean())

    assert mean(Complexion(tone=0.05)) > mean(Complexion(tone=0.5)) + 15 > mean(Complexion(tone=0.95)) + 40
    assert mean(Complexion(beard=1.0)) < mean(Complexion()) - 1
    assert mean(Complexion(bald=True)) > mean(Complexion()) + 5
    again = paint_head(Complexion(), np.random.default_rng(0))
    np.testing.assert_array_equal(again, paint_head(Complexion(), np.random.default_rng(0)))


def test_a_bald_head_has_no_hair_and_a_cap_leaves_a_fringe() -> None:
    body, rng = somebody(1), np.random.default_rng(0)
    assert hair_parts(body, "bald", BLUE, rng) == []
    fringe = hair_parts(body, "bun", BLUE, rng, below=0.25)
    loose = hair_parts(body, "bun", BLUE, rng)
    assert max(p.mesh.vertices[:, 2].max() for p in fringe) < max(p.mesh.vertices[:, 2].max() for p in loose) - 0.03
    assert "bun" not in [part.name for part in fringe]


def test_eyes_look_forward_out_of_the_lids() -> None:
    body = somebody(2)
    for part, eye in zip(eye_parts(body, "brown", np.random.default_rng(0)), (1, 2), strict=True):
        middle = part.mesh.vertices[np.argmin(np.linalg.norm(part.mesh.uv - 0.5, axis=1))]
        assert np.linalg.norm((body.keypoints[eye] @ body.vertices)[0] - middle) < 0.02
        assert middle[1] == pytest.approx(part.mesh.vertices[:, 1].min(), abs=1e-4)
        assert part.mesh.surface == Surface.FACE
    assert set(IRISES) >= {"brown", "blue"}


@given(seed=st.integers(0, 2**16), closed=st.booleans())
@settings(max_examples=25)
def test_tubes_stay_at_half_their_width_from_their_line(seed: int, closed: bool) -> None:
    rng = np.random.default_rng(seed)
    turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
    line = np.stack([np.cos(turn), np.sin(turn), 0.05 * rng.normal(size=12)], -1)
    vertices, triangles, source = tube(line, width=0.02, height=0.02, outward=np.array([0, 0, 1.0]), closed=closed)
    np.testing.assert_allclose(np.linalg.norm(vertices - line[source], axis=1), 0.01, rtol=1e-6)
    normals = vertex_normals(vertices, triangles)
    assert (np.sum(normals * (vertices - line[source]), 1) > 0).all()
