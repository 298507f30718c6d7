"""How far a person gets who follows the list of cases: which exposed stretches the first minutes of review show.

A stretch is shown when a case asks to look at its camera at its moment; then whoever looks sees a face in the open and
can cover all of it. Minutes are counted as the cases count them, per hour of every camera's recording.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from or_mv_anon.audit.cases import Case
from or_mv_anon.core.boxes import iou
from or_mv_anon.core.figures import Figures
from or_mv_anon.evaluation.stretches import Stretch

MINUTES = (0.5, 1.0, 2.0, 3.0, 5.0, 7.5, 10.0, 15.0, 20.0, 30.0, 60.0)  # per camera-hour, the points of the curve
LEAST_S = 0.2  # seconds of a longer stretch that a case must show
LEAST_SHARE = 0.5  # of a shorter one
SAME_PLACE = 0.3  # IoU of two faces that one cover holds
BESIDE = 1.0  # sides of the box to look at, by which a face may lie beside it and still be noticed


@dataclass(frozen=True, kw_only=True)
class CurvePoint(Figures):
    """What so much review shows.

    Attributes:
        minutes: of review per camera-hour.
        cases: looked at.
        stretches: share of the exposed stretches that a case shows.
        face_frames: share of the exposed face-frames in these stretches.
        moments: share of the exposed face-frames at the very moments that are looked at.
        mended: share of the exposed stretches that are shown, or in which the same face is where it is in one that is
            shown: a cover drawn there for always mends both.
        pointed: share of the exposed stretches that lie where a case asks to look in the picture.
        longest: whether the longest stretch is among them; true where nothing is exposed.
    """

    minutes: float
    cases: int
    stretches: float
    face_frames: float
    moments: float
    mended: float
    pointed: float
    longest: bool


@dataclass(frozen=True, kw_only=True)
class WorklistResult(Figures):
    """The list of cases beside the truth.

    Attributes:
        cases: in the list.
        camera_hours: recorded.
        review_minutes: per camera-hour, that all cases take.
        curve: by minutes, see `CurvePoint`.
        minutes_for: review per camera-hour until this share of the stretches is shown; None where it never is.
        found_by: for every stretch, as `evaluate` lists them, the rank from 1 of the first case to show it, or None.
    """

    cases: int
    camera_hours: float
    review_minutes: float
    curve: Sequence[CurvePoint]
    minutes_for: dict[str, float | None]
    found_by: Sequence[int | None]


def judge_worklist(cases: Sequence[Case], stretches: Sequence[Stretch], *, camera_hours: float) -> WorklistResult:
    """Follow the list from its first case to its last.

    Args:
        cases: ranked.
        stretches: of the same session, the longest first.
        camera_hours: recorded, all cameras together.
    """
    minutes = np.cumsum([case.review_s / 60 for case in cases]) / camera_hours
    shown = [_first(cases, stretch, pointed=False) for stretch in stretches]
    pointed = [_first(cases, stretch, pointed=True) for stretch in stretches]
    mended = [_mended(stretches, shown, stretch) for stretch in stretches]
    weights = np.array([stretch.face_frames for stretch in stretches], float)

    def point(limit: float) -> CurvePoint:
        done = int(np.searchsorted(minutes, limit + 1e-9, side="right"))
        seen = np.array([rank is not None and rank < done for rank in shown], bool)
        looked, whole = (
            np.array([rank is not None and rank < done for rank in each], bool) for each in (pointed, mended)
        )
        inside = sum(_seconds_inside(cases[:done], each) / each.seconds * each.face_frames for each in stretches)
        return CurvePoint(
            minutes=limit,
            cases=done,
            stretches=_share(seen.sum(), len(seen)),
            face_frames=_share(weights[seen].sum(), weights.sum()),
            moments=_share(inside, weights.sum()),
            mended=_share(whole.sum(), len(whole)),
            pointed=_share(looked.sum(), len(looked)),
            longest=bool(seen[0]) if len(seen) else True,
        )

    def until(share: float) -> float | None:
        ranks = sorted(rank for rank in shown if rank is not None)
        asked = int(np.ceil(share * len(shown) - 1e-9))
        return 0.0 if not asked else float(minutes[ranks[asked - 1]]) if len(ranks) >= asked else None

    return WorklistResult(
        cases=len(cases),
        camera_hours=camera_hours,
        review_minutes=float(minutes[-1]) if len(cases) else 0.0,
        curve=tuple(map(point, MINUTES)),
        minutes_for={f"{100 * share:g} %": until(share) for share in (0.5, 0.8, 0.9, 0.95, 1.0)},
        found_by=tuple(None if rank is None else rank + 1 for rank in shown),
    )


def _first(cases: Sequence[Case], stretch: Stretch, *, pointed: bool) -> int | None:
    """The first case that shows the stretch, from 0."""
    for rank, case in enumerate(cases):
        if shows(case, stretch):
            box = case.boxes.get(stretch.camera)
            if not pointed or box is None or _beside(box, stretch.face):
                return rank
    return None


def shows(case: Case, stretch: Stretch) -> bool:
    """Whether a case asks to look at a stretch's camera for long enough of it."""
    asked = min(LEAST_S, LEAST_SHARE * stretch.seconds) - 1e-6
    return stretch.camera in case.cameras and _overlap(case, stretch) >= asked


def _mended(stretches: Sequence[Stretch], shown: Sequence[int | None], stretch: Stretch) -> int | None:
    """The first case that shows this stretch or another one of the same person in the same place of the camera."""
    ranks = [
        rank
        for other, rank in zip(stretches, shown, strict=True)
        if rank is not None
        and (other.camera, other.person) == (stretch.camera, stretch.person)
        and iou(*(np.array([each.face], np.float32) for each in (other, stretch)))[0, 0] >= SAME_PLACE
    ]
    return min(ranks, default=None)


def _overlap(case: Case, stretch: Stretch) -> float:
    return min(case.end, stretch.session_end) - max(case.start, stretch.session_start)


def _beside(box: tuple[float, float, float, float], face: tuple[float, float, float, float]) -> bool:
    x, y = (face[0] + face[2]) / 2, (face[1] + face[3]) / 2
    right, down = BESIDE * (box[2] - box[0]), BESIDE * (box[3] - box[1])
    return box[0] - right <= x <= box[2] + right and box[1] - down <= y <= box[3] + down


def _seconds_inside(cases: Sequence[Case], stretch: Stretch) -> float:
    """Seconds of the stretch that any of the cases shows."""
    spans = sorted(
        (max(case.start, stretch.session_start), min(case.end, stretch.session_end))
        for case in cases
        if stretch.camera in case.cameras and _overlap(case, stretch) > 0
    )
    total, reached = 0.0, -np.inf
    for start, end in spans:
        total += max(0.0, end - max(start, reached))
        reached = max(reached, end)
    return total


def _share(part: float, whole: float) -> float:
    """1 where there is nothing to find."""
    return float(part / whole) if whole else 1.0
