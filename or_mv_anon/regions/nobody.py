"""Tracks that a reviewer says are nobody: their cover goes, where and as long as they were, and nothing else.

A track is recognized by where it was, since every run numbers tracks anew. Where a face detector sees a face in what
would be uncovered, nothing is uncovered, unless the reviewer insisted.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.records import Detections, Regions, Tracks
from or_mv_anon.core.rows import equal_pairs, pair_key
from or_mv_anon.corrections.actions import NotAPerson
from or_mv_anon.regions.sources.manual import boxes_at

SAME_PLACE = 0.5  # overlap from which on a track is where the reviewer saw it
MOSTLY = 0.5  # share of a track's frames in the time in question in which it must be there


@dataclass
class Nobody:
    """Takes away the regions of tracks that are nobody.

    Attributes:
        wanted: what reviewers decided, with a name for each.
        seconds: of the session, per frame ``(F,)``.
        people, heads: the camera's tracks of persons, and of heads on their own.
        faces: everything that the face detector saw.
        somebody: tracks of people whom reviewers called one person with somebody, or somebody else than another: what
            is somebody is not nobody.
        unheeded: sentences about decisions that were not followed; filled by `uncover`.
    """

    wanted: Sequence[tuple[str, NotAPerson]]
    seconds: NDArray[np.float64]
    people: Tracks
    heads: Tracks
    faces: Detections
    somebody: frozenset[int] = frozenset()
    unheeded: list[str] = field(default_factory=list)
    _gone: list[NDArray[np.int64]] = field(default_factory=list)
    _met: set[str] = field(default_factory=set)
    _refused: set[str] = field(default_factory=set)

    def uncover(self, regions: Regions) -> Regions:
        """`regions`, ordered by frame or by track, without those of tracks that are nobody."""
        for name, action in self.wanted:
            keys = self._keys(action)
            rows = np.isin(pair_key(regions.frame, regions.track), keys)
            if not rows.any() or name in self._refused:
                continue
            self._met.add(name)
            if not self.somebody.isdisjoint(regions.track[rows].tolist()):
                self._refused.add(name)
                self.unheeded.append(
                    f"{name} is not followed: it was also decided who that person is. Withdraw one of the two."
                )
                continue
            seen = np.array([]) if action.override else self._faces_in(regions[rows])
            if len(seen):
                self._refused.add(name)
                self.unheeded.append(
                    f"{name} is not followed: a face detector sees a face there, first at {seen.min():.2f} s. "
                    "Decide it again with a reason if it is none."
                )
                continue
            self._gone.append(keys)
            regions = regions[~rows]
        return regions

    def finish(self) -> list[str]:
        """Sentences about all decisions that were not followed, those whose track is not there any more among them."""
        return self.unheeded + [
            f"{name} is not followed: no track is there any more." for name, _ in self.wanted if name not in self._met
        ]

    def is_gone(self, frame: NDArray[np.int32], track: NDArray[np.int32]) -> NDArray[np.bool_]:
        """Whether rows ``(N,)`` of frames and tracks are nobody's, after `uncover`."""
        return np.isin(pair_key(frame, track), np.concatenate([np.zeros(0, np.int64), *self._gone]))

    def _keys(self, action: NotAPerson) -> NDArray[np.int64]:
        """Frames and tracks, numbered as in regions, that are where the reviewer saw the track."""
        parts = [np.zeros(0, np.int64)]
        for tracks, numbers in ((self.people, self.people.track), (self.heads, -2 - self.heads.track)):
            time = self.seconds[tracks.frame]
            step = float(np.median(np.diff(self.seconds))) if len(self.seconds) > 1 else 0.0
            first, last = action.boxes[0].time - step, action.boxes[-1].time + step
            rows = np.flatnonzero((time > first) & (time < last))
            there = bx.paired_iou(tracks.box[rows], boxes_at(action.boxes, time[rows])) >= SAME_PLACE
            _, of_row = np.unique(tracks.track[rows], return_inverse=True)
            share = np.bincount(of_row, weights=there) / np.maximum(np.bincount(of_row), 1)
            kept = rows[there & (share[of_row] >= MOSTLY)] if len(rows) else rows
            parts.append(pair_key(tracks.frame[kept], numbers[kept]))
        return np.concatenate(parts)

    def _faces_in(self, regions: Regions) -> NDArray[np.float64]:
        """Seconds at which the middle of a face lies in one of `regions`."""
        middle = (self.faces.box[:, :2] + self.faces.box[:, 2:]) / 2
        of_region, face = equal_pairs(regions.frame, self.faces.frame)
        box = regions.box[of_region]
        inside = ((middle[face] >= box[:, :2]) & (middle[face] <= box[:, 2:])).all(axis=1)
        return self.seconds[regions.frame[of_region[inside]]]
