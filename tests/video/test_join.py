from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.core.errors import UserError
from or_mv_anon.video.check import VerificationError, check_video
from or_mv_anon.video.encoding import choose_encoder
from or_mv_anon.video.index import index_video
from or_mv_anon.video.join import join_segments
from or_mv_anon.video.reader import VideoSource
from or_mv_anon.video.reorder import decoding_times
from or_mv_anon.video.segments import Segment, plan_segments
from or_mv_anon.video.writer import SegmentWriter
from tests.clips import write_clip

SECRET = b"Jane Doe"


def anonymize(path: Path, *, audio=False, start=None, end=None, shift=0, name="out", preset="veryfast"):
    """What the pipeline does with a file, without covering anything: (input index, output path, notes)."""
    index = index_video(path)
    encoding = choose_encoder(index)
    source = VideoSource(index)
    parts = []
    for segment in plan_segments(index, seconds=0.4, start=start, end=end):
        parts.append(path.with_name(f"segment{segment.number}.mp4"))
        with SegmentWriter(parts[-1], index, encoding, crf=20, preset=preset, shift=shift) as writer:
            for frame in source.frames(segment):
                writer.write(frame)
    out = path.with_name(name + encoding.suffix)
    notes = join_segments(index, parts, out, audio=audio, shift=shift)
    return index, out, notes


def sound(path: Path) -> list[list[tuple[Fraction, bytes]]]:
    with av.open(str(path)) as container:
        found = {stream.index: [] for stream in container.streams.audio}
        for packet in container.demux():
            if packet.size and packet.stream_index in found:
                found[packet.stream_index].append((packet.pts * packet.time_base, bytes(packet)))
    return list(found.values())


CLIPS = {
    "plain.mp4": {},
    "vfr.mp4": {"pts": np.cumsum([1, 1, 7, 2, 900, 3, 3] * 6).tolist(), "time_base": Fraction(1, 1000), "b_frames": 3},
    "ntsc.mov": {"time_base": Fraction(1001, 30_000), "b_frames": 2},
    "late.mp4": {"pts": [10**9 + 37 * i for i in range(40)], "time_base": Fraction(1, 90_000), "b_frames": 2},
    "hevc.mp4": {"codec": "libx265", "b_frames": 3},
    "av1.mp4": {"codec": "libsvtav1"},
    "vp9.webm": {"codec": "libvpx-vp9", "time_base": Fraction(1, 1000)},
    "h264.mkv": {"time_base": Fraction(1, 1000), "b_frames": 2},
    "stream.ts": {"time_base": Fraction(1, 90_000), "b_frames": 2},
    "mpeg4.avi": {"codec": "mpeg4", "b_frames": 2, "time_base": Fraction(1, 30)},
    "one.mp4": {"frames": 1},
    "odd.webm": {"codec": "libvpx-vp9", "size": (65, 47), "time_base": Fraction(1, 1000)},
    "ten.mp4": {"pix_fmt": "yuv420p10le"},
    "raw.h264": {"b_frames": 2},
}


@pytest.mark.parametrize("name", CLIPS)
def test_timestamps_and_look_are_the_inputs(tmp_path, name):
    clip = {"frames": 40, "color": (9, 16, 9, 1), "aspect": Fraction(4, 3)} | CLIPS[name]
    index, out, _ = anonymize(write_clip(tmp_path / name, **clip))
    check_video(out, index.pts, time_base=index.time_base, decode=True)
    result = index_video(out)
    assert (result.width, result.height, result.bit_depth) == (index.width, index.height, index.bit_depth)
    assert result.codec == (index.codec if index.codec in ("h264", "hevc", "av1", "vp9") else "h264")
    assert (result.color_primaries, result.color_trc, result.colorspace) == (
        index.color_primaries, index.color_trc, index.colorspace,
    )  # fmt: skip
    assert result.color_range in (index.color_range, 0)
    assert result.sample_aspect_ratio == index.sample_aspect_ratio
    assert result.truncated is None
    assert result.seekable
    assert not list(tmp_path.glob("*.partial"))


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("flip", [False, True])
def test_output_displays_as_the_input(tmp_path, suffix, rotation, flip):
    path = write_clip(tmp_path / f"a{suffix}", frames=12, rotation=rotation, flip=flip, time_base=Fraction(1, 1000))
    index, out, _ = anonymize(path, preset="ultrafast")
    result = index_video(out)
    assert result.orientation == index.orientation
    with av.open(str(path)) as old, av.open(str(out)) as new:
        assert next(old.decode(video=0)).rotation == next(new.decode(video=0)).rotation
    (old_frame,) = VideoSource(index).frames(Segment(0, 11, 12))
    (new_frame,) = VideoSource(result).frames(Segment(0, 11, 12))
    assert np.abs(old_frame.bgr().astype(int) - new_frame.bgr().astype(int)).mean() < 8


