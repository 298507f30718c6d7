"""The headers of baseline JPEG pictures, as far as it takes to make them claim a row of blocks more than they have."""

from __future__ import annotations

import re
from dataclasses import dataclass

_START_OF_FRAME = (0xC0, 0xC1)  # baseline and extended sequential, ITU-T T.81 table B.1
_RESTART_INTERVAL, _START_OF_SCAN, _END = 0xDD, 0xDA, b"\xff\xd9"
_RESTART = re.compile(rb"\xff[\xd0-\xd7]")
_NO_CODE = b"\xff\x00" * 32  # ones only: no Huffman code may be of ones only
_MOST_PARTS = 64  # looked at one by one; a picture in more of them is looked at as a whole
_MOST_PIXELS = 65_500


@dataclass(frozen=True)
class Longer:
    """A picture with a row of blocks too many and nothing that could be decoded there; `row` is that row's number."""

    data: bytes
    row: int


@dataclass(frozen=True)
class _Headers:
    frame: int  # where the frame's header begins
    interval: int  # blocks between two restart markers, 0 where there are none
    interval_at: int  # where that number stands, -1 if nowhere
    data: int  # where the entropy-coded data begin
    across: int  # pixels of a block row's unit
    down: int
    columns: int
    rows: int


def one_row_more(picture: bytes) -> list[Longer] | None:
    """The picture, or each of the parts that its restart markers make of it, with a row too many.

    None where it is of several scans, or no baseline picture; nothing where parts are missing or too many.
    """
    headers = _parsed(picture)
    if headers is None:
        return None
    end = picture.rfind(_END)
    data = picture[headers.data : end if end >= headers.data else len(picture)]
    blocks, interval = headers.rows * headers.columns, headers.interval
    count = -(-blocks // interval) if interval else 1
    if count == 1 or count > _MOST_PARTS or interval * headers.across > _MOST_PIXELS:
        restart = bytes([0xFF, 0xD0 + (blocks // interval - 1) % 8]) if interval and blocks % interval == 0 else b""
        return [_longer(picture, headers, data + restart, columns=headers.columns, rows=headers.rows)]
    parts = _RESTART.split(data)
    if len(parts) != count:
        return []
    sizes = [interval] * (count - 1) + [blocks - interval * (count - 1)]
    whole = picture[: headers.interval_at] + bytes(2) + picture[headers.interval_at + 2 :]
    return [_longer(whole, headers, part, columns=size, rows=1) for part, size in zip(parts, sizes, strict=True)]


def _longer(picture: bytes, headers: _Headers, data: bytes, *, columns: int, rows: int) -> Longer:
    at = headers.frame + 5
    size = ((rows + 1) * headers.down).to_bytes(2, "big") + (columns * headers.across).to_bytes(2, "big")
    return Longer(picture[:at] + size + picture[at + 4 : headers.data] + data + _NO_CODE + _END, rows)


def _parsed(picture: bytes) -> _Headers | None:
    place, frame, interval, interval_at = 2, -1, 0, -1
    while place + 4 <= len(picture):
        if picture[place] != 0xFF:
            return None
        marker, length = picture[place + 1], int.from_bytes(picture[place + 2 : place + 4], "big")
        if marker in _START_OF_FRAME:
            frame = place
        if marker == _RESTART_INTERVAL:
            interval_at = place + 4
            interval = int.from_bytes(picture[interval_at : interval_at + 2], "big")
        place += 2 + length
        if marker == _START_OF_SCAN:
            break
    if frame < 0 or place >= len(picture) or picture.find(b"\xff\xda", place) >= 0:
        return None
    factors = [picture[frame + 11 + 3 * n] for n in range(picture[frame + 9])]  # horizontal and vertical, 4 bits each
    across, down = (8 * max((f >> shift & 15 for f in factors), default=0) for shift in (4, 0))
    if len(factors) == 1:
        across = down = 8  # a single component is not interleaved: its unit is one block
    if not across or not down:
        return None
    height, width = (int.from_bytes(picture[frame + at : frame + at + 2], "big") for at in (5, 7))
    return _Headers(frame, interval, interval_at, place, across, down, -(-width // across), -(-height // down))
