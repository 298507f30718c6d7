"""The modifier: what it is shown, what it may draw, and that the file keeps the promise."""

import cv2
import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch")

from or_mv_anon.head_training.batches import make_batch  # noqa: E402
from or_mv_anon.head_training.codebook_modifier import CodedModifier  # noqa: E402
from or_mv_anon.head_training.directions import directions, facing_of, nearest_direction  # noqa: E402
from or_mv_anon.head_training.export import export  # noqa: E402
from or_mv_anon.head_training.layout import between, face_in_region  # noqa: E402
from or_mv_anon.head_training.losses import sampled  # noqa: E402
from or_mv_anon.head_training.modifier import Modifier  # noqa: E402
from or_mv_anon.head_training.settings import load_training_config  # noqa: E402
from or_mv_anon.models.recognizers import align  # noqa: E402
from or_mv_anon.models.runtime import load_model  # noqa: E402
from or_mv_anon.operators import cells as operators  # noqa: E402
from or_mv_anon.operators.drawn.mosaic import enlarge  # noqa: E402
from tests.head_training.modifier_material import CODES, SIDE, made_up_head  # noqa: E402


def coded():
    torch.manual_seed(0)
    drawings = torch.rand(CODES, 3, SIDE, SIDE)
    return CodedModifier(drawings)


def settings(**modifier):
    return load_training_config(overrides={"modifier": {"side": SIDE, "codes": CODES} | modifier})


@given(st.integers(8, 300), st.integers(8, 300), st.integers(1, 12))
def test_the_mosaic_has_the_operators_cells(width, height, cells):
    assert operators.grid(width=width, height=height, cells=cells) == operators._cells((0, 0, width, height), cells)


def test_a_mosaic_of_one_cell_is_shown_as_one_colour():
    seen = enlarge(np.uint8([[[255, 51, 0]]]), 8)
    np.testing.assert_allclose(seen, np.broadcast_to(np.float32([1, 0.2, 0])[:, None, None], (3, 8, 8)), atol=1e-6)


def test_whatever_is_seen_one_of_the_drawings_comes_out():
    network = coded().eval()
    seen = torch.rand(20, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    drawn = network(seen)
    same = (drawn[:, None] == network.drawings[None]).flatten(2).all(dim=2)
    assert (same.sum(dim=1) == 1).all()


def test_light_and_contrast_do_not_change_the_drawing():
    network = coded().eval()
    seen = torch.rand(8, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(network.read(0.6 * seen + 0.1), network.read(seen), atol=1e-3, rtol=1e-3)


def test_the_hard_choice_lets_gradients_through_in_training():
    network = coded().train()
    network(torch.rand(2, 3, SIDE, SIDE)).square().mean().backward()
    assert network.choice.weight.grad.abs().sum() > 0


@pytest.mark.parametrize("free", [False, True])
def test_the_exported_file_draws_the_same_and_says_what_it_is(tmp_path, free):
    config = settings(codes=0 if free else CODES, sees="cells" if free else "picture").modifier
    network = Modifier(width=4, blocks=1) if free else coded()
    path = tmp_path / "modifier.onnx"
    export(network, path, config=config)
    said = {entry.key: entry.value for entry in onnx.load(path).metadata_props}
    assert said == {
        "sees": config.sees, "cells": "6", "side": str(SIDE), "codes": "0" if free else str(CODES), "schema": "1",
    }  # fmt: skip
    seen = np.random.default_rng(3).random((5, 3, SIDE, SIDE), np.float32)
    (drawn,) = load_model(path, device="cpu", precision="f32").infer(seen).values()
    with torch.no_grad():
        np.testing.assert_allclose(drawn, network.eval()(torch.from_numpy(seen)).numpy(), atol=5e-3)
    if not free:
        assert len(np.unique(drawn.reshape(5, -1), axis=0)) <= CODES


def test_the_adversary_sees_the_face_that_a_recognizer_sees():
    picture = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 255, (160, 200, 3), np.uint8), (0, 0), 4)
    landmarks = np.float32([[80, 60], [118, 64], [97, 84], [80, 100], [112, 103]])
    region = np.float32([40, 20, 168, 148])
    cut = torch.from_numpy(picture[20:148, 40:168].transpose(2, 0, 1).astype(np.float32))[None]
    matrix = torch.from_numpy(face_in_region(landmarks, region))[None]
    face = sampled(cut, matrix, height=112, width=112)[0][0].numpy().transpose(1, 2, 0)
    assert np.abs(face - align(picture, landmarks, side=112)).mean() < 4  # of 255: half a pixel's shift at most


