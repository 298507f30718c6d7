"""The table of a session's cameras that is printed before any work, with everything odd about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from or_mv_anon.core.printable import printable
from or_mv_anon.site.model import DEFAULT_PICTURE_RATE, Camera, Session, StreamFacts

_HEADER = ("camera", "source", "size", "fps", "codec", "frames", "length", "starts at")
_LENGTH_TOLERANCE_S = 0.1
_RATE_TOLERANCE = 0.01  # frames/s; average rates of equal cameras differ by rounding


@dataclass(frozen=True)
class SessionWindow:
    """When a session's cameras ran, in seconds of session time; `overlap` is when all of them did, if ever."""

    start: float
    end: float
    overlap: tuple[float, float] | None


def session_window(session: Session, indexes: Sequence[StreamFacts]) -> SessionWindow:
    """When the cameras of `session` ran; `indexes` in the order of its cameras."""
    starts = [camera.offset + index.start_time for camera, index in zip(session.cameras, indexes, strict=True)]
    ends = [start + index.duration for start, index in zip(starts, indexes, strict=True)]
    overlap = (max(starts), min(ends)) if max(starts) < min(ends) else None
    return SessionWindow(min(starts), max(ends), overlap)


def describe(session: Session, indexes: Sequence[StreamFacts]) -> str:
    """A plain-text table of the cameras, their common time, and notes; `indexes` in the order of the cameras."""
    rows = [_HEADER, *(_row(camera, index) for camera, index in zip(session.cameras, indexes, strict=True))]
    widths = [max(len(row[column]) for row in rows) for column in range(len(_HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    window = session_window(session, indexes)
    head = f"Session {session.name}: {_count(len(session.cameras), 'camera')}, {_clock(window.end - window.start)}"
    if len(session.cameras) > 1 and window.overlap is not None:
        start, end = window.overlap
        head += f"; all cameras together for {_clock(end - start)}, from {start:.3f} s to {end:.3f} s"
    notes = [*_pair_notes(session, indexes, window)]
    for camera, index in zip(session.cameras, indexes, strict=True):
        notes += _camera_notes(camera, index)
    return "\n".join(map(printable, [head, *lines, *(f"- {note}" for note in (*notes, *session.notes))]))


def _row(camera: Camera, index: StreamFacts) -> tuple[str, ...]:
    width, height = index.upright_size
    return (
        printable(camera.name),
        printable(
            f"{camera.source.name}/ {camera.files[0].suffix}"
            if isinstance(camera.files, tuple) and camera.holds_pictures
            else camera.source_name
        ),
        f"{width}x{height}",
        f"{float(index.average_rate):.2f}" if index.average_rate is not None else "?",
        index.codec,
        str(index.n_frames),
        _clock(index.duration),
        f"{camera.offset + index.start_time:.3f} s",
    )


def _pair_notes(session: Session, indexes: Sequence[StreamFacts], window: SessionWindow) -> list[str]:
    if len(session.cameras) < 2:
        return []
    notes = []
    if window.overlap is None:
        notes.append(
            "WARNING: no moment is seen by all cameras, so they cannot help each other where they do not overlap. "
            "If they did run together, give their clocks an offset_s each in site.toml."
        )
    names = [camera.name for camera in session.cameras]
    lengths = dict(zip(names, (index.duration for index in indexes), strict=True))
    shortest, longest = min(lengths, key=lengths.__getitem__), max(lengths, key=lengths.__getitem__)
    if lengths[longest] - lengths[shortest] > _LENGTH_TOLERANCE_S:
        notes.append(
            f"Lengths differ: {_clock(lengths[shortest])} ({shortest}) to {_clock(lengths[longest])} ({longest}); "
            "each camera is anonymized over its whole length."
        )
    rates = {name: float(i.average_rate) for name, i in zip(names, indexes, strict=True) if i.average_rate is not None}
    if rates and max(rates.values()) - min(rates.values()) > _RATE_TOLERANCE:
        listed = ", ".join(f"{name} {rate:.2f}" for name, rate in rates.items())
        notes.append(f"Frame rates differ ({listed}); cameras are matched by time, not by frame number.")
    notes += _numbering_notes(session)
    return notes


def _numbering_notes(session: Session) -> list[str]:
    """Pictures have no clock but their position, so a picture missing in one camera shifts it against the others."""
    stems = {camera.name: camera.frame_numbers for camera in session.cameras if camera.fps is not None}
    if len(set(stems.values())) < 2:
        return []
    everywhere = set.intersection(*(set(numbers) for numbers in stems.values()))
    odd = [f"{name} ({len(set(numbers) - everywhere)})" for name, numbers in stems.items()]
    return [
        "WARNING: the cameras' pictures are not numbered alike (numbers that some other camera lacks: "
        f"{', '.join(odd)}). Pictures are timed by position, so pictures of one moment may not be matched."
    ]


def _camera_notes(camera: Camera, index: StreamFacts) -> list[str]:
    notes = []
    if index.truncated is not None:
        notes.append(f"WARNING: {camera.name}: {index.truncated}")
    if camera.offset:
        notes.append(f"{camera.name}: its clock is shifted by {camera.offset:+.3f} s, as site.toml asks.")
    if camera.kind != "room":
        notes.append(f"{camera.name}: treated as an {camera.kind}.")
    if camera.fps is not None:
        assumed = "" if camera.fps != DEFAULT_PICTURE_RATE else " (the default; set fps in site.toml if it is wrong)"
        notes.append(f"{camera.name}: its pictures are timed at {camera.fps:g} per second{assumed}.")
    width, height = index.upright_size
    for label, zones in (("always", camera.always), ("never", camera.never)):
        if zones:
            notes.append(f"{camera.name}: {_count(len(zones), 'zone')} {label} covered.")
        for zone in zones:
            if zone[2] > width or zone[3] > height:
                notes.append(
                    f"WARNING: {camera.name}: the zone {list(zone)} reaches beyond the picture of {width}x{height}; "
                    "zones are in pixels of the picture as displayed."
                )
    return notes


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def _clock(seconds: float) -> str:
    """Seconds below a minute, else ``h:mm:ss.s``."""
    tenths = round(seconds * 10)
    if tenths < 600:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(tenths, 600)
    return f"{minutes // 60}:{minutes % 60:02d}:{rest / 10:04.1f}"
