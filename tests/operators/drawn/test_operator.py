"""A drawn head is shown only where it may be; everything else, and whatever goes wrong, stays strictly covered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from or_mv_anon.audit.learned import OUTCOMES
from or_mv_anon.core.config import LearnedConfig, load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import RegionKind, Regions
from or_mv_anon.models.landmarks import FoundFaces
from or_mv_anon.operators.cells import cover, showing
from or_mv_anon.operators.drawn.modifier_model import ModifierModel, find_modifier
from or_mv_anon.operators.drawn.operator import LearnedNetworks, LearnedOperator
from or_mv_anon.operators.drawn.release_check import Outcome, ReleaseCheck
from or_mv_anon.video.frame import Frame, PictureScaler
from or_mv_anon.video.orientation import Orientation
from or_mv_anon.video.pixels import FULL_RANGE, PixelFormat, working_format
from tests.operators.tiny_modifiers import COLOUR, Behaviour, write_modifier

CONFIG = load_config()
LEARNED = replace(CONFIG.learned, strict="solid", hold_s=0.0, smooth_s=0.0)
BOX = (40.0, 24.0, 104.0, 88.0)
SIZE = (160, 120)


class Eyes:
    """Finds one face in the middle of everything, or none."""

    def __init__(self, *, sees: bool = True) -> None:
        self.sees = sees

    def find(self, picture: NDArray[np.uint8]) -> FoundFaces:
        count = int(self.sees)
        return FoundFaces(np.zeros((count, 4), np.float32), np.ones(count, np.float32), np.ones((count, 5, 2), "f4"))


class Memory:
    """A recognizer that compares brightness pixel by pixel."""

    name, same_person = "memory", 0.4

    def embed(self, pictures: Sequence[NDArray[np.uint8]], landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
        assert len(landmarks) == len(pictures)
        rows = np.stack([picture.astype(np.float32).mean(axis=2).ravel() for picture in pictures])
        rows -= rows.mean(axis=1, keepdims=True)
        return rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)


class Broken(Memory):
    def embed(self, pictures: Any, landmarks: Any) -> NDArray[np.float32]:
        raise RuntimeError("out of memory")


class Blind(Memory):
    """Never recognizes anybody."""

    def embed(self, pictures: Any, landmarks: Any) -> NDArray[np.float32]:
        half = len(pictures) // 2
        return np.repeat(np.array([[1, 0], [0, 1]], np.float32), half, axis=0)


def frame_of(seed: int = 0, *, name: str = "yuv420p", orientation: Orientation | None = None, time: float = 0) -> Frame:
    """Coarse noise: like a face it has detail beyond any mosaic."""
    random = np.random.default_rng(seed)
    coarse = random.integers(30, 220, (SIZE[1] // 4, SIZE[0] // 4, 3)).astype(np.uint8)
    picture = np.ascontiguousarray(coarse.repeat(4, axis=0).repeat(4, axis=1))
    native = av.VideoFrame.from_ndarray(picture, format="bgr24").reformat(*SIZE, name)
    pixel_format = working_format(name)
    if name == "gbrp":  # a picture's channels, as image folders have them
        native.color_range, pixel_format = FULL_RANGE, PixelFormat(name, 8, None)
    return Frame(0, 0, time, False, native, pixel_format, orientation or Orientation(), PictureScaler())


def regions_of(*boxes: tuple[float, ...], kind: RegionKind = RegionKind.HEAD, **changes: Any) -> Regions:
    count = len(boxes)
    regions = Regions(
        frame=np.zeros(count),
        box=np.array(boxes, np.float32).reshape(-1, 4),
        kind=np.full(count, kind),
        track=np.arange(count),
        uncertainty=np.zeros(count),
    )
    return regions.replace(**changes)


@pytest.fixture
def make(tmp_path: Path) -> Any:
    """Makes an operator around a tiny modifier."""

    def operator(
        behaviour: Behaviour = "paint",
        *,
        config: LearnedConfig = LEARNED,
        recognizer: Any = None,
        finder: Any = None,
        **file: Any,
    ) -> LearnedOperator:
        path = write_modifier(tmp_path / "modifier.onnx", behaviour, **file)
        check = ReleaseCheck(finder or Eyes(), [recognizer or Memory()], least_distance=config.least_distance)
        return LearnedOperator(LearnedNetworks(ModifierModel(path, device="cpu"), check), CONFIG.operators, config)

    return operator


def strict_planes(frame: Frame, regions: Regions) -> list[NDArray[Any]]:
    """What the strict operator alone makes of a frame."""
    cover(frame.planes(), frame.to_coded(regions.box), LEARNED.strict, CONFIG.operators)
    return [plane.pixels.copy() for plane in frame.planes()]


def assert_strict(operator: LearnedOperator, outcome: Outcome, regions: Regions | None = None, seed: int = 0) -> None:
    """The operator does exactly what the strict one does, and says why."""
    regions = regions_of(BOX) if regions is None else regions
    frame = frame_of(seed)
    operator.cover(frame, regions)
    for plane, strict in zip(frame.planes(), strict_planes(frame_of(seed), regions), strict=True):
        np.testing.assert_array_equal(plane.pixels, strict)
    assert operator.counts == {outcome: len(regions)}


@pytest.mark.parametrize("name", ["yuv420p", "yuv422p10le", "yuvj420p", "yuv444p", "gray", "gbrp"])
def test_a_head_is_drawn_inside_a_strict_ring_and_nothing_else_is_touched(make: Any, name: str) -> None:
    frame, source = frame_of(name=name), frame_of(name=name)
    operator = make()
    operator.cover(frame, regions_of(BOX))
    assert operator.counts == {"released": 1}
    strict = strict_planes(source, regions_of(BOX))
    x1, y1, x2, y2 = map(int, BOX)
    for plane, ring in zip(frame.planes(), strict, strict=True):
        drawn = plane.pixels != ring
        left, top, right, bottom = x1 // plane.x_step, y1 // plane.y_step, x2 // plane.x_step, y2 // plane.y_step
        inside = np.zeros_like(drawn)
        inside[top + 1 : bottom - 1, left + 1 : right - 1] = True
        assert not drawn[~inside].any()
    middle = frame.bgr()[(y1 + y2) // 2, (x1 + x2) // 2, ::-1] / 255
    wanted = [0.5564] * 3 if name == "gray" else COLOUR
    np.testing.assert_allclose(middle, wanted, atol=0.03)


@pytest.mark.parametrize("orientation", [Orientation(90), Orientation(180), Orientation(270, flip=True)])
def test_the_network_sees_and_draws_upright_heads(make: Any, orientation: Orientation) -> None:
    """A modifier that copies leaves a picture's gradient where it was, whichever way the camera stands."""
    height, width = SIZE[1], SIZE[0]
    ramp = np.linspace(20, 230, width)[None, :, None] * np.ones((height, 1, 3))
    native = av.VideoFrame.from_ndarray(ramp.astype(np.uint8), format="bgr24").reformat(width, height, "yuv420p")
    frame = Frame(0, 0, 0.0, False, native, working_format("yuv420p"), orientation, PictureScaler())
    upright = orientation.to_upright(np.array([BOX], np.float32), width=width, height=height)
    before = frame.luma().pixels.astype(float).copy()
    operator = make("copy", recognizer=Blind(), config=replace(LEARNED, most_detail=9))
    operator.cover(frame, regions_of(tuple(upright[0])))
    assert operator.counts == {"released": 1}
    after = frame.luma().pixels.astype(float)
    x1, y1, x2, y2 = (int(value) for value in BOX)
    core = np.s_[y1 + 20 : y2 - 20, x1 + 20 : x2 - 20]
    assert np.abs(after[core] - before[core]).mean() < 6


