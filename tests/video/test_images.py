import contextlib
import struct
import subprocess
import sys
import zlib
from fractions import Fraction

import cv2
import numpy as np
import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.video.images import ImageFolderSource, ImageSegmentWriter, join_image_segments
from or_mv_anon.video.segments import Segment, plan_segments
from or_mv_anon.video.source import open_source
from tests.clips import picture

EXIF_TURN_RIGHT = (
    b"\xff\xe1\x00\x22Exif\x00\x00MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00"
    + bytes(4)
)


def folder(path, *, suffix=".png", count=6, first=3, convert=lambda image: image):
    path.mkdir()
    for number in range(count):
        cv2.imwrite(str(path / f"view_{number + first:06d}{suffix}"), convert(picture(number, 64, 48)))
    return path


def test_facts(tmp_path):
    folder(tmp_path / "cam")
    (tmp_path / "cam" / "notes.txt").write_text("no image")
    source = open_source(tmp_path / "cam", fps=2)
    assert source.n_frames == 6
    assert source.upright_size == (64, 48)
    assert source.pts.tolist() == [3, 4, 5, 6, 7, 8], "the numbers in the names are the clock"
    assert source.time_base == Fraction(1, 2)
    assert source.times[0] == 1.5
    assert [s.stop for s in plan_segments(source, seconds=1)] == [2, 4, 6]


def test_numbers_sort_as_numbers_and_may_be_absent(tmp_path):
    (tmp_path / "cam").mkdir()
    for name in ("9.png", "10.png", "100.png"):
        cv2.imwrite(str(tmp_path / "cam" / name), picture(0, 16, 16))
    source = ImageFolderSource(tmp_path / "cam", fps=1)
    assert [file.name for file in source.files] == ["9.png", "10.png", "100.png"]
    for name in ("9.png", "10.png", "100.png"):
        (tmp_path / "cam" / name).rename(tmp_path / "cam" / f"{'x' * len(name)}.png")
    assert ImageFolderSource(tmp_path / "cam", fps=1).pts.tolist() == [0, 1, 2]


@pytest.mark.parametrize(
    ("suffix", "convert"),
    [
        (".png", lambda image: image),
        (".bmp", lambda image: image),
        (".tif", lambda image: image),
        (".png", lambda image: image[..., 0]),
        (".png", lambda image: image.astype(np.uint16) * 257),
        (".tiff", lambda image: image[..., 1].astype(np.uint16) * 100),
    ],
)
def test_untouched_pixels_come_back_exactly(tmp_path, suffix, convert):
    source = ImageFolderSource(folder(tmp_path / "cam", suffix=suffix, convert=convert), fps=1)
    segments = plan_segments(source, seconds=3)
    for segment in segments:
        with ImageSegmentWriter(tmp_path / f"part{segment.number}", source) as writer:
            for frame in source.frames(segment):
                for plane in frame.planes():
                    plane.pixels[:8] = plane.black
                writer.write(frame)
    join_image_segments([tmp_path / f"part{s.number}" for s in segments], tmp_path / "out", expected=6)
    assert [p.name for p in sorted((tmp_path / "out").iterdir())] == [file.name for file in source.files]
    for number, file in enumerate(source.files):
        written = cv2.imread(str(tmp_path / "out" / file.name), cv2.IMREAD_UNCHANGED)
        expected = convert(picture(number, 64, 48)).copy()
        expected[:8] = 0
        np.testing.assert_array_equal(written, expected)
    assert not list(tmp_path.glob("*.partial"))


def test_bgr_is_the_picture(tmp_path):
    source = ImageFolderSource(folder(tmp_path / "cam"), fps=1)
    for number, frame in enumerate(source.frames(Segment(0, 0, 6))):
        np.testing.assert_allclose(frame.bgr().astype(int), picture(number, 64, 48), atol=1)
        assert frame.bgr(32, 24).shape == (24, 32, 3)
        assert frame.index == number


def test_exif_rotation_is_applied_and_metadata_dropped(tmp_path):
    folder(tmp_path / "cam", suffix=".jpg", count=1)
    (file,) = (tmp_path / "cam").iterdir()
    data = file.read_bytes()
    file.write_bytes(data[:2] + EXIF_TURN_RIGHT + data[2:])
    source = ImageFolderSource(tmp_path / "cam", fps=1)
    assert source.upright_size == (48, 64)
    with ImageSegmentWriter(tmp_path / "out", source) as writer:
        for frame in source.frames(Segment(0, 0, 1)):
            writer.write(frame)
    written = tmp_path / "out" / file.name
    assert b"Exif" not in written.read_bytes()
    upright = cv2.imread(str(written), cv2.IMREAD_UNCHANGED)
    expected = np.rot90(cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR), k=-1)
    assert np.abs(upright.astype(int) - expected.astype(int)).mean() < 4