@pytest.mark.parametrize("name", ["a.mp4", "a.mkv"])
def test_no_metadata_survives(tmp_path, name):
    path = write_clip(
        tmp_path / name, frames=30, time_base=Fraction(1, 1000), audio="aac", subtitles=True, chapters=True,
        metadata={"title": "Jane Doe", "comment": "Jane Doe", "creation_time": "2024-01-01T00:00:00Z"},
    )  # fmt: skip
    assert SECRET in path.read_bytes()
    _, out, _ = anonymize(path, audio=True)
    assert SECRET not in out.read_bytes()
    with av.open(str(out)) as container:
        assert {stream.type for stream in container.streams} == {"video", "audio"}
        assert container.chapters() == []
        allowed = {"major_brand", "minor_version", "compatible_brands", "encoder"}
        assert set(map(str.lower, container.metadata)) <= allowed
        for stream in container.streams:
            assert set(map(str.lower, stream.metadata)) <= {"language", "handler_name", "duration"}
        assert not any("62." in value for value in container.metadata.values()), "no version of the writer"


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mp4", "aac"), ("a.mkv", "libopus"), ("a.mkv", "flac"), ("a.mov", "pcm_s16le")]
)
def test_sound_is_dropped_or_copied(tmp_path, name, codec):
    path = write_clip(tmp_path / name, frames=45, audio=codec, time_base=Fraction(1, 1000))
    _, silent, _ = anonymize(path, name="silent")
    assert sound(silent) == []
    index, loud, notes = anonymize(path, audio=True, name="loud")
    assert notes == []
    assert sound(loud) == sound(path)
    check_video(loud, index.pts, time_base=index.time_base)


def test_sound_of_a_transport_stream(tmp_path):
    path = write_clip(tmp_path / "a.ts", frames=45, audio="aac", time_base=Fraction(1, 90_000))
    index, out, notes = anonymize(path, audio=True)
    assert notes == []
    (old,), (new,) = sound(path), sound(out)
    assert len(new) == len(old)
    assert all(abs(a[0] - b[0]) < Fraction(1, 40_000) for a, b in zip(old, new, strict=True))
    assert all(a[1].endswith(b[1]) for a, b in zip(old, new, strict=True)), "only the ADTS headers go"
    check_video(out, index.pts, time_base=index.time_base)


def test_sound_that_does_not_fit_is_told(tmp_path):
    path = write_clip(tmp_path / "a.avi", frames=20, audio="adpcm_ms", codec="mpeg4", time_base=Fraction(1, 30))
    _, out, notes = anonymize(path, audio=True)
    assert sound(out) == []
    assert len(notes) == 1
    assert "adpcm_ms" in notes[0]


