"""What an output keeps of its input, or says that it does not: fields, HDR, transparency, shape, durations, sound."""

from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from av.codec.context import Flags

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.store import RunStore
from or_mv_anon.pipeline.media import index_camera
from or_mv_anon.site import discover
from or_mv_anon.video.check import check_video
from or_mv_anon.video.encoding import choose_encoder
from or_mv_anon.video.images import ImageFolderSource
from or_mv_anon.video.index import index_video
from or_mv_anon.video.join import join_segments
from or_mv_anon.video.mastering import Mastering
from or_mv_anon.video.numbering import ticks_of
from or_mv_anon.video.pages import refuse_stacks
from or_mv_anon.video.reader import VideoSource
from or_mv_anon.video.segments import plan_segments
from or_mv_anon.video.writer import SegmentWriter
from tests.clips import picture, write_clip

FAULTS = Path(__file__).resolve().parents[3] / "shared" / "data" / "faults"
HDR = "hdr10=1:master-display=G(13250,34500)B(7500,3000)R(34000,16000)WP(15635,16450)L(10000000,1):max-cll=1000,400"
TOP_FIELD_FIRST = 2  # AV_FIELD_TT


def rendered(path, *, codec="same", audio=False):
    """The path of the output, the encoding's note, and what `join_segments` says."""
    index = index_video(path)
    encoding, source, files = choose_encoder(index, codec), VideoSource(index), []
    for segment in plan_segments(source, seconds=0.5):
        files.append(path.with_name(f"segment{segment.number}.mp4"))
        with SegmentWriter(files[-1], index, encoding, crf=20, preset="ultrafast") as writer:
            for frame in source.frames(segment):
                frame.planes()
                writer.write(frame)
    out = path.with_name("out" + encoding.suffix)
    notes = join_segments(index, files, out, audio=audio)
    check_video(out, index.pts, time_base=index.time_base, decode=True)
    return out, encoding.note, notes


def first_of(path):
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        return next(container.decode(stream)), stream.codec_context.field_order


def interlaced(path):
    """A clip with the top field first: weaved from a moving picture, as FFmpeg's `setfield` marks it."""
    graph = av.filter.Graph()
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, width=64, height=48, options={"preset": "ultrafast"})
        stream.pix_fmt = "yuv420p"
        stream.codec_context.flags |= Flags.interlaced_dct | Flags.interlaced_me
        source = graph.add_buffer(width=64, height=48, format="yuv420p", time_base=Fraction(1, 25))
        mark, sink = graph.add("setfield", "tff"), graph.add("buffersink")
        source.link_to(mark)
        mark.link_to(sink)
        graph.configure()
        for number in range(20):
            image = picture(2 * number, 64, 48)
            image[1::2] = picture(2 * number + 1, 64, 48)[1::2]
            frame = av.VideoFrame.from_ndarray(image, format="bgr24").reformat(format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, 25)
            graph.push(frame)
            marked = graph.pull()
            marked.pts, marked.time_base = number, Fraction(1, 25)
            output.mux(stream.encode(marked))
        output.mux(stream.encode(None))
    return path


def test_fields_stay_fields_in_their_order(tmp_path):
    path = interlaced(tmp_path / "a.mp4")
    assert index_video(path).interlaced
    out, note, _ = rendered(path)
    frame, order = first_of(out)
    assert frame.interlaced_frame
    assert order == TOP_FIELD_FIRST
    assert note is None


def test_fields_that_cannot_stay_are_told(tmp_path):
    _, note, _ = rendered(interlaced(tmp_path / "a.mp4"), codec="hevc")
    assert "interlaced" in note


@pytest.mark.parametrize("codec", ["same", "h264", "av1"])
def test_hdr_mastering_data_are_kept(tmp_path, codec):
    path = write_clip(
        tmp_path / "a.mp4", frames=4, codec="libx265", pix_fmt="yuv420p10le", color=(9, 16, 9, 1),
        options={"x265-params": f"log-level=error:pools=1:frame-threads=1:{HDR}"},
    )  # fmt: skip
    expected = Mastering((34000, 16000, 13250, 34500, 7500, 3000, 15635, 16450, 1, 10_000_000), (1000, 400))
    assert index_video(path).mastering == expected
    out, note, _ = rendered(path, codec=codec)
    assert Mastering.of(first_of(out)[0]) == expected
    assert note is None


def test_hdr_mastering_data_that_are_lost_are_told(tmp_path):
    options = {"x265-params": f"log-level=error:pools=1:frame-threads=1:{HDR}"}
    path = write_clip(tmp_path / "a.mp4", frames=4, codec="libx265", pix_fmt="yuv420p10le", options=options)
    assert "HDR" in choose_encoder(index_video(path), "vp9").note


