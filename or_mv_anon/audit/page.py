"""The report as one self-contained page: no script, no font, no picture, nothing fetched from anywhere."""

from __future__ import annotations

from html import escape
from pathlib import Path

from or_mv_anon.audit.association import TRACKS, association_section
from or_mv_anon.audit.attack import attack_section
from or_mv_anon.audit.charts import Mark, percent, provenance_bar, timeline
from or_mv_anon.audit.document import Audit, CameraAudit, verdict
from or_mv_anon.audit.facts import fact_sections
from or_mv_anon.audit.learned import learned_section
from or_mv_anon.audit.markup import DASH, Html, joined, section, table, tag
from or_mv_anon.audit.timecode import clock_time
from or_mv_anon.audit.worklist import level_of, reasons_of, worklist_section

UNKNOWN = " Whether every face is covered cannot be known from here: only somebody who looks can tell."
LIMITS = (
    "This report shows what the tool itself doubts. It cannot show a person whom it did not see at all: somebody "
    "missed by every model in every frame appears nowhere below. Faces on screens, in mirrors or on paper, voices, "
    "tattoos and writing are not judged either. Look through the videos before they leave the hospital."
)
OVER_TIME = "Time is each camera's own video time. The strip marks the cases, redder where a look is worth more."
PROVENANCE_NAMES = {
    "detected": "clearly detected",
    "tracked": "weakly detected, kept by tracking",
    "interpolated": "filled in between observations",
    "cross_view": "weakly detected, confirmed by another camera",
    "transferred": "placed by other cameras alone",
    "manual": "confirmed by a reviewer",
}
KIND_NAMES = {
    "head": "heads by keypoints",
    "box_top": "heads by person box",
    "person": "whole persons",
    "face": "faces",
    "zone": "site zones",
    "manual": "drawn by a reviewer",
    "frame": "whole frames",
}


def render_page(audit: Audit) -> str:
    """The whole HTML document; every name that comes from outside is escaped."""
    style = Path(__file__).with_name("report.css").read_text(encoding="utf-8")
    body = joined(
        [
            _head(audit),
            worklist_section(audit),
            _cameras(audit),
            association_section(audit.association) if audit.association is not None else Html(""),
            learned_section(audit.learned) if audit.learned is not None else Html(""),
            attack_section(audit.attack) if audit.attack is not None else Html(""),
            _over_time(audit),
            _reasons(audit),
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
    mark = tag("span", "i" if judged.well else "!", css="mark")
    told = tag("p", judged.sentence, tag("span", UNKNOWN, css="unknown"))
    banner = tag("div", mark, told, css="verdict well" if judged.well else "verdict trouble")
    problems = tag("ul", *(tag("li", problem) for problem in audit.problems), css="problems")
    cases = audit.cases or ()
    seconds = sum(camera.summary.duration_s for camera in audit.cameras)
    working = sum(timing.seconds for timing in audit.timings)
    tiles = [
        (len(audit.cameras), "camera" if len(audit.cameras) == 1 else "cameras"),
        (clock_time(seconds), "of video, all cameras"),
        (max((camera.summary.people_max for camera in audit.cameras), default=0), "people at once, at most"),
        (
            f"{len(cases):,}" if audit.cases is not None else DASH,
            "case to review" if len(cases) == 1 else "cases to review",
        ),
        (clock_time(working), "working time, all stages"),
    ]
    created = audit.created.replace("T", " at ")
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
    heads = "Camera|Frames|Length|People, most|People, mean|Tracks|Filled frames|Covered, mean|Covered whole|Cases"
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
            f"{sum(camera.camera in case.cameras for case in audit.cases or ()):,}",
        )
        for camera in audit.cameras
    ]
    note = f"{TRACKS} Filled frames hold at least one covered place that no detection in the frame supports."
    return section(
        "Cameras", table(heads.split("|"), rows, numbers=heads.partition("|")[2], empty="No camera."), note=note
    )


def _over_time(audit: Audit) -> Html:
    if not audit.cameras:
        return Html("")
    cards = (_camera_card(camera, _marks(camera, audit)) for camera in audit.cameras)
    return section("Over time", *cards, note=OVER_TIME)


def _reasons(audit: Audit) -> Html:
    """What the tool doubted, how often, and what each reason means."""
    rows = reasons_of(audit.cases or (), [risk for camera in audit.cameras for risk in camera.risks])
    if not rows:
        return Html("")
    heads = ["Reason", "What it means", "Cases", "Stretches", "Total time"]
    note = "Stretches are of single cameras; all of them are in audit.json. Where nothing can be exposed is no case."
    return section("Reasons", table(heads, rows, numbers="Cases|Stretches|Total time", empty=""), note=note)


def _marks(camera: CameraAudit, audit: Audit) -> list[Mark]:
    """Moments to review in a camera, on its own clock."""
    return [
        Mark(case.start - camera.offset_s, case.end - camera.offset_s, level_of(case))
        for case in audit.cases or ()
        if camera.camera in case.cameras
    ]


def _camera_card(camera: CameraAudit, marks: list[Mark]) -> Html:
    summary = camera.summary
    kinds = ", ".join(f"{count:,} {KIND_NAMES[kind]}" for kind, count in summary.regions_by_kind.items() if count)
    looked = (
        f"Searched for people in {percent(summary.persons_share)} of the frames, for head points in "
        f"{percent(summary.pose_share)}, for faces in {percent(summary.faces_share)}."
    )
    return tag(
        "article",
        tag("h3", camera.camera),
        Html(timeline(summary.series, marks, label=camera.camera)),
        tag("h4", "How the boxes of people came about"),
        Html(
            provenance_bar(summary.boxes_by_provenance, PROVENANCE_NAMES, label=f"Provenance of boxes, {camera.camera}")
        ),
        tag("p", looked, css="note"),
        tag("p", f"Covered places over all frames: {kinds or 'none'}.", css="note"),
    )
