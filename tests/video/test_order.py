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


def test_avi_whose_frames_take_two_places_each_is_not_cut_off(tmp_path):
    path = write_clip(
        tmp_path / "a.avi", pts=range(0, 40, 2), rate=50, time_base=Fraction(1, 50), codec="mjpeg", pix_fmt="yuvj420p"
    )
    data = bytearray(path.read_bytes())
    length = data.index(b"strh") + 8 + 32
    assert int.from_bytes(data[length : length + 4], "little") == 39
    data[length] = 40  # the last frame's second place counts, too
    path.write_bytes(data)
    index = index_video(path)
    assert index.truncated is None
    assert index.n_frames == 20


def packed(source, path):
    """MPEG-4 as DivX stored it: a B-picture in the packet of the picture shown after it, and an empty one behind."""
    with av.open(str(source)) as given, av.open(str(path), "w") as output:
        stream = given.streams.video[0]
        copy = output.add_stream_from_template(stream, opaque=True)
        packets = [bytes(packet) for packet in given.demux(stream) if packet.size]
        keys = [index for index, data in enumerate(packets) if kind(data) == "I"]
        stored, number = [], 0
        while number < len(packets):
            pair = number + 1 < len(packets) and kind(packets[number + 1]) == "B"
            stored.append(packets[number] + (packets[number + 1] if pair else b""))
            stored += [NOTHING] * pair
            number += 1 + pair
        for place, data in enumerate(stored):
            packet = av.Packet(USER_DATA + data if place == 0 else data)
            packet.pts = packet.dts = place
            packet.time_base, packet.stream, packet.is_keyframe = TICK, copy, place in keys
            output.mux(packet)
    return path


USER_DATA = b"\0\0\1\xb2DivX503b1393p"
NOTHING = b"\0\0\1\xb6\x54\x00"


def kind(data):
    """I, P or B of the first MPEG-4 picture in a packet."""
    return "IPBS"[data[data.index(b"\0\0\1\xb6") + 4] >> 6]


def test_packets_with_two_pictures(tmp_path):
    plain = write_clip(tmp_path / "a.avi", frames=40, rate=25, codec="mpeg4", b_frames=1, gop=10, time_base=TICK,
                       options={"q": "3"})  # fmt: skip
    index, found = shown(packed(plain, tmp_path / "packed.avi"))
    assert found == in_order(40)
    assert index.duration == pytest.approx(1.6)


def test_pictures_that_become_smaller_are_no_fields(tmp_path):
    """FFmpeg takes MJPEG of half the height that the header says for one field of two, where decoding begins there."""
    path, sizes = tmp_path / "a.avi", ((96, 128), (128, 64))
    parts = [write_clip(tmp_path / f"{n}.avi", frames=20, rate=25, size=size, codec="mjpeg", pix_fmt="yuvj420p",
                        time_base=TICK) for n, size in enumerate(sizes)]  # fmt: skip
    with av.open(str(path), "w") as output:
        copy = None
        for number, part in enumerate(parts):
            with av.open(str(part)) as given:
                copy = copy or output.add_stream_from_template(given.streams.video[0], opaque=True)
                for packet in given.demux(video=0):
                    if packet.size:
                        packet.pts = packet.dts = packet.dts + 20 * number
                        packet.time_base, packet.stream = TICK, copy
                        output.mux(packet)
    index = index_video(path)
    source = VideoSource(index, scrutiny="thorough")
    frames = [f for segment in plan_segments(source, seconds=0.3) for f in source.frames(segment)]
    assert [(f.index, f.corrupt) for f in frames] == [(n, False) for n in range(40)]
    assert source.missing == []


def test_a_seek_that_lands_elsewhere_is_not_believed(tmp_path):
    """An MXF file that is cut off has lost its index; FFmpeg then guesses which picture it has found."""
    path = write_clip(tmp_path / "a.mxf", frames=60, rate=25, codec="mpeg2video", b_frames=2, gop=12, time_base=TICK,
                      pix_fmt="yuv422p", size=(128, 96), options={"q": "3"})  # fmt: skip
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 3 // 4])
    index = index_video(path)
    source = VideoSource(index)
    drawn = [picture(n, 128, 96).astype(np.float32) for n in range(60)]
    for segment in plan_segments(source, seconds=0.4):
        for frame in source.frames(segment):
            error = [float(np.abs(frame.bgr().astype(np.float32) - one).mean()) for one in drawn]
            assert frame.corrupt or int(np.argmin(error)) == frame.index
    assert len(source.missing) <= 1
    assert index.n_frames > 40


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