def test_unreadable_image_is_noted(tmp_path):
    path = folder(tmp_path / "cam")
    sorted(path.iterdir())[2].write_bytes(b"broken")
    source = ImageFolderSource(path, fps=1)
    assert [frame.index for frame in source.frames(Segment(0, 0, 6))] == [0, 1, 3, 4, 5]
    assert source.missing == [5]


def test_wrong_folders_are_refused(tmp_path):
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match="holds no images"):
        ImageFolderSource(tmp_path / "none", fps=1)
    with pytest.raises(UserError, match="no folder"):
        ImageFolderSource(tmp_path / "nowhere", fps=1)
    path = folder(tmp_path / "cam")
    cv2.imwrite(str(path / "view_000005.png"), picture(0, 32, 32))
    with pytest.raises(UserError, match="must be of one size"):
        list(ImageFolderSource(path, fps=1).frames(Segment(0, 0, 6)))


def test_exception_leaves_nothing_and_lost_images_are_found(tmp_path):
    source = ImageFolderSource(folder(tmp_path / "cam"), fps=1)
    with contextlib.suppress(KeyboardInterrupt), ImageSegmentWriter(tmp_path / "out", source) as writer:
        for frame in source.frames(Segment(0, 0, 3)):
            writer.write(frame)
        raise KeyboardInterrupt
    assert not list(tmp_path.glob("out*"))
    with ImageSegmentWriter(tmp_path / "part", source) as writer:
        for frame in source.frames(Segment(0, 0, 4)):
            writer.write(frame)
    with pytest.raises(UserError, match="hold 4 images, expected 6"):
        join_image_segments([tmp_path / "part"], tmp_path / "out", expected=6)
    assert not list(tmp_path.glob("out*"))


def test_a_picture_that_claims_more_pixels_than_any_camera_takes_is_not_read(tmp_path):
    """In a process of its own: OpenCV learns the limit when it is loaded."""
    header = struct.pack(">4sIIBBBBB", b"IHDR", 20_000, 20_000, 8, 2, 0, 0, 0)
    chunks = [(header, struct.pack(">I", zlib.crc32(header))), (b"IDAT", b"\0" * 4), (b"IEND", b"\xae\x42\x60\x82")]
    content = b"".join(struct.pack(">I", len(body) - 4) + body + end for body, end in chunks)
    (tmp_path / "0.png").write_bytes(b"\x89PNG\r\n\x1a\n" + content)
    code = (
        "import sys, resource; resource.setrlimit(resource.RLIMIT_AS, (3 << 30, 3 << 30))\n"
        "from pathlib import Path\nfrom or_mv_anon.video.images import _read\n"
        "sys.exit(_read(Path(sys.argv[1])) is not None)"
    )
    assert subprocess.run([sys.executable, "-c", code, tmp_path / "0.png"], check=False).returncode == 0


def test_a_picture_file_of_a_terabyte_is_not_read(tmp_path):
    with (tmp_path / "0.png").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(UserError, match="can be read"):
        ImageFolderSource(tmp_path, fps=1)


@pytest.mark.parametrize("grey", [False, True])
@pytest.mark.parametrize("restart", [0, 20])
def test_a_jpeg_picture_with_flipped_bits_is_corrupt(tmp_path, grey, restart):
    rng = np.random.default_rng(3)
    for number in range(4):
        picture = cv2.resize(rng.integers(0, 255, (12, 16, 1 if grey else 3), np.uint8), (320, 240))
        cv2.imwrite(str(tmp_path / f"{number}.jpg"), picture, [cv2.IMWRITE_JPEG_RST_INTERVAL, restart])
    data = bytearray((tmp_path / "2.jpg").read_bytes())
    for place in rng.integers(len(data) // 3, len(data) - 4, 60):
        data[place] ^= 16
    (tmp_path / "2.jpg").write_bytes(bytes(data))
    source = ImageFolderSource(tmp_path, fps=25)
    assert [frame.corrupt for frame in source.frames(Segment(0, 0, 4))] == [False, False, True, False]
