"""Files whose timestamps do not tell in which order pictures are shown: every picture comes, in order, at its time."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from or_mv_anon.video.index import index_video
from or_mv_anon.video.reader import VideoSource
from or_mv_anon.video.segments import Segment, plan_segments
from tests.clips import picture, write_clip

FAULTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "faults"
REORDERED = {"preset": "medium", "x264-params": "b-adapt=0"}
TICK = Fraction(1, 25)


def shown(path, *, seconds=0.4):
    """(frame number, its place among the pictures that `clips.picture` draws) of all frames, read in segments."""
    index = index_video(path)
    source = VideoSource(index)
    drawn = [picture(i, *index.upright_size).astype(np.float32) for i in range(index.n_frames)]
    found = []
    for segment in plan_segments(source, seconds=seconds):
        for frame in source.frames(segment):
            assert not frame.corrupt
            differences = [float(np.abs(frame.bgr().astype(np.float32) - other).mean()) for other in drawn]
            found.append((frame.index, int(np.argmin(differences))))
    assert source.missing == []
    return index, found


def in_order(count):
    return [(i, i) for i in range(count)]


def bframes(path, *, frames=50, **settings):
    return write_clip(
        path, frames=frames, rate=25, b_frames=3, gop=12, time_base=TICK, options=REORDERED, **settings
    )  # fmt: skip


def remuxed(source, path):
    with av.open(str(source)) as given, av.open(str(path), "w") as output:
        stream = given.streams.video[0]
        copy = output.add_stream_from_template(stream, opaque=True)
        for packet in given.demux(stream):
            if packet.size:
                packet.stream = copy
                output.mux(packet)
    return path


def without_ctts(path):
    data = bframes(path).read_bytes()
    assert data.count(b"ctts") == 1
    path.write_bytes(data.replace(b"ctts", b"free"))
    return path


@pytest.mark.parametrize("suffix", [".avi", ".mxf", ".wmv"])
def test_b_frames_in_containers_without_presentation_times(tmp_path, suffix):
    pix_fmt = "yuv422p10le" if suffix == ".mxf" else "yuv420p"
    if suffix == ".wmv":
        path = remuxed(bframes(tmp_path / "a.mp4"), tmp_path / "a.wmv")
    else:
        path = bframes(tmp_path / f"a{suffix}", pix_fmt=pix_fmt)
    index, found = shown(path)
    assert found == in_order(50)
    assert index.duration == pytest.approx(2.0)
    np.testing.assert_allclose(index.times, np.arange(50) / 25, atol=2e-3)


def test_mp4_that_lost_its_composition_times(tmp_path):
    index = index_video(without_ctts(tmp_path / "a.mp4"))
    source = VideoSource(index)
    numbers = [frame.index for frame in source.frames(Segment(0, 0, index.n_frames))]
    assert numbers == list(range(index.n_frames))
    assert index.n_frames >= 48
    _, found = shown(tmp_path / "a.mp4")
    places = [place for _, place in found]
    assert places == sorted(places)


def test_frames_wanted_alone_are_the_right_ones(tmp_path):
    index = index_video(bframes(tmp_path / "a.avi"))
    source = VideoSource(index)
    wanted = np.zeros(50, bool)
    wanted[[7, 20, 21, 40]] = True
    for frame in source.frames(Segment(0, 5, 45), wanted=wanted):
        error = np.abs(frame.bgr().astype(int) - picture(frame.index, 64, 48)).mean()
        assert error < np.abs(frame.bgr().astype(int) - picture(frame.index + 1, 64, 48)).mean()
        wanted[frame.index] = False
    assert not wanted.any()


def test_streams_without_b_frames_are_not_decoded_for_their_order(tmp_path, monkeypatch):
    path = write_clip(tmp_path / "a.mp4", frames=30, gop=10)
    monkeypatch.setattr("or_mv_anon.video.order.decoded_labels", lambda *_, **__: pytest.fail("decoded"))
    assert index_video(path).labels is None


def test_avi_with_a_dropped_frame_is_not_cut_off(tmp_path):
    ticks = [0, 1, 2, 4, 5, 6, 7, 8, 9, 10]
    path = write_clip(tmp_path / "a.avi", pts=ticks, rate=25, time_base=TICK, codec="mpeg4", gop=5)
    index = index_video(path)
    assert index.truncated is None
    assert index.pts.tolist() == ticks


def test_avi_that_is_cut_off_is_said_to_be(tmp_path):
    path = write_clip(tmp_path / "a.avi", frames=200, rate=25, time_base=TICK, codec="mpeg4", gop=5)
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])
    assert index_video(path).truncated is not None


@pytest.mark.skipif(not FAULTS.exists(), reason="needs the shared recordings")
@pytest.mark.parametrize(
    ("name", "frames", "seconds"),
    [
        ("h264_bframes.avi", 50, 2.0),
        ("h264_bframes.mxf", 50, 2.0),
        ("mp4_without_ctts.mp4", 48, 1.92),
        ("h264_no_reorder_info.ts", 75, 3.0),
        ("avi_with_empty_frame.avi", 38, 1.56),
        ("ts_clock_jumps_back_10s.ts", 50, 2.0),
        ("ts_clock_restarts_same_phase.ts", 70, 35.0),
        ("starts_at_25h.MTS", 50, 2.0),
    ],
)
def test_recordings_as_they_are(name, frames, seconds):
    index = index_video(FAULTS / name)
    assert index.truncated is None
    assert index.duration == pytest.approx(seconds)
    source = VideoSource(index)
    numbers = []
    for segment in plan_segments(source, seconds=0.7):
        for frame in source.frames(segment):
            numbers.append(frame.index)
            assert cv2.meanStdDev(frame.luma().pixels)[1] > 5, "a picture is blank"
    assert numbers == list(range(frames))
    assert source.missing == []
