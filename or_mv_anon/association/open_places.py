"""Heads that other cameras place in a camera's picture and that nothing covers there, as doubts for whoever reviews.

Recovery covers what it knows well; what is left is known too badly to cover, or only since regions were placed. It is
worked out here from what is covered: the middles of the covered heads of one person in other cameras, and the cameras'
geometry.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.heads import SURE_SPREAD, HeadObservations
from or_mv_anon.association.transfer import Places, place_heads
from or_mv_anon.association.views import PairGeometry, ViewNames
from or_mv_anon.audit.evidence import CameraEvidence, Doubt
from or_mv_anon.audit.looks import LOOK_S
from or_mv_anon.core.records import Provenance, RegionKind
from or_mv_anon.core.rows import numbered, pair_key

REGION_HEADS = 1.35  # sides of a head's region per head height, see `regions`
UNSURE_SPREAD = 0.6  # head heights by which a head's middle may be off where only its person's box is known
MOST_MISFIT = 2.0  # standard deviations
LARGEST = 2.0  # head heights; places known less well say nothing
COVERED = 0.5  # share of a head's middle from which on it is covered
NEIGHBOURS = 15  # covered heads near a place that tell how high heads are there
JOIN_S = 1.0  # seconds between two moments of one doubt
INSTANTS_AT_ONCE = 20_000  # bounds memory
CHANCE = 0.1  # that a face shows there: most people whom a camera does not see are hidden from it
LASTING_S = 3.0  # seconds after which somebody is more likely hidden than missed


def open_places(
    camera: CameraEvidence,
    sightings: Mapping[str, HeadObservations],
    geometry: Mapping[ViewNames, Sequence[PairGeometry]],
    instants: NDArray[np.float64],
) -> Iterator[Doubt]:
    """One doubt per person and stretch of time.

    Args:
        camera: in whose picture heads are placed.
        sightings: by camera, see `covered_heads`.
        geometry: of every pair of cameras.
        instants: session seconds of every instant ``(I,)`` that the geometry counts.
    """
    frames = nearest_frames(camera, instants)
    for start in range(0, len(instants), INSTANTS_AT_ONCE):
        stop = min(start + INSTANTS_AT_ONCE, len(instants))
        places = place_heads(camera.name, sightings, geometry, start=start, stop=stop)
        yield from _doubts(camera, places, frames, instants)


def nearest_frames(camera: CameraEvidence, instants: NDArray[np.float64]) -> NDArray[np.int64]:
    """The frame that a camera shows at every instant, -1 where it shows none."""
    clock = camera.clock
    if not len(clock.frame):
        return np.full(len(instants), -1)
    row = np.searchsorted(clock.starts, instants + 1e-6, side="right") - 1
    shown = (row >= 0) & (instants < clock.ends[-1])
    return np.where(shown, clock.frame[np.maximum(row, 0)], -1).astype(np.int64)


def covered_heads(camera: CameraEvidence, instants: NDArray[np.float64]) -> HeadObservations:
    """The covered heads of known people at every instant, session seconds ``(I,)``, one per identity."""
    frames = nearest_frames(camera, instants)
    regions = camera.regions
    regions = regions[(regions.track >= 0) & np.isin(regions.kind, [RegionKind.HEAD, RegionKind.BOX_TOP])]
    told = camera.tracks[camera.tracks.provenance == Provenance.TRANSFERRED]  # by other cameras: not seen here
    regions = regions[~np.isin(pair_key(regions.frame, regions.track), pair_key(told.frame, told.track))]
    low, high = (np.searchsorted(regions.frame, frames, side=side) for side in ("left", "right"))
    count = np.where(frames >= 0, high - low, 0)
    instant = np.repeat(np.arange(len(frames)), count)
    rows = np.repeat(low, count) + numbered(count)
    identity = np.full(int(max(camera.identities.track.max(initial=-1), regions.track.max(initial=-1))) + 1, -1)
    confidence = np.zeros(len(identity), np.float32)
    identity[camera.identities.track] = camera.identities.identity
    confidence[camera.identities.track] = camera.identities.confidence
    person = identity[regions.track[rows]]
    kept = (person >= 0) & (confidence[regions.track[rows]] > 0)
    instant, rows, person = instant[kept], rows[kept], person[kept]
    box = regions.box[rows]
    unsure = (regions.kind[rows] != RegionKind.HEAD) | (regions.uncertainty[rows] > 0.5)
    heads = HeadObservations(
        instant=instant,
        identity=person,
        point=(box[:, :2] + box[:, 2:]) / 2,
        spread=np.where(unsure, UNSURE_SPREAD, SURE_SPREAD),
        head=np.maximum(np.minimum(box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]) / REGION_HEADS, 1.0),
        confidence=confidence[regions.track[rows]],
    )
    heads = heads[np.lexsort((heads.spread, heads.identity, heads.instant))]
    first = np.r_[True, (np.diff(heads.instant) != 0) | (np.diff(heads.identity) != 0)]
    return heads[first[: len(heads)]]


def _doubts(
    camera: CameraEvidence, places: Places, frames: NDArray[np.int64], instants: NDArray[np.float64]
) -> Iterator[Doubt]:
    places = places[(places.misfit <= MOST_MISFIT) & (frames[places.instant] >= 0)]
    inside = ((places.centre > 0) & (places.centre < np.array(camera.size))).all(axis=1)
    places = places[inside]
    if not len(places):
        return
    head = _head_heights(camera, places.centre)
    widest = np.sqrt(np.linalg.eigvalsh(places.covariance)[:, -1])
    half = head[:, None] / 2
    box = np.concatenate([places.centre - half, places.centre + half], axis=1).astype(np.float32)
    bare = (widest <= LARGEST * head) & (camera.covered(frames[places.instant], box) < COVERED)
    rows = np.flatnonzero(bare)
    rows = rows[np.lexsort((places.instant[rows], places.identity[rows]))]
    if not len(rows):
        return
    seconds = instants[places.instant[rows]]
    apart = (np.diff(places.identity[rows]) != 0) | (np.diff(seconds) > JOIN_S)
    step = float(np.median(np.diff(instants))) if len(instants) > 1 else LOOK_S
    for part in np.split(np.arange(len(rows)), np.flatnonzero(apart) + 1):
        lasts = len(part) * step
        best = part[len(part) // 2]
        reach = (head[rows[best]] / 2 + 2 * widest[rows[best]]) * np.array([-1, -1, 1, 1])
        around = np.clip(np.tile(places.centre[rows[best]], 2) + reach, 0, np.tile(camera.size, 2))
        yield Doubt(
            camera=camera.name,
            reason="seen_elsewhere",
            start=float(seconds[best] - LOOK_S / 2),
            end=float(seconds[best] + LOOK_S / 2),
            until=float(seconds[part[-1]]),
            box=tuple(around.tolist()),
            identity=int(places.identity[rows[best]]),
            severity=CHANCE * min(lasts, LASTING_S),
        )


def _head_heights(camera: CameraEvidence, points: NDArray[np.float64]) -> NDArray[np.float64]:
    """How high heads are near each point, from the covered heads nearest to it."""
    known = camera.regions[camera.regions.kind == RegionKind.HEAD]
    known = known[:: max(1, len(known) // 2000)]
    if not len(known):
        return np.full(len(points), 0.1 * camera.size[1])
    middle = (known.box[:, :2] + known.box[:, 2:]) / 2
    side = np.minimum(known.box[:, 2] - known.box[:, 0], known.box[:, 3] - known.box[:, 1]) / REGION_HEADS
    heights = np.empty(len(points))
    for start in range(0, len(points), 1000):
        part = points[start : start + 1000]
        off = np.linalg.norm(part[:, None] - middle[None], axis=2)
        nearest = np.argsort(off, axis=1)[:, :NEIGHBOURS]
        heights[start : start + 1000] = np.median(side[nearest], axis=1)
    return np.maximum(heights, 1.0)
