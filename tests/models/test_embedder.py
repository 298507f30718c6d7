"""The embedder computes what PyTorch computes, looks at nothing but the box, and reads no file that could do harm."""

from __future__ import annotations

import io
import os
import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.core.config import AppearanceConfig
from or_mv_anon.core.errors import UserError
from or_mv_anon.models.embedder import PersonEmbedder
from or_mv_anon.models.osnet_weights import MAGIC, PROTOCOL, read_state_dict
from tests.models.random_osnet import random_state, reference_embeddings

torch = pytest.importorskip("torch")

CONFIG = AppearanceConfig(interval_s=1.0, min_detection_score=0.5, batch=2)
WIDTH, HEIGHT = 200, 300
WHOLE = np.array([[0, 0, WIDTH, HEIGHT]], np.float32)


def picture(seed: int = 0) -> np.ndarray:
    noise = np.random.default_rng(seed).integers(0, 255, (HEIGHT, WIDTH, 3)).astype(np.uint8)
    return cv2.GaussianBlur(noise, (0, 0), 4)


def old_file(state: dict[str, Any], path: Path) -> Path:
    torch.save(state, path, _use_new_zipfile_serialization=False)
    return path


def load(path: Path) -> PersonEmbedder:
    return PersonEmbedder(path, CONFIG, device="cpu", precision="f32", threads=1)


@pytest.fixture(scope="module")
def state() -> dict[str, Any]:
    return random_state(torch)


@pytest.fixture(scope="module")
def embedder(state: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> PersonEmbedder:
    return load(old_file(state, tmp_path_factory.mktemp("osnet") / "osnet.pt"))


def crops_of(picture: np.ndarray, boxes: np.ndarray) -> np.ndarray:
    return np.stack([cv2.resize(picture[y1:y2, x1:x2], (128, 256)) for x1, y1, x2, y2 in boxes.astype(int)])


BOXES = np.array([[10, 20, 90, 250], [0, 0, 200, 300], [120, 5, 190, 60]], np.float32)


def test_equals_pytorch(state: dict[str, Any], embedder: PersonEmbedder) -> None:
    expected = reference_embeddings(torch, state, crops_of(picture(), BOXES))
    assert np.ptp(expected @ expected.T) > 1e-3, "the reference tells the crops apart"
    np.testing.assert_allclose(embedder.embed(picture(), BOXES), expected, atol=1e-4)


@pytest.mark.sample
def test_equals_pytorch_with_the_published_weights(weights: Callable[[str], Path]) -> None:
    path = weights("osnet-x1-msmt17")
    state = torch.load(path, weights_only=True)
    expected = reference_embeddings(torch, state, crops_of(picture(), BOXES))
    np.testing.assert_allclose(load(path).embed(picture(), BOXES), expected, atol=1e-4)


corner = st.integers(-100, 400)


@settings(max_examples=15)
@given(st.lists(st.tuples(corner, corner, st.integers(0, 200), st.integers(0, 300)), max_size=5))
def test_vectors_are_of_length_one_or_nothing_was_seen(embedder: PersonEmbedder, places: list[tuple[int, ...]]) -> None:
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in places], np.float32).reshape(-1, 4)
    vectors = embedder.embed(picture(), boxes)
    inside = np.minimum(boxes[:, 2:], [WIDTH, HEIGHT]) > np.maximum(boxes[:, :2], 0)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), inside.all(axis=1), atol=1e-5)


def test_only_the_box_counts(embedder: PersonEmbedder) -> None:
    box = np.array([[30, 40, 110, 220]], np.float32)
    other = picture(1)
    other[40:220, 30:110] = picture()[40:220, 30:110]
    np.testing.assert_array_equal(embedder.embed(other, box), embedder.embed(picture(), box))
    outside = np.array([[-50, -10, 110, 220]], np.float32)
    inside = np.array([[0, 0, 110, 220]], np.float32)
    np.testing.assert_array_equal(embedder.embed(other, outside), embedder.embed(other, inside))


def test_order_and_number_of_boxes_make_no_difference(embedder: PersonEmbedder) -> None:
    together = embedder.embed(picture(), BOXES)
    for row in range(len(BOXES)):
        np.testing.assert_allclose(embedder.embed(picture(), BOXES[row : row + 1])[0], together[row], atol=1e-5)


def test_reads_every_tensor(state: dict[str, Any], tmp_path: Path) -> None:
    found = read_state_dict(old_file(state, tmp_path / "weights.pt"))
    assert list(found) == list(state)
    for name, tensor in state.items():
        np.testing.assert_array_equal(found[name], tensor.numpy())


class Harm:
    """Makes a folder when it is unpickled."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("place", range(4))
def test_refuses_to_run_what_a_file_asks_for(tmp_path: Path, place: int) -> None:
    parts: list[Any] = [MAGIC, PROTOCOL, {}, {}]
    parts[place] = Harm(tmp_path / "harm")
    (tmp_path / "weights.pt").write_bytes(b"".join(pickle.dumps(part, protocol=2) for part in parts))
    with pytest.raises(UserError, match="mkdir"):
        read_state_dict(tmp_path / "weights.pt")
    assert not (tmp_path / "harm").exists()


def test_says_what_is_wrong_with_a_file(state: dict[str, Any], tmp_path: Path) -> None:
    with pytest.raises(UserError, match="Cannot read"):
        load(tmp_path / "none.pt")
    torch.save(state, tmp_path / "zip.pt")
    with pytest.raises(UserError, match="not a plain PyTorch state dict"):
        load(tmp_path / "zip.pt")
    whole = io.BytesIO()
    torch.save(state, whole, _use_new_zipfile_serialization=False)
    (tmp_path / "cut.pt").write_bytes(whole.getvalue()[:-1000])
    with pytest.raises(UserError, match="not a plain PyTorch state dict"):
        load(tmp_path / "cut.pt")
    other = old_file({"conv1.conv.weight": torch.zeros(64, 3, 7, 7)}, tmp_path / "other.pt")
    with pytest.raises(UserError, match="not a plain PyTorch state dict"):
        load(other)
