"""Judges who a run says people are: instant by instant across cameras, and over the whole session."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.figures import Figures
from or_mv_anon.core.records import Detections, Identities, Tracks
from or_mv_anon.core.truth import CameraTruth
from or_mv_anon.evaluation.association import AssociationResult, ViewPair, evaluate_association, label_camera
from or_mv_anon.evaluation.identity_f1 import IdentityScores
from or_mv_anon.evaluation.identity_switches import (
    NO_IDENTITY,
    IdentitySwitches,
    identity_switches,
    match_identities,
)
from or_mv_anon.evaluation.run_directory import CameraRun


@dataclass(frozen=True)
class IdentityResult(Figures):
    """Who is who, judged.

    Attributes:
        association: of people whom two cameras detect at the same instant.
        identity: IDF1 over all cameras.
        switches: how steadily people are named.
    """

    association: AssociationResult
    identity: IdentityScores
    switches: IdentitySwitches


def evaluate_identities(truth: Mapping[str, CameraTruth], cameras: Mapping[str, CameraRun]) -> IdentityResult | None:
    """Judge the identities of a run; None if it has none, because it had one camera or stopped before.

    Args:
        truth: by camera.
        cameras: the same cameras of the run.
    """
    identities = {name: camera.identities for name, camera in cameras.items()}
    if len(cameras) < 2 or any(each is None for each in identities.values()):
        return None
    called = {name: _per_row(cameras[name].tracks, each) for name, each in identities.items() if each is not None}
    numbers = {name: identity for name, (identity, _) in called.items()}
    sightings, scores = match_identities(truth, {name: camera.tracks for name, camera in cameras.items()}, numbers)
    named = {name: _named(truth[name], cameras[name].tracks, *called[name]) for name in truth}
    return IdentityResult(evaluate_association(_view_pairs(named)), scores, identity_switches(sightings))


@dataclass(frozen=True, eq=False)
class _Named:
    """Detected people of one camera, ordered by instant."""

    instant: NDArray[np.int64]
    person: NDArray[np.int64]  # as `label_camera` has it
    identity: NDArray[np.int64]
    confidence: NDArray[np.float64]

    def at(self, instant: int) -> _Named:
        rows = slice(*np.searchsorted(self.instant, [instant, instant + 1]))
        return _Named(self.instant[rows], self.person[rows], self.identity[rows], self.confidence[rows])


def _per_row(tracks: Tracks, identities: Identities) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """Identity and confidence of each row of `tracks`."""
    identity = np.full(tracks.track.max(initial=-1) + 1, NO_IDENTITY, np.int64)
    confidence = np.zeros(len(identity))
    known = identities[identities.track < len(identity)]
    identity[known.track], confidence[known.track] = known.identity, known.confidence
    return identity[tracks.track], confidence[tracks.track]


def _named(camera: CameraTruth, tracks: Tracks, identity: NDArray[np.int64], confidence: NDArray[np.float64]) -> _Named:
    instant_of_frame = np.full(max(camera.frames.frame.max(initial=-1), tracks.frame.max(initial=-1)) + 1, -1)
    instant_of_frame[camera.frames.frame] = camera.frames.instant
    rows = np.flatnonzero((tracks.detection >= 0) & (instant_of_frame[tracks.frame] >= 0))
    rows = rows[np.argsort(instant_of_frame[tracks.frame[rows]], kind="stable")]
    seen = Detections(frame=tracks.frame[rows], box=tracks.box[rows], score=tracks.score[rows])
    return _Named(instant_of_frame[seen.frame], label_camera(camera, seen), identity[rows], confidence[rows])


def _view_pairs(named: Mapping[str, _Named]) -> Iterator[ViewPair]:
    """All instants of all pairs of cameras that both detect somebody."""
    for first, second in combinations(named, 2):
        for instant in np.intersect1d(named[first].instant, named[second].instant):
            one, two = named[first].at(instant), named[second].at(instant)
            same = (one.identity[:, None] == two.identity) & (one.identity[:, None] != NO_IDENTITY)
            sure = np.minimum(one.confidence[:, None], two.confidence)
            yield ViewPair(
                (first, second), one.person, two.person, np.where(same, sure, -np.inf), _one_to_one(same, sure)
            )


def _one_to_one(same: NDArray[np.bool_], sure: NDArray[np.float64]) -> NDArray[np.int64]:
    """Of several tracks of one identity in a view the surest, rows (K, 2)."""
    pairs = np.argwhere(same)
    pairs = pairs[np.argsort(-sure[same], kind="stable")]
    for side in (0, 1):
        pairs = pairs[np.sort(np.unique(pairs[:, side], return_index=True)[1])]
    return pairs.astype(np.int64)