def test_lost_transparency_is_told(tmp_path):
    path = write_clip(tmp_path / "a.mov", frames=3, codec="png", pix_fmt="rgba")
    assert "ransparency" in choose_encoder(index_video(path)).note
    for number in range(3):
        (tmp_path / "cam").mkdir(exist_ok=True)
        channels = 4 if number == 1 else 3  # transparency need not begin with the first
        cv2.imwrite(str(tmp_path / "cam" / f"{number}.png"), np.full((16, 16, channels), 90, np.uint8))
    (camera,) = discover(tmp_path / "cam").sessions[0].cameras
    assert "transparency" in index_camera(camera, RunStore.open(tmp_path / "store")).notes[0]


@pytest.mark.parametrize("rate", [Fraction(1, 10), 25, 500])
@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_the_last_frame_lasts_as_long_as_in_the_input(tmp_path, rate, suffix):
    ticks = [round(i * 1000 / rate) for i in range(5)]
    path = write_clip(tmp_path / f"a{suffix}", pts=ticks, rate=25, time_base=Fraction(1, 1000), b_frames=2)
    out, _, _ = rendered(path)
    with av.open(str(out)) as container:
        assert container.duration / 1e6 == pytest.approx(5 / float(rate), abs=1e-3)


@pytest.mark.parametrize("codec", ["pcm_alaw", "pcm_mulaw"])
def test_telephone_sound_is_kept(tmp_path, codec):
    path = write_clip(tmp_path / "a.avi", frames=25, rate=25, time_base=Fraction(1, 25), audio=codec)
    out, _, notes = rendered(path, audio=True)
    with av.open(str(path)) as before, av.open(str(out)) as after:
        assert len(after.streams.audio) == 1
        old, new = (np.concatenate([f.to_ndarray().ravel() for f in c.decode(audio=0)]) for c in (before, after))
    np.testing.assert_array_equal(old, new)
    assert codec in notes[0]


@pytest.mark.parametrize("big_endian", [False, True])
def test_stacks_of_pictures_are_refused_by_name(tmp_path, big_endian):
    pages = [picture(number, 32, 24) for number in range(3)]
    assert cv2.imwritemulti(str(tmp_path / "stack_0001.tif"), pages)
    cv2.imwrite(str(tmp_path / "one_0000.tif"), pages[0])
    refuse_stacks([tmp_path / "one_0000.tif"])
    with pytest.raises(UserError, match=r"stack_0001.tif holds several pictures"):
        refuse_stacks([tmp_path / "one_0000.tif", tmp_path / "stack_0001.tif"])
    if big_endian:
        (tmp_path / "big.tif").write_bytes(b"MM\0*\0\0\0\x08\0\0\0\0\0\x09")
        with pytest.raises(UserError, match=r"big\.tif"):
            refuse_stacks([tmp_path / "big.tif"])


@pytest.mark.parametrize(
    ("numbers", "ticks"),
    [
        (range(0, 1200, 40), range(30)),
        (range(80, 400, 40), range(2, 10)),
        (range(1_700_000_000_000, 1_700_000_001_200, 40), range(30)),
        ([1_700_000_000_000 + round(i * 1000 / 30) for i in range(60)], range(60)),
        ([0, 40, 80, 160, 200, 240, 280], [0, 1, 2, 4, 5, 6, 7]),
        ([3, 4, 5, 9, 10], [3, 4, 5, 9, 10]),
        ([7], [7]),
    ],
)
def test_pictures_follow_one_another_whatever_the_step_of_their_numbers(numbers, ticks):
    assert ticks_of([Path(f"view_{number}.jpg") for number in numbers]).tolist() == list(ticks)


@pytest.mark.skipif(not FAULTS.exists(), reason="needs the shared recordings")
def test_recordings_as_they_are():
    source = ImageFolderSource(FAULTS / "pictures_numbered_in_steps_of_40" / "cam1", fps=25)
    assert source.times[-1] - source.times[0] + 1 / 25 == pytest.approx(1.2)
    assert source.n_frames == 30
    with pytest.raises(UserError, match=r"stack_0000\.tif"):
        refuse_stacks(sorted((FAULTS / "multipage_tiff").iterdir()))
    index = index_video(FAULTS / "two_video_streams_small_first.mkv")
    assert index.upright_size == (360, 640)
    assert "90x160" in index.left_out[0]
    index = index_video(FAULTS / "ts_small_picture_first.ts")
    assert index.upright_size == (360, 640)
    assert "90x160" in index.notes[0]
