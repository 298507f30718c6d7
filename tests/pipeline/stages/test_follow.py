"""A drawing is followed in the recording's own pictures, however it was cut, up to the next keyframe."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from or_mv_anon.core.config import load_config
from or_mv_anon.core.records import FollowedBoxes
from or_mv_anon.core.store import RunStore
from or_mv_anon.corrections.actions import Cover, Keyframe
from or_mv_anon.corrections.log import Line, append
from or_mv_anon.pipeline.corrected import followed_file
from or_mv_anon.pipeline.media import CameraPlan, hash_camera, index_camera
from or_mv_anon.pipeline.stages import follow as stage
from or_mv_anon.pipeline.stages.follow import FollowJob, follow_drawing
from or_mv_anon.site import Camera
from or_mv_anon.video.segments import Segment
from tests import clips
from tests.vouching import vouch

RATE, FRAMES, SIZE = 10, 40, (160, 120)
HEAD = 32
OFFSET = 7.0  # the camera's clock is late by so much


def structure(seed: int, width: int, height: int) -> NDArray[np.uint8]:
    small = np.random.default_rng(seed).integers(0, 255, (height // 4, width // 4)).astype(np.uint8)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)


def box(number: int) -> tuple[float, float, float, float]:
    x, y = 10.0 + 2 * number, 40.0
    return x, y, x + HEAD, y + HEAD


def walking(number: int, width: int, height: int) -> NDArray[np.uint8]:
    """A head that walks to the right and is gone after frame 30."""
    picture = structure(1, width, height) // 3 + 80
    x, y, *_ = map(int, box(number))
    if number < 30:
        picture[y : y + HEAD, x : x + HEAD] = structure(2, HEAD, HEAD)
    return np.ascontiguousarray(np.repeat(picture[..., None], 3, axis=2))


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    with mock.patch.object(clips, "picture", walking):
        return clips.write_clip(
            tmp_path_factory.mktemp("follow") / "cam.mp4", size=SIZE, rate=RATE, frames=FRAMES, gop=8,
            options={"crf": "14"},
        )  # fmt: skip


def followed(recording: Path, folder: Path, *frames: int) -> tuple[FollowedBoxes, list[str], Line]:
    camera = Camera(name="cam", files=recording, offset=OFFSET)
    store = RunStore.open(folder / "stages")
    index_camera(camera, store)
    hash_camera(camera, store.root)
    plan = CameraPlan(camera, vouch(store).root, (Segment(0, 0, 16), Segment(1, 16, FRAMES)), 0, None, folder / "x.mp4")
    keyframes = tuple(Keyframe(OFFSET + number / RATE, box(number)) for number in frames)
    line = append(folder, Cover("cam", keyframes, follow=True), author="A")
    told = follow_drawing(FollowJob(plan, line, load_config().manual)).told
    return vouch(store).read(followed_file(plan, line), FollowedBoxes, frames=range(FRAMES)), told, line


def covers(found: FollowedBoxes, numbers: range) -> bool:
    there = dict(zip(found.frame.tolist(), found.box, strict=True))
    middle = {number: np.array(box(number)) + np.array([8, 8, -8, -8]) for number in numbers}
    return all(
        number in there and (there[number][:2] <= inner[:2]).all() and (there[number][2:] >= inner[2:]).all()
        for number, inner in middle.items()
    )


@pytest.mark.parametrize("at_once", [256_000_000, 5 * SIZE[0] * SIZE[1]], ids=["at once", "in pieces"])
def test_both_directions_over_the_cuts(
    recording: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_once: int
) -> None:
    monkeypatch.setattr(stage, "MOST_BYTES", at_once)
    found, told, line = followed(recording, tmp_path, 20)
    assert covers(found, range(0, 30))
    assert found.frame.tolist() == sorted(set(found.frame.tolist()))
    (sentence,) = told
    assert line.id in sentence
    assert "lost at 9.9" in sentence, "on the session's clock"


def test_a_later_keyframe_takes_over(recording: Path, tmp_path: Path) -> None:
    found, told, _ = followed(recording, tmp_path, 5, 25)
    assert covers(found, range(0, 30))
    assert len(told) == 1
