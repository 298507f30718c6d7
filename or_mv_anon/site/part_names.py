"""What file names tell about the parts of one recording: which belong together, in which order, begun when.

Recorders cut: FFmpeg's segment muxer and many others number (``cam1_000.mp4``), action cameras count chapters
(``GX010001.MP4``, ``GX020001.MP4``), network recorders write the time (``ch01_20240101_080000.mp4``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["time", "chapter", "number", "part"]

_TIME = re.compile(
    r"(?<![0-9])((?:19|20)[0-9]{2})[-_.]?(0[1-9]|1[0-2])[-_.]?(0[1-9]|[12][0-9]|3[01])[-_.T ]{0,3}"
    r"([01][0-9]|2[0-3])[-_.:h]?([0-5][0-9])[-_.:m]?([0-5][0-9])(?:[-_.]?[0-9]{3})?(?![0-9])",
    re.IGNORECASE,
)
_CHAPTER = re.compile(r"(G[HXSLP])([0-9]{2})([0-9]{4})", re.IGNORECASE)  # GoPro: kind, chapter, recording
_FIRST_CHAPTER = re.compile(r"GOPR([0-9]{4})", re.IGNORECASE)  # older ones name the first chapter so
_PART = re.compile(
    r"(.*?)(?:^|(?<=[ _.-]))(?:part|pt|seg|segment|chunk|chapter|clip|teil)[ _.-]*([0-9]+)", re.IGNORECASE
)
_NUMBER = re.compile(r"(.*?)([ _.-]*)([0-9]+)")
_EDGES = " _.-[]()@"
_CAMERA = re.compile(
    r"(?:.*[ _.-])?(?:cam|camera|kamera|ch|channel|kanal|view|kinect|gopro|nvr|c)[ _.-]?[0-9]+", re.IGNORECASE
)


@dataclass(frozen=True)
class PartName:
    """A file name taken apart; names with equal `kind`, `group` and suffix may be parts of one recording.

    Attributes:
        kind: what tells the order.
        group: what the names of one recording share; empty where it is nothing.
        order: sorts the parts.
        digits: how many digits a number has, leading zeros included; 0 for the other kinds.
        separated: whether something stands between the group and the number.
    """

    kind: Kind
    group: str
    order: tuple[float, ...]
    digits: int = 0
    separated: bool = True


def wall_clock(stem: str) -> float | None:
    """Seconds from a fixed moment to the date and time in a name, the first of them; None where there is none."""
    for match in _TIME.finditer(stem):
        try:
            moment = datetime(*(int(number) for number in match.groups()))  # type: ignore[arg-type]
        except ValueError:  # 30 February
            continue
        return (moment - datetime(1970, 1, 1)).total_seconds()
    return None


def looks_like_camera(name: str) -> bool:
    """Whether a name without suffix reads like that of one camera, such as ``cam2`` or ``ceiling-camera 1``."""
    return _CAMERA.fullmatch(name) is not None


def part_name(stem: str) -> PartName | None:
    """The name of a file without its suffix, taken apart; None where it tells nothing about parts."""
    if (clock := wall_clock(stem)) is not None:
        return PartName("time", _TIME.sub("", stem).strip(_EDGES), (clock,))
    if match := _CHAPTER.fullmatch(stem):
        family = "GOPR" if match[1].upper() == "GP" else match[1].upper()
        return PartName("chapter", f"{family}{match[3]}", (float(match[3]), float(match[2])))
    if match := _FIRST_CHAPTER.fullmatch(stem):
        return PartName("chapter", f"GOPR{match[1]}", (float(match[1]), 0.0))
    if match := _PART.fullmatch(stem):
        return PartName("part", match[1].strip(_EDGES), (float(match[2]),))
    if match := _NUMBER.fullmatch(stem):
        return PartName("number", match[1], (float(match[3]),), len(match[3]), bool(match[2]))
    return None
