"""Heads that other cameras see elsewhere, which the pose model must not learn from.

Where the geometry of two cameras is known, the same person's head in one lies on a line in the other (Hartley and
Zisserman 2004, "Multiple View Geometry", 9.1). A head that is off the lines of more cameras than it is on is wrong, or
somebody else's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.adaptation.head_labels import PosedCamera
from or_mv_anon.association.geometry import epipolar_distance
from or_mv_anon.association.views import PairGeometry
from or_mv_anon.core.records import Identities
from or_mv_anon.regions.heads import Heads, locate_heads

NOBODY = -1
MOST_PEOPLE = 1 << 20  # identities of a session, so that a key tells instants and people apart


@dataclass(frozen=True, kw_only=True)
class RoomGeometry:
    """The geometry of a session's cameras, as association stored it.

    Attributes:
        pairs: one entry per two cameras and stretch of instants in which they stood still.
        first_s: session time of instant 0 in seconds.
        instant_s: seconds from one instant to the next.
    """

    pairs: Sequence[PairGeometry]
    first_s: float
    instant_s: float

    @classmethod
    def read(cls, path: Path, *, instant_s: float) -> RoomGeometry:
        """From association's `geometry.json`."""
        content = json.loads(path.read_text())
        pairs = []
        for entry in content["pairs"]:
            matrix = None if entry["matrix"] is None else np.array(entry["matrix"], np.float64)
            pairs.append(PairGeometry(**{**entry, "views": tuple(entry["views"]), "matrix": matrix}))
        return cls(pairs=pairs, first_s=content["instants"]["first_s"] or 0.0, instant_s=instant_s)


def contradicted_heads(
    cameras: Mapping[str, PosedCamera],
    identities: Mapping[str, Identities],
    geometry: RoomGeometry,
    *,
    least_score: float,
    most_distance: float,
) -> dict[str, NDArray[np.bool_]]:
    """Per camera, for every row of its keypoints, whether other cameras see that head elsewhere.

    Args:
        cameras: of one session, by the names that the geometry knows them by.
        identities: who their tracks are.
        geometry: of the session; pairs without a matrix are passed over.
        least_score: of keypoints that place a head.
        most_distance: epipolar distance in head heights up to which two cameras agree.
    """
    seen = {name: _Seen.of(camera, identities[name], geometry, least_score) for name, camera in cameras.items()}
    votes = {name: np.zeros(len(each.heads), int) for name, each in seen.items()}
    for pair in geometry.pairs:
        if pair.matrix is None or not all(name in seen for name in pair.views):
            continue
        first, second = (seen[name] for name in pair.views)
        _, rows, others = np.intersect1d(first.key, second.key, return_indices=True)
        here = (first.instant[rows] >= pair.start) & (first.instant[rows] < pair.stop) & (first.key[rows] >= 0)
        rows, others = rows[here], others[here]
        unit = (first.heads.size[rows] + second.heads.size[others]) / 2
        apart = epipolar_distance(pair.matrix, first.heads.center[rows], second.heads.center[others]) / unit
        vote = np.where(apart <= most_distance, 1, -1)
        votes[pair.views[0]][rows] += vote
        votes[pair.views[1]][others] += vote
    return {
        name: np.isin(camera.keypoints.detection, seen[name].heads.detection[votes[name] < 0])
        for name, camera in cameras.items()
    }


@dataclass(frozen=True)
class _Seen:
    """A camera's heads with their instants and a key of instant and identity, negative where nobody knows whose."""

    heads: Heads
    instant: NDArray[np.int64]
    key: NDArray[np.int64]

    @classmethod
    def of(cls, camera: PosedCamera, identities: Identities, geometry: RoomGeometry, least_score: float) -> _Seen:
        heads = locate_heads(camera.keypoints, camera.detections, trusted_score=least_score)
        identity_of = np.full(max(camera.tracks.track.max(initial=-1), identities.track.max(initial=-1)) + 1, NOBODY)
        identity_of[identities.track] = identities.identity
        whose = np.full(len(camera.detections), NOBODY)
        observed = camera.tracks[camera.tracks.detection >= 0]
        whose[observed.detection] = identity_of[observed.track]
        identity = whose[heads.detection]
        time = camera.times[camera.detections.frame[heads.detection]]
        instant = np.round((time - geometry.first_s) / geometry.instant_s).astype(np.int64)
        known = (identity != NOBODY) & (instant >= 0)
        key = np.where(known, instant * MOST_PEOPLE + identity, -1 - np.arange(len(heads)))
        return cls(heads, instant, key)
