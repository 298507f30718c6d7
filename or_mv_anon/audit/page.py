"""The report as one self-contained page: no script, no font, no picture, nothing fetched from anywhere."""

from __future__ import annotations

import heapq
from collections import Counter, defaultdict
from html import escape
from pathlib import Path

from or_mv_anon.audit.association import association_section
from or_mv_anon.audit.attack import attack_section
from or_mv_anon.audit.charts import percent, provenance_bar, timeline
from or_mv_anon.audit.document import Audit, CameraAudit, verdict
from or_mv_anon.audit.facts import fact_sections
from or_mv_anon.audit.intervals import RiskInterval
from or_mv_anon.audit.learned import learned_section
from or_mv_anon.audit.markup import DASH, TIMES, Html, joined, markup, section, table, tag
from or_mv_anon.audit.reasons import REASONS, Reason
from or_mv_anon.audit.timecode import clock_time

MOST_RISKS = 200

LIMITS = (
    "This report shows what the tool itself doubts. It cannot show a person whom it did not see at all: somebody "
    "missed by every model in every frame appears nowhere below. Faces on screens, in mirrors or on paper, voices, "
    "tattoos and writing are not judged either. Look through the videos before they leave the hospital."
)
OVER_TIME = "Time is each camera's own video time. The strip marks what to review, redder where more severe."
PROVENANCE_NAMES = {
    "detected": "clearly detected",
    "tracked": "weakly detected, kept by tracking",
    "interpolated": "filled in between observations",
    "cross_view": "weakly detected, confirmed by another camera",
    "transferred": "placed by other cameras alone",
}
KIND_NAMES = {
    "head": "heads by keypoints",
    "box_top": "heads by person box",
    "person": "whole persons",
    "face": "faces",
    "zone": "site zones",
    "frame": "whole frames",
}


def render_page(audit: Audit) -> str:
    """The whole HTML document; every name that comes from outside is escaped."""
    style = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    body = joined(
        [
            _head(audit),
            _cameras(audit),
            association_section(audit.association) if audit.association is not None else Html(""),
            learned_section(audit.learned) if audit.learned is not None else Html(""),
            attack_section(audit.attack) if audit.attack is not None else Html(""),
            _review(audit),
            section("Over time", *map(_camera_card, audit.cameras), note=OVER_TIME) if audit.cameras else Html(""),
            *fact_sections(audit),
        ]
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>Anonymization report: {escape(audit.session)}</title><style>{style}</style></head>"
        f"<body><main>{body}</main></body></html>\n"
    )


def _head(audit: Audit) -> Html:
    judged = verdict(audit)
    mark = tag("span", "✓" if judged.well else "!", css="mark")
    banner = tag("div", mark, tag("p", judged.sentence), css="verdict well" if judged.well else "verdict trouble")
    problems = tag("ul", *(tag("li", problem) for problem in audit.problems), css="problems")
    risks = [risk for camera in audit.cameras for risk in camera.risks]
    seconds = sum(camera.summary.duration_s for camera in audit.cameras)
    working = sum(timing.seconds for timing in audit.timings)
    tiles = [
        (len(audit.cameras), "camera" if len(audit.cameras) == 1 else "cameras"),
        (clock_time(seconds), "of video, all cameras"),
        (max((camera.summary.people_max for camera in audit.cameras), default=0), "people at once, at most"),
        (f"{len(risks):,}", "stretches to review" if len(risks) != 1 else "stretch to review"),
        (clock_time(working), "working time, all stages"),
    ]
    created = audit.created.replace("T", " ")
    return tag(
        "header",
        tag("p", f"Anonymization report · or_mv_anon {audit.tool_version} · {created}", css="eyebrow"),
        tag("h1", audit.session),
        banner,
        problems if audit.problems else "",
        tag("p", tag("b", "What this report cannot tell. "), LIMITS, css="limits"),
        tag("div", *(tag("div", tag("b", value), tag("span", text)) for value, text in tiles), css="tiles"),
    )


