"""The line that every protected picture goes through, recorded or live: a frame, and what to cover in it.

What is to be covered is `Regions` of that frame, or None: the frame is covered whole. None is what everything starts
with, and what is left wherever anything failed; only a judgement of the very frame puts regions in its place.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Protocol

import numpy as np

from or_mv_anon.core.config import OperatorConfig
from or_mv_anon.core.records import Regions
from or_mv_anon.operators.cells import Covered, Method, blank, cover
from or_mv_anon.video.frame import Frame

FrameLine = Iterable[tuple[Frame, Regions | None]]
"""Frames in order, each with its regions in pixels of the upright picture; None covers the frame whole."""


class Drawer(Protocol):
    """Covers the regions of one segment's frames, in order, with more than an operator knows.

    Attributes:
        counts: what became of the regions so far, by outcome.
        errors: what went wrong so far; the regions are covered all the same.
    """

    counts: Counter[Any]
    errors: dict[str, None]

    def cover(self, frame: Frame, regions: Regions) -> list[Covered]:
        """Cover `regions` in the frame's planes; returns what was drawn, in drawing order."""


def cover_frame(
    frame: Frame,
    regions: Regions | None,
    method: Method,
    config: OperatorConfig,
    *,
    drawer: Drawer | None = None,
    remember: bool = True,
) -> tuple[list[Covered], str | None]:
    """Cover one frame of the line in place; whatever fails, nothing of it is shown.

    Args:
        frame: whose planes are written.
        regions: see `FrameLine`.
        method: operator.
        config: its strength.
        drawer: covers regions in the operator's place.
        remember: see `cells.cover`.

    Returns:
        What was drawn, in drawing order, and what went wrong, if the frame was painted black whole for it.
    """
    try:
        boxes = np.array([[0, 0, *frame.upright_size]], np.float32) if regions is None else regions.box
        if method == "none" or not len(boxes):
            return [], None
        if drawer is not None and regions is not None:
            return drawer.cover(frame, regions), None
        return cover(frame.planes(), frame.to_coded(boxes), method, config, remember=remember), None
    except Exception as error:  # fail closed: whatever it was, nothing of this frame is shown
        return [blank(frame.planes())], f"{type(error).__name__}: {error}"
