"""Transport streams whose picture goes on under another packet identifier: where in the file it changes.

FFmpeg shows each identifier as a stream of its own, and not at all those that come up late. ISO/IEC 13818-1, 2.4.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

_SYNC = 0x47
_SIZES = (188, 192, 204)  # bytes of a packet: plain, with arrival times (.m2ts, .MTS), with error correction
_PROBED = 5  # packets
_BLOCK = 100_000  # packets read at once
_TABLE = 0  # identifier of the programme association table
_VIDEO = (0xE0, 0xEF)  # stream identifiers of pictures in a PES header


@dataclass(frozen=True)
class VideoRun:
    """One packet identifier under which pictures come; positions in bytes from the start of the file."""

    identifier: int
    first: int
    last: int


def spans_of(path: Path) -> tuple[list[tuple[int, int]], list[int]]:
    """Byte ranges (from, to) of a transport stream in which the picture keeps its identifier, and all identifiers.

    A range begins at the tables that announce the identifier. Identifiers that are in use at the same time are
    different pictures and are not told apart here.
    """
    size = path.stat().st_size
    runs, tables = _scan(path)
    bounds = [0]
    reached = -1
    for run in sorted(runs, key=lambda run: run.first):
        if reached >= 0 and run.first > reached:
            announced = [table for table in tables if reached < table <= run.first]
            bounds.append(announced[0] if announced else run.first)
        reached = max(reached, run.last)
    return list(zip(bounds, [*bounds[1:], size], strict=True)), [run.identifier for run in runs]


def begins_anew(path: Path, before: int, picture: int) -> bool:
    """Whether another transport stream was put behind the former one, though its clock does not tell.

    Then the counters of its tables and of its pictures begin at 0 together. Where packets were lost, they jump to
    somewhere.

    Args:
        path: the file.
        before: where the picture before begins, bytes from the start of the file.
        picture: the same of the first picture that may be the other stream's.
    """
    with path.open("rb") as file:
        size, offset = _packet_size(file.read(_PROBED * max(_SIZES) + max(_SIZES)))
        if not size or picture <= before or (picture - offset) % size:
            return False
        first = offset + (before - offset) // size * size
        file.seek(first)
        data = file.read(picture + size - first)
    rows = _packet_rows(data, size)
    starts, counters = rows[:, 1] & 0x40 > 0, rows[:, 3] & 0x0F
    tables = np.flatnonzero(starts & (_identifiers(rows) == _TABLE))
    return bool(len(tables)) and all(starts[row] and counters[row] == 0 for row in (tables[-1], tables[-1] + 1, -1))


def _packet_rows(data: bytes, size: int) -> np.ndarray:
    """Whole packets ``(N, 188 or more)``, one a row, without the clock that those of 192 bytes begin with."""
    rows = np.frombuffer(data[: len(data) // size * size], np.uint8).reshape(-1, size)
    return rows[:, 4:] if size == 192 else rows


def _identifiers(rows: np.ndarray) -> np.ndarray:
    return (rows[:, 1].astype(np.int64) & 0x1F) << 8 | rows[:, 2]


def _scan(path: Path) -> tuple[list[VideoRun], list[int]]:
    """The identifiers that carry pictures, and where tables lie."""
    with path.open("rb") as file:
        head = file.read(_PROBED * max(_SIZES) + max(_SIZES))
        size, offset = _packet_size(head)
        if not size:
            return [], []
        first: dict[int, int] = {}
        last: dict[int, int] = {}
        tables: list[int] = []
        position = offset
        file.seek(offset)
        while data := file.read(size * _BLOCK):
            rows = _packet_rows(data, size)
            identifiers = _identifiers(rows)
            starts = (rows[:, 1] & 0x40 > 0) & (rows[:, 0] == _SYNC)
            places = position + size * np.arange(len(rows))
            tables += places[starts & (identifiers == _TABLE)].tolist()
            for row in np.flatnonzero(starts & (identifiers != _TABLE)):
                if _begins_picture(rows[row]):
                    first.setdefault(int(identifiers[row]), int(places[row]))
            for identifier in first:
                if len(rows_of := np.flatnonzero(identifiers == identifier)):
                    last[identifier] = int(places[rows_of[-1]])
            position += len(data)
    return [VideoRun(identifier, place, last[identifier]) for identifier, place in first.items()], tables


def _begins_picture(packet: np.ndarray) -> bool:
    start = 4 + (1 + int(packet[4]) if packet[3] & 0x20 else 0)
    head = packet[start : start + 4].tolist()
    return head[:3] == [0, 0, 1] and _VIDEO[0] <= head[3] <= _VIDEO[1]


def _packet_size(head: bytes) -> tuple[int, int]:
    """Bytes per packet and where the first one begins; 0 where it is no transport stream."""
    for size in _SIZES:
        for offset in range(min(size, len(head))):
            lead = 4 if size == 192 else 0
            marks = [head[offset + lead + n * size : offset + lead + n * size + 1] for n in range(_PROBED)]
            if all(mark == bytes([_SYNC]) for mark in marks):
                return size, offset
    return 0, 0
