"""A camera that is a folder of numbered images: read like a video, written back under the same names."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import partial_path, publish, sync, write_error
from or_mv_anon.core.records import BlockHashes
from or_mv_anon.video.bound_file import read_bound
from or_mv_anon.video.damage.twins import MjpegTwin
from or_mv_anon.video.frame import Frame, PictureScaler
from or_mv_anon.video.numbering import number_in, ticks_of
from or_mv_anon.video.orientation import Orientation
from or_mv_anon.video.pixels import FULL_RANGE, PixelFormat, plane_rows
from or_mv_anon.video.segments import Segment

SUFFIXES = (".jpg", ".jpeg", ".png", ".tif", ".tiff", ".bmp")
MOST_BYTES = 1 << 30  # of one picture's file
_JPEG = (".jpg", ".jpeg")
_PNG_COLOUR = 25  # byte of a PNG file that tells its colour type
_WRITE_OPTIONS = {
    ".jpg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".jpeg": [cv2.IMWRITE_JPEG_QUALITY, 95],
    ".png": [cv2.IMWRITE_PNG_COMPRESSION, 3],
}


class ImageFolderSource:
    """Images of one size in the order of their numbers; turned upright as their EXIF tag says when read.

    The number in a name is the picture's place in time where it counts pictures, one by one or in equal steps: same
    number, same instant in all cameras. Otherwise pictures follow one another: see `numbering`.
    """

    def __init__(
        self, images: Path | Sequence[Path], *, fps: float | Fraction, hashes: BlockHashes | None = None
    ) -> None:
        """`images` is a folder or a list of files, `fps` the pictures per second.

        `hashes` are those of the files' blocks, which everything that is read must then agree with.

        Raises:
            UserError: there is no image, or the first one cannot be read.
        """
        self._hashes = hashes
        if isinstance(images, Path):
            if not images.is_dir():
                raise UserError(f"There is no folder {images}; check the path.")
            self.path = images
            self.files = sorted((p for p in images.iterdir() if p.suffix.lower() in SUFFIXES), key=_number_then_name)
        else:
            self.files = list(images)
            self.path = self.files[0].parent if self.files else Path()
        if not self.files:
            raise UserError(f"{self.path} holds no images (looked for {', '.join(SUFFIXES)}).")
        self.missing: list[int] = []
        self._scaler = PictureScaler()
        first = next((picture for picture in map(self._read, range(len(self.files))) if picture is not None), None)
        if first is None:
            raise UserError(f"None of the {len(self.files)} images in {self.path} can be read.")
        self._upright_size = (first.shape[1], first.shape[0])
        self._time_base = 1 / Fraction(fps).limit_denominator(1001)
        self._pts = ticks_of(self.files)

    @property
    def transparent(self) -> bool:
        """Whether the first image, or any PNG, has transparency, which is not kept."""
        picture = cv2.imread(str(self.files[0]), cv2.IMREAD_UNCHANGED)
        first = picture is not None and picture.ndim == 3 and picture.shape[2] == 4
        return first or any(map(_is_transparent_png, self.files))

    @property
    def n_frames(self) -> int:
        """Number of images."""
        return len(self.files)

    @property
    def upright_size(self) -> tuple[int, int]:
        """(width, height) in pixels as displayed."""
        return self._upright_size

    @property
    def pts(self) -> NDArray[np.int64]:
        """(N,) numbers of the images, strictly increasing."""
        return self._pts

    @property
    def keyframes(self) -> NDArray[np.int64]:
        """The same as `pts`: every image stands alone."""
        return self._pts

    @property
    def seekable(self) -> bool:
        """Always."""
        return True

    @property
    def time_base(self) -> Fraction:
        """Seconds per number."""
        return self._time_base

    @property
    def times(self) -> NDArray[np.float64]:
        """(N,) seconds."""
        return self._pts.astype(np.float64) * float(self._time_base)

    def frames(self, segment: Segment, *, wanted: NDArray[np.bool_] | None = None) -> Iterator[Frame]:
        """The images of `segment` (of those that `wanted` names); unreadable ones are left out and noted in `missing`.

        Raises:
            UserError: an image has another size than the first.
        """
        twin = MjpegTwin()
        for number in range(segment.first, segment.stop):
            if wanted is not None and not wanted[number]:
                continue
            pts = int(self._pts[number])
            picture = self._read(number)
            if picture is None:
                if pts not in self.missing:
                    self.missing.append(pts)
                continue
            if (picture.shape[1], picture.shape[0]) != self._upright_size:
                raise UserError(
                    f"{self.files[number]} has {picture.shape[1]}x{picture.shape[0]} pixels, the first image of its "
                    f"folder {self._upright_size[0]}x{self._upright_size[1]}; images of one camera must be of one size."
                )
            native, pixel_format = _native(picture)
            is_jpeg = self.files[number].suffix.lower() in _JPEG
            yield Frame(
                index=number,
                pts=pts,
                time=float(pts * self._time_base),
                corrupt=is_jpeg and twin.misread(self._bytes(number)),
                native=native,
                pixel_format=pixel_format,
                orientation=Orientation(),
                scaler=self._scaler,
            )

    def _bytes(self, number: int) -> bytes:
        path = self.files[number]
        return path.read_bytes() if self._hashes is None else read_bound(path, self._hashes.of_file(number))

    def _read(self, number: int) -> NDArray[Any] | None:
        return _read(self.files[number], None if self._hashes is None else self._hashes.of_file(number))


class ImageSegmentWriter:
    """Writes the images of one segment into the folder `path`, under their own names and without their metadata.

    The folder appears when the context ends without an exception; until then it is ``<path>.partial``.
    """

    def __init__(self, path: Path, source: ImageFolderSource) -> None:
        self.path = path
        self._partial = partial_path(path)
        self._source = source

    def __enter__(self) -> Self:
        shutil.rmtree(self._partial, ignore_errors=True)
        try:
            self._partial.mkdir()
        except OSError as error:
            raise write_error(self.path, error) from error
        return self

    def write(self, frame: Frame) -> None:
        """Store `frame` as its planes are now.

        Raises:
            UserError: the disk is full, or writing fails otherwise.
        """
        name = self._source.files[frame.index].name
        suffix = Path(name).suffix.lower()
        done, data = cv2.imencode(suffix, _picture(frame), _WRITE_OPTIONS.get(suffix, []))
        if not done:
            raise UserError(f"{name} cannot be encoded as {suffix}.")
        try:
            (self._partial / name).write_bytes(data.tobytes())
            sync(self._partial / name)
        except OSError as error:
            raise write_error(self.path / name, error) from error

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if error is not None:
            shutil.rmtree(self._partial, ignore_errors=True)
            return
        try:
            shutil.rmtree(self.path, ignore_errors=True)
            publish(self._partial, self.path)
        except OSError as failure:
            raise write_error(self.path, failure) from failure


def join_image_segments(segment_paths: Sequence[Path], destination: Path, *, expected: int) -> None:
    """Gather the images of all segment folders in the folder `destination`, which replaces one of that name.

    Raises:
        UserError: there are not `expected` images, or writing fails.
    """
    partial = partial_path(destination)
    shutil.rmtree(partial, ignore_errors=True)
    try:
        partial.mkdir()
        count = 0
        for folder in segment_paths:
            for file in sorted(folder.iterdir()):
                shutil.copyfile(file, partial / file.name)
                sync(partial / file.name)
                count += 1
        if count != expected:
            raise UserError(f"The segments of {destination} hold {count} images, expected {expected}; render again.")
        shutil.rmtree(destination, ignore_errors=True)
        publish(partial, destination)
    except BaseException as error:
        shutil.rmtree(partial, ignore_errors=True)
        if isinstance(error, OSError):
            raise write_error(destination, error) from error
        raise


def _is_transparent_png(path: Path) -> bool:
    """By the colour type in its header, ISO/IEC 15948, 11.2.2."""
    if path.suffix.lower() != ".png":
        return False
    with suppress(OSError), path.open("rb") as file:
        return file.read(_PNG_COLOUR + 1)[_PNG_COLOUR:] in (b"\x04", b"\x06")
    return False


def _number_then_name(path: Path) -> tuple[int, str]:
    return number_in(path), path.name


def _read(path: Path, hashes: BlockHashes | None = None) -> NDArray[Any] | None:
    """The image upright, grey (H, W) or BGR (H, W, 3), uint8 or uint16; None where it cannot be read."""
    try:
        if path.stat().st_size > MOST_BYTES:
            return None
        data = np.frombuffer(path.read_bytes() if hashes is None else read_bound(path, hashes), np.uint8)
        picture = cv2.imdecode(data, cv2.IMREAD_ANYCOLOR | cv2.IMREAD_ANYDEPTH) if len(data) else None
    except (OSError, cv2.error):
        return None
    return picture if picture is not None and picture.dtype in (np.uint8, np.uint16) else None


def _native(picture: NDArray[Any]) -> tuple[av.VideoFrame, PixelFormat]:
    """The picture's channels as planes, unconverted: what no operator touches is written back as it was."""
    depth = 8 * picture.dtype.itemsize
    grey = picture.ndim == 2
    suffix = "" if depth == 8 else "16le"
    pixel_format = PixelFormat(("gray" if grey else "gbrp") + suffix, depth, None)
    height, width = picture.shape[:2]
    native = av.VideoFrame(width, height, pixel_format.name)
    native.color_range = FULL_RANGE
    channels = [picture] if grey else [picture[..., 1], picture[..., 0], picture[..., 2]]
    for plane, channel in zip(native.planes, channels, strict=True):
        plane_rows(plane, picture.dtype)[:, :width] = channel
    return native, pixel_format


def _picture(frame: Frame) -> NDArray[Any]:
    channels = [plane.pixels for plane in frame.planes()]
    return channels[0] if len(channels) == 1 else np.dstack([channels[1], channels[0], channels[2]])
