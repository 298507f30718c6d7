"""The report's first section: the cases, in the order in which a person should look at them."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from html import escape
from itertools import accumulate

from or_mv_anon.audit.cases import Box, Case
from or_mv_anon.audit.document import Audit
from or_mv_anon.audit.intervals import RiskInterval
from or_mv_anon.audit.markup import DASH, Html, joined, section, table, tag
from or_mv_anon.audit.reasons import REASONS
from or_mv_anon.audit.timecode import clock_time, span_of_time

MOST_CASES = 200
SKETCH_WIDTH = 96  # px
LEAST_MARK = 5  # px in the sketch, so that a far head's place is seen, too
GRAVE, MIDDLING = 0.3, 0.05  # expected seconds of exposed faces per second of review: levels of the mark

NO_LIST = "There is no list of cases for this run; look at everything."
NO_CASE = "The tool has no doubt to report. That is no proof: look at the videos all the same."


def worklist_section(audit: Audit) -> Html:
    """The cases as a table, with sketches of where to look; no pixel of any video."""
    if audit.cases is None:
        return section("To review, in this order", tag("p", NO_LIST, css="empty"))
    if not audit.cases:
        return section("To review, in this order", tag("p", NO_CASE, css="empty"))
    shown = audit.cases[:MOST_CASES]
    sizes = {video.camera: (video.width, video.height) for video in audit.inputs}
    offsets = {camera.camera: camera.offset_s for camera in audit.cameras}
    spent = accumulate(case.review_s for case in shown)
    rows = [
        (
            rank,
            _moment(case),
            joined(_where(case, camera, sizes, offsets) for camera in case.cameras),
            _what(case),
            _expected(case),
            clock_time(so_far)[:-2],
        )
        for rank, (case, so_far) in enumerate(zip(shown, spent, strict=True), start=1)
    ]
    heads = ["No.", "Session clock", "Where to look", "What to look for", "Exposed, expected", "Review so far"]
    rest = len(audit.cases) - len(shown)
    more = tag("p", f"{rest:,} more, less urgent, are in audit.json.", css="note") if rest else Html("")
    return section(
        "To review, in this order",
        table(heads, rows, numbers="No.|Review so far", empty=""),
        more,
        note=_note(audit),
    )


def _note(audit: Audit) -> str:
    cases = audit.cases or ()
    whole = sum(case.review_s for case in cases)
    return (
        f"{len(cases):,} {'case' if len(cases) == 1 else 'cases'}, about {span_of_time(whole)} to look at all of "
        "them. Those come first that a second of looking is worth most for, so stop wherever your time ends; the list "
        "ends where watching everything would be quicker. "
        "or-mv-anon review opens them one after another, all cameras side by side; #case= and a case's number behind "
        "the address that it prints lead straight to one. The session clock is common "
        "to all cameras; the time below each sketch is the camera's own, to seek to in a player. How long a face is "
        "expected to be exposed is the tool's own estimate."
    )


def _moment(case: Case) -> Html:
    return tag("span", tag("b", clock_time(case.start)), f" {DASH} {clock_time(case.end)}", css="time")


def _where(case: Case, camera: str, sizes: Mapping[str, tuple[int, int]], offsets: Mapping[str, float]) -> Html:
    own = clock_time(case.start - offsets.get(camera, 0.0))
    words = joined([tag("b", camera), f" at {own}"])
    size = sizes.get(camera)
    drawn = Html("") if size is None else Html(_sketch(size, case.boxes.get(camera), camera))
    return tag("span", drawn, tag("span", words, css="time"), css="where")


def _sketch(size: tuple[int, int], box: Box | None, camera: str) -> str:
    """An empty picture with the place to look at; the whole picture is marked where it may be anywhere."""
    height = round(SKETCH_WIDTH * size[1] / max(size[0], 1))
    scale = SKETCH_WIDTH / max(size[0], 1)
    x1, y1, x2, y2 = (0.0, 0.0, float(size[0]), float(size[1])) if box is None else box
    width, tall = (max((far - near) * scale, LEAST_MARK) for near, far in ((x1, x2), (y1, y2)))
    left = min(max((x1 + x2) / 2 * scale - width / 2, 0), SKETCH_WIDTH - width)
    top = min(max((y1 + y2) / 2 * scale - tall / 2, 0), height - tall)
    place = "anywhere in the picture" if box is None else "a place in the picture"
    return (
        f'<svg class="sketch" viewBox="0 0 {SKETCH_WIDTH} {height}" role="img" '
        f'aria-label="{escape(f"{camera}: {place}")}">'
        f'<rect class="frame" x="0.5" y="0.5" width="{SKETCH_WIDTH - 1}" height="{height - 1}"/>'
        f'<rect class="place" x="{left:.1f}" y="{top:.1f}" width="{width:.1f}" height="{tall:.1f}"/></svg>'
    )


def _what(case: Case) -> Html:
    known = [f"Case {case.id}."]
    if case.identity is not None:
        known.append(f"Person {case.identity} of the session.")
    return joined([case.what, tag("span", " ".join(known), css="look")])


def _expected(case: Case) -> Html:
    width = min(100.0, 100 * case.priority / (2 * GRAVE))
    return Html(
        f'<span class="severity"><span class="meter"><span class="risk{level_of(case)}" '
        f'style="width:{max(width, 4):.0f}%"></span></span>{_seconds(case.severity)}</span>'
    )


def level_of(case: Case) -> int:
    """1 to 3, the gravest."""
    return 3 if case.priority >= GRAVE else 2 if case.priority >= MIDDLING else 1


def _seconds(value: float) -> str:
    return f"{value:.1f} s" if value >= 0.1 else "< 0.1 s"


def reasons_of(cases: Sequence[Case], risks: Sequence[RiskInterval]) -> list[tuple[Html, str, str, str, str]]:
    """Every reason with what it means, in how many cases and stretches, and how long these are together."""
    of_cases = Counter(reason for case in cases for reason in case.reasons)
    of_risks = Counter(risk.reason for risk in risks)
    seconds: dict[str, float] = defaultdict(float)
    for risk in risks:
        seconds[risk.reason] += risk.duration_s
    return [
        (tag("b", text.title), text.meaning, f"{of_cases[reason]:,}", f"{of_risks[reason]:,}", _total(seconds[reason]))
        for reason, text in REASONS.items()
        if of_cases[reason] or of_risks[reason]
    ]


def _total(seconds: float) -> str:
    return clock_time(seconds) if seconds else DASH
