"""Memory cards as cameras leave them, and the folders that operating systems and network storage keep for themselves.

A card's clips lie levels deep (``PRIVATE/AVCHD/BDMV/STREAM/00000.MTS``, ``DCIM/100GOPRO/GX010001.MP4``) and follow one
another: they are consecutive parts of what one camera recorded.
"""

from __future__ import annotations

import os
from pathlib import Path

from or_mv_anon.site.part_names import part_name

CARD_FOLDERS = frozenset({"private", "avchd", "bdmv", "dcim", "mp_root", "m4root"})
_WITHOUT_CLIPS = frozenset({"sub", "thmbnl", "misc", "thumbnail", "clipinf", "playlist"})  # previews and tables
_SYSTEM = frozenset(
    {
        "#recycle", "@recycle", "@eadir", "$recycle.bin", "recycler", "system volume information", "lost+found",
        "__macosx", "#snapshot", "@sharesnap", ".snapshot", "found.000",
    }
)  # fmt: skip


def is_system_folder(name: str) -> bool:
    """Whether a folder is the system's: recycle bins, previews of network storage, snapshots."""
    folded = name.casefold()
    return folded in _SYSTEM or name.startswith((".Trash-", ".Trashes"))


def card_clips(folder: Path, suffixes: frozenset[str]) -> tuple[list[Path], list[Path]]:
    """Videos on the card under `folder` in the order in which they were recorded, and all other files."""
    clips: list[Path] = []
    others: list[Path] = []
    for place, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        without = Path(place).name.casefold() in _WITHOUT_CLIPS
        for name in files:
            path = Path(place) / name
            if name.startswith("."):
                continue
            (clips if path.suffix.casefold() in suffixes and not without else others).append(path)
    return sorted(clips, key=_recorded), others


def contents(folder: Path) -> tuple[int, int]:
    """Number of files under `folder` and their size in bytes; what cannot be read counts as nothing."""
    sizes = [_size(Path(place) / name) for place, _, files in os.walk(folder) for name in files]
    return len(sizes), sum(sizes)


def by_size(files: list[Path], *, most: int = 100) -> str:
    """The names of `files` with their sizes, largest first."""
    sized = sorted(((_size(file), file.name) for file in files), key=lambda row: (-row[0], row[1]))
    listed = ", ".join(f"{name} ({human_size(size)})" for size, name in sized[:most])
    return listed + (f" and {len(sized) - most} smaller ones" if len(sized) > most else "")


def human_size(size: int) -> str:
    """Bytes with a unit."""
    amount, units = float(size), ["bytes", "kB", "MB", "GB", "TB"]
    while amount >= 1000 and len(units) > 1:
        amount /= 1000
        units.pop(0)
    return f"{amount:.0f} {units[0]}" if units[0] == "bytes" else f"{amount:.1f} {units[0]}"


def _recorded(clip: Path) -> tuple[str, tuple[float, ...], str]:
    name = part_name(clip.stem)
    return str(clip.parent), () if name is None else name.order, clip.name


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return 0
