import contextlib
import os
import shutil
import signal
import subprocess
import sys
import textwrap
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.video.encoding import PRESETS, choose_encoder, encoder_options
from or_mv_anon.video.index import index_video
from or_mv_anon.video.reader import VideoSource
from or_mv_anon.video.segments import Segment, plan_segments
from or_mv_anon.video.writer import SegmentWriter
from tests.clips import write_clip


def render(path: Path, source: VideoSource, segment: Segment, *, codec="same", preset="ultrafast", crf=20, **options):
    encoding = choose_encoder(source.index, codec)
    with SegmentWriter(path, source.index, encoding, crf=crf, preset=preset, **options) as writer:
        for frame in source.frames(segment):
            for plane in frame.planes():
                plane.pixels[: 8 // plane.y_step] = plane.black
            writer.write(frame)
    return path


def source_of(path: Path, **clip) -> VideoSource:
    return VideoSource(index_video(write_clip(path, **clip)))


@pytest.mark.parametrize(
    ("name", "clip"),
    [
        ("a.mp4", {"b_frames": 2}),
        ("hevc.mp4", {"codec": "libx265"}),
        ("av1.mp4", {"codec": "libsvtav1"}),
        ("vp9.webm", {"codec": "libvpx-vp9", "time_base": Fraction(1, 1000)}),
    ],
)
def test_same_frames_give_same_bytes_and_independent_segments(tmp_path, name, clip):
    source = source_of(tmp_path / name, frames=30, **clip)
    segments = plan_segments(source.index, seconds=0.4)
    assert len(segments) > 1
    headers = set()
    for segment in segments:
        first = render(tmp_path / "1.mp4", source, segment, preset="veryfast")
        again = render(tmp_path / "2.mp4", VideoSource(source.index), segment, preset="veryfast")
        assert first.read_bytes() == again.read_bytes()
        with av.open(str(first)) as container:
            stream = container.streams.video[0]
            headers.add(bytes(stream.codec_context.extradata or b""))
            packets = [p for p in container.demux(stream) if p.size]
        assert packets[0].is_keyframe
        assert packets[0].pts == source.pts[segment.first]
        assert sorted(p.pts for p in packets) == source.pts[segment.first : segment.stop].tolist()
        assert all(p.pts >= packets[0].pts for p in packets), "closed group of pictures"
    assert len(headers) == 1


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9"])
@pytest.mark.parametrize("every", [7, 1000])
def test_decoding_can_begin_at_every_keyframe_and_the_next_is_near(tmp_path, codec, every):
    source = source_of(tmp_path / "a.mp4", frames=45, size=(96, 80))
    path = tmp_path / "s.mp4"
    render(path, source, Segment(0, 0, 45), codec=codec, preset="veryfast", keyframe_every=every)
    with av.open(str(path)) as container:
        packets = [(packet.pts, packet.is_keyframe) for packet in container.demux(video=0) if packet.size]
    shown = sorted(pts for pts, _ in packets)
    keys = [place for place, (_, key) in enumerate(packets) if key]
    assert keys == [shown.index(packets[place][0]) for place in keys], "closed: none before it is stored behind it"
    assert np.diff([*keys, 45]).max() == (7 if every == 7 else 45)
    whole = {frame.pts: frame.to_ndarray() for frame in decoded_from(path, None)}
    for place in keys:
        part = list(decoded_from(path, packets[place][0]))
        assert [frame.pts for frame in part] == shown[place:]
        assert all(np.array_equal(frame.to_ndarray(), whole[frame.pts]) for frame in part)


def decoded_from(path: Path, pts: int | None):
    with av.open(str(path)) as container:
        if pts is not None:
            container.seek(pts, stream=container.streams.video[0])
        yield from container.decode(video=0)


def test_bytes_do_not_depend_on_what_memory_held_before(tmp_path):
    """x264 once did (macroblock tree with AVX-512): glibc fills fresh memory with the byte that it is given."""
    write_clip(tmp_path / "a.mp4", frames=30, b_frames=2)
    script = textwrap.dedent(f"""
        import hashlib
        from pathlib import Path
        from or_mv_anon.video.source import open_source
        from or_mv_anon.video.segments import Segment
        from or_mv_anon.video.writer import SegmentWriter, choose_encoder
        source, out = open_source(Path({str(tmp_path / "a.mp4")!r})), Path({str(tmp_path / "s.mp4")!r})
        with SegmentWriter(out, source.index, choose_encoder(source.index), crf=20, preset="veryfast") as writer:
            for frame in source.frames(Segment(1, 10, 20)):
                writer.write(frame)
        print(hashlib.sha256(out.read_bytes()).hexdigest())
    """)
    digests = {
        subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ | {"MALLOC_PERTURB_": fill},
            capture_output=True, text=True, timeout=60, check=True,
        ).stdout
        for fill in ("0", "11", "201")
    }  # fmt: skip
    assert len(digests) == 1


