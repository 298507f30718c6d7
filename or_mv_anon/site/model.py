"""A site's sessions and cameras, and the facts about a stream that they are shown with.

Every camera has its own clock, the timestamps of its stream; session time is stream time plus the camera's offset.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from or_mv_anon.site.settings import Kind, Zone

DEFAULT_PICTURE_RATE = 1.0  # pictures per second: with a low rate every picture is analysed, none is interpolated


@dataclass(frozen=True, kw_only=True)
class Camera:
    """One view; zones are boxes ``(x1, y1, x2, y2)`` in upright pixels.

    `files` is a video, or the consecutive parts of one in order, or pictures in order; only pictures have a rate `fps`.
    """

    name: str
    files: Path | tuple[Path, ...]
    kind: Kind = "room"
    offset: float = 0.0  # seconds, added to the stream's time to get session time
    always: tuple[Zone, ...] = ()
    never: tuple[Zone, ...] = ()
    fps: float | None = None  # pictures per second; None for a video

    @property
    def holds_pictures(self) -> bool:
        """Whether the camera is a folder of pictures."""
        return self.fps is not None

    @property
    def all_files(self) -> tuple[Path, ...]:
        """The video, its parts, or the pictures."""
        return (self.files,) if isinstance(self.files, Path) else self.files

    @property
    def source(self) -> Path:
        """The video or its first part, or the folder that holds the pictures."""
        if isinstance(self.files, Path):
            return self.files
        return self.files[0].parent if self.holds_pictures else self.files[0]

    @property
    def source_name(self) -> str:
        """How the source is called in tables and reports."""
        if isinstance(self.files, Path) or self.holds_pictures:
            return self.source.name
        return f"{self.files[0].name} to {self.files[-1].name} ({len(self.files)} parts)"

    @property
    def frame_numbers(self) -> tuple[int, ...]:
        """The last number in each picture's name; empty for a video."""
        if isinstance(self.files, Path) or not self.holds_pictures:
            return ()
        return tuple(int(re.findall("[0-9]+", file.stem)[-1]) for file in self.files)


@dataclass(frozen=True, kw_only=True)
class Session:
    """One synchronized recording; `notes` are sentences about files that are left out."""

    name: str
    cameras: tuple[Camera, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Site:
    """A room with its sessions; `notes` concern the site folder itself when sessions have their own folders."""

    path: Path
    name: str
    sessions: tuple[Session, ...]
    notes: tuple[str, ...] = ()


class StreamFacts(Protocol):
    """What `describe` needs to know of a stream; `or_mv_anon.video.index.VideoIndex` fits."""

    @property
    def codec(self) -> str:
        """FFmpeg's name of the codec."""

    @property
    def upright_size(self) -> tuple[int, int]:
        """Width and height in pixels as displayed."""

    @property
    def n_frames(self) -> int:
        """Number of pictures."""

    @property
    def start_time(self) -> float:
        """Seconds on the stream's own clock."""

    @property
    def duration(self) -> float:
        """Seconds from the first picture's start to the last one's end."""

    @property
    def average_rate(self) -> Fraction | None:
        """Pictures per second, where known."""

    @property
    def truncated(self) -> str | None:
        """What is missing from a damaged file, as a sentence."""

    @property
    def notes(self) -> tuple[str, ...]:
        """Sentences about what is unusual and was dealt with."""

    @property
    def left_out(self) -> tuple[str, ...]:
        """Sentences about material that is not part of the picture that is read."""
