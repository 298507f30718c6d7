"""Damage is found in every codec, also where the decoder shows the pictures without a word, and nothing else is."""

from __future__ import annotations

import random
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from av.error import FFmpegError

from or_mv_anon.video.damage.chains import Chains, DecodingOrder, PacketFacts
from or_mv_anon.video.damage.colours import impossible_colours
from or_mv_anon.video.damage.matroska import broken_clusters
from or_mv_anon.video.damage.steps import StepWatcher
from or_mv_anon.video.index import VideoIndex, index_video
from or_mv_anon.video.parts import index_recording
from or_mv_anon.video.reader import VideoSource
from or_mv_anon.video.segments import Segment, plan_segments
from or_mv_anon.video.source import source_of
from tests.clips import write_clip, write_packets

FAULTS = Path(__file__).parents[2] / ".." / "shared" / "data" / "faults"
needs_faults = pytest.mark.skipif(not FAULTS.is_dir(), reason="needs ../shared/data/faults")
SIZE = (128, 96)


def hidden(path: Path, *, segment_s: float | None = None) -> set[int]:
    """Ticks of the frames that are covered whole or left out, as the stages find out."""
    index = VideoIndex.from_json(index_video(path).to_json())
    source = VideoSource(index, scrutiny="thorough")
    corrupt, doubtful = np.zeros(source.n_frames, bool), np.zeros(source.n_frames, bool)
    segments = [Segment(0, 0, source.n_frames)] if segment_s is None else plan_segments(index, seconds=segment_s)
    for segment in segments:
        for frame in source.frames(segment):
            corrupt[frame.index], doubtful[frame.index] = frame.corrupt, frame.doubtful
    corrupt |= np.isin(index.pts, source.missing)
    reached = index.decoding.reached(index.times, corrupt, doubtful, silent=index.hides_damage)
    return set(index.pts[reached].tolist()) | set(source.missing)


def lumas(path: Path) -> dict[int, np.ndarray]:
    """Luma by ticks, of all that a plain decoder shows."""
    shown = {}
    with av.open(str(path)) as container:
        for packet in container.demux(video=0):
            try:
                for frame in packet.decode():
                    plane = frame.planes[0]
                    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, -1)
                    shown[frame.pts] = rows[:, : plane.width].astype(int)
            except (FFmpegError, EOFError):
                continue
    return shown


def spoilt(sound: Path, damaged: Path, *, least: float = 4.0) -> set[int]:
    """Ticks of the frames that a plain decoder shows clearly differently."""
    expected, found = lumas(sound), lumas(damaged)
    return {
        pts for pts, luma in found.items()
        if pts in expected and luma.shape == expected[pts].shape and np.abs(luma - expected[pts]).mean() > least
    }  # fmt: skip


