"""Files that were put behind one another in one: FFmpeg reads of most containers the first alone, without a word.

ISO/IEC 14496-12, 4.2 (boxes); Adobe Flash Video File Format 10.1, E.4 (tags); Microsoft ASF, 2.1 (objects) and AVI
(RIFF chunks; further ones of one recording are called AVIX); the IVF container of the VP8 tools.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO

from or_mv_anon.video.demux import Span

_MP4_FIRST = (b"ftyp", b"moov", b"mdat", b"free", b"skip", b"wide")
_ASF_HEADER = bytes.fromhex("3026b2758e66cf11a6d900aa0062ce6c")
_FLV_HEADER, _FLV_TAG, _FLV_SIZE = 9, 11, 4  # bytes of the head, of a tag's head, and of the size that follows a tag
_IVF_FRAME = 12  # bytes before a frame
_LARGE, _TO_END = 1, 0  # sizes of boxes that mean something else


def recordings_in(path: Path) -> list[Span]:
    """Byte ranges of the recordings that lie behind one another in a file; one range, of all of it, as a rule."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(16)
        walk = _walker(head)
        starts = [] if walk is None else [start for start in walk(file, size) if start]
    return list(zip([0, *starts], [*starts, size], strict=True))


def _walker(head: bytes) -> Callable[[BinaryIO, int], Iterator[int]] | None:
    if head[4:8] in _MP4_FIRST:
        return _boxes
    if head == _ASF_HEADER:
        return _objects
    if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
        return _chunks
    return {b"FLV": _tags, b"DKI": _ivf}.get(head[:3])


def _boxes(file: BinaryIO, end: int) -> Iterator[int]:
    """Where a file begins behind one that is whole: at a box `ftyp` after a `moov`."""
    place, described = 0, False
    while head := _at(file, place, 16):
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if kind == b"ftyp" and described:
            yield place
            described = False
        described = described or kind == b"moov"
        if size == _LARGE:
            size = int.from_bytes(head[8:16], "big")
        if size == _TO_END or size < 8 or place + size > end:
            return
        place += size


def _objects(file: BinaryIO, end: int) -> Iterator[int]:
    place = 0
    while head := _at(file, place, 24):
        if head[:16] == _ASF_HEADER:
            yield place
        size = int.from_bytes(head[16:24], "little")
        if size < 24 or place + size > end:
            return
        place += size


def _chunks(file: BinaryIO, end: int) -> Iterator[int]:
    place = 0
    while head := _at(file, place, 12):
        if head[:4] == b"RIFF" and head[8:12] == b"AVI ":
            yield place
        size = int.from_bytes(head[4:8], "little")
        if not size or place + size > end:
            return
        place += 8 + size + size % 2


def _tags(file: BinaryIO, end: int) -> Iterator[int]:
    place = 0
    while head := _at(file, place, _FLV_TAG):
        if head[:3] == b"FLV":
            yield place
            place += _FLV_HEADER + _FLV_SIZE
            continue
        place += _FLV_TAG + int.from_bytes(head[1:4], "big") + _FLV_SIZE
        if place > end:
            return


def _ivf(file: BinaryIO, end: int) -> Iterator[int]:
    place = 0
    while head := _at(file, place, _IVF_FRAME):
        if head[:4] == b"DKIF":
            yield place
            place += int.from_bytes(head[6:8], "little")
            continue
        place += _IVF_FRAME + int.from_bytes(head[:4], "little")
        if place > end:
            return


def _at(file: BinaryIO, place: int, count: int) -> bytes:
    """`count` bytes from `place` on; nothing where the file has fewer."""
    file.seek(place)
    data = file.read(count)
    return data if len(data) == count else b""
