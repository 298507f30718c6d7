"""Where a live picture comes from and where it goes: what a user may write for it, and how to read it."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

import av
from av.error import FFmpegError, ProtocolNotFoundError

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.redaction import HIDDEN, redacted_address

PATTERN = "-"
NETWORK = ("rtsp", "rtsps", "udp", "srt")
FILES = {".mp4": "mp4", ".mkv": "matroska"}  # suffix -> FFmpeg's muxer
DEVICES = {"linux": "video4linux2,v4l2", "darwin": "avfoundation", "win32": "dshow"}  # sys.platform -> demuxer
DEVICE = "device:"

Kind = Literal["file", "stream", "device", "pattern"]


@dataclass(frozen=True)
class Place:
    """One end of the line: `address` is what FFmpeg opens, `format` its demuxer or muxer where that must be said."""

    kind: Kind
    address: str
    format: str | None = None

    @property
    def shown(self) -> str:
        """The address without what may be a user name, a password or a token, for messages and figures."""
        return redacted_address(self.address) if self.kind == "stream" else self.address


def parse_input(text: str, *, size: tuple[int, int] | None = None) -> Place:
    """What `--input` names.

    Args:
        text: a file, ``/dev/video0`` or ``device:NAME``, ``rtsp://...``, ``udp://...``, or ``-``.
        size: width and height of the test pattern.

    Raises:
        UserError: there is no such thing.
    """
    if text == PATTERN:
        width, height = size or (1280, 720)
        return Place("pattern", f"testsrc2=size={width}x{height}:rate=25", "lavfi")
    if "://" in text:
        return Place("stream", _network(text), "mpegts" if text.startswith(("udp", "srt")) else "rtsp")
    if text.startswith((DEVICE, "/dev/")):
        address = text.removeprefix(DEVICE)
        if sys.platform not in DEVICES:
            raise UserError(f"Cameras are not supported on {sys.platform}; use a stream.")
        if address.startswith("/dev/") and not Path(address).exists():
            raise UserError(f"There is no device {address}; is the capture card connected?")
        return Place("device", address, DEVICES[sys.platform])
    if not Path(text).is_file():
        raise UserError(
            f"There is no file {_shown(text)}; expected a video file, /dev/videoN, rtsp://, udp:// or {PATTERN}."
        )
    return Place("file", text)


def parse_output(text: str, *, overwrite: bool) -> Place:
    """What `--output` names: an .mp4 or .mkv file, ``rtsp://...`` or ``udp://...``.

    Raises:
        UserError: it is none of these, or the file is there already.
    """
    if "://" in text:
        return Place("stream", _network(text), "mpegts" if text.startswith(("udp", "srt")) else "rtsp")
    path = Path(text)
    if path.suffix.lower() not in FILES:
        raise UserError(f"Cannot write {_shown(text)}; expected a file {' or '.join(FILES)}, rtsp:// or udp://.")
    if os.path.lexists(path) and not (overwrite and path.is_file() and not path.is_symlink()):
        more = " or pass --overwrite" if path.is_file() and not path.is_symlink() else ""
        raise UserError(f"{path} is there already; choose another name{more}.")
    if not path.absolute().parent.is_dir():
        raise UserError(f"The folder {path.absolute().parent} does not exist; create it first.")
    return Place("file", text, FILES[path.suffix.lower()])


def _network(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in NETWORK and bool(parts.hostname) and (parts.port or 0) >= 0
    except ValueError:  # of a port that is no number
        usable = False
    if usable and parts.scheme == "srt" and not _knows_srt():
        raise UserError(
            f"{redacted_address(text)}: the FFmpeg of this installation has no SRT. Bridge it on this machine, "
            "gst-launch-1.0 srtsrc uri=... ! udpsink host=127.0.0.1 port=5000 (or udpsrc and srtsink), and use "
            "udp://127.0.0.1:5000."
        )
    if not usable:
        expected = "://, ".join(NETWORK)
        raise UserError(f"{redacted_address(text)} is no stream that can be used; expected {expected}://HOST.")
    return text


@cache
def _knows_srt() -> bool:
    try:
        av.open("srt://", timeout=1.0).close()
    except ProtocolNotFoundError:
        return False
    except (FFmpegError, OSError, ValueError):  # of an address that is none: it was understood
        return True
    return True


def _shown(text: str) -> str:
    """What may be an address that was mistyped, for messages."""
    return HIDDEN if "@" in text else text
