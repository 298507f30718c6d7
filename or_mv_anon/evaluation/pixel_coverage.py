"""Covered pixels read from the pictures themselves: any tool's output that paints solid shapes, beside its original.

A pixel is covered when the output shows the fill and the original did not. Where the original is as dark as the fill
the pictures cannot tell, so such a pixel counts as covered only inside the convex outline of a painted shape. Codec
noise is met by tolerances and by closing holes of a pixel or two; what remains in doubt counts as not covered.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.truth import CameraTruth
from or_mv_anon.evaluation.coverage import TOLERANCE, Mask, check_size, check_times, frame_duration
from or_mv_anon.site.layout import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from or_mv_anon.site.parts import group_parts
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import Source, open_source

RESIZED = "if the tool stretches its pictures, pass --allow-resized"
SMALLEST = 16  # px; smaller spots of fill are noise of the codec, no tool's shape


@dataclass(frozen=True, kw_only=True)
class FillOptions:
    """How a solid fill is recognized; brightness on a scale of 0 to 255.

    Attributes:
        brightness: of the fill: 0 is black.
        tolerance: an output pixel this near to the fill shows it. H.264 at usual rates keeps flat areas within
            about 4, and their edges within about 16.
        difference: an original pixel at least this far from the output was changed.
        resized: accept outputs of another size and stretch them back; some tools round sizes to multiples of 16.
    """

    brightness: float = 0.0
    tolerance: float = 16.0
    difference: float = 16.0
    resized: bool = False


class PixelCoverage:
    """Reads a recording and its anonymized video side by side.

    Frames are matched by time, from each file's first frame on, or by number where there are equally many: tools
    rewrite timestamps, and fill the gaps that dropped frames left.
    """

    def __init__(
        self,
        name: str,
        original: Path | tuple[Path, ...],
        output: Path | tuple[Path, ...],
        truth: CameraTruth,
        options: FillOptions | None = None,
    ) -> None:
        """`original` and `output` are what `find_video` finds; `name` is the camera's, for messages.

        Raises:
            UserError: a file cannot be read, sizes differ, or frames are missing from the output.
        """
        self._options = options or FillOptions()
        self._original, self._output = (open_source(path, fps=truth.fps) for path in (original, output))
        check_size(name, self._original.upright_size, truth, what="the original")
        if not self._options.resized:
            check_size(name, self._output.upright_size, truth, what="the anonymized video", advice=RESIZED)
        check_times(name, self._original.times, truth, what="the original")
        self._name = name
        self._match = _match(name, truth, self._output.times)

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture in pixels."""
        return self._original.upright_size

    def masks(self) -> Iterator[tuple[int, Mask]]:
        """See `Coverage`.

        Raises:
            UserError: a frame of either video does not decode.
        """
        outputs = _pictures(self._output, size=self.size)
        picture: NDArray[Any]
        shown, picture = -1, np.zeros((0, 0), np.uint8)
        for frame, original in _pictures(self._original, size=self.size):
            while shown < self._match[frame]:
                shown, picture = next(outputs, (len(self._output.times), picture))
            if shown != self._match[frame]:
                raise UserError(
                    f"{self._name}: frame {frame} is missing from the anonymized video, its picture cannot be decoded; "
                    "write the video again."
                )
            yield frame, covered_pixels(original, picture, self._options)
        if self._original.missing:
            raise UserError(
                f"{self._name}: {len(self._original.missing)} frames of the original cannot be decoded; without them "
                "nothing can be said about the output."
            )