def flip_bits(path: Path, *, packets: range, flips: int, seed: int = 4) -> Path:
    """A copy of a file with flipped bits in the body of the largest of some packets."""
    data, choice = bytearray(path.read_bytes()), random.Random(seed)
    with av.open(str(path)) as container:
        bodies = [bytes(packet) for packet in container.demux(video=0) if packet.size]
    body = max((bodies[number] for number in packets), key=len)
    start = data.index(body)
    for _ in range(flips):
        data[start + choice.randrange(len(body) // 4, len(body))] ^= 1 << choice.randrange(8)
    copy = path.with_stem("damaged")
    copy.write_bytes(bytes(data))
    return copy


CODECS: dict[str, dict[str, Any]] = {
    "a.mp4": {"codec": "libx264", "b_frames": 2},
    "b.mp4": {"codec": "libx265", "b_frames": 2, "options": {"x265-params": "log-level=error:pools=2:frame-threads=1"}},
    "b_checksum.mp4": {
        "codec": "libx265",
        "options": {"x265-params": "log-level=error:pools=1:frame-threads=1:no-wpp=1:hash=1"},
    },
    "c.mp4": {"codec": "libvpx-vp9"},
    "d.webm": {"codec": "libvpx", "time_base": Fraction(1, 1000), "container_options": {"write_crc32": "0"}},
    "e.mp4": {"codec": "libsvtav1"},
    "f.avi": {"codec": "mjpeg", "pix_fmt": "yuvj420p", "time_base": Fraction(1, 30)},
    "g.avi": {"codec": "mpeg4", "time_base": Fraction(1, 30)},
    "h.mpg": {"codec": "mpeg2video", "time_base": Fraction(1, 30)},
}


@pytest.mark.parametrize("name", CODECS)
def test_flipped_bits_are_found_and_sound_frames_are_left_alone(tmp_path: Path, name: str) -> None:
    sound = write_clip(tmp_path / name, frames=60, gop=10, size=(192, 128), **CODECS[name])
    assert hidden(sound) == set()
    pts = sorted(lumas(sound))
    damaged = flip_bits(sound, packets=range(11, 18), flips=20)
    found = hidden(damaged)
    assert spoilt(sound, damaged) <= found
    assert found, "twenty flipped bits in one packet are noticed"
    hides = index_video(damaged).hides_damage  # then the groups beside it may be damaged without a word, too
    assert not found & ({*pts[40:]} if hides else {*pts[:8], *pts[30:]})


@needs_faults
@pytest.mark.parametrize(
    ("clean", "damaged"),
    [("hevc_clean", "hevc_46"), ("hevc_clean", "hevc_23"), ("vp9_clean", "vp9_silent_damage")],
)
def test_damage_that_the_decoder_keeps_to_itself(tmp_path: Path, clean: str, damaged: str) -> None:
    sound, broken = FAULTS / f"{clean}.mkv", FAULTS / f"{damaged}.mkv"
    assert hidden(sound) == set()
    assert len(spoilt(sound, broken)) >= 10
    assert spoilt(sound, broken) <= hidden(broken)
    bare = _without_checksums(tmp_path / "bare.mkv", broken)
    assert broken_clusters(broken)
    assert not broken_clusters(bare)
    assert spoilt(sound, bare) <= hidden(bare), "found without the container's checksums too"


def _without_checksums(path: Path, source: Path) -> Path:
    with av.open(str(source)) as given, av.open(str(path), "w", container_options={"write_crc32": "0"}) as output:
        stream = output.add_stream_from_template(given.streams.video[0], opaque=True)
        for packet in given.demux(video=0):
            if packet.size:
                packet.stream = stream
                output.mux(packet)
    return path


@needs_faults
@pytest.mark.parametrize("segment_s", [None, 1.0])
def test_a_lost_packet_reaches_the_next_keyframe_across_segments(segment_s: float | None) -> None:
    path = FAULTS / "ts_one_packet_lost_long_gop.ts"
    pts = index_video(path).pts
    found = hidden(path, segment_s=segment_s)
    assert found >= set(pts[85:].tolist()), "one keyframe in ten seconds: all that follows depends on what was lost"
    assert not found & set(pts[:60].tolist())


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_lost_transport_packet_is_found(tmp_path: Path, codec: str) -> None:
    path = write_clip(tmp_path / "a.ts", frames=100, gop=20, size=SIZE, codec=codec, time_base=Fraction(1, 90_000))
    assert hidden(path) == set()
    data = path.read_bytes()
    with av.open(str(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    cut = places[45] + 188
    (tmp_path / "b.ts").write_bytes(data[:cut] + data[cut + 188 :])
    pts = index_video(path).pts
    found = hidden(tmp_path / "b.ts", segment_s=0.4)
    assert set(pts[46:60].tolist()) <= found
    beside = 20 if index_video(path).hides_damage else 0
    assert not found & {*pts[: 38 - beside].tolist(), *pts[61 + beside :].tolist()}


def test_a_flipped_bit_in_a_checked_matroska_cluster_is_found(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", frames=20, gop=10, size=SIZE, codec="libx265", time_base=Fraction(1, 1000))
    assert broken_clusters(path) == []
    assert hidden(path) == set()
    assert hidden(flip_bits(path, packets=range(14, 15), flips=1))


def test_frames_shown_before_the_damaged_one_but_decoded_after_it_are_reached() -> None:
    # decoded I0 P4 B2 B1 B3 | I8 B6 B5 B7 with an open second group, shown 0 1 2 3 4 5 6 7 8
    rank = np.array([0, 3, 2, 4, 1, 7, 6, 8, 5])
    order = DecodingOrder(rank, np.array([0, 5]), np.zeros(0, np.int64))
    damaged = np.arange(9) == 4
    reached = order.reached(np.arange(9.0), damaged, np.zeros(9, bool))
    assert reached.tolist() == [False, *[True] * 7, False], "leading pictures depend on the group before"
    streaming = Chains()
    streaming.restart(0, 0)
    streaming.damage(1)
    streaming.restart(5, 8)
    assert [streaming.reaches(int(r), t) for t, r in enumerate(rank)] == reached.tolist()


def test_intra_refresh_is_no_way_out_of_damage(tmp_path: Path) -> None:
    options = {"preset": "medium", "x264-params": "intra-refresh=1:keyint=10"}
    path = write_clip(
        tmp_path / "a.ts", frames=60, gop=10, size=SIZE, options=options, time_base=Fraction(1, 90_000)
    )  # fmt: skip
    index = index_video(path)
    assert index.decoding.restarts.tolist() == [0]
    assert len(index.keyframes) > 1, "FFmpeg calls recovery points keyframes"


def planned(index: VideoIndex) -> tuple[dict[int, np.ndarray], set[int]]:
    """Luma by frame number of what is read, and which frames are covered whole."""
    source = source_of(index, scrutiny="thorough")
    shown: dict[int, np.ndarray] = {}
    corrupt, doubtful = np.zeros(source.n_frames, bool), np.zeros(source.n_frames, bool)
    for segment in plan_segments(index, seconds=0.4):
        for frame in source.frames(segment):
            shown[frame.index] = frame.luma().pixels.astype(int)
            corrupt[frame.index], doubtful[frame.index] = frame.corrupt, frame.doubtful
    reached = index.decoding.reached(index.times, corrupt, doubtful, silent=index.hides_damage)
    return shown, set(np.flatnonzero(reached).tolist())


@pytest.mark.parametrize("suffix", [".avi", ".mp4"])
def test_damage_is_found_in_files_that_do_not_tell_the_order_and_in_parts(tmp_path: Path, suffix: str) -> None:
    options = {"preset": "medium", "x264-params": "threads=1:b-adapt=0:open-gop=1:scenecut=0:mbtree=0"}
    sound = write_clip(
        tmp_path / f"a{suffix}", frames=60, rate=25, gop=12, b_frames=3, size=(192, 128), options=options,
        time_base=Fraction(1, 25),
    )  # fmt: skip
    if suffix == ".mp4":
        sound.write_bytes(sound.read_bytes().replace(b"ctts", b"free"))
    damaged = flip_bits(sound, packets=range(26, 32), flips=30)
    expected, found = planned(index_recording(sound))
    assert found == set()
    for files, first in ((damaged, 0), ([sound, damaged, sound], len(expected))):
        shown, found = planned(index_recording(files))
        spoilt = {n for n, luma in shown.items() if np.abs(luma - expected[n % len(expected)]).mean() > 1}
        assert found
        assert spoilt <= found
        assert found <= set(range(first + 20, first + 52)), "neither earlier groups nor other parts"


def test_the_last_packet_of_a_group_spoils_the_pictures_that_lead_the_next_one() -> None:
    decoding = DecodingOrder.of_packets(
        np.array([0, 2, 1, 4, 3]), [0, 1, 2, 3, 4], [PacketFacts(n in (0, 3), n == 2, None) for n in range(5)]
    )
    assert decoding.rank.tolist() == [0, 2, 1, 4, 3]
    reached = decoding.reached(np.arange(5.0), np.zeros(5, bool), np.zeros(5, bool))
    assert reached.tolist() == [False, True, False, True, False]
    streaming = Chains()
    streaming.restart(0, 0)
    streaming.damage(2)
    streaming.restart(3, 4)
    assert streaming.reaches(4, 3), "shown before the keyframe"
    assert streaming.reaches(4, None), "perhaps shown before the keyframe"
    assert not streaming.reaches(4, 5)


def test_damage_of_a_second_field_is_the_frames() -> None:
    decoding = DecodingOrder.of_packets(
        np.array([0, 2, 4]), list(range(6)), [PacketFacts(n == 0, n == 3, None) for n in range(6)]
    )
    assert decoding.reached(np.arange(3.0), np.zeros(3, bool), np.zeros(3, bool)).tolist() == [False, True, True]


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_a_transport_packet_lost_in_a_keyframe_is_known_of_the_keyframe(tmp_path: Path, codec: str) -> None:
    path = write_clip(
        tmp_path / "a.ts", frames=30, gop=10, size=(320, 240), codec=codec, time_base=Fraction(1, 90_000)
    )  # fmt: skip
    with av.open(str(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    data = path.read_bytes()
    cut = places[10] + 188 * 3
    (tmp_path / "b.ts").write_bytes(data[:cut] + data[cut + 188 :])
    decoding = index_video(tmp_path / "b.ts").decoding
    assert 10 in decoding.broken


def test_pictures_that_an_edit_list_hides_are_no_damage(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mp4", codec="libx265", size=SIZE, b_frames=3, options={"preset": "medium"})
    path.write_bytes(path.read_bytes().replace(b"ctts", b"free"))
    assert index_video(path).n_frames < 30
    assert not hidden(path)


def test_a_matroska_cluster_that_is_cut_off_is_not_judged_by_its_checksum(tmp_path: Path) -> None:
    path = write_clip(tmp_path / "a.mkv", size=SIZE, container_options={"write_crc32": "1"})
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    index = index_video(path)
    assert index.n_frames > 5
    assert "cut off" in str(index.truncated)
    assert len(hidden(path)) <= 1


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
def test_streams_put_behind_one_another_are_no_damage(tmp_path: Path, codec: str) -> None:
    """Counters begin anew although the clock goes on, as with the files of a recorder that cuts."""
    ticks = [range(0, 30 * 3600, 3600), range(30 * 3600, 60 * 3600, 3600)]
    clock = Fraction(1, 90_000)
    parts = [write_clip(tmp_path / f"{n}.ts", codec=codec, size=SIZE, rate=25, time_base=clock, pts=t)
             for n, t in enumerate(ticks)]  # fmt: skip
    path = tmp_path / "a.ts"
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    assert index_video(path).n_frames == 60
    assert not hidden(path)
    assert not hidden(path, segment_s=0.5)


def test_a_segment_within_a_refresh_bit_by_bit_is_sound(tmp_path: Path) -> None:
    options = {"preset": "veryfast", "x264-params": "intra-refresh=1:keyint=24:mbtree=0"}
    path = write_clip(tmp_path / "a.mp4", frames=96, rate=25, size=SIZE, gop=24, b_frames=3, options=options)
    assert len(index_video(path).keyframes) > 1
    assert not hidden(path, segment_s=0.5)


def mjpeg(shift_from: int | None = None) -> list[av.VideoFrame]:
    """The frames of a clip in which noise and something bright move; in frame 5 all behind a place is shifted."""
    noise = np.random.default_rng(3)
    frames = []
    for number in range(12):
        grey = 110 + noise.normal(0, 6, (240, 320))
        grey[50:180, 15 * number : 15 * number + 70] = 230
        if number == 5 and shift_from is not None:
            cells = grey.reshape(15, 16, 20, 16).transpose(0, 2, 1, 3).reshape(300, 16, 16).copy()
            cells[shift_from:] += 18
            grey = cells.reshape(15, 20, 16, 16).transpose(0, 2, 1, 3).reshape(240, 320)
        colour = np.dstack([np.clip(grey, 0, 255).astype(np.uint8)] * 3)
        frames.append(av.VideoFrame.from_ndarray(colour, format="bgr24").reformat(format="yuvj420p"))
    return frames


@pytest.mark.parametrize("place", [30, 125, 280])
def test_a_jump_that_stays_to_the_end_of_the_picture_is_damage(place: int) -> None:
    watcher = StepWatcher()
    assert [watcher.jumps(frame) for frame in mjpeg(place)] == [n in (5, 6) for n in range(12)]


def test_people_and_lamps_are_no_jumps() -> None:
    watcher = StepWatcher()
    assert not any(watcher.jumps(frame) for frame in mjpeg())
    for level in (60, 160, 90):
        grey = np.full((240, 320, 3), level, np.uint8)
        assert not watcher.jumps(av.VideoFrame.from_ndarray(grey, format="bgr24").reformat(format="yuvj420p"))


def test_doubtful_frames_count_only_where_something_is_damaged() -> None:
    order = DecodingOrder(np.arange(6), np.array([0, 3]), np.zeros(0, np.int64))
    doubtful = np.arange(6) == 1
    nothing = np.zeros(6, bool)
    times = np.arange(6.0)
    assert not order.reached(times, nothing, doubtful).any()
    assert order.reached(times, np.arange(6) == 5, doubtful).tolist() == [False, True, True, False, False, True]
    assert not order.reached(10 * times, np.arange(6) == 5, doubtful)[1]


def test_what_lies_between_damaged_frames_is_covered_where_decoders_hide_damage() -> None:
    order = DecodingOrder(np.arange(8), np.arange(8), np.zeros(0, np.int64))  # every frame stands alone
    damaged = np.isin(np.arange(8), (1, 3))
    times = np.array([0, 1, 2, 3, 4, 50, 51, 52.0])
    nothing = np.zeros(8, bool)
    assert order.reached(times, damaged, nothing).tolist() == damaged.tolist()
    assert order.reached(times, damaged, nothing, silent=True).tolist() == [*[True] * 5, *[False] * 3]
    in_pairs = DecodingOrder(np.arange(8), np.arange(0, 8, 2), np.zeros(0, np.int64))
    reached = in_pairs.reached(np.arange(8.0), np.arange(8) == 5, nothing, silent=True)
    assert reached.tolist() == [False, False, *[True] * 6], "its group and those beside it"
    reached = in_pairs.reached(100 * np.arange(8.0), np.arange(8) == 5, nothing, silent=True)
    assert reached.tolist() == (np.arange(8) == 5).tolist(), "nothing that is far away"


@pytest.mark.parametrize("pix_fmt", ["yuv420p", "yuvj422p", "yuv444p10le", "gray", "gbrp"])
def test_pictures_of_real_colours_are_possible(pix_fmt: str) -> None:
    rng = np.random.default_rng(0)
    picture = np.kron(rng.integers(0, 256, (12, 16, 3)), np.ones((16, 16, 1))).astype(np.uint8)
    frame = av.VideoFrame.from_ndarray(picture, format="rgb24").reformat(format=pix_fmt)
    assert not impossible_colours(frame).slightly


def test_chroma_without_luma_is_impossible() -> None:
    planes = np.full((192 * 3 // 2, 256), 128, np.uint8)
    planes[:192] = 16
    planes[240:] = 240
    assert impossible_colours(av.VideoFrame.from_ndarray(planes, format="yuv420p")).clearly


LOSSY: dict[str, dict[str, Any]] = {
    "ref.mp4": {"b_frames": 0},
    "pyramid.mkv": {"b_frames": 3, "options": {"preset": "medium"}, "time_base": Fraction(1, 1000)},
    "open.ts": {
        "b_frames": 3, "options": {"preset": "medium", "x264-params": "open-gop=1"}, "time_base": Fraction(1, 90_000),
    },
    "fields.mp4": {"options": {"x264-params": "interlaced=1"}},
    "av1.mp4": {"codec": "libsvtav1"},
    "av1.mkv": {"codec": "libsvtav1", "time_base": Fraction(1, 1000)},
}  # fmt: skip


def changed(path: Path, change: Callable[[int, bytes], bytes | None]) -> Path:
    """A copy of a file, see `write_packets`."""
    return write_packets(path, path.with_stem("changed"), change)


@pytest.mark.parametrize("name", LOSSY)
def test_a_packet_that_was_lost_is_noticed(tmp_path: Path, name: str) -> None:
    """Pictures that are shown although what they are made from is missing."""
    sound = write_clip(tmp_path / name, frames=24, gop=12, size=(192, 128), **LOSSY[name])
    assert hidden(sound) == set()
    assert not index_video(sound).decoding.broken.size
    noticed = 0
    for number in range(1, 24, 2):
        lossy = changed(sound, lambda place, data, lost=number: None if place == lost else data)
        spoilt_ticks, found = spoilt(sound, lossy, least=1.0), hidden(lossy)
        assert spoilt_ticks <= found, number
        noticed += bool(found)
    assert noticed > 4


@pytest.mark.parametrize("codec", ["libx264", "libx265"])
@pytest.mark.parametrize("suffix", [".mkv", ".ts"])
def test_a_file_cut_out_of_another_within_an_open_group_is_sound(tmp_path: Path, codec: str, suffix: str) -> None:
    """It begins with pictures that cannot be decoded, and nothing else needs them."""
    parameters = "open-gop=1:scenecut=0:keyint=12" + (":log-level=none:pools=1" if codec == "libx265" else "")
    options = {"preset": "medium", f"{codec[3:]}-params": parameters}
    whole = write_clip(
        tmp_path / f"a{suffix}", frames=48, gop=12, b_frames=3, size=(192, 128), codec=codec, options=options,
        time_base=Fraction(1, 1000 if suffix == ".mkv" else 90_000),
    )  # fmt: skip
    first = int(index_video(whole).decoding.restarts[1])
    cut = changed(whole, lambda number, data: data if number >= first else None)
    leading = index_video(cut).decoding.leading
    assert 1 <= leading <= 3
    for segment_s in (None, 0.4):
        assert hidden(cut, segment_s=segment_s) <= set(index_video(cut).pts[:leading].tolist())


def test_what_never_decodes_is_damage_where_the_order_is_asked_of_the_decoder(tmp_path: Path) -> None:
    """All that is before it in its group may be damaged, too, with a codec whose decoder hides that."""
    sound = write_clip(
        tmp_path / "a.mp4", frames=40, gop=10, size=SIZE, codec="libx265", b_frames=2, options={"preset": "medium"}
    )  # fmt: skip
    nothing = b"\0\0\0\3\x46\x01\x50"  # an access unit delimiter alone
    damaged = changed(sound, lambda number, data: nothing if number == 25 else data)
    for path in (sound, damaged):
        path.write_bytes(path.read_bytes().replace(b"ctts", b"free").replace(b"edts", b"free"))
    assert hidden(sound) == set()
    index = index_video(damaged)
    assert index_video(sound).n_frames > index.n_frames
    assert 24 in index.decoding.broken
    found = hidden(damaged)
    assert found >= set(index.pts[20:26].tolist())
    assert not found & set(index.pts[:8].tolist())
