"""Tiles show the very frames of a case's moments, cut from the covered video itself around where to look."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from or_mv_anon.audit.cases import Case
from or_mv_anon.review.glances import STEP_S, Glances, at_a_glance, frames_of, tile_around
from or_mv_anon.review.proxies import Proxies
from or_mv_anon.review.run_folder import ReviewedRun, read_run
from or_mv_anon.review.scratch import Scratch
from tests.review.review_scenes import SIZE, View, case, code_in, coded_picture, write_reviewed

VIEWS = {"a": View(120), "b": View(110, offset=0.4), "c": View(70, rate=15, missing=(3, 4))}
Tiles = list[tuple[dict[str, Any], list[NDArray[Any]]]]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> ReviewedRun:
    return read_run(write_reviewed(tmp_path_factory.mktemp("run") / "out", VIEWS))


@pytest.fixture
def proxies(run: ReviewedRun, tmp_path: Path) -> Iterator[Proxies]:
    made = Proxies(run, Scratch(tmp_path, 1 << 30))
    yield made
    made.end()


def tiles_of(glances: Glances, each: Case) -> Tiles:
    data = glances.packed(each)
    (size,) = struct.unpack_from("<I", data)
    at, found = 4 + size, []
    for tile in json.loads(data[4:at])["tiles"]:
        pictures = []
        for length in tile["bytes"]:
            pictures.append(cv2.imdecode(np.frombuffer(data[at : at + length], np.uint8), cv2.IMREAD_COLOR))
            at += length
        found.append((tile, pictures))
    assert at == len(data)
    return found


def test_a_whole_picture_at_every_moment_of_the_case(run: ReviewedRun, proxies: Proxies) -> None:
    found = tiles_of(Glances(run, proxies), case(1, 1.0, 2.0, "b", "c"))
    for (tile, pictures), (number, name) in zip(found, ((1, "b"), (2, "c")), strict=True):
        camera = run.camera(name)
        expected = frames_of(camera, 1.0, 2.0)
        assert tile["camera"] == name
        assert tile["box"] is None
        assert tile["seconds"] == [camera.seconds[frame] for frame in expected]
        assert [code_in(each) for each in pictures] == [(number, camera.numbers[frame]) for frame in expected]


def test_the_place_to_look_at_is_cut_out_and_told(run: ReviewedRun, proxies: Proxies) -> None:
    box = (200.0, 100.0, 232.0, 124.0)
    ((tile, pictures),) = tiles_of(Glances(run, proxies), case(1, 1.0, 1.0, "a", boxes={"a": box}))
    x1, y1, x2, y2 = tile_around(box, SIZE)
    (picture,) = pictures
    expected = cv2.resize(coded_picture(0, 25)[y1:y2, x1:x2], (picture.shape[1], picture.shape[0]))
    assert np.abs(picture.astype(int) - expected.astype(int)).mean() < 6
    told = np.array(tile["box"]).reshape(2, 2) * [x2 - x1, y2 - y1] + [x1, y1]
    assert np.allclose(told.ravel(), box)


def test_a_moment_that_a_camera_does_not_show(run: ReviewedRun, proxies: Proxies) -> None:
    ((tile, pictures),) = tiles_of(Glances(run, proxies), case(1, 0.0, 0.2, "b"))
    assert "b shows nothing" in tile["why"]
    assert pictures == []


def test_an_output_that_was_changed_is_not_shown_even_if_it_was_a_moment_ago(tmp_path: Path) -> None:
    out = write_reviewed(tmp_path / "out", {"a": View(40)})
    output = out / "a.mp4"
    output.write_bytes(output.read_bytes() + b"more")
    changed = read_run(out)
    proxies = Proxies(changed, Scratch(tmp_path, 1 << 30))
    ((tile, pictures),) = tiles_of(Glances(changed, proxies), case(1, 0.2, 0.4, "a"))
    assert "not the file that the run finished" in tile["why"]
    assert pictures == []
    proxies.end()


def test_while_the_videos_are_made_again_nothing_is_read(run: ReviewedRun, proxies: Proxies) -> None:
    glances = Glances(run, proxies)
    proxies.pause()
    ((tile, _),) = tiles_of(glances, case(1, 1.0, 1.2, "a"))
    assert "made again" in tile["why"]
    proxies.renew(run)
    ((tile, pictures),) = tiles_of(glances, case(1, 1.0, 1.2, "a"))
    assert not tile["why"]
    assert len(pictures) == 2


@given(start=st.floats(0, 4.4), length=st.floats(0, 1.6))
def test_no_part_of_a_case_is_passed_over(run: ReviewedRun, start: float, length: float) -> None:
    for camera in run.cameras:
        found = frames_of(camera, start, start + length)
        shown = [frame for second in (start, start + length) if (frame := camera.frame_at(second)) is not None]
        assert set(shown) <= set(found)
        assert found == sorted(set(found))
        seconds = camera.seconds[found]
        assert (np.diff(seconds) <= STEP_S + 1 / 15 + 1e-9).all() or camera.name == "c"  # which lacks two frames


def test_what_would_be_too_small_is_no_matter_of_a_glance() -> None:
    near, wide = {"a": (900.0, 500.0, 960.0, 560.0)}, {"a": (300.0, 200.0, 1500.0, 900.0)}
    answers = [at_a_glance(case(1, 0, 1, "a", boxes=boxes), {"a": (1920, 1080)}) for boxes in (near, wide, {})]
    assert answers == [True, False, False]
    assert at_a_glance(case(1, 0, 1, "a"), {"a": (640, 360)})


@given(data=st.data())
def test_a_tile_lies_in_the_frame_and_shows_what_is_beside_the_box(data: st.DataObject) -> None:
    size = data.draw(st.tuples(st.integers(64, 4096), st.integers(64, 4096)))
    corners = [sorted(data.draw(st.tuples(*[st.floats(0, side)] * 2))) for side in size]
    box = (corners[0][0], corners[1][0], corners[0][1], corners[1][1])
    x1, y1, x2, y2 = tile_around(box, size)
    assert 0 <= x1 < x2 <= size[0]
    assert 0 <= y1 < y2 <= size[1]
    for low, high, first, last, side in ((x1, x2, 0, 2, size[0]), (y1, y2, 1, 3, size[1])):
        beside = box[last] - box[first]
        assert low <= max(0, box[first] - beside) + 1
        assert high >= min(side, box[last] + beside) - 1
