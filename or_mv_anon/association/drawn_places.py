"""Brings what reviewers drew in two or more cameras to the others: where the lines of its middles meet.

One drawing tells a line in another camera, not a place. Drawings that are to hold in all cameras and whose middles lie
on each other's lines at the same time are of one thing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.geometry import epipolar_distance
from or_mv_anon.association.heads import SURE_SPREAD, HeadObservations
from or_mv_anon.association.transfer import place_heads
from or_mv_anon.association.views import PairGeometry, ViewNames
from or_mv_anon.corrections.actions import Cover, Keyframe

Floats = NDArray[np.float64]
Geometry = Mapping[ViewNames, Sequence[PairGeometry]]

SAME = 0.5  # sides of the smaller box by which middles may be off each other's lines
MOST_MISFIT = 3.0  # standard deviations by which more than two lines may miss each other
SURE = 2.0  # standard deviations of the place that are covered beyond the box
LARGEST = 2.0  # sides of the box that they may be; what is known less well is told, not covered


@dataclass(frozen=True)
class Clock:
    """Which instant of the geometry a moment of the session is: seconds of the first one, and from one to the next."""

    first_s: float
    step_s: float

    def instant(self, time: float) -> int:
        """The nearest."""
        return max(0, round((time - self.first_s) / self.step_s))


def groups(covers: Sequence[Cover], geometry: Geometry, clock: Clock, moment_s: float) -> list[list[int]]:
    """Which drawings are of one thing: numbers of `covers`, every one in one group."""
    group = list(range(len(covers)))
    for a, b in combinations(range(len(covers)), 2):
        if covers[a].camera != covers[b].camera and _same(covers[a], covers[b], geometry, clock, moment_s):
            group = [group[a] if each == group[b] else each for each in group]
    return [[n for n, each in enumerate(group) if each == name] for name in dict.fromkeys(group)]


def place_drawn(
    target: str, covers: Sequence[Cover], geometry: Geometry, clock: Clock, *, side: float, moment_s: float
) -> Cover | None:
    """The cover in the camera `target` for one thing that was drawn in others; None where its place is not known.

    Args:
        target: name of the camera.
        covers: of that thing, in two other cameras or more.
        geometry: of every pair of cameras.
        clock: of the geometry.
        side: of a head in the target's picture, in pixels.
        moment_s: seconds that a drawing for a moment holds around it.
    """
    spans = [held(cover, moment_s) for cover in covers]
    times = sorted({keyframe.time for cover in covers for keyframe in cover.boxes})
    times = [time for time in times if all(start <= time <= end for start, end in spans)]
    if not times:
        return None
    sightings = {cover.camera: _sightings(cover, times) for cover in covers}
    among = {name: list(_at(name, stretches, times, clock)) for name, stretches in geometry.items()
             if target in name and (name[0] in sightings or name[1] in sightings)}  # fmt: skip
    places = place_heads(target, sightings, among, start=0, stop=len(times))
    deviation = np.sqrt(np.linalg.eigvalsh(places.covariance)[:, -1]) if len(places) else np.zeros(0)
    known = (places.misfit <= MOST_MISFIT) & (SURE * deviation <= LARGEST * side)
    keyframes = []
    for row in np.flatnonzero(known):
        x, y = places.centre[row]
        half = side / 2 + SURE * float(deviation[row])
        box = (float(x - half), float(y - half), float(x + half), float(y + half))
        keyframes.append(Keyframe(times[int(places.instant[row])], box))
    if not keyframes:
        return None
    start, end = min(span[0] for span in spans), max(span[1] for span in spans)
    if np.isinf([start, end]).any():
        return Cover(target, tuple(keyframes), hold="always")
    return Cover(target, tuple(keyframes), hold="span", start=start, end=end)


def held(cover: Cover, moment_s: float) -> tuple[float, float]:
    """From when to when a drawing holds, in seconds of the session."""
    if cover.hold == "always":
        return -np.inf, np.inf
    if cover.start is not None and cover.end is not None:
        return cover.start, cover.end
    return cover.boxes[0].time - moment_s, cover.boxes[-1].time + moment_s


def box_at(cover: Cover, time: float) -> Floats:
    """Its box ``(4,)`` at a moment."""
    times = [keyframe.time for keyframe in cover.boxes]
    return np.array([np.interp(time, times, [keyframe.box[i] for keyframe in cover.boxes]) for i in range(4)])


def _same(a: Cover, b: Cover, geometry: Geometry, clock: Clock, moment_s: float) -> bool:
    (start_a, end_a), (start_b, end_b) = held(a, moment_s), held(b, moment_s)
    times = [each.time for each in (*a.boxes, *b.boxes)]
    times = [time for time in times if max(start_a, start_b) <= time <= min(end_a, end_b)]
    if not times:
        return False
    first, second = (a, b) if (a.camera, b.camera) in geometry else (b, a)
    for time in times:
        matrix = _matrix(geometry.get((first.camera, second.camera), ()), clock.instant(time))
        if matrix is None:
            return False
        boxes = box_at(first, time), box_at(second, time)
        middles = [(box[:2] + box[2:]) / 2 for box in boxes]
        allowed = SAME * min(float((box[2:] - box[:2]).min()) for box in boxes)
        if float(epipolar_distance(matrix, middles[0], middles[1])) > allowed:
            return False
    return True


def _matrix(stretches: Sequence[PairGeometry], instant: int) -> Floats | None:
    """The one that holds at an instant; the last one's for later instants."""
    known = [each for each in stretches if each.start <= instant]
    return known[-1].matrix if known else None


def _at(
    name: ViewNames, stretches: Sequence[PairGeometry], times: Sequence[float], clock: Clock
) -> Iterator[PairGeometry]:
    """The geometry with `times` as its instants."""
    for number, time in enumerate(times):
        matrix = _matrix(stretches, clock.instant(time))
        if matrix is not None:
            yield replace(stretches[0], views=name, matrix=matrix, start=number, stop=number + 1)


def _sightings(cover: Cover, times: Sequence[float]) -> HeadObservations:
    boxes = np.stack([box_at(cover, time) for time in times])
    count = len(times)
    return HeadObservations(
        instant=np.arange(count),
        identity=np.zeros(count),
        point=(boxes[:, :2] + boxes[:, 2:]) / 2,
        spread=np.full(count, SURE_SPREAD),
        head=(boxes[:, 2:] - boxes[:, :2]).min(axis=1),
        confidence=np.ones(count),
    )
