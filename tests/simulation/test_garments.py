"""Garments are whole, lie outside the body, end in straight hems and hide the right skin; hands close."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from scipy.spatial import cKDTree

from or_mv_anon.simulation.clothes.cloth import Cloth
from or_mv_anon.simulation.clothes.sewing import open_loops


@lru_cache(maxsize=4)
def figure_of(seed: int):
    pytest.importorskip("anny")
    from or_mv_anon.simulation.bodies.body import make_body, random_phenotype
    from or_mv_anon.simulation.clothes.figure import Figure

    return Figure(make_body(random_phenotype(np.random.default_rng(seed))))


@lru_cache(maxsize=16)
def sewn(name: str, seed: int) -> Cloth:
    figure = figure_of(seed)
    from or_mv_anon.simulation.clothes import footwear, gloves, gown, scrubs, tops

    rng = np.random.default_rng(seed)
    cuts = {"scrub_top": scrubs.SCRUB_TOP, "jacket": scrubs.WARM_UP_JACKET, "gown": gown.SURGICAL_GOWN}
    cuts |= {"patient_gown": gown.PATIENT_GOWN, "apron": gown.LEAD_APRON}
    if name in cuts:
        return tops.sewn_top(figure, rng, cuts[name])
    if name == "trousers":
        return scrubs.trousers(figure, rng, waist=figure.crotch + 0.05)
    if name == "trouser_legs":
        return scrubs.trousers(figure, rng, waist=figure.crotch - 0.38)
    if name == "gloves":
        return gloves.gloves(figure, gloves.SURGICAL_CUFF)
    return footwear.overshoes(figure, rng)


OPENINGS = {"scrub_top": 4, "jacket": 4, "gown": 4, "patient_gown": 4, "apron": 4, "trousers": 3}
OPENINGS |= {"trouser_legs": 4, "gloves": 2}


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", sorted(OPENINGS))
def test_garments_are_whole(name: str, seed: int) -> None:
    cloth = sewn(name, seed)
    assert np.isfinite(cloth.vertices).all()
    assert len(open_loops(cloth.triangles)) == OPENINGS[name]
    np.testing.assert_allclose(cloth.weights.sum(axis=1), 1, atol=1e-5)
    assert cloth.vertices[:, 2].min() > 0


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("name", sorted(OPENINGS))
def test_garments_lie_outside_the_body(name: str, seed: int) -> None:
    cloth = sewn(name, seed)
    body = figure_of(seed).body
    skin = body.vertices[body.skin].astype(float)
    from or_mv_anon.simulation.bodies.surfaces import vertex_normals

    normals = vertex_normals(body.vertices, body.groups["body"].triangles)[body.skin]
    distance, nearest = cKDTree(skin).query(cloth.vertices)
    assert distance.max() < 0.22  # nothing flies off
    outwards = np.sum((cloth.vertices - skin[nearest]) * normals[nearest], axis=1)
    assert (outwards < -0.004).mean() < 0.01


@pytest.mark.parametrize("name", ["scrub_top", "gown", "patient_gown"])
def test_hems_are_straight(name: str) -> None:
    from or_mv_anon.simulation.clothes import gown, scrubs

    figure = figure_of(1)
    cut = {"scrub_top": scrubs.SCRUB_TOP, "gown": gown.SURGICAL_GOWN, "patient_gown": gown.PATIENT_GOWN}[name]
    cloth = sewn(name, 1)
    hem = figure.crotch + cut.hem * figure.scale
    lowest = cloth.vertices[cloth.vertices[:, 2] < hem + 0.012]
    assert len(lowest) > 60
    assert np.abs(lowest[:, 2] - hem).max() < 0.015


def test_hidden_skin_leaves_hands_head_and_neck_to_be_seen() -> None:
    figure = figure_of(2)
    from or_mv_anon.simulation.clothes.dressing import clothe
    from or_mv_anon.simulation.clothes.outfits import Outfit
    from or_mv_anon.simulation.person import hidden_skin

    body = figure.body
    hidden = hidden_skin(body, clothe(figure, Outfit(scrubs=(0.1, 0.2, 0.3)), np.random.default_rng(0)))
    hands = figure.hand_share(body.weights) > 0.7
    assert not hidden[body.head].any()
    assert not hidden[np.flatnonzero(hands)].any()
    trunk = np.abs(body.vertices[body.skin, 2] - figure.joint("spine03")[2]) < 0.03
    arms = figure.arm_share(body.weights)[body.skin] > 0.1
    assert hidden[body.skin][trunk & ~arms].all()


def test_an_apron_hides_the_scrub_top_but_for_its_edges() -> None:
    figure = figure_of(1)
    from or_mv_anon.simulation.clothes.dressing import clothe
    from or_mv_anon.simulation.clothes.outfits import Outfit

    def tops(outfit: Outfit) -> int:
        parts = clothe(figure, outfit, np.random.default_rng(0)).parts
        return sum(len(part.mesh.triangles) for part in parts if part.name == "scrub_top")

    blue = (0.1, 0.2, 0.3)
    without, below = tops(Outfit(scrubs=blue)), tops(Outfit(scrubs=blue, apron=blue, shoes=blue, overshoes=True))
    assert 0 < below < without / 2


@pytest.mark.parametrize("side", ["L", "R"])
def test_hands_close_towards_the_palm(side: str) -> None:
    figure = figure_of(1)
    from or_mv_anon.simulation.bodies.hands import finger_shapes
    from or_mv_anon.simulation.bodies.skeleton import Skeleton
    from or_mv_anon.simulation.scene import Pose

    body = figure.body
    skeleton = Skeleton(body.labels, body.parents.tolist(), body.rest_bones)
    shapes = finger_shapes(body.labels, skeleton.rest_joints)
    tips = [skeleton.number(f"finger{finger}-3.{side}") for finger in (2, 3, 4, 5)]
    wrist = skeleton.number(f"wrist.{side}")

    def reach(which: int) -> np.ndarray:
        rotations = {} if which < 0 else {label: both[which] for label, both in shapes.items()}
        joints = skeleton.joints(Pose(rotations, np.eye(4)))
        return np.linalg.norm(joints[tips] - joints[wrist], axis=1)

    straight, relaxed, holding = reach(-1), reach(0), reach(1)
    assert (relaxed < straight - 0.001).all()
    assert (holding < relaxed - 0.01).all()
    palm = np.cross(
        skeleton.rest_joint(f"finger2-1.{side}") - skeleton.rest_joint(f"wrist.{side}"),
        skeleton.rest_joint(f"finger5-1.{side}") - skeleton.rest_joint(f"wrist.{side}"),
    ) * (1 if side == "L" else -1)
    moved = skeleton.joints(Pose({k: v[1] for k, v in shapes.items()}, np.eye(4)))[tips] - skeleton.rest_joints[tips]
    assert len({bool(sign) for sign in moved @ palm > 0}) == 1


def test_two_sites_wear_other_clothes() -> None:
    pytest.importorskip("anny")
    from or_mv_anon.simulation.clothes.outfits import site_palette

    palettes = [site_palette(seed) for seed in range(12)]
    assert site_palette(3) == palettes[3]
    assert len({(palette.scrubs[0], palette.gown) for palette in palettes}) >= 8