def test_half_known_landmarks_place_the_same_face():
    landmarks = np.float32([[38.3, 51.7], [73.5, 51.5], [56.0, 71.7], [41.5, 92.4], [70.7, 92.2]])
    fewer = landmarks.copy()
    fewer[3:] = np.nan
    region = np.float32([0, 0, 112, 112])
    np.testing.assert_allclose(face_in_region(fewer, region), face_in_region(landmarks, region), atol=0.01)


def test_a_box_lies_in_another():
    np.testing.assert_allclose(
        between(np.float32([10, 0, 20, 10]), np.float32([0, 0, 20, 20])), [[0.5, 0, 0.5], [0, 0.5, -0.5]]
    )


def test_directions_are_all_around_and_the_first_faces_the_camera():
    made = directions(8)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-6)
    assert made[:, 2].argmax() == 0
    assert made[2, 0] > 0.9  # the third looks to the right of the picture
    assert nearest_direction(np.float32([[0, 0, 1], [1, 0, 0], [0, 0, -1]]), 8).tolist() == [0, 2, 4]


def test_where_a_simulated_head_faces_follows_from_nose_and_ears():
    from or_mv_anon.core.truth import TruthPeople

    people = TruthPeople.concat([TruthPeople.empty()])
    columns = {name: np.zeros((2, *shape), dtype) for name, (dtype, shape) in TruthPeople.columns.items()}
    columns["keypoints"][:, [0, 3, 4], 2] = 2
    columns["keypoints"][:, 0, :2] = [[30, 10], [10, 10]]
    columns["keypoints"][:, 3:5, :2] = 10
    columns["face_angle"][:] = [90, 0]
    columns["keypoints"][1, 0, 2] = 0  # out of the picture
    facing = facing_of(people.replace(**columns))
    np.testing.assert_allclose(facing[0], [1, 0, 0], atol=1e-6)
    assert np.isnan(facing[1]).all()


def test_without_chance_a_batch_is_what_the_heads_are():
    rng = np.random.default_rng(0)
    heads = [made_up_head(rng, kind=1, identity="a"), made_up_head(rng, kind=2, action=1)]
    config = settings()
    batch = make_batch(heads, identities=("a",), material=config.material, modifier=config.modifier, rng=None)
    expected = heads[0].picture[8:40, 8:40].transpose(2, 0, 1) / 255
    np.testing.assert_allclose(batch.picture[0].numpy(), expected, atol=1e-6)
    np.testing.assert_allclose(batch.seen[0].numpy(), expected, atol=1e-6)
    assert batch.known.tolist() == [0]
    assert batch.acting.tolist() == [1]
    assert batch.turned.tolist() == [0, 1]


def test_the_mirrored_head_faces_the_other_way():
    rng = np.random.default_rng(0)
    config = settings()
    head = made_up_head(rng, kind=1)
    seen = set()
    for seed in range(8):
        batch = make_batch(
            [head], identities=(), material=config.material, modifier=config.modifier, rng=np.random.default_rng(seed)
        )
        bright_right = bool(batch.picture[0, :, :, 16:].mean() > batch.picture[0, :, :, :16].mean())
        assert bright_right == bool(batch.facing[0, 0] > 0)
        seen.add(bright_right)
    assert seen == {True, False}
