"""Which pixels count as covered: regions in their drawn shape, and pixels of real videos."""

import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.core.errors import UserError
from or_mv_anon.evaluation.coverage import RegionCoverage, match_run
from or_mv_anon.evaluation.pixel_coverage import FillOptions, PixelCoverage, covered_pixels, find_video
from or_mv_anon.evaluation.run_directory import load_run
from tests.evaluation.exposure_scenes import RATE, SIZE, camera_truth, rectangle, write_pair, write_run


def masks(coverage):
    return {frame: mask.copy() for frame, mask in coverage.masks()}


def run_of(folder, covered, *, times=(0.0, 0.1, 0.2), **options):
    return load_run(write_run(folder, {"cam1": (times, covered)}, **options)).cameras["cam1"]


def test_regions_cover_what_the_operator_draws(tmp_path):
    camera = run_of(tmp_path, {1: [(9, 10, 14, 15)], 2: [(-5, -5, 3, 3), (60, 40, 90, 90)]})
    found = masks(RegionCoverage(camera))
    assert not found[0].any()
    assert (found[1] == rectangle((8, 8, 16, 16))).all()  # widened to multiples of 4
    assert (found[2] == rectangle((0, 0, 4, 4)) | rectangle((60, 40, 64, 48))).all()


def test_regions_of_a_turned_camera_are_widened_on_the_coded_grid(tmp_path):
    size = (48, 62)  # upright; the coded picture is 62 × 48, and 62 is no multiple of 4
    camera = run_of(tmp_path, {0: [(9, 10, 14, 15)]}, size=size, rotation=90)
    # upright x is coded 48 - y, upright y is coded x
    assert (masks(RegionCoverage(camera))[0] == rectangle((8, 8, 16, 16), size)).all()
    camera = run_of(tmp_path, {0: [(9, 10, 14, 15)]}, size=size, rotation=270)
    # upright y is coded 62 - x: 47..52 becomes 44..52, and so 10..18
    assert (masks(RegionCoverage(camera))[0] == rectangle((8, 10, 16, 18), size)).all()


def test_segments_are_joined_and_painted_frames_count(tmp_path):
    camera = run_of(tmp_path, {0: [(0, 0, 4, 4)], 2: [(0, 0, 8, 8)]}, segments=2, blanked=[1])
    found = masks(RegionCoverage(camera))
    assert [int(found[frame].sum()) for frame in range(3)] == [16, SIZE[0] * SIZE[1], 64]
    assert camera.keypoints.detection.tolist() == [0, 1, 2]


def test_nothing_is_covered_by_method_none(tmp_path):
    camera = run_of(tmp_path, {0: [(0, 0, 40, 40)]}, method="none")
    assert not any(mask.any() for mask in masks(RegionCoverage(camera)).values())


@pytest.mark.parametrize(
    ("truth", "words"),
    [
        (camera_truth([], frames=4), "3 frames, the ground truth 4"),
        (camera_truth([], frames=3, size=(32, 32)), "64x48.*32x32"),
        (camera_truth([], instants=[0, 1, 3]), "frame 2 of the run is 0.100 s away"),
    ],
)
def test_a_run_over_something_else_is_refused(tmp_path, truth, words):
    with pytest.raises(UserError, match=words):
        match_run(run_of(tmp_path, {}), truth)


def test_unfinished_runs_are_refused(tmp_path):
    with pytest.raises(UserError, match="not the output of a finished run"):
        load_run(tmp_path)
    write_run(tmp_path, {"cam1": ([0.0], {})})
    (tmp_path / "cam1.mp4").unlink()
    with pytest.raises(UserError, match="no output for cam1"):
        load_run(tmp_path)
    audit = json.loads((tmp_path / "audit.json").read_text()) | {"outputs": 3}
    (tmp_path / "audit.json").write_text(json.dumps(audit))
    with pytest.raises(UserError, match="cannot be read"):
        load_run(tmp_path)


@pytest.mark.parametrize("crf", [18, 30])
def test_pixels_and_regions_of_our_own_solid_output_agree(tmp_path, crf):
    size = (320, 240)
    covered = {
        frame: [(20 + 3 * frame, 30, 81 + 3 * frame, 95), (200, 100 + 2 * frame, 260, 170)] for frame in range(10)
    }
    write_pair(tmp_path / "in.mp4", tmp_path / "out.mp4", covered, size=size, crf=crf)
    truth = camera_truth([], frames=10, size=size)
    by_pixels = masks(PixelCoverage("cam1", tmp_path / "in.mp4", tmp_path / "out.mp4", truth))
    camera = run_of(tmp_path, covered, times=np.arange(10) / RATE, size=size, method="solid")
    by_regions = masks(RegionCoverage(camera))
    assert len(by_pixels) == 10
    for frame, mask in by_regions.items():
        assert (by_pixels[frame] & mask).sum() > 0.98 * mask.sum()
        assert (by_pixels[frame] & ~mask).sum() < 0.01 * mask.sum()


def test_nothing_is_covered_in_a_copy(tmp_path):
    write_pair(tmp_path / "in.mp4", tmp_path / "out.mp4", {}, crf=32)
    coverage = PixelCoverage("cam1", tmp_path / "in.mp4", tmp_path / "out.mp4", camera_truth([], frames=10))
    assert not any(mask.any() for mask in masks(coverage).values())


