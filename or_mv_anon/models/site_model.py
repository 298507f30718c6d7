"""A site model: the bundle that adaptation writes and that anonymization takes with `--model`.

A folder with `model.toml`:

    schema = 2
    [detector]
    kind = "yolox"                # mmdet's YOLOX exported to ONNX, class 0 = person; or people_and_heads, or query
    file = "detector.onnx"        # beside model.toml
    sha256 = "..."
    [detector.thresholds.tracking]  # optional: those settings of configs/pipeline.toml that adaptation chooses
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

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.ranges import shortened
from or_mv_anon.core.toml_file import read_toml
from or_mv_anon.models.detectors.families import PERSON_KINDS
from or_mv_anon.models.registry import sha256
from or_mv_anon.models.site_thresholds import THRESHOLDS, Thresholds, checked_thresholds

SCHEMA = 2
LISTING = "model.toml"
KINDS = {
    "detector": PERSON_KINDS,
    "student": PERSON_KINDS,
    "pose": ("rtmpose",),
    "face": ("yunet",),
    "geometry": ("pairs",),
}
"""Role -> the kinds that may serve it, the one that adaptation writes first."""
LAYOUT = "layout"
LARGEST = 1 << 30  # bytes of one file; networks for this work have a hundredth of it
LARGEST_SIDE = 1 << 16  # px of a camera's picture


@dataclass(frozen=True, kw_only=True)
class SiteModel:
    """Verified weights files that replace the built-in ones; None keeps those.

    Attributes:
        folder: where the bundle lies.
        detector, student, pose, face: networks; the student is a faster detector.
        geometry: the cameras' geometry as adaptation found it.
        thresholds: by role, changes to configs/pipeline.toml that go with the network.
        layout: width and height of the pictures by camera; empty where it is not known.
        kinds: by role, the family that reads the file.
    """

    folder: Path
    detector: Path | None = None
    student: Path | None = None
    pose: Path | None = None
    face: Path | None = None
    geometry: Path | None = None
    thresholds: Mapping[str, Thresholds] = field(default_factory=dict)
    layout: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)

    def layout_mismatch(self, cameras: Mapping[str, tuple[int, int]]) -> str:
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
        content = read_toml(listing, "the site model's")
    except FileNotFoundError as error:
        raise UserError(f"{folder} is not a site model: cannot read {listing} ({error.strerror}).") from error
    schema = content.pop("schema", None)
    if schema != SCHEMA:
        raise UserError(
            f"{listing} has schema {shortened(schema)}; this version reads schema {SCHEMA}. Make the model again."
        )
    layout = _layout(content.pop(LAYOUT, {}), listing)
    unknown = set(content) - set(KINDS)
    if unknown:
        raise UserError(
            f"Unknown section [{sorted(unknown)[0]}] in {listing}; known are {', '.join([*KINDS, LAYOUT])}."
        )
    thresholds = {
        role: checked_thresholds(section.get(THRESHOLDS, {}), role, listing)
        for role, section in content.items()
        if isinstance(section, dict)
    }
    files = {role: _verified(folder, role, section) for role, section in content.items()}
    kinds = {role: section["kind"] for role, section in content.items()}
    thresholds = {role: changes for role, changes in thresholds.items() if changes}
    return SiteModel(folder=folder, layout=layout, thresholds=thresholds, kinds=kinds, **files)


def _verified(folder: Path, role: str, section: Any) -> Path:
    listing = folder / LISTING
    entries = section if isinstance(section, dict) else {}
    for key in ("kind", "file", "sha256"):
        if not isinstance(entries.get(key), str):
            raise UserError(f"[{role}] in {listing} lacks the text '{key}'; it needs kind, file and sha256.")
    if unknown := sorted(set(entries) - {"kind", "file", "sha256", THRESHOLDS}):
        raise UserError(f"Unknown key '{unknown[0]}' in [{role}] of {listing}; it takes kind, file and sha256.")
    if entries["kind"] not in KINDS[role]:
        known = " or ".join(f"'{kind}'" for kind in KINDS[role])
        raise UserError(f"[{role}] in {listing} is of kind '{entries['kind']}'; this version reads {known}.")
    if not entries["file"].isprintable():
        raise UserError(f"[{role}] in {listing} names {entries['file']!r}, which is no name of a file.")
    path = folder / entries["file"]
    if path.resolve().parent != folder.resolve():
        raise UserError(f"[{role}] in {listing} names {entries['file']}, which is not beside {LISTING}.")
    if not path.is_file():
        raise UserError(f"The site model is incomplete: {path} is missing.")
    if path.stat().st_size > LARGEST:
        raise UserError(f"{path} is larger than {LARGEST >> 30} GB, which no network for this work is.")
    found = sha256(path)
    if found != entries["sha256"]:
        raise UserError(f"{path} is damaged or another file: expected SHA-256 {entries['sha256']}, found {found}.")
    return path


def _layout(section: Any, listing: Path) -> dict[str, tuple[int, int]]:
    if not isinstance(section, dict):
        raise UserError(f"[{LAYOUT}] in {listing} must give width and height of every camera.")
    sizes: dict[str, tuple[int, int]] = {}
    for name, size in section.items():
        numbers = isinstance(size, list) and len(size) == 2 and all(type(side) is int for side in size)
        if not numbers or not all(0 < side <= LARGEST_SIDE for side in size):
            raise UserError(
                f"[{LAYOUT}] in {listing} says {shortened(size)} of a camera; expected its width and height, 1 to "
                f"{LARGEST_SIDE} px."
            )
        sizes[name] = (size[0], size[1])
    return sizes


def _in_words(cameras: Mapping[str, tuple[int, int]]) -> str:
    return ", ".join(f"{name} ({width}x{height})" for name, (width, height) in cameras.items())
