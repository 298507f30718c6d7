"""How steadily an assignment of identities names people over time and across views."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations, pairwise

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.figures import Figures, share
from or_mv_anon.core.records import Column, Columns, Tracks
from or_mv_anon.core.truth import CameraTruth
from or_mv_anon.evaluation.detection_rules import DetectionRules, counts
from or_mv_anon.evaluation.identity_f1 import IdentityScores, identity_f1
from or_mv_anon.evaluation.tracking_data import Moment, sequence

NO_IDENTITY = -1


@dataclass(frozen=True)
class Sightings(Columns):
    """One row per true person seen in a view at an instant, with the identity that was assigned."""

    instant: Column
    camera: Column  # a number
    person: Column
    identity: Column  # `NO_IDENTITY` where nobody was found or nothing assigned

    columns = {name: (np.int64, ()) for name in ("instant", "camera", "person", "identity")}


@dataclass(frozen=True)
class IdentitySwitches(Figures):
    """Counts over all people.

    Attributes:
        sightings: person-instants in a view in which an identity was assigned.
        within_view: changes of a person's identity from one sighting to the next in the same view.
        cross_view: how often two views begin to disagree: after an instant the identity that a person last had in one
            view differs from that in another, and before it they agreed or one was not known. A renaming in all views
            at the same instant is no disagreement; a person who is handed from one view to another and gets a new
            identity there is one.
        disagreeing: share of the person-instants seen in two or more views whose views name different identities.
        mixed: share of the identity-instants seen in two or more views that hold different people.
    """

    sightings: int
    within_view: int
    cross_view: int
    disagreeing: float
    mixed: float


def identity_switches(sightings: Sightings) -> IdentitySwitches:
    """Count switches; see `IdentitySwitches`."""
    named = sightings[sightings.identity != NO_IDENTITY]
    named = named[np.lexsort([named.camera, named.instant, named.person])]
    within = cross = 0
    starts = np.flatnonzero(np.diff(named.person, prepend=-1, append=-1) != 0) if len(named) else np.zeros(1, int)
    for start, end in pairwise(starts):
        one, other = _person_switches(named[start:end])
        within, cross = within + one, cross + other
    return IdentitySwitches(
        sightings=len(named),
        within_view=within,
        cross_view=cross,
        disagreeing=_share_of_unequal(named.instant, named.person, named.identity),
        mixed=_share_of_unequal(named.instant, named.identity, named.person),
    )


def match_identities(
    truth: Mapping[str, CameraTruth],
    tracks: Mapping[str, Tracks],
    identities: Mapping[str, NDArray[np.int64]],
    *,
    rules: DetectionRules | None = None,
) -> tuple[Sightings, IdentityScores]:
    """Who was called what: tracks are assigned to true people frame by frame by the largest total overlap.

    Args:
        truth: by camera; people who do not count under `rules` are left out.
        tracks: by camera.
        identities: by camera, one number per row of its tracks, `NO_IDENTITY` for none; equal in two cameras for what
            is said to be one person.
        rules: see `DetectionRules`.

    Returns:
        The sightings, and the multi-camera IDF1 over all cameras (rows without an identity are left out).
    """
    rules = rules or DetectionRules()
    parts, moments = [], []
    for number, (name, camera) in enumerate(truth.items()):
        rows = tracks.get(name, Tracks.empty())
        called = identities.get(name, np.zeros(0, np.int64))
        rows, called = rows[called != NO_IDENTITY], called[called != NO_IDENTITY]
        people = camera.people[counts(camera.people, rules)]
        boxes = people.visible_box if rules.box == "visible" else people.amodal_box
        for frame, instant in zip(camera.frames.frame, camera.frames.instant, strict=True):
            who, here = np.flatnonzero(people.frame == frame), np.flatnonzero(rows.frame == frame)
            overlap = geometry.iou(boxes[who], rows.box[here]).astype(np.float64)
            assigned = np.full(len(who), NO_IDENTITY, np.int64)
            worth = np.where(overlap >= rules.iou, overlap, 0.0)
            row, column = linear_sum_assignment(worth, maximize=True)
            hit = worth[row, column] > 0
            assigned[row[hit]] = called[here[column[hit]]]
            size = len(who)
            parts.append(Sightings(np.full(size, instant), np.full(size, number), people.person[who], assigned))
            moments.append(Moment(people.person[who].astype(np.int64), called[here], overlap))
    return Sightings.concat(parts), identity_f1([sequence(moments)], iou=rules.iou)


def _person_switches(rows: Sightings) -> tuple[int, int]:
    """Switches within views and across views of one person, whose rows are ordered by instant."""
    last: dict[int, int] = {}
    apart: set[tuple[int, int]] = set()
    within = cross = 0
    bounds = np.flatnonzero(np.diff(rows.instant, prepend=-1, append=-1) != 0)
    for start, end in pairwise(bounds):
        for camera, identity in zip(rows.camera[start:end].tolist(), rows.identity[start:end].tolist(), strict=True):
            within += last.get(camera, identity) != identity
            last[camera] = identity
        now = {pair for pair in combinations(sorted(last), 2) if last[pair[0]] != last[pair[1]]}
        cross += len(now - apart)
        apart = now
    return within, cross


def _share_of_unequal(instant: NDArray[np.int64], group: NDArray[np.int64], value: NDArray[np.int64]) -> float:
    """Share of the groups of an instant that hold several values, among those with several rows."""
    rows = Counter(zip(instant.tolist(), group.tolist(), strict=True))
    values = Counter(key[:2] for key in set(zip(instant.tolist(), group.tolist(), value.tolist(), strict=True)))
    several = [key for key, count in rows.items() if count > 1]
    return share(sum(values[key] > 1 for key in several), len(several))