@pytest.mark.parametrize(
    ("regions", "outcome"),
    [
        (regions_of((40, 24, 72, 50)), "small"),
        (regions_of(BOX, uncertainty=[0.7]), "unclear"),
        (regions_of(BOX, kind=RegionKind.PERSON), "unclear"),
        (regions_of(BOX, kind=RegionKind.BOX_TOP), "unclear"),
    ],
)
def test_places_that_are_not_surely_large_heads_stay_strict(make: Any, regions: Regions, outcome: Outcome) -> None:
    assert_strict(make(), outcome, regions)


def test_one_head_is_drawn_once(make: Any) -> None:
    operator = make()
    operator.cover(frame_of(), regions_of((44, 28, 100, 84), BOX, kind=RegionKind.HEAD))
    assert operator.counts == {"released": 1, "overlapped": 1}


def test_nothing_is_drawn_in_a_frame_that_is_covered_whole(make: Any) -> None:
    regions = regions_of(BOX, (0, 0, *SIZE), kind=RegionKind.HEAD)
    operator = make()
    operator.cover(frame_of(), regions.replace(kind=[RegionKind.HEAD, RegionKind.FRAME]))
    assert operator.counts == {"overlapped": 1, "unclear": 1}


def test_a_head_that_a_recognizer_knows_again_stays_strict(make: Any) -> None:
    config = replace(LEARNED, most_detail=9, ring=0.02, seam=0.02)
    assert_strict(make("copy", sees="picture", config=config), "recognized")


def test_a_head_that_keeps_the_detail_stays_strict_even_if_nobody_recognizes_it(make: Any) -> None:
    assert_strict(make("copy", sees="picture", side=64, recognizer=Blind()), "detailed")


