import json
import os
from fractions import Fraction

import av
import numpy as np
import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.video.index import VideoIndex, index_video
from or_mv_anon.video.pixels import working_format
from tests.clips import write_clip


def test_facts_of_a_plain_clip(tmp_path):
    path = write_clip(tmp_path / "a.mp4", frames=25, rate=25, gop=10, audio="aac", color=(1, 1, 1, 1))
    index = index_video(path)
    assert (index.codec, index.pix_fmt, index.bit_depth) == ("h264", "yuv420p", 8)
    assert (index.width, index.height) == index.upright_size == (64, 48)
    assert index.pts.tolist() == [512 * i for i in range(25)]
    assert index.keyframes.tolist() == [0, 5120, 10240]
    assert (index.start_time, index.duration, index.average_rate) == (0, 1, 25)
    assert index.audio == ("aac",)
    assert (index.color_primaries, index.color_trc, index.colorspace, index.color_range) == (1, 1, 1, 1)
    assert index.seekable
    assert index.truncated is None


def test_variable_frame_rate_and_late_start(tmp_path):
    ticks = [90_000, 90_001, 97_000, 180_000]
    index = index_video(write_clip(tmp_path / "a.mp4", pts=ticks, time_base=Fraction(1, 90_000), b_frames=2))
    assert index.pts.tolist() == ticks
    np.testing.assert_allclose(index.times, np.array(ticks) / 90_000)
    assert index.start_time == 1


@pytest.mark.parametrize("rotation", [90, 180, 270, -90])
def test_rotation_agrees_with_ffmpeg(tmp_path, rotation):
    index = index_video(write_clip(tmp_path / "a.mp4", frames=3, rotation=rotation))
    assert index.rotation == -rotation % 360  # FFmpeg counts against the clock
    assert index.upright_size == ((64, 48) if rotation == 180 else (48, 64))
    assert not index.flip


def test_mirrored(tmp_path):
    index = index_video(write_clip(tmp_path / "a.mp4", frames=2, rotation=90, flip=True))
    assert index.flip


def test_json_round_trip(tmp_path):
    index = index_video(write_clip(tmp_path / "a.mp4", frames=9, rotation=90, aspect=Fraction(4, 3), audio="aac"))
    again = VideoIndex.from_json(json.loads(json.dumps(index.to_json())))
    assert again.to_json() == index.to_json()
    assert again.sample_aspect_ratio == Fraction(4, 3)
    assert again.pts.dtype == np.int64
    assert isinstance(again.path, type(index.path))


def test_one_frame(tmp_path):
    index = index_video(write_clip(tmp_path / "a.mp4", frames=1))
    assert index.n_frames == 1
    assert index.duration > 0


def test_raw_stream_without_timestamps_is_counted_by_decoding(tmp_path):
    index = index_video(write_clip(tmp_path / "a.h264", frames=20, b_frames=2))
    assert not index.seekable
    assert index.n_frames == 20
    assert (np.diff(index.pts) > 0).all()


def test_invisible_frames_are_not_counted(tmp_path):
    options = {"auto-alt-ref": "1", "lag-in-frames": "16", "arnr-maxframes": "5"}
    path = write_clip(tmp_path / "a.webm", frames=40, codec="libvpx", options=options, gop=40)
    with av.open(str(path)) as container:
        shown = [frame.pts for frame in container.decode(video=0)]
    assert index_video(path).pts.tolist() == shown


def test_cover_pictures_are_no_video(tmp_path):
    path = write_clip(tmp_path / "a.mkv", frames=5, audio="flac")
    with av.open(str(path)) as source, av.open(str(tmp_path / "b.mka"), "w", format="matroska") as output:
        stream = output.add_stream_from_template(source.streams.audio[0])
        for packet in source.demux(source.streams.audio[0]):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    with pytest.raises(UserError, match=r"no video stream \(it holds: audio"):
        index_video(tmp_path / "b.mka")


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("empty.mp4", b"", "is empty"),
        ("words.mp4", b"this is no video at all" * 100, "cannot be read as video"),
        ("words.txt", b"this is no video at all\n" * 100, "cannot be read as video"),
        ("image%03d.png", b"\x89PNG\r\n\x1a\n" + bytes(100), "cannot be read as video"),
        ("zeros.mkv", bytes(5000), "cannot be read as video"),
    ],
)  # fmt: skip
def test_no_video_is_refused(tmp_path, name, content, sentence):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(UserError, match=sentence) as error:
        index_video(tmp_path / name)
    assert str(tmp_path / name) in str(error.value)


