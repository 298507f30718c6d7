"""What the modifier is shown of a head: its mosaic or itself, upright, and mostly steadied over time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.operators.cells import cells_of
from or_mv_anon.operators.drawn.drawing import Colours, as_plane
from or_mv_anon.operators.drawn.eligibility import NO_TRACK
from or_mv_anon.operators.drawn.modifier_model import ModifierFacts
from or_mv_anon.operators.drawn.mosaic import enlarge
from or_mv_anon.video.frame import Frame

FORGET_S = 2.0  # seconds after which what was seen of a track no longer counts
NOTHING = 0.5  # the grey that a network of no cells is shown


@dataclass(frozen=True, eq=False)
class Head:
    """One region that may be drawn.

    Attributes:
        row: of the frame's regions.
        track: whose it is.
        box: in pixels of the coded picture, on the operators' grid.
        source: what the source holds there, per plane.
    """

    row: int
    track: int
    box: tuple[int, int, int, int]
    source: list[NDArray]


class Seen:
    """Makes the modifier's input, and remembers what it was for each track.

    Args:
        facts: what the modifier wants.
        cells: along a region's longer side, where it wants mosaics.
        smooth_s: time constant of the sliding average, in seconds.
    """

    def __init__(self, facts: ModifierFacts, *, cells: int, smooth_s: float) -> None:
        self._facts, self._cells, self._smooth_s = facts, cells, smooth_s
        self._averages: dict[int, tuple[float, NDArray[np.float32]]] = {}

    def of(self, frame: Frame, heads: Sequence[Head], colours: Colours) -> NDArray[np.float32]:
        """The input ``(N, 3, side, side)``, RGB 0-1, for the heads of one frame."""
        look = self._mosaic if self._facts.sees == "cells" else self._picture
        pictures = [look(frame, head, colours) for head in heads]
        if self._smooth_s > 0 and (self._facts.sees == "cells" or self._facts.codes > 0):
            pictures = [
                self._steadied(head.track, frame.time, seen) for head, seen in zip(heads, pictures, strict=True)
            ]
        return np.stack(pictures)

    def _picture(self, frame: Frame, head: Head, colours: Colours) -> NDArray[np.float32]:
        side = self._facts.side
        picture = frame.orientation.upright(colours.rgb(head.source, frame.planes()))
        how = cv2.INTER_AREA if max(picture.shape) > side else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(picture, (side, side), interpolation=how).transpose(2, 0, 1), np.float32)

    def _mosaic(self, frame: Frame, head: Head, colours: Colours) -> NDArray[np.float32]:
        side = self._facts.side
        if self._cells == 0:
            return np.full((3, side, side), NOTHING, np.float32)
        planes = [as_plane(samples, plane) for samples, plane in zip(head.source, frame.planes(), strict=True)]
        height, width = head.source[0].shape
        cells = colours.rgb(cells_of(planes, (0, 0, width, height), self._cells), planes)
        return enlarge(np.rint(255 * frame.orientation.upright(cells)).astype(np.uint8), side)

    def _steadied(self, track: int, now: float, seen: NDArray[np.float32]) -> NDArray[np.float32]:
        """The average of what was seen of a track, later moments weighing more."""
        if track == NO_TRACK:
            return seen
        self._averages = {key: entry for key, entry in self._averages.items() if now - entry[0] <= FORGET_S}
        if track in self._averages:
            before, average = self._averages[track]
            share = np.float32(1 - np.exp(-max(0.0, now - before) / self._smooth_s))
            seen = average + share * (seen - average)
        self._averages[track] = (now, seen)
        return seen
