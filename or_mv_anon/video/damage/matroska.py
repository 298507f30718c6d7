"""Checksums of Matroska files: FFmpeg and others store one for every cluster of packets, but nothing looks at them."""

from __future__ import annotations

import mmap
import zlib
from collections.abc import Iterator
from pathlib import Path

_SEGMENT, _CLUSTER = 0x18538067, 0x1F43B675
_CRC = b"\xbf\x84"  # an element CRC-32 of 4 bytes, RFC 8794 section 11.3.1
_CRC_BYTES = 6


def broken_clusters(path: Path) -> list[tuple[int, int]]:
    """(first byte, byte behind the last) of the clusters whose checksum is wrong; empty where there are none."""
    whole = ((data, first, stop) for data, first, stop in _clusters_of(path) if stop <= len(data))  # not cut off
    return [(first, stop) for data, first, stop in whole if not _is_right(data, first, stop)]


def is_cut_off(path: Path) -> bool:
    """Whether a cluster claims to go on behind the end of the file."""
    return any(stop > len(data) for data, _, stop in _clusters_of(path))


def _clusters_of(path: Path) -> Iterator[tuple[mmap.mmap, int, int]]:
    """The file's bytes, and where the contents of each of its clusters lie in them."""
    if path.stat().st_size == 0:
        return
    with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        for first, stop in _clusters(data):
            yield data, first, stop


def _is_right(data: mmap.mmap, first: int, stop: int) -> bool:
    if data[first : first + 2] != _CRC:
        return True  # the checksum is optional
    stored = int.from_bytes(data[first + 2 : first + _CRC_BYTES], "little")
    with memoryview(data) as view, view[first + _CRC_BYTES : stop] as content:
        return zlib.crc32(content) == stored


def _clusters(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Where the contents of the segment's clusters lie, as far as the structure can be followed."""
    place, end = 0, len(data)
    while place < end:
        header = _element(data, place)
        if header is None:
            return
        kind, first, stop = header
        stop = end if stop is None else stop
        if kind == _SEGMENT:
            place = first
            continue
        if kind == _CLUSTER:
            if header[2] is None:
                return  # of unknown size, as live streams write them; these have no checksum
            yield first, stop
        place = stop


def _element(data: mmap.mmap, place: int) -> tuple[int, int, int | None] | None:
    """(ID, first byte of the content, byte behind it or None where its size is unknown); None past the end."""
    id_length = _length(data, place, 4)
    size_length = 0 if id_length is None else _length(data, place + id_length, 8)
    if not id_length or not size_length:
        return None
    first = place + id_length + size_length
    size = int.from_bytes(data[place + id_length : first], "big") & ((1 << (7 * size_length)) - 1)
    unknown = size == (1 << (7 * size_length)) - 1
    return int.from_bytes(data[place : place + id_length], "big"), first, None if unknown else first + size


def _length(data: mmap.mmap, place: int, most: int) -> int | None:
    """Bytes of the number that begins at `place`: one more than its leading zero bits."""
    if place >= len(data) or data[place] == 0:
        return None
    length = 9 - data[place].bit_length()
    return length if length <= most and place + length <= len(data) else None
