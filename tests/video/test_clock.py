"""Clocks that jump: pictures keep their order, what follows is spliced, pauses stay."""

from fractions import Fraction

import numpy as np
import pytest

from or_mv_anon.video.index import index_video
from tests.clips import write_clip
from tests.video.test_order import shown

TICK = Fraction(1, 90_000)
TS_PACKET, VIDEO_PID = 188, 0x100  # bytes, and FFmpeg's first stream


def stream(path, *, start=0.0, frames=25, b_frames=0, codec="libx264"):
    ticks = [round((start + i / 25) * 90_000) for i in range(frames)]
    return write_clip(path, pts=ticks, rate=25, time_base=TICK, gop=12, b_frames=b_frames, codec=codec)


def without_first_picture(path):
    """The stream as somebody records it who comes too late for its first keyframe."""
    data = path.read_bytes()
    packets = [data[at : at + TS_PACKET] for at in range(0, len(data), TS_PACKET)]
    video = [n for n, packet in enumerate(packets) if (packet[1] & 0x1F) << 8 | packet[2] == VIDEO_PID]
    begins = [n for n in video if packets[n][1] & 0x40]
    return b"".join(packets[: begins[0]] + packets[begins[1] :])


def behind_each_other(path, *parts):
    path.write_bytes(b"".join(part.read_bytes() for part in parts))
    return path


@pytest.mark.parametrize(("first", "second"), [(0.0, 0.0), (10.0, 0.0), (5.0, 4.5), (0.0, 8000.0)])
@pytest.mark.parametrize("b_frames", [0, 2])
def test_transport_streams_behind_each_other(tmp_path, first, second, b_frames):
    parts = [
        stream(tmp_path / f"{number}.ts", start=start, b_frames=b_frames)
        for number, start in enumerate((first, second))
    ]
    index = index_video(behind_each_other(tmp_path / "a.ts", *parts))
    assert index.n_frames == 50
    assert index.duration == pytest.approx(2.0, abs=0.05)
    assert np.diff(index.times).max() < 0.09
    assert "jumps" in index.notes[0]
    whole = index_video(parts[0])
    np.testing.assert_array_equal(index.pts[:25], whole.pts)


def test_pictures_come_in_the_order_in_which_they_lie_in_the_file(tmp_path):
    behind_each_other(
        tmp_path / "a.ts", stream(tmp_path / "0.ts", start=10.0, b_frames=2), stream(tmp_path / "1.ts", b_frames=2)
    )
    _, found = shown(tmp_path / "a.ts")
    places = [place % 25 for _, place in found]
    assert places == [*range(25), *range(25)]


def test_a_pause_is_kept_and_told(tmp_path):
    parts = [stream(tmp_path / "0.ts"), stream(tmp_path / "1.ts", start=61.0)]
    index = index_video(behind_each_other(tmp_path / "a.ts", *parts))
    assert index.n_frames == 50
    assert index.times[25] - index.times[0] == pytest.approx(61.0)
    assert "pauses for 60.0 s" in index.notes[0]
    assert not index.broken, "the counters of another stream say nothing about this one"


def test_what_a_pause_interrupts_stays_suspect(tmp_path):
    first, second = stream(tmp_path / "0.ts"), stream(tmp_path / "1.ts", start=61.0)
    (tmp_path / "late.ts").write_bytes(without_first_picture(second))
    index = index_video(behind_each_other(tmp_path / "a.ts", first, tmp_path / "late.ts"))
    assert "pauses" in index.notes[0]
    assert index.broken


def test_pictures_hidden_by_an_edit_list_are_left_out_and_told(tmp_path):
    data = stream(tmp_path / "0.mp4", b_frames=2).read_bytes()
    (tmp_path / "1.mp4").write_bytes(data.replace(b"ctts", b"free"))
    (tmp_path / "2.mp4").write_bytes(data.replace(b"ctts", b"free").replace(b"edts", b"free"))
    hidden, all_of_them = (index_video(tmp_path / name) for name in ("1.mp4", "2.mp4"))
    assert all_of_them.n_frames == 25
    assert hidden.n_frames < 25
    assert f"{25 - hidden.n_frames} of its pictures are hidden by its edit list" in hidden.notes[0]


def test_sound_recordings_have_nothing_to_tell(tmp_path):
    index = index_video(stream(tmp_path / "0.ts", b_frames=2))
    assert (index.splices, index.notes, index.seekable) == ((), (), True)
