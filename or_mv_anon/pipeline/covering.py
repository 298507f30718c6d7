"""The second pass over the pixels: cover the regions of one segment, encode it, and check what was encoded.

The check decodes the finished segment and compares every region with what was drawn there. A frame that fails it, or
in which anything raises, is painted black whole and reported; no error lets a picture through.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np

from or_mv_anon.core.config import OperatorConfig
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import Regions
from or_mv_anon.core.workers import count_frames
from or_mv_anon.operators.cells import Covered, Method, blank, showing
from or_mv_anon.operators.line import Drawer, FrameLine, cover_frame
from or_mv_anon.video.frame import Frame

MOST_SHOWING = (
    0.7  # share of the hidden detail in a frame from which on it counts as uncovered: covered ones stay below
)
ROUNDS = 4  # encoding one frame otherwise changes its neighbours a little, so a second round may find another


class Writer(Protocol):
    """Takes the frames of a segment in order."""

    def write(self, frame: Frame) -> None: ...


class RegionsByFrame:
    """Quick access to one segment's regions.

    Args:
        regions: ordered by frame.
        first: the source's frame index that counts as frame 0 of the output.
    """

    def __init__(self, regions: Regions, *, first: int) -> None:
        self._regions = regions
        self._first = first

    def of(self, frame: Frame) -> Regions | None:
        """What to cover in `frame`, in pixels of the upright picture; None, the frame whole, where it is damaged."""
        if frame.corrupt:
            return None
        number = frame.index - self._first
        return self._regions[slice(*np.searchsorted(self._regions.frame, [number, number + 1]))]

    def line(self, frames: Iterable[Frame]) -> FrameLine:
        """Every frame with its regions."""
        return ((frame, self.of(frame)) for frame in frames)


@dataclass
class Rendered:
    """What happened while a segment was rendered.

    Attributes:
        frames: frames written.
        regions: regions drawn.
        damaged: source indices of frames that the decoder reported as damaged, covered whole.
        blanked: source indices of frames painted black whole.
        problems: one sentence for each frame that needed it.
        outcomes: what became of the regions, where a `Drawer` covered them.
    """

    frames: int = 0
    regions: int = 0
    damaged: list[int] = field(default_factory=list)
    blanked: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    outcomes: dict[str, int] = field(default_factory=dict)


def render_segment(
    read: Callable[[], Iterable[Frame]],
    write: Callable[[], AbstractContextManager[Writer]],
    read_back: Callable[[], Iterable[Frame]],
    regions: RegionsByFrame,
    method: Method,
    config: OperatorConfig,
    *,
    drawer: Callable[[], Drawer] | None = None,
) -> Rendered:
    """Cover, encode and check one segment; frames whose check fails are painted black in another round.

    Args:
        read: yields the source's frames of the segment, from the start at every call.
        write: opens the segment's file; entered once per round.
        read_back: yields the frames of the finished file.
        regions: to cover.
        method: operator.
        config: its strength.
        drawer: makes what covers the regions in the operator's place, anew for every round.

    Raises:
        UserError: the encoded file still does not show what was drawn.
    """
    suspects: set[int] = set()
    for _ in range(ROUNDS):
        result = Rendered()
        drawn: list[tuple[int, list[Covered]]] = []
        own = None if drawer is None else drawer()
        with write() as writer:
            for frame, here in regions.line(read()):
                problem: str | None
                if frame.index in suspects:
                    covered, problem = [blank(frame.planes())], "the encoded picture did not show the covered regions"
                else:
                    covered, problem = cover_frame(frame, here, method, config, drawer=own)
                if problem:
                    result.problems.append(f"frame {frame.index}: painted black whole ({problem})")
                    result.blanked.append(frame.index)
                elif here is None:
                    result.damaged.append(frame.index)
                writer.write(frame)
                drawn.append((frame.index, covered))
                count_frames(0 if suspects else 1)
        if own is not None:
            result.outcomes = dict(own.counts)
            result.problems += [f"heads could not be drawn and were covered instead ({text})" for text in own.errors]
        result.frames, result.regions = len(drawn), sum(len(covered) for _, covered in drawn)
        failed = _failed_frames(read_back(), drawn)
        if not failed:
            return result
        suspects |= failed
    raise UserError(
        f"The encoder did not keep what was drawn in {len(failed)} frames (first: {min(failed)}); "
        "use a lower --crf or another --codec."
    )


def _failed_frames(written: Iterable[Frame], drawn: list[tuple[int, list[Covered]]]) -> set[int]:
    """Source indices of the frames whose regions are not in the finished file; all that were not read back."""
    waiting = dict(enumerate(drawn))
    failed = set()
    for position, frame in enumerate(written):
        index, covered = waiting.pop(position, (-1, []))
        if showing(frame.luma(), covered) > MOST_SHOWING:
            failed.add(index)
    return failed | {index for index, _ in waiting.values()}
