"""Which pixels of a frame are covered: one interface for regions of a run and for pixels of any tool's output."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.truth import CameraTruth
from or_mv_anon.evaluation.run_directory import CameraRun
from or_mv_anon.operators.cells import snap

Mask = NDArray[np.bool_]
TOLERANCE = 0.5  # of a frame's duration, by which two clocks may differ within one frame


class Coverage(Protocol):
    """What is covered in one camera."""

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture in pixels."""

    def masks(self) -> Iterator[tuple[int, Mask]]:
        """(frame, mask (H, W) of the covered pixels) for every frame of the ground truth, in order.

        A mask may be reused for the next frame: use it before asking for the next.
        """


@dataclass(frozen=True)
class RegionCoverage:
    """The regions of a run, in the exact shape in which they are drawn: widened to the operators' grid.

    The frames of the run must be those of the ground truth; see `match_run`.
    """

    run: CameraRun

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of the upright picture in pixels."""
        return self.run.size

    def masks(self) -> Iterator[tuple[int, Mask]]:
        """See `Coverage`."""
        width, height = self.run.size
        coded_width, coded_height = self.run.orientation.coded_size(width, height)
        regions, orientation = self.run.regions, self.run.orientation
        coded = orientation.to_coded(regions.box, width=coded_width, height=coded_height)
        bounds = np.searchsorted(regions.frame, np.arange(len(self.run.frames) + 1))
        mask = np.zeros((height, width), bool)
        for frame in range(len(self.run.frames)):
            drawn = snap(coded[bounds[frame] : bounds[frame + 1]], width=coded_width, height=coded_height)
            mask[...] = False
            boxes = np.array(drawn, np.float32).reshape(-1, 4)
            upright = orientation.to_upright(boxes, width=coded_width, height=coded_height).astype(int)
            for x1, y1, x2, y2 in upright.tolist():
                mask[y1:y2, x1:x2] = True
            yield frame, mask


def match_run(run: CameraRun, truth: CameraTruth) -> None:
    """Refuse a run whose pictures or frames are not those of the ground truth.

    Raises:
        UserError: another size, another number of frames, or other times.
    """
    check_size(run.name, run.size, truth, what="the run")
    check_times(run.name, run.frames.time, truth, what="the run")


def check_size(
    name: str,
    size: tuple[int, int],
    truth: CameraTruth,
    *,
    what: str,
    advice: str = "evaluate against the ground truth of the same recording",
) -> None:
    """Refuse pictures of another size; `what` has them, `advice` ends the sentence.

    Raises:
        UserError: the sizes differ.
    """
    if size != (truth.width, truth.height):
        raise UserError(
            f"{name}: {what} has pictures of {size[0]}x{size[1]} pixels, the ground truth is about "
            f"{truth.width}x{truth.height}; {advice}."
        )


def check_times(name: str, times: NDArray[np.float64], truth: CameraTruth, *, what: str) -> None:
    """Refuse frames that are not one for one those of the ground truth.

    Raises:
        UserError: frames are missing, surplus or at another time.
    """
    expected = truth.frames.time
    if len(times) != len(expected):
        raise UserError(
            f"{name}: {what} has {len(times)} frames, the ground truth {len(expected)}; evaluate the whole recording "
            "(a run without --start and --end) against its own ground truth."
        )
    if not len(times):
        return
    apart = np.abs((times - times[0]) - (expected - expected[0]))
    if apart.max() > TOLERANCE * frame_duration(expected, truth.fps):
        frame = int(apart.argmax())
        raise UserError(
            f"{name}: frame {frame} of {what} is {apart[frame]:.3f} s away from where the ground truth has it; they "
            "are not about the same recording."
        )


def frame_duration(times: NDArray[np.float64], fps: float) -> float:
    """Usual distance of two frames in seconds."""
    return float(np.median(np.diff(times))) if len(times) > 1 else 1 / fps