LISTS = {
    "HLS": b"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n%s\n#EXT-X-ENDLIST\n",
    "HLS after a byte order mark": b"\xef\xbb\xbf\n#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n%s\n#EXT-X-ENDLIST\n",
    "concat": b"ffconcat version 1.0\nfile %s\n",
    "SDP": b"v=0\no=- 0 0 IN IP4 127.0.0.1\nc=IN IP4 127.0.0.1\nm=video 5000 RTP/AVP 96\na=rtpmap:96 H264/90000\n",
    "DASH": b'<?xml version="1.0"?><MPD><Period><BaseURL>%s</BaseURL></Period></MPD>',
    "M3U": b"[playlist]\nFile1=%s\n",
}


@pytest.mark.parametrize("kind", LISTS)
@pytest.mark.parametrize("suffix", [".mp4", ".m3u8", ".mpd", ".sdp"])
def test_lists_of_other_files_are_refused_and_what_they_name_is_not_opened(tmp_path, kind, suffix):
    named = write_clip(tmp_path / "named.ts", frames=5)
    (tmp_path / f"list{suffix}").write_bytes(LISTS[kind].replace(b"%s", b"named.ts"))
    os.utime(named, (0, named.stat().st_mtime))  # reading it would set the first
    with pytest.raises(UserError, match="no recording; pass the videos themselves"):
        index_video(tmp_path / f"list{suffix}")
    assert named.stat().st_atime == 0


def test_lists_that_nobody_knows_are_not_opened_either(tmp_path, monkeypatch):
    named = write_clip(tmp_path / "named.ts", frames=5)
    (tmp_path / "list.mp4").write_bytes(LISTS["HLS"].replace(b"%s", b"named.ts"))
    monkeypatch.setattr("or_mv_anon.video.demux.kind_of_list", lambda path: None)
    os.utime(named, (0, named.stat().st_mtime))
    with pytest.raises(UserError, match="cannot be read as video"):
        index_video(tmp_path / "list.mp4")
    assert named.stat().st_atime == 0


def test_pictures_larger_than_any_camera_takes(tmp_path):
    path = write_clip(tmp_path / "a.mkv", frames=2, size=(64, 48))
    data = path.read_bytes()
    assert data.count(b"\xb0\x81\x40\xba\x81\x30") == 1
    path.write_bytes(data.replace(b"\xb0\x81\x40\xba\x81\x30", b"\xb0\x82\xff\xff\xba\x82\xff\xff"))
    with pytest.raises(UserError, match=r"a\.mkv"):
        index_video(path)


def test_missing_file_and_folder(tmp_path):
    with pytest.raises(UserError, match="no file"):
        index_video(tmp_path / "none.mp4")
    with pytest.raises(UserError, match="is a folder"):
        index_video(tmp_path)


def test_mp4_cut_before_its_header(tmp_path):
    path = write_clip(tmp_path / "a.mp4", frames=60)
    path.write_bytes(path.read_bytes()[:4000])
    with pytest.raises(UserError, match="cut off"):
        index_video(path)


def test_mp4_cut_in_its_data(tmp_path):
    path = write_clip(tmp_path / "a.mp4", frames=60, container_options={"movflags": "faststart"})
    data = path.read_bytes()
    path.write_bytes(data[: len(data) * 2 // 3])
    index = index_video(path)
    assert index.truncated is not None
    assert 0 < index.n_frames < 60


def test_mkv_cut(tmp_path):
    path = write_clip(tmp_path / "a.mkv", frames=300, time_base=Fraction(1, 1000))
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 3])
    index = index_video(path)
    assert index.truncated is not None
    assert 0 < index.n_frames < 300


def test_progress_ends_at_one(tmp_path):
    seen = []
    index_video(write_clip(tmp_path / "a.mp4", frames=3), progress=seen.append)
    assert seen[-1] == 1


def test_file_names_are_taken_literally(tmp_path):
    for name in ("pipe:1.mp4", "a%03d.mp4", "umlaut ä ö.mp4", "-i.mp4"):
        path = tmp_path / name
        write_clip(tmp_path / "plain.mp4", frames=2).rename(path)
        assert index_video(path).n_frames == 2


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("yuv420p", "yuv420p"),
        ("yuvj420p", "yuvj420p"),
        ("nv12", "yuv420p"),
        ("p010le", "yuv420p10le"),
        ("yuyv422", "yuv422p"),
        ("yuv411p", "yuv422p"),
        ("yuv440p", "yuv444p"),
        ("yuv410p", "yuv420p"),
        ("yuv422p9le", "yuv422p10le"),
        ("yuv420p14le", "yuv420p16le"),
        ("yuv420p10be", "yuv420p10le"),
        ("yuva444p", "yuv444p"),
        ("gray", "gray"),
        ("ya8", "gray"),
        ("monob", "gray"),
        ("gray12le", "gray12le"),
        ("rgb24", "yuv444p"),
        ("bgra", "yuv444p"),
        ("pal8", "yuv444p"),
        ("gbrp10le", "yuv444p10le"),
        ("rgb48le", "yuv444p16le"),
    ],
)
def test_working_format_loses_nothing(name, expected):
    assert working_format(name).name == expected