def test_part_of_a_recording(tmp_path):
    path = write_clip(tmp_path / "a.mp4", frames=90, audio="aac", b_frames=2)
    shift = 30 * 512
    index, out, _ = anonymize(path, audio=True, start=1, end=2, shift=shift)
    check_video(out, index.pts[30:60] - shift, time_base=index.time_base, decode=True)
    (kept,) = sound(out)
    expected = [(time - 1, data) for time, data in sound(path)[0] if 1 <= time < 2]
    assert [data for _, data in kept] == [data for _, data in expected]
    differences = {a[0] - b[0] for a, b in zip(kept, expected, strict=True)}
    assert max(map(abs, differences)) < Fraction(1, 40_000), differences


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_undecodable_segment_is_passed_over(tmp_path, suffix):
    index = index_video(write_clip(tmp_path / f"a{suffix}", frames=20, time_base=Fraction(1, 1000)))
    (tmp_path / "0.mp4").write_bytes(b"")
    with SegmentWriter(tmp_path / "1.mp4", index, choose_encoder(index), crf=20, preset="fast") as writer:
        for frame in VideoSource(index).frames(Segment(1, 10, 20)):
            writer.write(frame)
    out = tmp_path / f"out{suffix}"
    join_segments(index, [tmp_path / "0.mp4", tmp_path / "1.mp4"], out, audio=False)
    check_video(out, index.pts[10:], time_base=index.time_base)
    with pytest.raises(UserError, match="No frame"):
        join_segments(index, [tmp_path / "0.mp4"], out, audio=False)


def test_segments_of_different_encodings_are_refused(tmp_path):
    index = index_video(write_clip(tmp_path / "a.mp4", frames=20))
    for number, preset in enumerate(("ultrafast", "slow")):
        with SegmentWriter(
            tmp_path / f"{number}.mp4", index, choose_encoder(index), crf=20, preset=preset
        ) as writer:  # fmt: skip
            for frame in VideoSource(index).frames(Segment(number, 10 * number, 10 * number + 10)):
                writer.write(frame)
    with pytest.raises(UserError, match="render again"):
        join_segments(index, [tmp_path / "0.mp4", tmp_path / "1.mp4"], tmp_path / "out.mp4", audio=False)
    assert not list(tmp_path.glob("out*"))


def test_unknown_suffix_is_refused(tmp_path):
    index = index_video(write_clip(tmp_path / "a.mp4", frames=2))
    with pytest.raises(UserError, match=r"out.xyz has no known video suffix"):
        join_segments(index, [index.path], tmp_path / "out.xyz", audio=False)


@given(st.lists(st.integers(1, 1000), min_size=1, max_size=40), st.integers(0, 4), st.randoms())
def test_decoding_times(steps, reach, random):
    pts = np.cumsum(np.array(steps, np.int64))
    order = sorted(range(len(pts)), key=lambda i: i + random.random() * reach)
    dts = decoding_times(pts[order])
    assert (np.diff(dts) > 0).all()
    assert (dts <= pts[order]).all()
    assert len(dts) == len(pts)


class TestCheck:
    def test_a_good_file_passes(self, tmp_path):
        index = index_video(write_clip(tmp_path / "a.mp4", frames=20, b_frames=2))
        check_video(index.path, index.pts, decode=True)
        check_video(index.path, index.pts * 3, time_base=index.time_base / 3)

    def test_lost_moved_and_surplus_frames_are_found(self, tmp_path):
        index = index_video(write_clip(tmp_path / "a.mp4", frames=20))
        with pytest.raises(VerificationError, match="holds 20 frames, expected 21"):
            check_video(index.path, np.append(index.pts, 10**6))
        with pytest.raises(VerificationError, match="holds 20 frames, expected 19"):
            check_video(index.path, index.pts[1:])
        moved = index.pts.copy()
        moved[7] += 1
        with pytest.raises(VerificationError, match="first is frame 7"):
            check_video(index.path, moved)

    def test_damage_is_found_by_decoding(self, tmp_path):
        path = write_clip(tmp_path / "a.mp4", frames=60)
        index = index_video(path)
        with av.open(str(path)) as container:
            places = [(p.pos, p.size) for p in container.demux(video=0) if p.size]
        data = bytearray(path.read_bytes())
        position, size = places[30]
        data[position : position + size] = bytes(size)
        path.write_bytes(bytes(data))
        check_video(path, index.pts)
        with pytest.raises(VerificationError):
            check_video(path, index.pts, decode=True)

    def test_unreadable_output(self, tmp_path):
        (tmp_path / "a.mp4").write_bytes(b"nothing")
        with pytest.raises(VerificationError, match="cannot be read back"):
            check_video(tmp_path / "a.mp4", np.arange(3))
