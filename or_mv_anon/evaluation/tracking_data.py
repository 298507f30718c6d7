"""True people and tracks, frame by frame, as the tracking metrics take them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.records import Tracks
from or_mv_anon.core.truth import CameraTruth
from or_mv_anon.evaluation.detection_rules import DetectionRules, counts

Ids = NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Moment:
    """One frame: who is there, which tracks are there, and how much they overlap.

    Attributes:
        people, tracks: numbers (P,), (T,); each at most once in a frame.
        overlap: IoU, float64 (P, T).
    """

    people: Ids
    tracks: Ids
    overlap: NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class TrackedSequence:
    """Moments in order of time; people and tracks are numbered from 0 without gaps."""

    moments: Sequence[Moment]
    people: int
    tracks: int

    def lengths(self) -> tuple[Ids, Ids]:
        """In how many moments each person (people,) and each track (tracks,) is there."""
        people = np.concatenate([np.zeros(0, np.int64), *(moment.people for moment in self.moments)])
        tracks = np.concatenate([np.zeros(0, np.int64), *(moment.tracks for moment in self.moments)])
        return np.bincount(people, minlength=self.people), np.bincount(tracks, minlength=self.tracks)


def sequence(moments: Sequence[Moment]) -> TrackedSequence:
    """The sequence of `moments` whose people and tracks carry any numbers."""
    nobody = np.zeros(0, np.int64)
    people = np.unique(np.concatenate([nobody, *(moment.people for moment in moments)]))
    tracks = np.unique(np.concatenate([nobody, *(moment.tracks for moment in moments)]))
    renumbered = [
        Moment(np.searchsorted(people, moment.people), np.searchsorted(tracks, moment.tracks), moment.overlap)
        for moment in moments
    ]
    return TrackedSequence(renumbered, len(people), len(tracks))


def camera_moments(camera: CameraTruth, tracks: Tracks, *, rules: DetectionRules | None = None) -> list[Moment]:
    """Every frame of a camera's ground truth with the people who count and the tracks there.

    Tracks on people who do not count are taken out as MOTChallenge does it: all people, counted or not, are assigned
    to tracks by the largest total overlap of at least the rules' IoU, and a track that got an ignored one is left out
    of that frame (Dendorfer et al. 2020, "MOT20", section on preprocessing).
    """
    rules = rules or DetectionRules()
    people = camera.people
    boxes = people.visible_box if rules.box == "visible" else people.amodal_box
    counted = counts(people, rules)
    moments = []
    for frame in camera.frames.frame:
        who = np.flatnonzero(people.frame == frame)
        here = np.flatnonzero(tracks.frame == frame)
        overlap = geometry.iou(boxes[who], tracks.box[here]).astype(np.float64)
        kept = ~_on_ignored(overlap, counted[who], iou=rules.iou)
        names = people.person[who][counted[who]].astype(np.int64)
        moments.append(Moment(names, tracks.track[here][kept].astype(np.int64), overlap[counted[who]][:, kept]))
    return moments


def _on_ignored(overlap: NDArray[np.float64], counted: NDArray[np.bool_], *, iou: float) -> NDArray[np.bool_]:
    """Which tracks (T,) are assigned to people who do not count."""
    worth = np.where(overlap >= iou, overlap, 0.0)
    people, tracks = linear_sum_assignment(worth, maximize=True)
    ignored = (worth[people, tracks] > 0) & ~counted[people]
    taken = np.zeros(overlap.shape[1], bool)
    taken[tracks[ignored]] = True
    return taken