def test_shift_is_taken_off(tmp_path):
    source = source_of(tmp_path / "a.mp4", pts=[5000, 5100, 7000], time_base=Fraction(1, 1000))
    index = index_video(render(tmp_path / "s.mp4", source, Segment(0, 1, 3), shift=5100))
    assert [p * index.time_base for p in index.pts.tolist()] == [0, Fraction(1900, 1000)]


@pytest.mark.parametrize(
    ("pix_fmt", "codec", "size", "expected"),
    [
        ("yuv420p", "libx264", (64, 48), "yuv420p"),
        ("yuvj420p", "libx264", (64, 48), "yuvj420p"),
        ("yuv420p10le", "libx264", (64, 48), "yuv420p10le"),
        ("yuv422p", "libx264", (64, 48), "yuv422p"),
        ("yuv422p10le", "libx264", (64, 47), "yuv422p10le"),
        ("yuv444p", "libx264", (65, 47), "yuv444p"),
        ("yuv420p12le", "libx265", (64, 48), "yuv420p12le"),
        ("yuv422p10le", "libx265", (64, 48), "yuv422p10le"),
        ("gray", "libx265", (65, 47), "gray"),
        ("yuv420p10le", "libsvtav1", (65, 47), "yuv420p10le"),
        ("yuv420p", "libvpx-vp9", (65, 47), "yuv420p"),
        ("yuv444p", "libvpx-vp9", (65, 47), "yuv444p"),
        ("yuvj420p", "mjpeg", (65, 47), "yuvj444p"),
        ("yuv422p10le", "prores_ks", (64, 48), "yuv422p10le"),
    ],
)
def test_chroma_depth_and_size_are_kept(tmp_path, pix_fmt, codec, size, expected):
    name = "a.mov" if codec in ("mjpeg", "prores_ks") else "a.mkv"
    source = source_of(tmp_path / name, frames=3, pix_fmt=pix_fmt, codec=codec, size=size, time_base=Fraction(1, 1000))
    written = VideoSource(index_video(render(tmp_path / "s.mp4", source, Segment(0, 0, 3), crf=1)))
    assert written.index.pix_fmt == expected
    assert (written.index.width, written.index.height) == size
    for old, new in zip(source.frames(Segment(0, 0, 3)), written.frames(Segment(0, 0, 3)), strict=True):
        old_picture, new_picture = old.bgr().astype(int), new.bgr().astype(int)
        assert np.abs(old_picture[16:] - new_picture[16:]).mean() < 6


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9"])
@pytest.mark.parametrize("pix_fmt", ["yuvj420p", "yuv444p10le"])
def test_asked_codec_is_used_and_colours_stay(tmp_path, codec, pix_fmt):
    source = source_of(tmp_path / "a.mp4", frames=2, pix_fmt=pix_fmt, color=(1, 1, 1, 2))
    encoding = choose_encoder(source.index, codec)
    assert (encoding.note is None) == (pix_fmt == "yuvj420p" or codec in ("h264", "hevc"))
    written = VideoSource(index_video(render(tmp_path / "s.mp4", source, Segment(0, 0, 2), codec=codec, crf=1)))
    assert written.index.codec == codec
    assert (written.index.color_primaries, written.index.color_trc, written.index.colorspace) == (1, 1, 1)
    assert written.index.color_range == 2
    (old, *_), (new, *_) = source.frames(Segment(0, 0, 2)), written.frames(Segment(0, 0, 2))
    assert np.abs(old.bgr()[16:].astype(int) - new.bgr()[16:].astype(int)).mean() < 6


def test_fallbacks_are_told(tmp_path):
    mjpeg = choose_encoder(source_of(tmp_path / "a.avi", frames=1, codec="mjpeg", pix_fmt="yuvj420p").index)
    assert (mjpeg.codec, mjpeg.suffix) == ("h264", ".mp4")
    assert "mjpeg" in mjpeg.note
    tiny = source_of(tmp_path / "a.mp4", frames=1, size=(8, 8)).index
    with pytest.raises(UserError, match="at least 16 pixels"):
        choose_encoder(tiny, "hevc")


@pytest.mark.parametrize(
    ("name", "codec", "time_base", "choice", "suffix"),
    [
        ("a.mov", "libx264", Fraction(1, 600), "same", ".mov"),
        ("a.mkv", "libx264", Fraction(1, 1000), "same", ".mkv"),
        ("a.webm", "libvpx-vp9", Fraction(1, 1000), "same", ".webm"),
        ("a.webm", "libvpx-vp9", Fraction(1, 1000), "h264", ".mkv"),
        ("a.ts", "libx264", Fraction(1, 90_000), "same", ".mp4"),
    ],
)
def test_container_is_kept_where_it_fits(tmp_path, name, codec, time_base, choice, suffix):
    index = index_video(write_clip(tmp_path / name, frames=2, codec=codec, time_base=time_base))
    assert choose_encoder(index, choice).suffix == suffix


