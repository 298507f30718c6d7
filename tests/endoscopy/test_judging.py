"""The first pass: which frames the network looks at, and that nothing unjudged passes for inside."""

from __future__ import annotations

import dataclasses
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import FrameFlag
from or_mv_anon.endoscopy.classifier import OutOfBodyClassifier
from or_mv_anon.endoscopy.judging import Judged, judge_frames, picture_size, recording_area
from or_mv_anon.endoscopy.settings import JudgingConfig
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import Source, open_source
from tests.endoscopy.scope_clips import SIZE, write_scope_clip
from tests.endoscopy.tiny_oob_network import write_tiny_network

EVERY = JudgingConfig(interval_s=0.0, doubt=0.05, picture_side=512)
SPARSE = dataclasses.replace(EVERY, interval_s=0.2)
OUTSIDE = range(40, 60)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_network(tmp_path_factory.mktemp("network") / "tiny.onnx")


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Source:
    path = tmp_path_factory.mktemp("clip") / "clip.mp4"
    return open_source(write_scope_clip(path, outside=OUTSIDE, frames=100))


@pytest.fixture
def judge(network: Path, source: Source) -> Callable[..., Judged]:
    classifier = OutOfBodyClassifier(network, device="cpu", threads=1)

    def run(config: JudgingConfig, *, corrupt: int | None = None, classifier: object = classifier) -> Judged:
        frames = [
            dataclasses.replace(frame, corrupt=True) if frame.index == corrupt else frame
            for frame in source.frames(Segment(0, 0, source.n_frames))
        ]
        area = recording_area(source, config, first=0, stop=source.n_frames)
        return judge_frames(frames, classifier, area, config)  # type: ignore[arg-type]

    return run


def outside(judged: Judged) -> NDArray[np.intp]:
    return np.flatnonzero(np.array(judged.probabilities) > 0.5)


def test_every_frame_is_judged(judge: Callable[..., Judged]) -> None:
    judged = judge(EVERY)
    assert judged.frames == list(range(100))
    assert all(judged.looked)
    np.testing.assert_array_equal(outside(judged), OUTSIDE)
    assert judged.problems == []


def test_with_an_interval_exits_and_returns_are_still_judged_frame_by_frame(judge: Callable[..., Judged]) -> None:
    sparse, every = judge(SPARSE), judge(EVERY)
    np.testing.assert_array_equal(outside(sparse), OUTSIDE)
    assert 25 <= sum(sparse.looked) < 60, "every fourth of 80 calm frames, and all of 20 doubtful ones"
    assert all(sparse.looked[36:61]), "the frames up to the calm looks on both sides"
    looked = np.array(sparse.looked)
    # arithmetic may differ a little with the number of pictures judged together
    np.testing.assert_allclose(np.array(sparse.probabilities)[looked], np.array(every.probabilities)[looked], atol=0.01)


def test_a_damaged_frame_is_not_judged(judge: Callable[..., Judged]) -> None:
    for config in (EVERY, SPARSE):
        judged = judge(config, corrupt=10)
        assert np.isnan(judged.probabilities[10])
        assert judged.flags[10] == FrameFlag.CORRUPT
        assert not judged.looked[10]
        assert np.isfinite(np.delete(judged.probabilities, 10)).all()


class Failing:
    """A network that fails, or gives no number, at its third call."""

    provider = "none"

    def __init__(self, *, number: float | None) -> None:
        self._number, self._calls = number, 0

    def probabilities(self, batch: NDArray[np.float32]) -> NDArray[np.float32]:
        self._calls += 1
        if self._calls != 3:
            return np.full(len(batch), 0.01, np.float32)
        if self._number is None:
            raise RuntimeError("out of memory")
        return np.full(len(batch), self._number, np.float32)


@pytest.mark.parametrize("number", [None, float("nan")])
def test_where_the_network_fails_the_frames_count_as_not_judged(
    judge: Callable[..., Judged], number: float | None
) -> None:
    judged = judge(EVERY, classifier=Failing(number=number))
    assert np.isnan(judged.probabilities[:64]).all()
    assert set(judged.flags[:64]) == {int(FrameFlag.FAILED)}
    assert np.isfinite(judged.probabilities[64:]).all()
    assert len(judged.problems) == 1
    assert "covered whole" in judged.problems[0]


def test_the_border_is_found_over_the_whole_recording_whatever_part_is_judged(source: Source) -> None:
    area = recording_area(source, EVERY, first=0, stop=source.n_frames)
    assert area == (0, 0, *SIZE), "the room fills the picture"
    x0, _, x1, _ = recording_area(source, EVERY, first=0, stop=30)
    assert x0 > 10
    assert x1 < SIZE[0] - 10


def test_large_pictures_are_reduced_and_small_ones_kept() -> None:
    assert picture_size((1920, 1080), EVERY) == (512, 288)
    assert picture_size((1080, 1920), EVERY) == (288, 512)
    assert picture_size((320, 240), EVERY) == (320, 240)


def test_temperature_and_extreme_logits(tmp_path: Path) -> None:
    batch = np.zeros((2, 3, 224, 224), np.float32)
    batch[1, 2] = 1.0
    cool = OutOfBodyClassifier(write_tiny_network(tmp_path / "a.onnx", gain=2.0), device="cpu", precision="f32")
    warm = OutOfBodyClassifier(
        write_tiny_network(tmp_path / "b.onnx", gain=2.0, temperature="2.0"), device="cpu", precision="f32"
    )
    np.testing.assert_allclose(cool.probabilities(batch), [0.5, 1 / (1 + np.exp(-2))], atol=1e-3)
    np.testing.assert_allclose(warm.probabilities(batch), [0.5, 1 / (1 + np.exp(-1))], atol=1e-3)
    loud = OutOfBodyClassifier(write_tiny_network(tmp_path / "c.onnx", gain=-1e6), device="cpu", precision="f32")
    assert loud.probabilities(batch)[1] == 0
    assert len(cool.probabilities(batch[:0])) == 0
    with pytest.raises(ValueError, match="224"):
        cool.probabilities(batch[..., :100])


def test_networks_that_are_none(tmp_path: Path) -> None:
    def refused(path: Path, *words: str) -> None:
        with pytest.raises(UserError) as caught:
            OutOfBodyClassifier(path, device="cpu")
        assert all(word in str(caught.value) for word in (path.name, *words)), caught.value

    refused(tmp_path / "missing.onnx", "There is no network file")
    (tmp_path / "weights.pth").write_bytes(pickle.dumps({"weight": [1.0]}))
    refused(tmp_path / "weights.pth", "ONNX")
    refused(write_tiny_network(tmp_path / "other.onnx", output="boxes"), "another kind of network", "boxes")
    refused(write_tiny_network(tmp_path / "uncalibrated.onnx", temperature=None), "temperature")
    for wrong in ("hot", "0", "-1", "nan", "inf"):
        refused(write_tiny_network(tmp_path / "wrong.onnx", temperature=wrong), "temperature")
