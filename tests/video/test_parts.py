"""A recording in parts is read as one: every frame of every part, in order, on one clock."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.video.check import check_video
from or_mv_anon.video.encoding import choose_encoder
from or_mv_anon.video.index import VideoIndex
from or_mv_anon.video.join import join_segments
from or_mv_anon.video.parts import index_recording
from or_mv_anon.video.segments import plan_segments
from or_mv_anon.video.source import open_source, source_of
from or_mv_anon.video.transport import spans_of
from or_mv_anon.video.writer import SegmentWriter
from tests.clips import picture, write_clip
from tests.video.test_clock import TICK, behind_each_other, stream

FAULTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "faults"


def parts(folder, *names, **settings):
    return [write_clip(folder / name, **({"frames": 25, "rate": 25, "b_frames": 2} | settings)) for name in names]


def test_frames_of_all_parts_in_order_on_one_clock(tmp_path):
    source = open_source(parts(tmp_path, "a_0.mp4", "a_1.mp4", "a_2.mp4"))
    np.testing.assert_allclose(source.times, np.arange(75) / 25)
    frames = [frame for segment in plan_segments(source, seconds=0.5) for frame in source.frames(segment)]
    assert [frame.index for frame in frames] == list(range(75))
    assert [frame.pts for frame in frames] == source.pts.tolist()
    for frame in frames:
        assert np.abs(frame.bgr().astype(int) - picture(frame.index % 25, 64, 48)).mean() < 12
    assert source.missing == []


def test_wanted_frames_across_parts(tmp_path):
    source = open_source(parts(tmp_path, "a_0.mp4", "a_1.mp4"))
    wanted = np.zeros(50, bool)
    wanted[[3, 24, 25, 49]] = True
    (whole,) = plan_segments(source, seconds=10)
    assert [frame.index for frame in source.frames(whole, wanted=wanted)] == [3, 24, 25, 49]


def test_gaps_that_names_tell_are_kept(tmp_path):
    names = ("ch1_20240229_235958.mp4", "ch1_20240301_000001.mp4", "ch1_20240301_000002.mp4")
    index = index_recording(parts(tmp_path, *names))
    assert index.times[[24, 25, 50]] == pytest.approx([0.96, 1.0, 2.0])
    names = ("ch2_20240229_235950.mp4", "ch2_20240301_000010.mp4")
    index = index_recording(parts(tmp_path, *names))
    assert index.times[25] == pytest.approx(20.0)
    assert "19.00 s after" in index.notes[0]


def test_parts_whose_clock_goes_on_keep_their_times(tmp_path):
    files = [
        write_clip(tmp_path / f"a_{n}.mkv", pts=[round(1000 * (start + i / 25)) for i in range(25)], rate=25,
                   time_base=Fraction(1, 1000))
        for n, start in enumerate((5.0, 6.0, 7.5))
    ]  # fmt: skip
    index = index_recording(files)
    assert index.times[[0, 25, 50]] == pytest.approx([5.0, 6.0, 7.5])


def test_names_that_say_that_parts_overlap_are_refused(tmp_path):
    files = parts(tmp_path, "20240301_100000.mp4", "20240301_100001.mp4", frames=300)
    with pytest.raises(UserError, match="no consecutive parts"):
        index_recording(files)


def test_parts_of_another_size_and_clock(tmp_path):
    files = [
        *parts(tmp_path, "a_0.mp4", size=(64, 48)),
        *parts(tmp_path, "a_1.mp4", size=(128, 128), time_base=Fraction(1, 90_000)),
    ]
    source = open_source(files)
    assert source.upright_size == (128, 128)
    (whole,) = plan_segments(source, seconds=10)
    frames = list(source.frames(whole))
    assert {frame.upright_size for frame in frames} == {(128, 128)}
    small = frames[5].bgr().astype(int)
    assert small[:14].max() < 20, "black above"
    assert small[-14:].max() < 20, "black below"
    assert np.abs(small[16:112] - np.kron(picture(5, 64, 48), np.ones((2, 2, 1), int))).mean() < 15, "not stretched"
    np.testing.assert_allclose(source.times, np.arange(50) / 25)


def test_turned_parts_are_refused(tmp_path):
    files = [*parts(tmp_path, "a_0.mp4"), *parts(tmp_path, "a_1.mp4", rotation=90)]
    with pytest.raises(UserError, match="turned"):
        index_recording(files)


def test_an_index_with_parts_survives_the_store(tmp_path):
    index = index_recording(parts(tmp_path, "a_0.mp4", "a_1.mp4"))
    again = VideoIndex.from_json(index.to_json())
    assert again.to_json() == index.to_json()
    assert [frame.index for frame in source_of(again).frames(plan_segments(again, seconds=9)[0])] == list(range(50))


def test_the_output_has_all_frames_and_the_sound_of_all_parts(tmp_path):
    index = index_recording(parts(tmp_path, "a_0.mp4", "a_1.mp4", audio="aac", b_frames=0))
    source = source_of(index)
    files = []
    for segment in plan_segments(source, seconds=0.7):
        files.append(tmp_path / f"s{segment.number}.mp4")
        with SegmentWriter(files[-1], index, choose_encoder(index), crf=23, preset="ultrafast") as writer:
            for frame in source.frames(segment):
                writer.write(frame)
    assert join_segments(index, files, tmp_path / "out.mp4", audio=True) == []
    check_video(tmp_path / "out.mp4", index.pts, time_base=index.time_base, decode=True)
    with av.open(str(tmp_path / "out.mp4")) as container:
        ends = [float((p.pts + p.duration) * p.time_base) for p in container.demux(audio=0) if p.size]
    assert ends == sorted(ends)
    assert 1.9 < ends[-1] < 2.1


def test_picture_that_goes_on_under_another_identifier(tmp_path):
    first = stream(tmp_path / "0.ts")
    second = write_clip(
        tmp_path / "1.ts", pts=[round((1 + i / 25) * 90_000) for i in range(25)], rate=25, time_base=TICK, gop=12,
        container_options={"mpegts_start_pid": "512"},
    )  # fmt: skip
    path = behind_each_other(tmp_path / "a.ts", first, second)
    assert len(spans_of(path)[0]) == 2
    source = open_source(path)
    assert source.n_frames == 50
    frames = [frame for segment in plan_segments(source, seconds=0.5) for frame in source.frames(segment)]
    assert [frame.index for frame in frames] == list(range(50))
    assert np.diff(source.times).max() < 0.05
    assert spans_of(first)[0] == [(0, first.stat().st_size)]


@pytest.mark.skipif(not FAULTS.exists(), reason="needs the shared recordings")
@pytest.mark.parametrize(
    ("pattern", "frames", "seconds"),
    [
        ("segments_flat/cam1_*", 75, 3.0),
        ("segments_folder_per_camera/cam2/*", 75, 3.0),
        ("ts_video_pid_changes.ts", 50, 2.0),
    ],
)
def test_recordings_as_they_are(pattern, frames, seconds):
    source = open_source(sorted(FAULTS.glob(pattern)))
    assert source.index.duration == pytest.approx(seconds)
    found = [frame.index for segment in plan_segments(source, seconds=0.7) for frame in source.frames(segment)]
    assert found == list(range(frames))


def test_a_second_picture_in_a_transport_stream_is_no_change_of_identifier(tmp_path):
    with av.open(str(tmp_path / "a.ts"), "w") as output:
        sources = [av.open(str(stream(tmp_path / f"{number}.ts"))) for number in range(2)]
        copies = [output.add_stream_from_template(source.streams.video[0], opaque=True) for source in sources]
        packets = [(packet, copy) for source, copy in zip(sources, copies, strict=True) for packet in source.demux()]
        for packet, copy in sorted((row for row in packets if row[0].size), key=lambda row: row[0].dts):
            packet.stream = copy
            output.mux(packet)
    assert len(spans_of(tmp_path / "a.ts")[0]) == 1
    index = index_recording(tmp_path / "a.ts")
    assert index.n_frames == 25
    assert "2 video streams" in index.left_out[0]


def test_a_part_that_cannot_be_read_costs_itself_alone(tmp_path):
    files = parts(tmp_path, "a_0.mp4", "a_1.mp4")
    (tmp_path / "a_2.mp4").touch()
    index = index_recording([*files, tmp_path / "a_2.mp4"])
    assert index.n_frames == 50
    assert "a_2.mp4 is empty" in index.left_out[0]
    assert str(tmp_path) not in index.left_out[0]
    with pytest.raises(UserError, match="is empty"):
        index_recording([tmp_path / "a_2.mp4"])
