"""Which covered places may get a drawn head at all, as far as their kind, size, neighbours and recent past tell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.config import LearnedConfig
from or_mv_anon.core.records import RegionKind, Regions
from or_mv_anon.operators.drawn.release_check import Outcome

NO_TRACK = -1
MOST_OVERLAP = 0.5  # share of a region under another drawn one, from which on it is not drawn itself


class Candidates:
    """Judges regions frame by frame, and remembers which tracks were refused."""

    def __init__(self, config: LearnedConfig) -> None:
        self._config = config
        self._held: dict[int, tuple[float, Outcome]] = {}  # track -> until when in seconds, and why

    def consider(self, regions: Regions, now: float) -> list[Outcome]:
        """For each region why it is not drawn, or `released`: still to be drawn and checked.

        Args:
            regions: of one frame.
            now: its time in seconds.
        """
        outcomes: list[Outcome] = ["released"] * len(regions)
        shown = np.isin(regions.kind, [RegionKind.HEAD, RegionKind.FACE])
        whole = regions.box[np.isin(regions.kind, [RegionKind.FRAME, RegionKind.ZONE, RegionKind.MANUAL])]
        chosen: list[int] = []
        # Heads before lone faces and large before small: of two regions over one head, the better one is drawn.
        for row in np.lexsort([-bx.area(regions.box), regions.kind]).tolist():
            box = regions.box[row : row + 1]
            above = np.concatenate([whole, regions.box[chosen]])
            until, reason = self._held.get(int(regions.track[row]), (now, "released"))
            if not shown[row] or regions.uncertainty[row] > self._config.most_uncertainty:
                outcomes[row] = "unclear"
            elif box[0, 3] - box[0, 1] < self._config.least_px:
                outcomes[row] = "small"
            elif len(above) and bx.containment(box, above).max() >= MOST_OVERLAP:
                outcomes[row] = "overlapped"
            elif now < until:
                outcomes[row] = reason
            else:
                chosen.append(row)
        return outcomes

    def remember(self, regions: Regions, now: float, outcomes: Sequence[Outcome]) -> None:
        """A track that was not drawn stays so for a while: changing to and fro would draw the eye."""
        for track, outcome in zip(regions.track.tolist(), outcomes, strict=True):
            over = track not in self._held or now >= self._held[track][0]
            if track != NO_TRACK and outcome != "released" and over:
                self._held[track] = (now + self._config.hold_s, outcome)
