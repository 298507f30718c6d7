"""What one camera has seen of people over the last half minute, followed forward: what other cameras compare with."""

from __future__ import annotations

from collections import deque

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.build import BOX_WEIGHT, Bodies, from_keypoints, middle_line, plausible_head
from or_mv_anon.association.views import BodyPoint, Observations, View
from or_mv_anon.core.boxes import longer_side
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Detections, FrameFlag, Keypoints
from or_mv_anon.core.run_layout import HEADS, KEYPOINTS, PERSONS
from or_mv_anon.live.moments import Sight
from or_mv_anon.regions.own_heads import own_heads
from or_mv_anon.tracking.bytetrack import ByteTracker

KEPT_S = 30.0


class Sights:
    """One camera's people, by instant.

    Attributes:
        last: number of the last instant at which it looked; -1 before.
        size: of its picture.
    """

    def __init__(self, name: str, config: PipelineConfig) -> None:
        self.last = -1
        self.size = (0, 0)
        self._name, self._config = name, config
        self._tracker = ByteTracker(config.tracking)
        self._time = -np.inf
        self._seen: deque[tuple[int, Observations]] = deque()

    @property
    def first(self) -> int:
        """The first instant that is kept at which anybody was seen; the last one if nobody was."""
        return next((instant for instant, seen in self._seen if len(seen)), self.last)

    def forget(self) -> None:
        """The camera looks elsewhere, or its picture has another size."""
        self._seen.clear()

    def note(self, sight: Sight) -> None:
        """What a look found. Only those that are due for keypoints tell others anything."""
        persons = sight.tables.get(PERSONS.name, Detections.empty())
        assert isinstance(persons, Detections)
        if sight.size != self.size:
            self.forget()
        self.size = sight.size
        if sight.time < self._time:
            return
        self._time = sight.time
        track = self._tracker.update(persons.box, persons.score, sight.time)
        if not sight.flags & FrameFlag.POSE:
            return
        instant = self.instant(sight.time)
        if instant <= self.last:
            return
        self.last = instant
        keypoints = sight.tables.get(KEYPOINTS.name, Keypoints.empty())
        assert isinstance(keypoints, Keypoints)
        heads = sight.tables.get(HEADS.name, Detections.empty())
        assert isinstance(heads, Detections)
        self._seen.append((instant, self._observed(persons, keypoints, heads, track, instant)))
        while self._seen[0][0] < self.instant(sight.time - KEPT_S):
            self._seen.popleft()

    def instant(self, time: float) -> int:
        """The number of the instant of a time in seconds, the same for all cameras."""
        return round(time / self._config.association.instant_s)

    def view(self, first: int) -> View:
        """What was seen since the instant `first`, which is 0 in the result."""
        seen = Observations.concat([each for _, each in self._seen])
        seen = seen[seen.instant >= first]
        seen = seen.replace(instant=seen.instant - first)
        return View(name=self._name, size=self.size, observations=seen, tracks=np.unique(seen.track))

    def _observed(
        self, persons: Detections, keypoints: Keypoints, heads: Detections, track: NDArray[np.int32], instant: int
    ) -> Observations:
        bodies = middle_line(persons.box, weight=BOX_WEIGHT)
        points, weight, head = bodies.points.copy(), bodies.weight.copy(), bodies.head.copy()
        posed: Bodies = from_keypoints(keypoints.points, keypoints.score, trusted_score=self._config.pose.trusted_score)
        seen = (posed.weight > 0).any(axis=1)
        rows = keypoints.detection[seen]
        points[rows], weight[rows], head[rows] = posed.points[seen], posed.weight[seen], posed.head[seen]
        own = own_heads(persons, heads, self._config.heads, lying_aspect=self._config.regions.lying_aspect)
        rows = np.flatnonzero(own >= 0)
        rows = rows[heads.score[own[rows]] > weight[rows, BodyPoint.HEAD]]
        found = heads[own[rows]]
        points[rows, BodyPoint.HEAD] = (found.box[:, :2] + found.box[:, 2:]) / 2
        weight[rows, BodyPoint.HEAD] = found.score
        head[rows] = longer_side(found.box)
        kept = np.flatnonzero(track >= 0)
        kept = kept[np.argsort(track[kept], kind="stable")]
        return Observations(
            instant=np.full(len(kept), instant), track=track[kept], box=persons.box[kept], score=persons.score[kept],
            points=points[kept], weight=weight[kept], head=plausible_head(head, persons.box)[kept],
        )  # fmt: skip
