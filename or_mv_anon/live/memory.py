"""Heads that keep still, remembered over time: a lying or sitting person is lost now and then, and is still there.

Two ways lead to a remembered place. A head that was followed at one place for seconds and is then lost, without anybody
walking away from there; and what looks for heads in turned pictures finds again and again at one place, as offline.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import StaticHeadConfig
from or_mv_anon.core.records import Detections, Frames, RegionKind, Regions
from or_mv_anon.live.settings import MemoryConfig
from or_mv_anon.tracking.static_heads import static_heads

STEADY = 0.2  # share of a new sight in a place's box
GROWTH = 0.1  # share of its size by which a remembered place grows on every side
FORGET_S = 1.0  # seconds without a sight after which a place that was never still is forgotten
UNCERTAIN = 0.5
MOST_PLACES = 64
HEADS = (RegionKind.HEAD, RegionKind.BOX_TOP, RegionKind.PERSON, RegionKind.FACE)


@dataclass
class _Place:
    box: NDArray[np.float32]
    first: float
    last: float

    @property
    def stayed(self) -> float:
        return self.last - self.first


class StillHeads:
    """Places in one camera's picture where a head keeps still."""

    def __init__(self, config: MemoryConfig, search: StaticHeadConfig) -> None:
        """`search` says when candidates of turned pictures count."""
        self._config, self._search = config, search
        self._places: list[_Place] = []
        self._candidates: deque[tuple[float, Detections]] = deque()
        self._found: Boxes = np.zeros((0, 4), np.float32)

    def forget(self) -> None:
        """The camera looks elsewhere."""
        self._places.clear()
        self._candidates.clear()
        self._found = self._found[:0]

    def see(self, regions: Regions, time: float) -> None:
        """What is covered in the frame taken at `time` seconds; zones and what was remembered left out."""
        boxes = regions.box[np.isin(regions.kind, HEADS) & (regions.track != -1)]
        overlap = geometry.iou(np.array([place.box for place in self._places], np.float32).reshape(-1, 4), boxes)
        free = np.ones(len(boxes), bool)
        kept = []
        for row, place in enumerate(self._places):
            best = int(overlap[row].argmax()) if len(boxes) else -1
            if best >= 0 and overlap[row, best] >= self._config.same_place_iou:
                place.box = (1 - STEADY) * place.box + STEADY * boxes[best]
                place.last = time
                free[best] = False
                kept.append(place)
            elif best >= 0 and overlap[row, best] > 0 and time - place.last < FORGET_S:
                continue  # whoever was there has begun to move, and is followed
            elif time - place.last <= (self._config.remember_s if self._is_still(place) else FORGET_S):
                kept.append(place)
        kept += [_Place(box.copy(), time, time) for box in boxes[free]]
        self._places = sorted(kept, key=lambda place: -place.stayed)[:MOST_PLACES]

    def search(self, candidates: Detections, time: float) -> None:
        """What a look at the turned pictures of the frame taken at `time` seconds found; nothing counts, too."""
        self._candidates.append((time, candidates))
        while self._candidates[0][0] < time - self._search.window_s:
            self._candidates.popleft()
        times = np.array([at for at, _ in self._candidates])
        frames = Frames(
            frame=np.arange(len(times)), pts=np.arange(len(times)), time=times - times[0], flags=np.zeros(len(times))
        )
        found = [each.replace(frame=np.full(len(each), row)) for row, (_, each) in enumerate(self._candidates)]
        tracks = static_heads(Detections.concat(found), frames, frames.frame, self._search)
        self._found = tracks.box[tracks.frame == len(times) - 1].astype(np.float32)  # places that do not count as left

    def regions(self, time: float) -> Regions:
        """What is to be covered in a frame taken at `time` seconds although nothing was seen there; `frame` is 0."""
        lost = [place.box for place in self._places if self._is_still(place) and place.last < time]
        boxes = np.concatenate([np.array(lost, np.float32).reshape(-1, 4), self._found])
        count = len(boxes)
        return Regions(
            frame=np.zeros(count), box=geometry.expand(boxes, ratio=GROWTH), kind=np.full(count, RegionKind.HEAD),
            track=np.full(count, -1), uncertainty=np.full(count, UNCERTAIN),
        )  # fmt: skip

    def _is_still(self, place: _Place) -> bool:
        return place.stayed >= self._config.still_s
