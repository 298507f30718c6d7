"""Across cameras: heads that one camera misses are covered there by where the others see them.

The geometry comes with the site model. Who is who is found anew every two seconds from the last half minute; then every
instant's heads are carried over, as offline. A camera whose people lie beside the others' lines has moved, or its model
is of another room: its geometry is not believed until it fits again, and that is told.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from or_mv_anon.association.evidence import Evidence
from or_mv_anon.association.heads import HeadHeights, HeadObservations, held_by_tracks, observe_heads
from or_mv_anon.association.known_geometry import Geometry, associate_known
from or_mv_anon.association.recover import GROWTH, LARGEST_UNCERTAINTY, MARGIN
from or_mv_anon.association.transfer import place_heads
from or_mv_anon.association.views import View, ViewNames
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Identities
from or_mv_anon.live.moments import Sight
from or_mv_anon.live.settings import FaultsConfig
from or_mv_anon.live.sights import KEPT_S, Sights

AGAIN_S = 2.0  # seconds between two findings of who is who
STEP_S = 0.35  # seconds between two times at which heads are carried over, for all instants in between
LEAST_INSTANTS = 10  # that two tracks must share to tell of the geometry
LEAST_TRACKS = 2  # of a pair of cameras that must tell of it
KEPT_CARRIED_S = 10.0  # seconds that carried heads are kept


class Across:
    """All room cameras together.

    Attributes:
        uncovered: by camera, people whom others place in its picture too vaguely to be covered.
        astray: pairs of cameras whose geometry does not fit what they see.
        carried: by camera, heads (N, 4) that others place in its picture, by the time of an instant.
    """

    def __init__(
        self, names: Sequence[str], geometry: Geometry, config: PipelineConfig, faults: FaultsConfig,
        say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self.uncovered = dict.fromkeys(names, 0)
        self.astray: set[ViewNames] = set()
        self._names, self._config, self._faults, self._say = names, config, faults, say
        self._geometry = geometry_between(names, geometry)
        self._sights = {name: Sights(name, config) for name in names}
        self._heights: dict[str, HeadHeights | None] = {}
        self._identities: dict[str, Identities] = {}
        self._concluded = self._updated = -np.inf
        self._first = 0
        self._done = -1
        self.carried: dict[str, deque[tuple[float, Boxes]]] = {name: deque() for name in names}

    def note(self, name: str, sight: Sight) -> None:
        """What a look at a camera found."""
        self._sights[name].note(sight)

    def forget(self, name: str) -> None:
        """A camera looks elsewhere."""
        self._sights[name].forget()

    def update(self, now: float) -> None:
        """Carry over what was seen since the last call; `now` is the time of the newest frame."""
        seen = [sights for sights in self._sights.values() if sights.last >= 0]
        if len(seen) < 3 or 0 <= now - self._updated < STEP_S:  # lines of two other cameras make a place
            return
        self._updated = now
        step = self._config.association.instant_s
        stop = min(max(sights.last for sights in seen) - 1, min(sights.last for sights in seen)) + 1
        if stop <= self._done + 1 and now - self._concluded < AGAIN_S:
            return
        if now - self._concluded >= AGAIN_S:
            self._concluded = now
            self._conclude(max(sights.last for sights in seen))
        start = max(self._done + 1, stop - round(1.0 / step))
        for name in self._names:
            self._carry(name, start, stop)
        self._done = max(self._done, stop - 1)

    def _conclude(self, last: int) -> None:
        kept = last - round(KEPT_S / self._config.association.instant_s)
        self._first = max(kept, min(sights.first for sights in self._sights.values() if sights.last >= 0))
        views = [self._sights[name].view(self._first) for name in self._names]
        identities, evidence = associate_known(views, self._trusted(), self._config.association)
        self._heights = {view.name: HeadHeights.learn(view) for view in views}
        self._identities = identities
        if self.astray:
            _, evidence = associate_known(views, self._geometry, self._config.association)
        self._judge_geometry(evidence)

    def _trusted(self) -> Geometry:
        return {pair: stretches for pair, stretches in self._geometry.items() if pair not in self.astray}

    def _judge_geometry(self, evidence: Mapping[ViewNames, Evidence]) -> None:
        """Believe the geometry of a pair only while people of one camera lie on the lines of some of the other's."""
        for pair, each in evidence.items():
            off = _usual_distance(each)
            if pair not in self._geometry or off is None:
                continue
            if off > self._faults.disagree_heads and pair not in self.astray:
                self.astray.add(pair)
                self._say(
                    f"{pair[0]} and {pair[1]} disagree: people lie {off:.1f} head heights beside where the other "
                    "camera has them. One was moved, or the model is of another room; each protects itself alone."
                )
            elif off <= self._faults.disagree_heads / 2 and pair in self.astray:
                self.astray.discard(pair)
                self._say(f"{pair[0]} and {pair[1]} agree again.")

    def _carry(self, name: str, start: int, stop: int) -> None:
        heights = self._heights.get(name)
        if heights is None:
            return
        config, step = self._config.recovery, self._config.association.instant_s
        view = self._sights[name].view(self._first)
        others = {other: self._seen_by(other) for other in self._names}
        places = place_heads(name, others, self._trusted(), start=start - self._first, stop=stop - self._first)
        places = places[(places.confidence >= config.least_confidence) & (places.misfit <= config.most_misfit)]
        head = heights.at(places.centre)
        size = np.array(view.size)
        margin = MARGIN * head[:, None]
        inside = ((places.centre > -margin) & (places.centre < size + margin)).all(axis=1)
        places, head = places[inside], head[inside]
        free = ~held_by_tracks(places.instant, places.centre, view.observations)
        places, head = places[free], head[free]
        deviation = np.sqrt(np.diagonal(places.covariance, axis1=1, axis2=2)) / head[:, None]
        widest = deviation.max(axis=1, initial=0)
        vague = (widest > config.most_uncertainty) & (widest <= LARGEST_UNCERTAINTY)
        self.uncovered[name] = len(np.unique(places.identity[vague]))
        known = widest <= config.most_uncertainty
        half = head[:, None] * (0.5 + GROWTH * deviation)
        box = np.clip(np.concatenate([places.centre - half, places.centre + half], axis=1), 0, np.tile(size, 2))
        placed = [(instant * step, known & (places.instant == instant - self._first)) for instant in range(start, stop)]
        carried = self.carried[name]
        carried.extend((time, box[here].astype(np.float32)) for time, here in placed if here.any())
        while carried and carried[0][0] < stop * step - KEPT_CARRIED_S:
            carried.popleft()

    def _seen_by(self, name: str) -> HeadObservations:
        """A camera's heads as far as they are known now, those of the last instants too."""
        identities = self._identities[name]
        view = self._sights[name].view(self._first)
        known = np.isin(view.observations.track, identities.track)
        seen = view.observations[known]
        kept = View(name=name, size=view.size, observations=seen, tracks=np.unique(seen.track))
        return observe_heads(kept, identities)


def geometry_between(names: Sequence[str], geometry: Geometry) -> Geometry:
    """The geometry of these cameras, of each pair once, in their order."""
    order = {name: number for number, name in enumerate(names)}
    return {
        pair: stretches
        for pair, stretches in geometry.items()
        if set(pair) <= order.keys() and order[pair[0]] < order[pair[1]]
    }


def _usual_distance(evidence: Evidence) -> float | None:
    """How far from the other camera's lines the nearest person is, by the median over people; None if few tell."""
    pairs = evidence.pairs
    known = (pairs.instants >= LEAST_INSTANTS) & np.isfinite(pairs.distance)
    nearest = [pairs.distance[known & (pairs.first == track)].min() for track in np.unique(pairs.first[known])]
    return float(np.median(nearest)) if len(nearest) >= LEAST_TRACKS else None
