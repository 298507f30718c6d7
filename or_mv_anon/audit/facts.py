"""The report's second half, for the record: files, models, speed, settings, versions."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from or_mv_anon.audit.document import Audit, OutputVideo
from or_mv_anon.audit.markup import DASH, TIMES, Html, fingerprint, joined, section, table, tag
from or_mv_anon.audit.timecode import clock_time


def fact_sections(audit: Audit) -> list[Html]:
    """Inputs, synchronization, outputs, models, speed, settings and versions."""
    return [
        _inputs(audit),
        *_notes(audit),
        _synchronization(audit),
        _outputs(audit),
        _models(audit),
        _speed(audit),
        _settings(audit),
        section("Versions", _pairs(audit.versions)),
    ]


def _inputs(audit: Audit) -> Html:
    heads = ["Camera", "File", "Size", "Frames", "Length", "Picture", "Codec", "SHA-256"]
    rows = [
        (
            tag("b", video.camera),
            video.name,
            _size(video.bytes),
            f"{video.frames:,}",
            clock_time(video.duration_s),
            f"{video.width} {TIMES} {video.height}" + (f", rotated {video.rotation}°" if video.rotation else ""),
            video.codec,
            fingerprint(video.sha256),
        )
        for video in audit.inputs
    ]
    return section("Inputs", table(heads, rows, numbers="Size|Frames|Length", empty="No input."))


def _notes(audit: Audit) -> list[Html]:
    if not audit.notes:
        return []
    return [section("About the recordings", tag("ul", *(tag("li", note) for note in audit.notes)))]


def _synchronization(audit: Audit) -> Html:
    heads = ["Camera", "Offset added", "Starts at", "Length"]
    rows = [
        (
            tag("b", camera.camera),
            f"{camera.offset_s:+.3f} s",
            clock_time(camera.start_s),
            clock_time(camera.duration_s),
        )
        for camera in audit.cameras
    ]
    note = "Session time is a camera's own time plus its offset."
    return section(
        "Synchronization", table(heads, rows, numbers="Offset added|Starts at|Length", empty="No camera."), note=note
    )


def _outputs(audit: Audit) -> Html:
    heads = ["Camera", "File", "Size", "Codec", "Verification", "SHA-256"]
    rows = [
        (
            tag("b", video.camera),
            video.name,
            _size(video.bytes),
            f"{video.codec} ({video.encoder})",
            _verification(video),
            fingerprint(video.sha256),
        )
        for video in audit.outputs
    ]
    return section("Outputs", table(heads, rows, numbers="Size", empty="No output was written."))


def _verification(video: OutputVideo) -> Html:
    badge = (
        tag("span", "verified", css="badge good") if video.verified else tag("span", "not verified", css="badge bad")
    )
    notes = (tag("span", note, css="look") for note in video.notes)
    return joined([badge, f" {video.verification}", *notes])


def _models(audit: Audit) -> Html:
    heads = ["Role", "Weights", "Licence", "Runs on", "Precision", "SHA-256"]
    rows = [
        (tag("b", model.role), model.name, model.licence, model.provider, model.precision, fingerprint(model.sha256))
        for model in audit.models
    ]
    return section("Models", table(heads, rows, empty="No model ran."))


def _speed(audit: Audit) -> Html:
    heads = ["Stage", "Camera", "Frames", "Time", "Frames per second", "ms per frame"]
    rows = [
        (
            tag("b", timing.stage),
            timing.camera or "all",
            f"{timing.frames:,}",
            "kept from an earlier run" if timing.skipped else f"{timing.seconds:.2f} s",
            None if timing.skipped or timing.frames_per_s is None else f"{timing.frames_per_s:,.1f}",
            None if timing.skipped or timing.ms_per_frame is None else f"{timing.ms_per_frame:.2f}",
        )
        for timing in audit.timings
    ]
    note = "Wall time of each stage; stages of several cameras run at the same time where cores allow."
    return section(
        "Speed",
        table(heads, rows, numbers="Frames|Time|Frames per second|ms per frame", empty="Nothing was timed."),
        note=note,
    )


def _settings(audit: Audit) -> Html:
    groups: dict[str, Mapping[str, Any]] = {"Command line": audit.options}
    loose: dict[str, Any] = {}
    for name, value in audit.settings.items():
        if isinstance(value, Mapping):
            groups[f"[{name}]"] = value
        else:
            loose[name] = value
    if loose:
        groups["Other"] = loose
    cards = (tag("div", tag("h3", title), _pairs(values), css="group") for title, values in groups.items() if values)
    return section("Settings", tag("div", *cards, css="groups"))


def _pairs(values: Mapping[str, Any]) -> Html:
    return tag("dl", *(joined([tag("dt", name), tag("dd", _word(value))]) for name, value in values.items()))


def _word(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (Mapping, list, tuple)):
        return json.dumps(value, default=str, ensure_ascii=False)
    return DASH if value is None or value == "" else str(value)


def _size(count: int) -> str:
    size = float(count)
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.2f} GB"
