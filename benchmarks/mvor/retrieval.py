"""What cross-view association brings back of the people whom a detector missed, on MVOR."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from benchmarks.mvor import epipolar_baseline as epipolar
from benchmarks.mvor.association import MATCH_LIMIT, NOTHING, Found
from benchmarks.mvor.dataset import Mvor, MvorDetections, MvorView
from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.box_matching import NOBODY, Candidates, Subjects, match
from or_mv_anon.core.figures import Figures, share
from or_mv_anon.evaluation import average_precision as ap
from or_mv_anon.evaluation.average_precision import OperatingPoint

SAME_BOX_IOU = 0.5


@dataclass(frozen=True)
class Retrieval(Figures):
    """What cross-view association brings back of the people whom a detector missed at its high threshold.

    Attributes:
        high_score: keeps the detections that are trusted.
        people: annotated.
        missed: of them, without a trusted detection of their own (IoU 0.5).
        reachable: of the missed, with a weaker detection (IoU 0.5): nobody can bring back more of them.
        retrieved: of the missed, whose weaker detection was matched to a trusted one in another view.
        promoted: weaker detections that were matched so.
        promoted_right: of them, those that show an annotated person (IoU 0.5), missed or not.
        promoted_wrong: of them, how many show nobody.
        weaker_right: the same share when every weaker detection is promoted.
    """

    high_score: float
    people: int
    missed: int
    reachable: int
    retrieved: int
    promoted: int
    promoted_right: float
    promoted_wrong: int
    weaker_right: float


def high_score(mvor: Mvor, found: Found) -> OperatingPoint:
    """The threshold at which a detector's F1 on the annotated boxes (IoU 0.5) is largest: its natural one."""
    subjects, candidates = _pooled(mvor, found)
    hits = match(subjects, candidates) != NOBODY
    return ap.best_f(candidates.score, hits, positives=len(subjects), beta=1.0)


def detector_average_precision(mvor: Mvor, found: Found) -> float:
    """COCO's average precision at IoU 0.5 of a detector on the annotated boxes."""
    subjects, candidates = _pooled(mvor, found)
    hits = match(subjects, candidates) != NOBODY
    return ap.interpolated(ap.curve(candidates.score, hits, positives=len(subjects)))


def retrieve(
    mvor: Mvor, found: Found, matrices: Mapping[tuple[int, int, int], NDArray[np.float64]], *, trusted: float
) -> Retrieval:
    """Promote weaker detections that match a trusted one in another view, and count whom that brings back.

    Every ordered pair of views matches the trusted people of the first with all detections of the second, one to one,
    nobody forced.
    """
    claimed: dict[int, NDArray[np.bool_]] = {}
    for instant in mvor.instants:
        rows = {camera: found.get(view.image, NOTHING) for camera, view in instant.views.items()}
        claims = {camera: np.zeros(len(row.scores), bool) for camera, row in rows.items()}
        for first, second in combinations(sorted(rows), 2):
            matrix = matrices.get((instant.day, first, second))
            if matrix is None:
                continue
            left, right = (epipolar.people_of(rows[camera].points, rows[camera].boxes) for camera in (first, second))
            distance = epipolar.distances(matrix, left, right)
            for other, table, camera in ((second, distance, first), (first, distance.T, second)):
                matches = epipolar.assign(table[rows[camera].scores >= trusted], limit=MATCH_LIMIT)
                claims[other][matches[:, 1]] = True
        claimed |= {instant.views[camera].image: claim for camera, claim in claims.items()}
    return count_retrieved(mvor, found, claimed, trusted=trusted)


def count_retrieved(mvor: Mvor, found: Found, claimed: Mapping[int, NDArray[np.bool_]], *, trusted: float) -> Retrieval:
    """Whom promoting the weaker ones of the `claimed` detections (a mask by image number) brings back."""
    people = missed = reachable = retrieved = promoted = promoted_right = weaker = weaker_right = 0
    for view in (view for instant in mvor.instants for view in instant.views.values()):
        rows = found.get(view.image, NOTHING)
        low = rows.scores < trusted
        overlap = geometry.iou(view.boxes, rows.boxes) >= SAME_BOX_IOU
        gone = missed_people(view, rows, trusted)
        people, missed = people + len(gone), missed + int(gone.sum())
        reachable += int((gone & overlap[:, low].any(axis=1)).sum())
        up = low & claimed[view.image]
        retrieved += int((gone & overlap[:, up].any(axis=1)).sum())
        promoted, promoted_right = promoted + int(up.sum()), promoted_right + int(overlap[:, up].any(axis=0).sum())
        weaker, weaker_right = weaker + int(low.sum()), weaker_right + int(overlap[:, low].any(axis=0).sum())
    return Retrieval(
        high_score=trusted,
        people=people,
        missed=missed,
        reachable=reachable,
        retrieved=retrieved,
        promoted=promoted,
        promoted_right=share(promoted_right, promoted),
        promoted_wrong=promoted - promoted_right,
        weaker_right=share(weaker_right, weaker),
    )


def missed_people(view: MvorView, rows: MvorDetections, trusted: float) -> NDArray[np.bool_]:
    """Which people of a picture no trusted detection found; one detection finds one person."""
    kept = rows.scores >= trusted
    subjects = Subjects(np.zeros(len(view.boxes)), view.boxes, np.ones(len(view.boxes)))
    candidates = Candidates(np.zeros(kept.sum()), rows.boxes[kept], rows.scores[kept])
    found = match(subjects, candidates, iou=SAME_BOX_IOU)
    return ~np.isin(np.arange(len(subjects)), found)


def _pooled(mvor: Mvor, found: Found) -> tuple[Subjects, Candidates]:
    views: Sequence[MvorView] = [view for instant in mvor.instants for view in instant.views.values()]
    subjects = [Subjects(np.full(len(v.boxes), v.image), v.boxes, np.ones(len(v.boxes), bool)) for v in views]
    images = [view.image for view in views if view.image in found]
    candidates = [Candidates(np.full(len(found[i].boxes), i), found[i].boxes, found[i].scores) for i in images]
    return Subjects.concat(subjects), Candidates.concat(candidates)
