"""The headers of a baseline JPEG picture, as far as it takes to make it claim one row of blocks more than it has."""

from __future__ import annotations

_START_OF_FRAME = (0xC0, 0xC1)  # baseline and extended sequential, ITU-T T.81 table B.1
_RESTART_INTERVAL, _START_OF_SCAN, _END = 0xDD, 0xDA, b"\xff\xd9"
_NO_CODE = b"\xff\x00" * 32  # ones only: no Huffman code may be of ones only


def one_row_higher(picture: bytes) -> tuple[bytes, int] | None:
    """The picture with a row of blocks too many and nothing that could be decoded there, and that row's number.

    None where the picture is of several scans, has restart markers, or is none.
    """
    place, frame = 2, -1
    while place + 4 <= len(picture):
        if picture[place] != 0xFF:
            return None
        marker, length = picture[place + 1], int.from_bytes(picture[place + 2 : place + 4], "big")
        if marker in _START_OF_FRAME:
            frame = place
        if marker == _RESTART_INTERVAL and any(picture[place + 4 : place + 6]):
            return None
        if marker == _START_OF_SCAN:
            break
        place += 2 + length
    if frame < 0 or place + 4 > len(picture) or picture.find(b"\xff\xda", place + 2) >= 0:
        return None
    components = picture[frame + 9]
    across = max((picture[frame + 11 + 3 * n] & 15 for n in range(components)), default=0)
    if not across:
        return None
    height = int.from_bytes(picture[frame + 5 : frame + 7], "big")
    rows = -(-height // (8 * across))
    end = picture.rfind(_END)
    data = picture[: end if end > place else len(picture)]
    higher = ((rows + 1) * 8 * across).to_bytes(2, "big")
    return data[: frame + 5] + higher + data[frame + 7 :] + _NO_CODE + _END, rows
