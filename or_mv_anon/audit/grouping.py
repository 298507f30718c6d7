"""From doubts to cases: what can be seen in one go, at one moment in one or several cameras, is one case.

Whoever reviews pays for every jump and for every second of every picture. A case therefore takes in whatever raises
what a second of it is worth: the same person in other cameras, or somebody else in a picture that is looked at anyway.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from or_mv_anon.audit.cases import Box, Case, case_id, ranked
from or_mv_anon.audit.evidence import Doubt
from or_mv_anon.audit.telling import tell_case

CASE_S = 1.0  # seconds to jump there, to find the place and to decide
LEAST_LOOK_S = 0.6  # seconds that a picture is looked at, at least
LONGEST_S = 1.6  # of a case: a longer one is watched, not looked at
MOST_LOOKED = 2.0  # times all recorded video that doubts may cost, each by itself, before they are grouped
AGAIN = 0.5  # of a doubt's severity, where a graver one is about the same place
WEIGHTY = 0.2  # of the gravest doubt: lesser ones do not tell where to look
SAME_PERSON_S = 1.0  # seconds between two doubts about one person that are still one moment


def review_seconds(start: float, end: float, cameras: int) -> float:
    """What it takes to look at a moment in so many cameras, one after another at normal speed."""
    return CASE_S + cameras * max(end - start, LEAST_LOOK_S)


def group_doubts(doubts: Sequence[Doubt], *, recorded_s: float = math.inf) -> list[Case]:
    """Cases, ranked, until looking at them would take longer than watching everything.

    Args:
        doubts: of all cameras.
        recorded_s: seconds of video, all cameras together.
    """
    grave = sorted(doubts, key=lambda doubt: (-_worth([doubt]), doubt.start, doubt.camera))
    affordable = grave[: math.ceil(min(MOST_LOOKED * recorded_s / (CASE_S + LEAST_LOOK_S), len(grave)))]
    cases = ranked(_grouped(affordable))
    spent = accumulate(case.review_s for case in cases)
    return [case for case, so_far in zip(cases, spent, strict=True) if so_far <= recorded_s]


def _grouped(doubts: Sequence[Doubt]) -> list[Case]:
    """Every doubt is in one of the cases."""
    by_time = sorted(doubts, key=lambda doubt: (doubt.start, doubt.camera, doubt.reason))
    starts = [doubt.start for doubt in by_time]
    taken = [False] * len(by_time)
    order = sorted(range(len(by_time)), key=lambda i: -_worth([by_time[i]]))
    cases = []
    for seed in order:
        if taken[seed]:
            continue
        group, taken[seed] = [by_time[seed]], True
        low = bisect_left(starts, by_time[seed].start - LONGEST_S)
        high = bisect_right(starts, by_time[seed].end + LONGEST_S)
        while near := [i for i in range(low, high) if not taken[i] and _together(group, by_time[i])]:
            best = max(near, key=lambda i: _worth([*group, by_time[i]]))
            if _worth([*group, by_time[best]]) < _worth(group):
                break
            group.append(by_time[best])
            taken[best] = True
        cases.append(_case(group))
    return cases


def _together(group: Sequence[Doubt], other: Doubt) -> bool:
    """Whether a doubt can be seen at the same moment as those of a group."""
    start, end = _span([*group, other])
    if end - start > LONGEST_S:
        return False
    same = other.identity >= 0 and any(other.identity == each.identity for each in group)
    low, high = _span(group)
    return max(other.start - high, low - other.end) <= (SAME_PERSON_S if same else 0.0)


def _span(group: Sequence[Doubt]) -> tuple[float, float]:
    return min(doubt.start for doubt in group), max(doubt.end for doubt in group)


def _severity(group: Sequence[Doubt]) -> float:
    """Doubts about one place are about the same face: the gravest counts whole, the others in part."""
    places: list[Doubt] = []
    total = 0.0
    for doubt in sorted(group, key=lambda each: -each.severity):
        again = any(_same_place(doubt, each) for each in places)
        total += AGAIN * doubt.severity if again else doubt.severity
        if not again:
            places.append(doubt)
    return total


def _same_place(one: Doubt, other: Doubt) -> bool:
    if one.camera != other.camera:
        return False
    if one.box is None or other.box is None:
        return True
    width = min(one.box[2], other.box[2]) - max(one.box[0], other.box[0])
    height = min(one.box[3], other.box[3]) - max(one.box[1], other.box[1])
    return width > 0 and height > 0


def _worth(group: Sequence[Doubt]) -> float:
    return _severity(group) / review_seconds(*_span(group), len({doubt.camera for doubt in group}))


def _case(group: Sequence[Doubt]) -> Case:
    group = sorted(group, key=lambda doubt: (-doubt.severity, doubt.camera, doubt.start))
    start, end = (round(each, 3) for each in _span(group))
    cameras = tuple(dict.fromkeys(doubt.camera for doubt in group))
    reasons = tuple(dict.fromkeys(doubt.reason for doubt in group))
    tracks = tuple(dict.fromkeys((doubt.camera, doubt.track) for doubt in group if doubt.track != -1))
    people = {doubt.identity for doubt in group}
    return Case(
        id=case_id(start, end, cameras, tracks, reasons),
        start=start,
        end=end,
        cameras=cameras,
        identity=people.pop() if len(people) == 1 and -1 not in people else None,
        tracks=tracks,
        boxes={camera: box for camera in cameras if (box := _box(group, camera)) is not None},
        reasons=reasons,
        what=tell_case(_weighty(group)),
        severity=round(_severity(group), 4),
        review_s=round(review_seconds(start, end, len(cameras)), 3),
    )


def _weighty(group: Sequence[Doubt]) -> list[Doubt]:
    """Those that the case is about; the others are only seen along with them."""
    gravest = max(doubt.severity for doubt in group)
    return [doubt for doubt in group if doubt.severity >= WEIGHTY * gravest]


def _box(group: Sequence[Doubt], camera: str) -> Box | None:
    """Around what there is to see in a camera; nothing where it may be anywhere."""
    boxes = [doubt.box for doubt in _weighty([doubt for doubt in group if doubt.camera == camera])]
    known = [box for box in boxes if box is not None]
    if len(known) < len(boxes):
        return None
    x1, y1 = (round(float(min(box[i] for box in known)), 1) for i in (0, 1))
    x2, y2 = (round(float(max(box[i] for box in known)), 1) for i in (2, 3))
    return x1, y1, x2, y2
