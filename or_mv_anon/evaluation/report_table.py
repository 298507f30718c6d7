"""An evaluation as text for a terminal: the headline first, then what it is made of."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from or_mv_anon.audit.charts import percent
from or_mv_anon.audit.timecode import clock_time
from or_mv_anon.core.bootstrap import Estimate
from or_mv_anon.evaluation.evaluate import Evaluation
from or_mv_anon.evaluation.exposure import Exposure
from or_mv_anon.evaluation.exposure_tally import Counted
from or_mv_anon.evaluation.stretches import WHY
from or_mv_anon.evaluation.worklist import WorklistResult

NOTHING = "-"
MOST_STRETCHES = 40  # in the table


def table(evaluation: Evaluation) -> str:
    """All figures as lines of text; intervals are 95 %."""
    parts = [_exposure(evaluation.exposure), _groups(evaluation.exposure)]
    if evaluation.stretches:
        parts.append(_stretches(evaluation))
    if evaluation.worklist is not None:
        parts.append(_curve(evaluation.worklist))
    for faceoff, title in ((evaluation.faceoff, "faces"), (evaluation.faceoff_with_heads, "faces and heads")):
        if not faceoff:
            continue
        names = ["not smoothed" if row.window == 1 else f"k = {row.window}" for row in faceoff]
        figures = [map(_share, (row.precision, row.recall, row.f1)) for row in faceoff]
        rows = [[name, *figure] for name, figure in zip(names, figures, strict=True)]
        parts.append(lines([f"FaceOff, {title} at IoU 0.3", "precision", "recall", "F1"], rows))
    if (squares := evaluation.squares) is not None:
        rows = [
            [name, str(score.targets), *map(_share, (score.recall, score.multi_view_recall, score.precision))]
            for name, score in (("body", squares.body), ("face", squares.face), ("eyes", squares.eyes))
        ]
        title = f"Fixed squares ({squares.version})"
        parts.append(lines([title, "targets", "recall", "in all views", "precision"], rows))
    if (detection := evaluation.detection) is not None:
        rows = [
            [name, str(group.people), *map(_share, (group.max_recall, group.average_precision))]
            for name, group in (("everyone", detection.everyone), ("hard", detection.hard))
        ]
        parts.append(lines(["Person detection at IoU 0.5", "people", "most recall", "AP"], rows))
    if (tracking := evaluation.tracking) is not None:
        scores = tracking.overall
        values = [_share(scores.hota.hota), _share(scores.clear.mota), _share(scores.identity.idf1)]
        parts.append(lines(["Tracking within cameras", "HOTA", "MOTA", "IDF1"], [["all cameras", *values]]))
    if (identities := evaluation.identities) is not None:
        judged = {**identities.association.by_views, "all pairs": identities.association.overall}
        rows = [[name, *map(_share, (each.precision, each.recall, each.ipaa["100"]))] for name, each in judged.items()]
        parts.append(lines(["Same people in two cameras", "precision", "recall", "all right (IPAA-100)"], rows))
        switches = identities.switches
        values = [_share(identities.identity.idf1), str(switches.within_view), str(switches.cross_view)]
        head = ["Identities over all cameras", "IDF1", "switches within", "across cameras"]
        parts.append(lines(head, [["everyone", *values]]))
    return "\n\n".join([*parts, *evaluation.notes])


def _exposure(exposure: Exposure) -> str:
    rows = [
        ["face-frames exposed", _counted(exposure.faces), _interval(exposure.faces.share)],
        ["exposed per camera-hour", *_number(exposure.per_camera_hour)],
        ["people exposed in a camera", _counted(exposure.persons), _interval(exposure.persons.share)],
        ["longest exposure, s", *_number(exposure.longest_s)],
        [f"stretches with exposure, of {exposure.blocks}", *_percent(exposure.exposed_blocks)],
        ["covered in all views (holistic)", *_percent(exposure.holistic_recall)],
        ["exposed but turned away, not counted", _counted(exposure.turned_away), _interval(exposure.turned_away.share)],
        ["covered where nobody is", *_percent(exposure.covered_outside)],
        ["covered of the picture", *_percent(exposure.covered)],
    ]
    hours = exposure.camera_hours
    recorded = f"{hours * 60:.1f} camera-minutes" if hours < 1 else f"{hours:.1f} camera-hours"
    return lines([f"Exposure, {recorded}", "", "95 % interval"], rows)


def _groups(exposure: Exposure) -> str:
    rows = []
    for title, group in exposure.groups.items():
        rows += [[f"{title.replace('_', ' ')}: {name}", *_group(counted)] for name, counted in _filled(group)]
    return lines(["Face-frames by", "considered", "exposed", "share", "95 % interval"], rows)


def _stretches(evaluation: Evaluation) -> str:
    found = evaluation.worklist.found_by if evaluation.worklist is not None else [None] * len(evaluation.stretches)
    rows = [
        [
            f"{each.camera}, person {each.person}" + (f" ({each.role})" if each.role else ""),
            *map(clock_time, (each.start, each.end, each.session_start)),
            f"{each.seconds:.2f} s",
            WHY[each.why],
            NOTHING if case is None else str(case),
        ]
        for each, case in list(zip(evaluation.stretches, found, strict=True))[:MOST_STRETCHES]
    ]
    head = ["Exposed stretches, longest first", "from", "to", "session time", "lasts", "why", "case no."]
    rest = len(evaluation.stretches) - len(rows)
    return lines(head, rows) + (f"\n{rest} shorter ones are in the JSON (--out)." if rest else "")


def _curve(worklist: WorklistResult) -> str:
    rows = [
        [
            f"{point.minutes:g} min",
            str(point.cases),
            *map(_share, (point.stretches, point.mended, point.face_frames, point.moments, point.pointed)),
            "yes" if point.longest else "no",
        ]
        for point in worklist.curve
    ]
    head = ["Review per camera-hour shows", "cases", "stretches", "mended", "face-frames", "moments", "pointed at"]
    length = f"All {worklist.cases} cases take {worklist.review_minutes:.1f} minutes per camera-hour."
    return lines([*head, "the longest"], rows) + f"\n{length}"


def _filled(group: Mapping[str, Counted]) -> Iterator[tuple[str, Counted]]:
    return ((name, counted) for name, counted in group.items() if counted.considered)


def _group(counted: Counted) -> list[str]:
    return [str(counted.considered), str(counted.exposed), *_percent(counted.share)]


def _counted(counted: Counted) -> str:
    return f"{counted.exposed:,} of {counted.considered:,} ({_share(counted.share.value)})"


def _percent(estimate: Estimate) -> tuple[str, str]:
    return _share(estimate.value), _interval(estimate)


def _number(estimate: Estimate) -> tuple[str, str]:
    if estimate.value is None:
        return NOTHING, NOTHING
    if estimate.low is None or estimate.high is None:
        return f"{estimate.value:,.4g}", NOTHING
    return f"{estimate.value:,.4g}", f"{estimate.low:,.4g} to {estimate.high:,.4g}"


def _interval(estimate: Estimate) -> str:
    return NOTHING if estimate.low is None else f"{_share(estimate.low)} to {_share(estimate.high)}"


def _share(value: float | None) -> str:
    return NOTHING if value is None or value != value else percent(value)


def lines(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    return "\n".join(
        f"{row[0]:<{widths[0]}}  " + "  ".join(f"{c:>{w}}" for c, w in zip(row[1:], widths[1:], strict=True))
        for row in (head, *rows)
    )
