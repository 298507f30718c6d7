"""Writes the audit: `audit.json` for machines, `report.html` for people."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from or_mv_anon.audit.document import Audit, verdict
from or_mv_anon.audit.page import render_page
from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.printable import json_printable, printable_lines
from or_mv_anon.core.seals import Seal

SCHEMA = "or_mv_anon/audit/1"


def _write(path: Path, data: bytes) -> None:
    write_atomically(path, lambda partial: partial.write_bytes(data))


def write_audit(
    path_json: Path, path_html: Path, audit: Audit, *, write: Callable[[Path, bytes], None] = _write
) -> None:
    """Writes both files, each in one step: a file that is there is whole.

    Args:
        path_json: of `audit.json`.
        path_html: of `report.html`.
        audit: the content.
        write: writes a file.

    Raises:
        UserError: a file cannot be written.
    """
    text = json_printable(json.dumps(audit_json(audit), indent=1, allow_nan=False, ensure_ascii=False))
    page = printable_lines(render_page(audit))
    write(path_json, f"{text}\n".encode())
    write(path_html, page.encode())


def sealed_outputs(path_json: Path) -> dict[str, Seal]:
    """What each output held when the audit at `path_json` was written, by its name; nothing where there is none."""
    try:
        content = json.loads(path_json.read_bytes())
        if not content["schema"].startswith(SCHEMA.rpartition("/")[0]):
            return {}
        return {entry["name"]: Seal(str(entry["sha256"]), int(entry["bytes"])) for entry in content["outputs"]}
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return {}


def audit_json(audit: Audit) -> dict[str, Any]:
    """The audit as plain JSON values; numbers that are not finite become null."""
    judged = verdict(audit)
    content = plain(audit)
    for camera, source in zip(content["cameras"], audit.cameras, strict=True):
        for rank, (entry, risk) in enumerate(zip(camera["risks"], source.risks, strict=True), start=1):
            entry |= {"rank": rank, "duration_s": plain(risk.duration_s)}
    for entry, timing in zip(content["timings"], audit.timings, strict=True):
        entry |= {"frames_per_s": plain(timing.frames_per_s), "ms_per_frame": plain(timing.ms_per_frame)}
    first = {"well": judged.well, "alarms": content.pop("alarms"), "sentence": judged.sentence}
    return {"schema": SCHEMA, "verdict": first, **content}


def plain(value: Any) -> Any:
    """Dataclasses, mappings and sequences as JSON values, floats to six places, everything unknown as text."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(entry) for entry in value]
    if hasattr(value, "item") and getattr(value, "shape", None) == ():
        return plain(value.item())
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if value is None or isinstance(value, (bool, int, str)):
        return value
    return str(value)