def covered_pixels(original: NDArray[Any], output: NDArray[Any], options: FillOptions) -> Mask:
    """Mask (H, W) of the pixels that the output hides behind a solid fill.

    Args:
        original: brightness (H, W), uint8.
        output: the same of the anonymized picture.
        options: how a fill is recognized.
    """
    fill = np.full_like(output, round(options.brightness))
    near_fill = np.asarray(cv2.absdiff(output, fill) <= options.tolerance, np.uint8)
    filled = np.asarray(cv2.morphologyEx(near_fill, cv2.MORPH_CLOSE, np.ones((3, 3), np.uint8)), bool)
    painted = filled & np.asarray(cv2.absdiff(output, original) >= options.difference, bool)
    if not painted.any():
        return painted
    shapes = np.zeros(painted.shape, np.uint8)
    # A dark band across a face, such as hair, must not cut a shape in two.
    count, labels, stats, _ = cv2.connectedComponentsWithStats(_joined(painted, filled), connectivity=8)
    for shape in range(1, count):
        left, top, width, height = stats[shape, :4].tolist()
        window = (slice(top, top + height), slice(left, left + width))
        rows, columns = np.nonzero((labels[window] == shape) & painted[window])
        if len(rows) >= SMALLEST:
            points = np.stack([columns + left, rows + top], axis=1).astype(np.int32)
            cv2.fillConvexPoly(shapes, cv2.convexHull(points), 1)
    return filled & (shapes > 0)


def find_video(folder: Path, camera: str) -> Path | tuple[Path, ...]:
    """The recording of `camera` in `folder`: a video, the consecutive parts of one, or a folder of pictures.

    It has the camera's name, or that with an ending such as `_blurred`.

    Raises:
        UserError: there is none, or more than one.
    """
    if not folder.is_dir():
        raise UserError(f"There is no folder {folder}; expected one with a video for each camera.")
    entries = sorted(entry for entry in folder.iterdir() if _is_recording(entry))
    for place in (folder, folder / camera):
        videos = sorted(file for file in place.glob("*") if file.suffix.lower() in VIDEO_SUFFIXES)
        for group in group_parts(place, videos)[0]:
            if len(group.files) > 1 and group.name == camera:
                return group.files
    exact = [entry for entry in entries if camera in (entry.stem, entry.name)]
    found = exact or [e for e in entries if e.name.startswith(camera) and not e.name[len(camera)].isalnum()]
    if len(found) != 1:
        names = ", ".join(entry.name for entry in (found or entries)[:5]) or "nothing"
        raise UserError(f"{folder}: expected one video for {camera}, found {names}.")
    return found[0]


def _is_recording(entry: Path) -> bool:
    if entry.is_dir():
        return any(file.suffix.lower() in PICTURE_SUFFIXES for file in entry.iterdir())
    return entry.suffix.lower() in VIDEO_SUFFIXES


def _joined(painted: Mask, filled: Mask) -> NDArray[np.uint8]:
    """The painted pixels with those fill-coloured ones that lie within a few pixels of them."""
    near = cv2.dilate(painted.view(np.uint8), np.ones((7, 7), np.uint8))
    return np.asarray(near & filled.view(np.uint8), np.uint8)


def _pictures(source: Source, *, size: tuple[int, int]) -> Iterator[tuple[int, NDArray[Any]]]:
    for frame in source.frames(Segment(0, 0, source.n_frames)):
        grey = cv2.cvtColor(frame.bgr(), cv2.COLOR_BGR2GRAY)
        yield frame.index, grey if source.upright_size == size else cv2.resize(grey, size, interpolation=cv2.INTER_AREA)


def _match(name: str, truth: CameraTruth, times: NDArray[np.float64]) -> NDArray[np.intp]:
    """The output's frame for every frame of the ground truth."""
    expected = truth.frames.time - truth.frames.time[0]
    times = times - times[0]
    after = np.clip(np.searchsorted(times, expected), 0, len(times) - 1)
    before = np.maximum(after - 1, 0)
    nearest = np.where(np.abs(times[before] - expected) <= np.abs(times[after] - expected), before, after)
    apart = np.abs(times[nearest] - expected)
    lost = apart > TOLERANCE * frame_duration(truth.frames.time, truth.fps) * 1.01
    lost[~lost] |= np.diff(nearest[~lost], prepend=-1) <= 0  # two frames cannot be one
    if not lost.any():
        return nearest
    if len(times) == len(expected):
        return np.arange(len(expected))
    first = int(np.flatnonzero(lost)[0])
    raise UserError(
        f"{name}: {int(lost.sum())} of {len(expected)} frames are missing from the anonymized video "
        f"({len(times)} frames), the first at {expected[first]:.3f} s; evaluate a video that has them all."
    )
