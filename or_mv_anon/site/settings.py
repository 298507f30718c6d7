"""Reads `site.toml`, the optional file in which a site names its cameras, clocks and zones.

Everything is checked before any video is opened: a misspelt key would otherwise leave a zone uncovered unnoticed.
The file is described for users in `docs/site-layout.md`.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, get_args

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.ranges import Range, shortened
from or_mv_anon.core.toml_file import read_toml
from or_mv_anon.site.names import check_output_name, same_name
from or_mv_anon.site.parts import PartsRule

SETTINGS_NAME = "site.toml"
Kind = Literal["room", "endoscope"]
Zone = tuple[float, float, float, float]  # x1, y1, x2, y2 in pixels of the upright frame
_FORBIDDEN = set('/\\<>:"|?*')  # path separators, and what Windows shares refuse in file names
OFFSET = Range(-1e6, 1e6, "s; clocks that are more than eleven days apart are of different recordings")
RATE = Range(0.01, 1000, "pictures per second; no camera takes fewer or more")
MOST_ZONES = 100  # per camera, each of them a region in every frame


@dataclass(frozen=True, kw_only=True)
class CameraSettings:
    """One `[[camera]]` table; None where the file says nothing."""

    name: str | None = None
    file: str | None = None
    order: int | None = None
    offset_s: float | None = None
    kind: Kind | None = None
    fps: float | None = None
    always_cover: tuple[Zone, ...] | None = None
    never_cover: tuple[Zone, ...] | None = None
    input: str | None = None  # live: where its picture comes from
    output: tuple[str, ...] | None = None  # live: where its covered picture goes to

    @property
    def target(self) -> str:
        """The file or folder that the table is about."""
        return self.file or self.name or ""


@dataclass(frozen=True, kw_only=True)
class SiteSettings:
    """A whole `site.toml`; `path` is where it would be when it does not exist."""

    path: Path
    name: str | None = None
    parts: PartsRule | None = None
    cameras: tuple[CameraSettings, ...] = ()


def load_settings(folder: Path) -> SiteSettings:
    """The settings in `folder`, or empty ones where it has no `site.toml`.

    Raises:
        UserError: the file cannot be read, is not TOML, or holds an unknown key or a value that cannot be meant.
    """
    return settings_in(folder / SETTINGS_NAME)


def settings_in(path: Path) -> SiteSettings:
    """The settings in one file, see `load_settings`."""
    try:
        values = read_toml(path, "the site's")
    except FileNotFoundError:
        return SiteSettings(path=path)
    _refuse_unknown(values, {"name", "parts", "camera"}, str(path))
    tables = values.get("camera", [])
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise UserError(f"'camera' in {path} is not a list of tables; start each camera with a line [[camera]].")
    name = checked_name(values["name"], f"'name' in {path}") if "name" in values else None
    cameras = tuple(_camera(table, f"[[camera]] number {i} of {path}") for i, table in enumerate(tables, 1))
    for attribute in ("name", "file"):
        given = [same_name(str(getattr(camera, attribute))) for camera in cameras if getattr(camera, attribute)]
        twice = sorted({value for value in given if given.count(value) > 1})
        if twice:
            raise UserError(f"{path} gives the camera {attribute} '{twice[0]}' twice; each camera needs its own.")
    parts = values.get("parts")
    if parts not in (None, *get_args(PartsRule)):
        raise UserError(f"'parts' in {path} is {parts!r}; expected one of {', '.join(get_args(PartsRule))}.")
    return SiteSettings(path=path, name=name, parts=parts, cameras=cameras)


def checked_name(value: Any, where: str) -> str:
    """A name that can be part of an output path on every system.

    Raises:
        UserError: it is not text, is empty, starts with a dot or holds characters that file names cannot have.
    """
    text = _text(value, where)
    if text != text.strip() or text.startswith(".") or _FORBIDDEN & set(text) or not text.isprintable():
        raise UserError(
            f"{where} is {value!r}; expected a plain name without path separators, "
            f"leading dots, outer spaces or any of {' '.join(sorted(_FORBIDDEN))}, because output files carry it."
        )
    check_output_name(text, where)
    return text


def _camera(table: dict[str, Any], where: str) -> CameraSettings:
    _refuse_unknown(table, {field.name for field in fields(CameraSettings)}, where)
    if not table.keys() & {"name", "file"}:
        raise UserError(f"{where} has neither 'name' nor 'file'; say which camera it is about.")
    values: dict[str, Any] = {}
    for key, value in table.items():
        place = f"'{key}' in {where}"
        match key:
            case "name":
                values[key] = checked_name(value, place)
            case "file":
                values[key] = _text(value, place)
            case "input":
                values[key] = _text(value, place)
            case "output":
                texts = value if isinstance(value, list) else [value]
                values[key] = tuple(_text(text, place) for text in texts)
            case "order":
                if not isinstance(value, int) or isinstance(value, bool):
                    raise UserError(f"{place} is {value!r}; expected a whole number.")
                values[key] = value
            case "kind":
                if value not in get_args(Kind):
                    raise UserError(f"{place} is {value!r}; expected one of {', '.join(get_args(Kind))}.")
                values[key] = value
            case "offset_s":
                values[key] = _number(value, place, OFFSET)
            case "fps":
                values[key] = _number(value, place, RATE)
            case _:
                values[key] = _zones(value, place)
    return CameraSettings(**values)


def _refuse_unknown(values: dict[str, Any], known: set[str], where: str) -> None:
    unknown = sorted(values.keys() - known)
    if unknown:
        raise UserError(f"Unknown key '{unknown[0]}' in {where}; known are {', '.join(sorted(known))}.")


def _text(value: Any, where: str) -> str:
    if not isinstance(value, str) or not value:
        raise UserError(f"{where} is {value!r}; expected text in quotes.")
    return value


def _number(value: Any, where: str, limits: Range | None = None) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not -1e300 < value < 1e300:
        raise UserError(f"{where} is {shortened(value)}; expected a number.")
    if limits is not None and not limits.holds(value):
        raise UserError(f"{where} is {shortened(value)}; expected {limits} ({limits.reason}).")
    return float(value)


def _zones(value: Any, where: str) -> tuple[Zone, ...]:
    expected = "expected a list of boxes [[x1, y1, x2, y2], ...] in pixels of the upright picture"
    if not isinstance(value, list) or not all(isinstance(box, list) and len(box) == 4 for box in value):
        raise UserError(f"{where} is {shortened(value)}; {expected}.")
    if len(value) > MOST_ZONES:
        raise UserError(f"{where} holds {len(value)} boxes; at most {MOST_ZONES} are possible.")
    zones = []
    for box in value:
        x1, y1, x2, y2 = (_number(side, where) for side in box)
        if not (0 <= x1 < x2 and 0 <= y1 < y2):
            raise UserError(f"{where} holds {box!r}; {expected}, with 0 <= x1 < x2 and 0 <= y1 < y2.")
        if x2 <= 1 and y2 <= 1:
            raise UserError(f"{where} holds {box!r}, which looks like fractions of the picture; {expected}.")
        zones.append((x1, y1, x2, y2))
    return tuple(zones)
