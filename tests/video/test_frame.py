from fractions import Fraction

import av
import numpy as np
import pytest

from or_mv_anon.video.index import index_video
from or_mv_anon.video.orientation import Orientation
from or_mv_anon.video.reader import VideoSource
from or_mv_anon.video.segments import Segment
from tests.clips import picture, write_clip

LOSSLESS = {"qp": "0", "preset": "ultrafast"}


def frames_of(path):
    source = VideoSource(index_video(path))
    return list(source.frames(Segment(0, 0, source.n_frames)))


def one_colour(path, *, luma, cb, cr, color, pix_fmt="yuv444p", scale=1):
    """A lossless clip of one frame of one colour, and the BGR that the reader makes of it."""
    with av.open(str(path), "w") as output:
        stream = output.add_stream("libx264", rate=25, options=LOSSLESS, width=32, height=32)
        stream.pix_fmt = pix_fmt
        context = stream.codec_context
        context.color_primaries, context.color_trc, context.colorspace, context.color_range = color
        frame = av.VideoFrame(32, 32, pix_fmt)
        for plane, value in zip(frame.planes, (luma, cb, cr), strict=True):
            np.frombuffer(plane, np.uint16 if scale > 1 else np.uint8)[:] = value * scale
        frame.pts = 0
        output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    (frame,) = frames_of(path)
    return frame.bgr()[16, 16].astype(int)


@pytest.mark.parametrize(
    ("color", "red"),
    [
        ((1, 1, 1, 1), (63, 102, 240)),  # BT.709, limited range
        ((6, 6, 6, 1), (81, 90, 240)),  # BT.601, limited range
        ((1, 1, 1, 2), (54, 99, 255)),  # BT.709, full range
        ((6, 6, 6, 2), (76, 85, 255)),  # BT.601, full range
        ((2, 2, 2, 1), (81, 90, 240)),  # nothing said, small picture: BT.601
    ],
)
def test_colour_matrix_and_range_are_honoured(tmp_path, color, red):
    """Values of pure red from the standards' matrices."""
    luma, cb, cr = red
    bgr = one_colour(tmp_path / "a.mp4", luma=luma, cb=cb, cr=cr, color=color)
    np.testing.assert_allclose(bgr, [0, 0, 255], atol=3)


def test_ten_bits_give_the_same_colours(tmp_path):
    bgr = one_colour(tmp_path / "a.mp4", luma=63, cb=102, cr=240, color=(1, 1, 1, 1), pix_fmt="yuv444p10le", scale=4)
    np.testing.assert_allclose(bgr, [0, 0, 255], atol=3)


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
@pytest.mark.parametrize("flip", [False, True])
def test_pictures_are_upright(tmp_path, rotation, flip):
    path = write_clip(tmp_path / "a.mp4", frames=1, rotation=rotation, flip=flip, pix_fmt="yuv444p", options=LOSSLESS)
    (frame,) = frames_of(path)
    turned = np.rot90(picture(0, 64, 48), k=rotation // 90)
    expected = turned[:, ::-1] if flip else turned  # FFmpeg mirrors after it turns
    assert frame.upright_size == expected.shape[1::-1]
    np.testing.assert_allclose(frame.bgr().astype(int), expected, atol=6)
    small = frame.bgr(width=24, height=16)
    assert small.shape == (16, 24, 3)


def test_small_picture_is_an_area_average(tmp_path):
    (frame,) = frames_of(write_clip(tmp_path / "a.mp4", frames=1, pix_fmt="yuv444p", options=LOSSLESS))
    blocks = picture(0, 64, 48).reshape(12, 4, 16, 4, 3).mean(axis=(1, 3))
    np.testing.assert_allclose(frame.bgr(16, 12).astype(float), blocks, atol=6)


def test_what_is_written_into_planes_is_what_shows(tmp_path):
    path = write_clip(tmp_path / "a.mp4", frames=1, rotation=90)
    (frame,) = frames_of(path)
    box = np.array([[8, 16, 24, 40]], np.float32)
    x1, y1, x2, y2 = frame.to_coded(box)[0].astype(int)
    for plane in frame.planes():
        plane.pixels[y1 // plane.y_step : y2 // plane.y_step, x1 // plane.x_step : x2 // plane.x_step] = plane.white
    white = (frame.bgr() > 240).all(axis=2)
    expected = np.zeros_like(white)
    expected[16:40, 8:24] = True
    assert (white == expected).mean() > 0.97  # chroma is interpolated at the edges
    assert white[18:38, 10:22].all()


@pytest.mark.parametrize(
    ("pix_fmt", "codec", "chroma", "depth", "black", "white"),
    [
        ("yuv420p", "libx264", (2, 2), 8, 16, 235),
        ("yuvj420p", "libx264", (2, 2), 8, 0, 255),
        ("yuv422p", "libx264", (2, 1), 8, 16, 235),
        ("yuv444p", "libx264", (1, 1), 8, 16, 235),
        ("yuv420p10le", "libx264", (2, 2), 10, 64, 940),
        ("yuv422p12le", "libx265", (2, 1), 12, 256, 3760),
        ("gray", "libx265", None, 8, 16, 235),
        ("gbrp", "libx265", (1, 1), 8, 16, 235),
    ],
)
def test_planes_tell_their_facts(tmp_path, pix_fmt, codec, chroma, depth, black, white):
    (frame,) = frames_of(write_clip(tmp_path / "a.mp4", frames=1, pix_fmt=pix_fmt, codec=codec))
    luma, *others = frame.planes()
    assert (luma.pixels.shape, luma.x_step, luma.y_step) == ((48, 64), 1, 1)
    assert (luma.depth, luma.black, luma.white, luma.is_chroma) == (depth, black, white, False)
    assert luma.pixels.dtype == (np.uint8 if depth == 8 else np.uint16)
    assert len(others) == (2 if chroma else 0)
    for plane in others:
        assert (plane.x_step, plane.y_step) == chroma
        assert plane.pixels.shape == (48 // chroma[1], 64 // chroma[0])
        assert plane.is_chroma
        assert plane.black == plane.white == 1 << (depth - 1)
    for plane in frame.planes():
        plane.pixels[:] = plane.black
    slack = 2 if chroma else 18  # swscale shows grey samples as they are, whatever their range
    assert frame.bgr().max() <= slack
    for plane in frame.planes():
        plane.pixels[:] = plane.white
    assert frame.bgr().min() >= 255 - 2 - slack


def test_odd_size_planes_reach_the_border(tmp_path):
    path = write_clip(tmp_path / "a.webm", frames=1, codec="libvpx-vp9", size=(65, 47), time_base=Fraction(1, 1000))
    (frame,) = frames_of(path)
    assert [plane.pixels.shape for plane in frame.planes()] == [(47, 65), (24, 33), (24, 33)]


def test_packed_colour_keeps_its_look(tmp_path):
    path = write_clip(tmp_path / "a.mkv", frames=1, codec="ffv1", pix_fmt="bgr0", time_base=Fraction(1, 1000))
    (frame,) = frames_of(path)
    assert frame.native.format.name == "yuv444p"
    np.testing.assert_allclose(frame.bgr().astype(int), picture(0, 64, 48), atol=6)


def test_orientation_of_frames_is_the_files(tmp_path):
    (frame,) = frames_of(write_clip(tmp_path / "a.mp4", frames=1, rotation=90))
    assert frame.orientation == Orientation(270)