@pytest.mark.parametrize("encoder", ["libx264", "libx265", "libsvtav1", "libvpx-vp9"])
def test_presets_and_quality_are_ordered(encoder):
    options = [encoder_options(encoder, crf=20, preset=preset, threads=1) for preset in PRESETS]
    assert all(o["crf"] == options[0]["crf"] for o in options)
    better = encoder_options(encoder, crf=10, preset="medium", threads=1)
    assert int(better["crf"]) < int(options[0]["crf"])
    with pytest.raises(UserError, match="Unknown preset 'warp'"):
        encoder_options(encoder, crf=20, preset="warp", threads=1)


def test_exception_leaves_nothing(tmp_path):
    source = source_of(tmp_path / "a.mp4", frames=20)
    out = tmp_path / "out"
    out.mkdir()
    writer = SegmentWriter(out / "s.mp4", source.index, choose_encoder(source.index), crf=20, preset="fast")
    with contextlib.suppress(KeyboardInterrupt), writer:
        for frame in source.frames(Segment(0, 0, 15)):
            writer.write(frame)
            assert not (out / "s.mp4").exists()
        raise KeyboardInterrupt
    assert list(out.iterdir()) == []


def test_segment_without_frames_is_an_empty_file(tmp_path):
    source = source_of(tmp_path / "a.mp4", frames=2)
    with SegmentWriter(tmp_path / "s.mp4", source.index, choose_encoder(source.index), crf=20, preset="fast"):
        pass
    assert (tmp_path / "s.mp4").stat().st_size == 0


def test_killed_writer_leaves_only_a_partial_file(tmp_path):
    write_clip(tmp_path / "a.mp4", frames=30)
    out = tmp_path / "out"
    out.mkdir()
    script = textwrap.dedent(f"""
        import os, signal
        from pathlib import Path
        from or_mv_anon.video.source import open_source
        from or_mv_anon.video.segments import Segment
        from or_mv_anon.video.writer import SegmentWriter, choose_encoder
        source = open_source(Path({str(tmp_path / "a.mp4")!r}))
        with SegmentWriter(
            Path({str(out / "s.mp4")!r}), source.index, choose_encoder(source.index), crf=20, preset="ultrafast"
        ) as writer:
            for frame in source.frames(Segment(0, 0, 30)):
                writer.write(frame)
                if frame.index == 20:
                    os.kill(os.getpid(), signal.SIGKILL)
    """)
    done = subprocess.run([sys.executable, "-c", script], timeout=60, check=False)
    assert done.returncode == -signal.SIGKILL
    assert [p.name for p in out.iterdir()] in ([], ["s.mp4.partial"])
    source = VideoSource(index_video(tmp_path / "a.mp4"))
    render(out / "s.mp4", source, Segment(0, 0, 30))
    assert [p.name for p in out.iterdir()] == ["s.mp4"]


@pytest.mark.parametrize("codec", ["h264", "hevc", "av1", "vp9"])
@pytest.mark.parametrize("preset", ["ultrafast", "slow"])
def test_segments_of_any_length(tmp_path, codec, preset):
    source = source_of(tmp_path / "a.mp4", frames=12, pts=np.cumsum(range(1, 13)).tolist())
    for length in (1, 2, 3, 5, 12):
        path = render(tmp_path / "s.mp4", source, Segment(0, 0, length), codec=codec, preset=preset)
        assert index_video(path).pts.tolist() == source.pts[:length].tolist()


def test_missing_folder(tmp_path):
    source = source_of(tmp_path / "a.mp4", frames=2)
    with pytest.raises(UserError, match="does not exist"):
        render(tmp_path / "none" / "s.mp4", source, Segment(0, 0, 2))


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_no_permission(tmp_path):
    source = source_of(tmp_path / "a.mp4", frames=2)
    (tmp_path / "locked").mkdir(mode=0o500)
    with pytest.raises(UserError, match="No permission"):
        render(tmp_path / "locked" / "s.mp4", source, Segment(0, 0, 2))


def test_full_disk(tmp_path):
    source = source_of(tmp_path / "a.mp4", frames=60, size=(320, 240))
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    mounted = mount and subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)], capture_output=True, check=False
    )
    if not mounted or mounted.returncode:
        pytest.skip("mounting a small disk is not permitted here")
    try:
        with pytest.raises(UserError, match="disk is full"):
            render(disk / "s.mp4", source, Segment(0, 0, 60), crf=1)
        assert list(disk.iterdir()) == []
    finally:
        subprocess.run(["umount", str(disk)], check=False)
