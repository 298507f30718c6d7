"""A site model: the bundle that adaptation writes and that anonymization takes with `--model`.

A folder with `model.toml`:

    schema = 2
    [detector]
    kind = "yolox"                # mmdet's YOLOX exported to ONNX, class 0 = person
    file = "detector.onnx"        # beside model.toml
    sha256 = "..."
    [detector.thresholds.tracking]  # optional: sections and keys of configs/pipeline.toml
    high_score = 0.42
    [student]                     # optional: a smaller, faster detector, of the same form
    [pose]                        # optional
    kind = "rtmpose"
    file = "pose.onnx"
    sha256 = "..."
    [face]                        # optional
    kind = "yunet"
    file = "face.onnx"
    sha256 = "..."
    [geometry]                    # optional: the cameras' geometry as it was found; for information
    kind = "pairs"
    file = "geometry.json"
    sha256 = "..."
    [layout]                      # optional: the cameras that the model was made for, width and height in pixels
    cam1 = [1280, 720]

A section left out keeps the built-in weights. Only ONNX is read; nothing is unpickled.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from or_mv_anon.errors import UserError
from or_mv_anon.models.registry import sha256

SCHEMA = 2
LISTING = "model.toml"
KINDS = {"detector": "yolox", "student": "yolox", "pose": "rtmpose", "face": "yunet", "geometry": "pairs"}
LAYOUT = "layout"
THRESHOLDS = "thresholds"

Thresholds = Mapping[str, Mapping[str, Any]]  # section -> key -> value of configs/pipeline.toml


@dataclass(frozen=True, kw_only=True)
class SiteModel:
    """Verified weights files that replace the built-in ones; None keeps those.

    Attributes:
        folder: where the bundle lies.
        detector, student, pose, face: networks; the student is a faster detector.
        geometry: the cameras' geometry as adaptation found it.
        thresholds: by role, changes to configs/pipeline.toml that go with the network.
        layout: width and height of the pictures by camera; empty where it is not known.
    """

    folder: Path
    detector: Path | None = None
    student: Path | None = None
    pose: Path | None = None
    face: Path | None = None
    geometry: Path | None = None
    thresholds: Mapping[str, Thresholds] = field(default_factory=dict)
    layout: Mapping[str, tuple[int, int]] = field(default_factory=dict)

    def strangeness(self, cameras: Mapping[str, tuple[int, int]]) -> str:
        """A sentence if any of `cameras` (name -> width, height) is none that the model was made for, else ""."""
        if not self.layout or cameras.items() <= self.layout.items():
            return ""
        return (
            f"The site model {self.folder.name} was made for {_in_words(self.layout)}, but this session has "
            f"{_in_words(cameras)}; people may be found less well than with a model made for these cameras."
        )


def load_site_model(folder: Path) -> SiteModel:
    """Reads and verifies the bundle in `folder`.

    Raises:
        UserError: no bundle, one of another schema, an unknown section or kind, or a missing or damaged file.
    """
    listing = folder / LISTING
    try:
        content = tomllib.loads(listing.read_text())
    except OSError as error:
        raise UserError(f"{folder} is not a site model: cannot read {listing} ({error.strerror}).") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{listing} is not valid TOML: {error}.") from error
    schema = content.pop("schema", None)
    if schema != SCHEMA:
        raise UserError(f"{listing} has schema {schema}; this version reads schema {SCHEMA}. Make the model again.")
    layout = _layout(content.pop(LAYOUT, {}), listing)
    unknown = set(content) - set(KINDS)
    if unknown:
        raise UserError(
            f"Unknown section [{sorted(unknown)[0]}] in {listing}; known are {', '.join([*KINDS, LAYOUT])}."
        )
    files = {role: _verified(folder, role, section) for role, section in content.items()}
    thresholds = {role: _thresholds(section, role, listing) for role, section in content.items()}
    return SiteModel(folder=folder, layout=layout, thresholds={r: t for r, t in thresholds.items() if t}, **files)


def _verified(folder: Path, role: str, section: Any) -> Path:
    listing = folder / LISTING
    entries = section if isinstance(section, dict) else {}
    for key in ("kind", "file", "sha256"):
        if not isinstance(entries.get(key), str):
            raise UserError(f"[{role}] in {listing} lacks the text '{key}'; it needs kind, file and sha256.")
    if entries["kind"] != KINDS[role]:
        raise UserError(f"[{role}] in {listing} is of kind '{entries['kind']}'; this version reads '{KINDS[role]}'.")
    path = folder / entries["file"]
    if path.resolve().parent != folder.resolve():
        raise UserError(f"[{role}] in {listing} names {entries['file']}, which is not beside {LISTING}.")
    if not path.is_file():
        raise UserError(f"The site model is incomplete: {path} is missing.")
    found = sha256(path)
    if found != entries["sha256"]:
        raise UserError(f"{path} is damaged or another file: expected SHA-256 {entries['sha256']}, found {found}.")
    return path


def _thresholds(section: Mapping[str, Any], role: str, listing: Path) -> Thresholds:
    found = section.get(THRESHOLDS, {})
    if not isinstance(found, dict) or not all(isinstance(entries, dict) for entries in found.values()):
        raise UserError(f"[{role}.{THRESHOLDS}] in {listing} must hold sections of configs/pipeline.toml.")
    return found


def _layout(section: Any, listing: Path) -> dict[str, tuple[int, int]]:
    try:
        return {str(name): (int(width), int(height)) for name, (width, height) in section.items()}
    except (AttributeError, TypeError, ValueError):
        raise UserError(f"[{LAYOUT}] in {listing} must give width and height of every camera.") from None


def _in_words(cameras: Mapping[str, tuple[int, int]]) -> str:
    return ", ".join(f"{name} ({width}x{height})" for name, (width, height) in cameras.items())
