"""From heads placed at instants to heads in every frame of a stretch of time."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.heads import HeadHeights, HeadObservations
from or_mv_anon.association.transfer import Places
from or_mv_anon.core.config import RecoveryConfig
from or_mv_anon.core.records import Column, Columns
from or_mv_anon.core.rows import ranges

SMOOTHING = 1  # instants on either side over which a place is averaged, weighted by how well it is known
Seconds = NDArray[np.float64]


@dataclass(frozen=True)
class HeadRows(Columns):
    """Heads in frames, ordered by stretch, then frame; every stretch is one identity, without gaps."""

    stretch: Column
    frame: Column
    identity: Column
    centre: Column  # pixels
    deviation: Column  # standard deviation of the centre along x and y in head heights
    head: Column  # head height in pixels
    confidence: Column

    columns = {
        "stretch": (np.int32, ()),
        "frame": (np.int32, ()),
        "identity": (np.int32, ()),
        "centre": (np.float64, (2,)),
        "deviation": (np.float64, (2,)),
        "head": (np.float64, ()),
        "confidence": (np.float32, ()),
    }


@dataclass(frozen=True, eq=False)
class HeadSegments:
    """Heads placed at instants, grouped into stretches of time.

    Attributes:
        places: ordered by stretch, then instant.
        seconds: session seconds of each of them.
        begin: row of each stretch's first place, and the number of all places at the end (S + 1,).
        half: seconds by which a stretch lasts beyond its first and last place.
    """

    places: Places
    seconds: Seconds
    begin: NDArray[np.intp]
    half: float

    @classmethod
    def of(cls, places: Places, own: HeadObservations, instants: Seconds, config: RecoveryConfig) -> HeadSegments:
        """Stretches of at least `config.least_s`, and shorter ones that close a gap in what the camera sees itself.

        Args:
            places: heads to be grouped.
            own: what the camera sees itself.
            instants: session seconds of every instant.
            config: thresholds.
        """
        places = places[np.lexsort((places.instant, places.identity))]
        seconds = instants[places.instant]
        step = float(instants[1] - instants[0]) if len(instants) > 1 else config.least_s
        apart = (np.diff(places.identity) != 0) | (np.diff(seconds) > config.join_s + step / 2)
        begin = np.append(np.flatnonzero(np.r_[True, apart])[: len(places)], len(places))
        lasts = seconds[begin[1:] - 1] - seconds[begin[:-1]] + step
        kept = (lasts >= config.least_s) | _closes_gap(places, begin, own, gap=config.gap_s / step)
        rows = np.repeat(kept, np.diff(begin))
        begin = np.append(0, np.cumsum(np.diff(begin)[kept]))
        return cls(places[rows], seconds[rows], begin, max(step, config.join_s) / 2)


def over_frames(stretches: HeadSegments, seconds: Seconds, heights: HeadHeights) -> HeadRows:
    """Every frame's head of every stretch: averaged over neighbouring instants, interpolated between them.

    Args:
        stretches: of one camera.
        seconds: session seconds of its frames (F,), never falling.
        heights: how high heads look in it.
    """
    count = len(stretches.begin) - 1
    if not count:
        return HeadRows.empty()
    places, at = stretches.places, stretches.seconds
    first, last = at[stretches.begin[:-1]], at[stretches.begin[1:] - 1]
    from_frame = np.searchsorted(seconds, first - stretches.half, side="left")
    frames = np.maximum(np.searchsorted(seconds, last + stretches.half, side="left") - from_frame, 0)
    stretch = np.repeat(np.arange(count), frames)
    frame = ranges(from_frame, frames)
    time = np.clip(seconds[frame], first[stretch], last[stretch])
    # One ascending axis for all stretches, each shifted behind the one before.
    shift = np.concatenate([[0.0], np.cumsum(last - first + 1)[:-1]]) - first
    of_place = np.repeat(np.arange(count), np.diff(stretches.begin))
    left = np.searchsorted(at + shift[of_place], time + shift[stretch], side="right") - 1
    left = np.clip(left, stretches.begin[stretch], stretches.begin[stretch + 1] - 1)
    right = np.minimum(left + 1, stretches.begin[stretch + 1] - 1)
    span = at[right] - at[left]
    share = np.divide(time - at[left], span, out=np.zeros(len(time)), where=span > 0)[:, None]
    centres = _smoothed(places, of_place)
    deviations = np.sqrt(np.diagonal(places.covariance, axis1=1, axis2=2))
    centre = (1 - share) * centres[left] + share * centres[right]
    head = heights.at(centre)
    return HeadRows(
        stretch=stretch,
        frame=frame,
        identity=places.identity[left],
        centre=centre,
        deviation=np.maximum(deviations[left], deviations[right]) / head[:, None],
        head=head,
        confidence=np.minimum(places.confidence[left], places.confidence[right]),
    )


def _smoothed(places: Places, stretch: NDArray[np.intp]) -> NDArray[np.float64]:
    """Centres averaged with their neighbours of the same stretch."""
    weight = 1 / np.trace(places.covariance, axis1=1, axis2=2)
    total, mass = places.centre * weight[:, None], weight.copy()
    for offset in range(1, SMOOTHING + 1):
        same = (stretch[offset:] == stretch[:-offset]) * 1.0
        for here, there in ((slice(offset, None), slice(None, -offset)), (slice(None, -offset), slice(offset, None))):
            total[here] += (same * weight[there])[:, None] * places.centre[there]
            mass[here] += same * weight[there]
    return total / mass[:, None]


def _closes_gap(places: Places, begin: NDArray[np.intp], own: HeadObservations, *, gap: float) -> NDArray[np.bool_]:
    """Which stretches lie between two sightings of their person in this camera, both at most `gap` instants away."""
    if len(begin) < 2:
        return np.zeros(0, bool)
    order = np.lexsort((own.instant, own.identity))
    person, instant = own.identity[order].astype(np.int64), own.instant[order].astype(np.int64)
    span = int(max(instant.max(initial=0), places.instant.max())) + 2
    seen = person * span + instant
    owner = places.identity[begin[:-1]].astype(np.int64) * span
    first, last = owner + places.instant[begin[:-1]], owner + places.instant[begin[1:] - 1]
    before, after = np.searchsorted(seen, first) - 1, np.searchsorted(seen, last)
    padded = np.concatenate([[-(2**62)], seen, [2**62]])
    return (first - padded[before + 1] <= gap) & (padded[after + 1] - last <= gap)
