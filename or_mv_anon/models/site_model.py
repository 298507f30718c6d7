"""A site model: the bundle that adaptation writes and that anonymization takes with `--model`.

A folder with `model.toml`:

    schema = 1
    [detector]
    kind = "yolox"                # mmdet's YOLOX exported to ONNX, class 0 = person
    file = "detector.onnx"        # beside model.toml
    sha256 = "..."
    [pose]                        # optional
    kind = "rtmpose"
    file = "pose.onnx"
    sha256 = "..."

A section left out keeps the built-in weights. Only ONNX is read; nothing is unpickled.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from or_mv_anon.errors import UserError
from or_mv_anon.models.registry import sha256

SCHEMA = 1
KINDS = {"detector": "yolox", "pose": "rtmpose"}


@dataclass(frozen=True, kw_only=True)
class SiteModel:
    """Verified weights files that replace the built-in ones; None keeps those."""

    folder: Path
    detector: Path | None = None
    pose: Path | None = None


def load_site_model(folder: Path) -> SiteModel:
    """Reads and verifies the bundle in `folder`.

    Raises:
        UserError: no bundle, one of another schema, an unknown section or kind, or a missing or damaged file.
    """
    listing = folder / "model.toml"
    try:
        content = tomllib.loads(listing.read_text())
    except OSError as error:
        raise UserError(f"{folder} is not a site model: cannot read {listing} ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{listing} is not valid TOML: {error}.") from error
    schema = content.pop("schema", None)
    if schema != SCHEMA:
        raise UserError(f"{listing} has schema {schema}; this version reads schema {SCHEMA}. Make the model again.")
    unknown = set(content) - set(KINDS)
    if unknown:
        raise UserError(f"Unknown section [{sorted(unknown)[0]}] in {listing}; known are {', '.join(KINDS)}.")
    files = {role: _verified(folder, role, section) for role, section in content.items()}
    return SiteModel(folder=folder, **files)


def _verified(folder: Path, role: str, section: Any) -> Path:
    listing = folder / "model.toml"
    entries = section if isinstance(section, dict) else {}
    for key in ("kind", "file", "sha256"):
        if not isinstance(entries.get(key), str):
            raise UserError(f"[{role}] in {listing} lacks the text '{key}'; it needs kind, file and sha256.")
    if entries["kind"] != KINDS[role]:
        raise UserError(f"[{role}] in {listing} is of kind '{entries['kind']}'; this version reads '{KINDS[role]}'.")
    path = folder / entries["file"]
    if path.resolve().parent != folder.resolve():
        raise UserError(f"[{role}] in {listing} names {entries['file']}, which is not beside model.toml.")
    if not path.is_file():
        raise UserError(f"The site model is incomplete: {path} is missing.")
    found = sha256(path)
    if found != entries["sha256"]:
        raise UserError(f"{path} is damaged or another file: expected SHA-256 {entries['sha256']}, found {found}.")
    return path