def test_dark_pixels_inside_a_painted_shape_count_and_outside_do_not():
    original = np.full((48, 64), 120, np.uint8)
    original[:, 40:] = 5  # a dark curtain
    original[12:15, 10:22] = 4  # dark hair within the painted face
    output = original.copy()
    output[8:24, 8:24] = 0
    found = covered_pixels(original, output, FillOptions())
    assert (found == rectangle((8, 8, 24, 24))).all()


def test_other_brightness_of_the_fill():
    original = np.full((48, 64), 120, np.uint8)
    output = original.copy()
    output[8:24, 8:24] = 250
    assert not covered_pixels(original, output, FillOptions()).any()
    found = covered_pixels(original, output, FillOptions(brightness=255))
    assert (found == rectangle((8, 8, 24, 24))).all()


@settings(max_examples=25)
@given(seed=st.integers(0, 2**16), dark=st.integers(0, 60), noise=st.floats(0, 3))
def test_no_pixel_that_shows_the_original_ever_counts(seed, dark, noise):
    """Outside of what was painted nothing counts, however dark and noisy the picture is."""
    random = np.random.default_rng(seed)
    original = np.clip(random.normal(dark, 30, (48, 64)), 0, 255).astype(np.uint8)
    painted = rectangle((16, 12, 40, 36))
    output = np.where(painted, 0, original)
    output = np.clip(output + np.clip(random.normal(0, noise, output.shape), -8, 8), 0, 255).astype(np.uint8)
    assert not (covered_pixels(original, output, FillOptions()) & ~painted).any()


def test_frames_missing_from_the_output_are_refused(tmp_path):
    write_pair(tmp_path / "in.mp4", tmp_path / "out.mp4", {}, gone=(4, 5))
    with pytest.raises(UserError, match=r"2 of 10 frames are missing .* the first at 0\.400 s"):
        PixelCoverage("cam1", tmp_path / "in.mp4", tmp_path / "out.mp4", camera_truth([], frames=10))


def test_two_frames_cannot_be_one_of_the_output(tmp_path):
    """Frame 3 lies 30 ms behind frame 2; without it the output's frame 2 is the nearest to both."""
    times = [0, 0.1, 0.2, 0.23, *(0.1 * i for i in range(3, 9))]
    write_pair(tmp_path / "in.mp4", tmp_path / "out.mp4", {}, gone=(3,), pts=[round(t * 5120) for t in times])
    truth = camera_truth([], frames=10, times=times)
    with pytest.raises(UserError, match=r"1 of 10 frames are missing .* the first at 0\.230 s"):
        PixelCoverage("cam1", tmp_path / "in.mp4", tmp_path / "out.mp4", truth)


def test_frames_are_matched_by_time_where_a_tool_filled_a_gap(tmp_path):
    """The camera dropped frames 3 and 4; the tool wrote a constant rate and repeated a picture there."""
    pts = [round(i * 512) for i in range(10) if i not in (3, 4)]
    covered = {frame: [(0, 0, 24, 24)] for frame in range(5, 8)}
    write_pair(tmp_path / "in.mp4", tmp_path / "x.mp4", covered, frames=8, pts=pts)
    write_pair(tmp_path / "y.mp4", tmp_path / "out.mp4", {frame: [(0, 0, 24, 24)] for frame in (7, 8, 9)}, frames=10)
    truth = camera_truth([], instants=[i for i in range(10) if i not in (3, 4)])
    coverage = PixelCoverage("cam1", tmp_path / "in.mp4", tmp_path / "out.mp4", truth)
    assert [frame for frame, mask in masks(coverage).items() if mask[:24, :24].mean() > 0.9] == [5, 6, 7]


def test_output_of_another_size_is_refused(tmp_path):
    write_pair(tmp_path / "in.mp4", tmp_path / "x.mp4", {})
    write_pair(tmp_path / "y.mp4", tmp_path / "out.mp4", {}, size=(32, 32))
    with pytest.raises(UserError, match="the anonymized video has pictures of 32x32"):
        PixelCoverage("cam1", tmp_path / "in.mp4", tmp_path / "out.mp4", camera_truth([], frames=10))


def test_outputs_that_a_tool_stretched_are_stretched_back(tmp_path):
    covered = {frame: [(0, 0, 64, 32)] for frame in range(10)}
    write_pair(tmp_path / "in.mp4", tmp_path / "x.mp4", {}, size=(128, 56))
    write_pair(tmp_path / "y.mp4", tmp_path / "out.mp4", covered, size=(128, 64))
    truth = camera_truth([], frames=10, size=(128, 56))
    videos = (tmp_path / "in.mp4", tmp_path / "out.mp4", truth)
    with pytest.raises(UserError, match=r"128x64 pixels.*pass --allow-resized"):
        PixelCoverage("cam1", *videos)
    for mask in masks(PixelCoverage("cam1", *videos, FillOptions(resized=True))).values():
        assert mask[1:27, 1:62].mean() > 0.95  # 32 rows of 64 are 28 of 56
        assert not mask[30:].any()


def test_videos_are_found_by_the_cameras_name(tmp_path):
    for name in ("cam1_anonymized.mp4", "cam10.mp4", "notes.txt"):
        (tmp_path / name).write_bytes(b"")
    assert find_video(tmp_path, "cam1").name == "cam1_anonymized.mp4"
    assert find_video(tmp_path, "cam10").name == "cam10.mp4"
    (tmp_path / "cam1-blurred.mp4").write_bytes(b"")
    with pytest.raises(UserError, match=r"expected one video for cam1, found cam1-blurred\.mp4, cam1_anonymized\.mp4"):
        find_video(tmp_path, "cam1")
    with pytest.raises(UserError, match="expected one video for cam2"):
        find_video(tmp_path, "cam2")
