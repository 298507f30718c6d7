"""TIFF files that hold several pictures: they would be written back with the first one alone, so they are refused.

TIFF 6.0, section 2; BigTIFF (Aware Systems).
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from or_mv_anon.core.errors import UserError

_SUFFIXES = (".tif", ".tiff")


def refuse_stacks(files: Iterable[Path]) -> None:
    """Look at every TIFF's directory.

    Raises:
        UserError: a file holds more than one picture.
    """
    for file in files:
        if file.suffix.lower() in _SUFFIXES and _holds_several(file):
            raise UserError(
                f"{file} holds several pictures (pages), expected one per file; split it, for example with "
                f"'magick {file.name} {file.stem}_%06d.tif'."
            )


def _holds_several(file: Path) -> bool:
    try:
        with file.open("rb") as tiff:
            head = tiff.read(16)
            order = {b"II": "little", b"MM": "big"}.get(head[:2])
            if order is None:
                return False
            big = int.from_bytes(head[2:4], order) == 43  # type: ignore[arg-type]
            start, wide, count_bytes, entry = (8, 8, 8, 20) if big else (4, 4, 2, 12)
            first = int.from_bytes(head[start : start + wide], order)  # type: ignore[arg-type]
            tiff.seek(first)
            entries = int.from_bytes(tiff.read(count_bytes), order)  # type: ignore[arg-type]
            tiff.seek(first + count_bytes + entries * entry)
            return any(tiff.read(wide))
    except (OSError, OverflowError, ValueError):
        return False  # damaged: reading the picture will tell