def _cameras(audit: Audit) -> Html:
    heads = "Camera|Frames|Length|People, most|People, mean|Tracks|Filled frames|Covered, mean|Covered whole|To review"
    rows = [
        (
            tag("b", camera.camera),
            f"{(s := camera.summary).frames:,}",
            clock_time(s.duration_s),
            s.people_max,
            f"{s.people_mean:.1f}",
            s.tracks,
            f"{s.filled_frames:,}",
            percent(s.covered_mean),
            f"{s.whole_s:.1f} s",
            f"{len(camera.risks):,}",
        )
        for camera in audit.cameras
    ]
    note = "Filled frames hold at least one covered place that no detection in the frame supports."
    return section(
        "Cameras", table(heads.split("|"), rows, numbers=heads.partition("|")[2], empty="No camera."), note=note
    )


def _review(audit: Audit) -> Html:
    every = [(camera.camera, risk) for camera in audit.cameras for risk in camera.risks]
    if not every:
        return section("To review first", tag("p", "The tool has no doubt to report.", css="empty"))
    shown = heapq.nsmallest(MOST_RISKS, every, key=lambda entry: -entry[1].priority)
    rows = [
        (rank, tag("b", camera), _time(risk), _frames(risk), _what(risk), _severity(risk.severity))
        for rank, (camera, risk) in enumerate(shown, start=1)
    ]
    rest = len(every) - len(shown)
    more = tag("p", f"{rest:,} more, less urgent, are in audit.json.", css="note") if rest else Html("")
    note = (
        f"Ranked by severity {TIMES} length. Times are each camera's own video time, to seek to in a player; "
        "severity orders the reasons, it is not a probability."
    )
    heads = ["No.", "Camera", "Time", "Frames", "What and what to look for", "Severity"]
    return section(
        "To review first", _reason_table(every), table(heads, rows, numbers="No.", empty=""), more, note=note
    )


def _reason_table(every: list[tuple[str, RiskInterval]]) -> Html:
    number = Counter(risk.reason for _, risk in every)
    seconds: dict[Reason, float] = defaultdict(float)
    for _, risk in every:
        seconds[risk.reason] += risk.duration_s
    rows = [
        (tag("b", text.title), text.meaning, f"{number[reason]:,}", clock_time(seconds[reason]))
        for reason, text in REASONS.items()
        if number[reason]
    ]
    return table(["Reason", "What it means", "Stretches", "Total time"], rows, numbers="Stretches|Total time", empty="")


def _camera_card(camera: CameraAudit) -> Html:
    summary = camera.summary
    kinds = ", ".join(f"{count:,} {KIND_NAMES[kind]}" for kind, count in summary.regions_by_kind.items() if count)
    looked = (
        f"Searched for people in {percent(summary.persons_share)} of the frames, for head points in "
        f"{percent(summary.pose_share)}, for faces in {percent(summary.faces_share)}."
    )
    return tag(
        "article",
        tag("h3", camera.camera),
        Html(timeline(summary.series, camera.risks, label=camera.camera)),
        tag("h4", "How the boxes of people came about"),
        Html(
            provenance_bar(summary.boxes_by_provenance, PROVENANCE_NAMES, label=f"Provenance of boxes, {camera.camera}")
        ),
        tag("p", looked, css="note"),
        tag("p", f"Covered places over all frames: {kinds or 'none'}.", css="note"),
    )


def _time(risk: RiskInterval) -> Html:
    return tag("span", tag("b", clock_time(risk.start_s)), f" {DASH} {clock_time(risk.end_s)}", css="time")


def _frames(risk: RiskInterval) -> Html:
    if risk.first_frame == risk.last_frame:
        return markup(risk.first_frame)
    return tag("span", f"{risk.first_frame}{DASH}{risk.last_frame}", css="time")


def _what(risk: RiskInterval) -> Html:
    text = REASONS[risk.reason]
    person = f" Track {risk.track}." if risk.track >= 0 else ""
    return joined([tag("b", text.title), f". {risk.detail}{person}", tag("span", text.look_for, css="look")])


def _severity(severity: float) -> Html:
    level = 3 if severity >= 0.6 else 2 if severity >= 0.3 else 1
    return Html(
        f'<span class="severity"><span class="meter"><span class="risk{level}" '
        f'style="width:{100 * severity:.0f}%"></span></span>{severity:.2f}</span>'
    )