def test_where_no_face_can_be_compared_only_what_is_bounded_is_drawn(make: Any) -> None:
    nobody = Eyes(sees=False)
    for file in ({"sees": "picture"}, {"sees": "cells", "cells": 3}):
        assert_strict(make("paint", finder=nobody, **file), "faceless")
    for file in ({"sees": "cells", "cells": 0}, {"sees": "picture", "codes": 8}):
        operator = make("paint", finder=nobody, **file)
        operator.cover(frame_of(), regions_of(BOX))
        assert operator.counts == {"released": 1}


@pytest.mark.parametrize("parts", [{"recognizer": Broken()}, {"behaviour": "nothing"}])
def test_whatever_fails_leaves_the_strict_operator_s_work_and_is_told(make: Any, parts: dict[str, Any]) -> None:
    operator = make(**parts)
    assert_strict(operator, "failed")
    assert len(operator.errors) == 1


def test_a_failure_before_anything_is_drawn_is_covered_too(make: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    operator = make()
    monkeypatch.setattr(operator, "_heads", lambda *_: 1 / 0)
    assert_strict(operator, "failed")


def test_a_network_that_sees_cells_knows_nothing_finer(make: Any) -> None:
    """Two faces with one mosaic get one drawn head."""
    pictures = []
    for seed in (1, 2):
        frame = frame_of()
        view = frame.planes()[0].pixels[24:88, 40:104]
        blocks = np.random.default_rng(seed).permuted(
            view.reshape(4, 16, 4, 16).swapaxes(1, 2).reshape(16, 256), axis=1
        )
        view[...] = blocks.reshape(4, 4, 16, 16).swapaxes(1, 2).reshape(64, 64)
        operator = make("copy", cells=4, recognizer=Blind(), config=replace(LEARNED, most_detail=9))
        operator.cover(frame, regions_of(BOX))
        assert operator.counts == {"released": 1}
        pictures.append(frame.planes()[0].pixels[24:88, 40:104].astype(int))
    assert np.abs(pictures[0] - pictures[1]).max() <= 2


def test_what_was_drawn_is_recognized_after_encoding_and_an_uncovered_source_is_caught(make: Any) -> None:
    for file in ({"behaviour": "paint"}, {"behaviour": "copy", "recognizer": Blind()}):
        frame, clear = frame_of(), frame_of()
        operator = make(**file)
        drawn = operator.cover(frame, regions_of(BOX))
        assert len(drawn) == 1
        luma = frame.planes()[0]
        noisy = np.clip(luma.pixels + np.random.default_rng(1).normal(0, 8, luma.pixels.shape), 0, 255)
        assert abs(showing(replace(luma, pixels=noisy.astype(np.uint8)), drawn)) < 0.1
        assert showing(clear.planes()[0], drawn) > 0.9


def test_a_refused_head_stays_strict_for_a_while(make: Any) -> None:
    operator = make(config=replace(LEARNED, hold_s=1.0))
    small, large = regions_of((40, 24, 72, 50)), regions_of(BOX)
    for time, regions in ((0.0, small), (0.5, large), (1.5, large)):
        operator.cover(frame_of(time=time), regions)
    assert operator.counts == {"small": 2, "released": 1}


def test_what_is_seen_of_a_track_is_steadied_over_time(make: Any) -> None:
    """The same picture after a different one: half way between without memory of the track, closer with it."""

    def after_another(smooth_s: float) -> NDArray[Any]:
        operator = make("copy", config=replace(LEARNED, smooth_s=smooth_s, most_detail=9), recognizer=Blind())
        for seed, time in ((1, 0.0), (0, 0.1)):
            frame = frame_of(seed, time=time)
            operator.cover(frame, regions_of(BOX))
        return frame.planes()[0].pixels[44:68, 60:84].astype(float)

    first = frame_of(1)
    make("copy", recognizer=Blind(), config=replace(LEARNED, most_detail=9)).cover(first, regions_of(BOX))
    before = first.planes()[0].pixels[44:68, 60:84].astype(float)
    assert np.abs(after_another(0.2) - before).mean() < 0.8 * np.abs(after_another(0.0) - before).mean()


def test_every_outcome_has_words() -> None:
    assert set(OUTCOMES) == set(get_args(Outcome))


@pytest.mark.parametrize("spoilt", [{"schema": "9"}, {"sees": "everything"}, {"side": 0}])
def test_networks_that_do_not_say_what_they_see_are_refused(tmp_path: Path, spoilt: dict[str, Any]) -> None:
    path = write_modifier(tmp_path / "modifier.onnx", "paint", **spoilt)
    with pytest.raises(UserError, match="does not say"):
        find_modifier(path)


def test_other_files_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "modifier.onnx"
    with pytest.raises(UserError, match="There is no network file"):
        find_modifier(path)
    path.write_bytes(b"\xff\x00nothing")
    with pytest.raises(UserError, match="no ONNX network"):
        find_modifier(path)
