import hashlib
from fractions import Fraction

import av
import numpy as np
import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.video.index import index_video
from or_mv_anon.video.reader import VideoSource
from or_mv_anon.video.segments import Segment, plan_segments
from or_mv_anon.video.source import open_source
from tests.clips import write_clip


def digest(frame) -> str:
    return hashlib.sha256(
        b"".join(np.ascontiguousarray(plane.pixels).tobytes() for plane in frame.planes())
    ).hexdigest()


def whole(source) -> list[tuple[int, int, str]]:
    return [(f.index, f.pts, digest(f)) for f in source.frames(Segment(0, 0, source.n_frames))]


OPEN_GOP = {"preset": "medium", "x264-params": "open-gop=1:scenecut=0:b-pyramid=normal"}
CLIPS = {
    "h264.mp4": {},
    "b_frames.mp4": {"b_frames": 3, "options": {"preset": "medium"}},
    "open_gop.mp4": {"b_frames": 3, "options": OPEN_GOP},
    "open_gop.mkv": {"b_frames": 3, "options": OPEN_GOP, "time_base": Fraction(1, 1000)},
    "stream.ts": {"b_frames": 3, "time_base": Fraction(1, 90_000), "audio": "aac", "options": OPEN_GOP},
    "intra_refresh.mp4": {"options": {"x264-params": "intra-refresh=1"}},
    "hevc.mp4": {"codec": "libx265", "b_frames": 3, "options": {"x265-params": "log-level=error:open-gop=1:pools=1"}},
    "av1.mp4": {"codec": "libsvtav1"},
    "vp9.webm": {"codec": "libvpx-vp9", "size": (65, 47), "time_base": Fraction(1, 1000)},
    "mpeg4.avi": {"codec": "mpeg4", "b_frames": 2, "time_base": Fraction(1, 30)},
    "mpeg2.mpg": {"codec": "mpeg2video", "b_frames": 2, "time_base": Fraction(1, 30)},
    "mjpeg.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p", "time_base": Fraction(1, 30)},
    "ffv1.mkv": {"codec": "ffv1", "pix_fmt": "gbrp10le", "time_base": Fraction(1, 1000)},
    "prores.mov": {"codec": "prores_ks", "pix_fmt": "yuv422p10le"},
    "raw.h264": {"b_frames": 2},
}


@pytest.mark.parametrize("name", CLIPS)
def test_segments_equal_straight_reading(tmp_path, name):
    source = VideoSource(index_video(write_clip(tmp_path / name, frames=50, gop=12, **CLIPS[name])))
    straight = whole(source)
    assert [row[0] for row in straight] == list(range(50))
    assert [row[1] for row in straight] == source.pts.tolist()
    plans = [plan_segments(source.index, seconds=0.4), [Segment(n, n, n + 1) for n in range(source.n_frames)][::7]]
    for segment in (segment for plan in plans for segment in plan):
        part = [(f.index, f.pts, digest(f)) for f in source.frames(segment)]
        assert part == straight[segment.first : segment.stop]
    assert source.missing == []


def test_frames_equal_ffmpegs_own(tmp_path):
    path = write_clip(tmp_path / "a.mp4", frames=20, b_frames=2, pix_fmt="yuv444p")
    with av.open(str(path)) as container:
        expected = [[bytes(plane) for plane in frame.planes] for frame in container.decode(video=0)]
    source = VideoSource(index_video(path))
    found = [[bytes(plane) for plane in frame.native.planes] for frame in source.frames(Segment(0, 0, 20))]
    assert found == expected


def test_writing_into_planes_leaves_later_frames_alone(tmp_path):
    source = VideoSource(index_video(write_clip(tmp_path / "a.mp4", frames=30, gop=30, b_frames=2)))
    expected = whole(source)
    found = []
    for frame in source.frames(Segment(0, 0, 30)):
        found.append((frame.index, frame.pts, digest(frame)))
        for plane in frame.planes():
            plane.pixels[:] = 7
        assert frame.planes()[0].pixels.max() == 7
    assert found == expected


def test_damaged_packets_are_skipped_and_noted(tmp_path):
    path = write_clip(tmp_path / "a.mp4", frames=60, gop=20, codec="mpeg4")
    with av.open(str(path)) as container:
        packets = [(p.pos, p.size, p.pts) for p in container.demux(video=0) if p.size]
    data = bytearray(path.read_bytes())
    position, size, ticks = packets[25]
    data[position : position + size] = bytes(size)
    path.write_bytes(bytes(data))
    source = VideoSource(index_video(path))
    frames = list(source.frames(Segment(0, 0, 60)))
    suspects = set(source.missing) | {frame.pts for frame in frames if frame.corrupt}
    assert ticks in suspects
    assert packets[5][2] not in suspects
    assert packets[45][2] not in suspects, "the next keyframe ends the damage"
    assert len(frames) + len(source.missing) == 60
    second = VideoSource(source.index)
    for segment in plan_segments(source.index, seconds=0.5):
        list(second.frames(segment))
    assert sorted(second.missing) == sorted(source.missing)


def test_cut_file_gives_what_it_has(tmp_path):
    path = write_clip(tmp_path / "a.mkv", frames=300, time_base=Fraction(1, 1000), b_frames=2)
    path.write_bytes(path.read_bytes()[:20_000])
    source = VideoSource(index_video(path))
    frames = list(source.frames(Segment(0, 0, source.n_frames)))
    assert len(frames) + len(source.missing) == source.n_frames
    assert len(source.missing) <= 3


def test_change_of_size_within_the_stream_is_fitted_into_the_largest(tmp_path):
    first = write_clip(tmp_path / "a.ts", frames=10, time_base=Fraction(1, 90_000))
    ticks = [90_000 + 3000 * i for i in range(10)]
    second = write_clip(tmp_path / "b.ts", pts=ticks, size=(96, 80), time_base=Fraction(1, 90_000))
    (tmp_path / "c.ts").write_bytes(first.read_bytes() + second.read_bytes())
    source = VideoSource(index_video(tmp_path / "c.ts"))
    sizes = {frame.planes()[0].pixels.shape for frame in source.frames(Segment(0, 0, source.n_frames))}
    assert sizes == {(80, 96)}


def test_memory_is_bounded(tmp_path):
    path = write_clip(tmp_path / "a.mp4", frames=2000, size=(320, 240), gop=250)
    source = VideoSource(index_video(path))

    def resident() -> int:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * 4096

    after_warm_up = None
    for frame in source.frames(Segment(0, 0, 2000)):
        frame.planes()
        if frame.index == 200:
            after_warm_up = resident()
    assert resident() - after_warm_up < 40e6  # all frames would take 230 MB


def test_open_source(tmp_path):
    path = write_clip(tmp_path / "a.mp4", frames=5)
    assert open_source(path).n_frames == 5
    with pytest.raises(UserError):
        open_source(tmp_path / "b.mp4")
