"""Finds files that are consecutive parts of one camera's recording, and those that only look so.

Joining two cameras would be as wrong as taking parts for cameras, so numbers alone decide only where the rest of the
name, the folder or the other files leave no doubt; otherwise the files stay apart and a note says so.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

from or_mv_anon.site.part_names import PartName, looks_like_camera, part_name

PartsRule = Literal["joined", "separate"]

_STARTED_TOGETHER_S = 60.0
_SEGMENT_DIGITS = 3  # segment muxers write at least so many
_SHOWN = 4  # names in a note


@dataclass(frozen=True)
class Group:
    """Files of one recording in order, a single one where there is nothing to join; `name` is the camera's."""

    name: str
    files: tuple[Path, ...]


def group_parts(folder: Path, videos: Sequence[Path], rule: PartsRule | None = None) -> tuple[list[Group], list[str]]:
    """The recordings that `videos` of one folder are, and notes about them; `rule` is what `site.toml` says."""
    several = {} if rule == "separate" else _candidates(folder, videos)
    alike = sum(key[0] == "number" for key in several)
    groups, notes = [], []
    taken: set[Path] = set()
    for rows in several.values():
        first, files = rows[0][0], tuple(video for _, video in rows)
        whole = len(files) == len(videos)
        sure = _surely_parts(first, folder, whole, groups_alike=alike) and not _may_be_cameras(rows, folder)
        if rule == "joined" or sure:
            name = first.group.strip() or (folder.name if whole else files[0].stem)
            groups.append(Group(folder.name if whole and looks_like_camera(folder.name) else name, files))
            taken.update(files)
            notes.append(f"{folder}: {_listed(files)} are taken for consecutive parts of one recording and joined.")
            notes += _gaps(rows)
        elif first.kind != "number" or (first.digits >= _SEGMENT_DIGITS and (first.separated or not first.group)):
            notes.append(
                f"WARNING: {folder}: {_listed(files)} look like consecutive parts of one recording but are taken for "
                f'{len(files)} cameras; if they are parts, write parts = "joined" into a site.toml beside them.'
            )
    groups += [Group(video.stem, (video,)) for video in videos if video not in taken]
    return groups, notes


def _candidates(folder: Path, videos: Sequence[Path]) -> dict[tuple[str, str, str], list[tuple[PartName, Path]]]:
    """Files whose names have something in common, sorted, where there are several."""
    found: dict[tuple[str, str, str], list[tuple[PartName, Path]]] = {}
    for video in videos:
        if (name := part_name(video.stem)) is None:
            continue
        # In one camera's folder all recordings of an action camera follow one another, not only their chapters.
        group = "" if name.kind == "chapter" and looks_like_camera(folder.name) else name.group.casefold()
        found.setdefault((name.kind, group, video.suffix.casefold()), []).append((name, video))
    ordered = {key: sorted(rows, key=lambda row: row[0].order) for key, rows in found.items()}
    return {
        key: rows
        for key, rows in ordered.items()
        if len(rows) > 1 and len({name.order for name, _ in rows}) == len(rows) and _consecutive(rows)
    }


def _consecutive(rows: Sequence[tuple[PartName, Path]]) -> bool:
    """Whether numbers leave out at most as many as they have: ``cam1_000`` and ``cam1_200`` are no parts."""
    name = rows[0][0]
    if name.kind != "number":
        return True
    first, last = rows[0][0].order[0], rows[-1][0].order[0]
    return last - first + 1 <= 2 * len(rows) and len({name.digits for name, _ in rows}) <= 2


def _surely_parts(name: PartName, folder: Path, alone: bool, *, groups_alike: int) -> bool:
    if name.kind != "number":
        return True
    base = name.group.strip()
    own_folder = alone and (looks_like_camera(folder.name) or base.casefold() == folder.name.casefold())
    if looks_like_camera(base) and name.separated:
        return True
    if own_folder and not _counts_cameras(name):
        return True
    return bool(base) and name.separated and name.digits >= _SEGMENT_DIGITS and groups_alike > 1


def _may_be_cameras(rows: Sequence[tuple[PartName, Path]], folder: Path) -> bool:
    """Whether names are nothing but times that lie close together: cameras that were started one after the other."""
    times = [name.order[0] for name, _ in rows]
    bare = rows[0][0].kind == "time" and not rows[0][0].group and not looks_like_camera(folder.name)
    return bare and min(later - earlier for earlier, later in pairwise(times)) < _STARTED_TOGETHER_S


def _counts_cameras(name: PartName) -> bool:
    """Whether the number reads like a camera's own: ``cam1``, ``camera-02``."""
    return looks_like_camera(f"{name.group.strip()}1") and name.digits < _SEGMENT_DIGITS


def _gaps(rows: Sequence[tuple[PartName, Path]]) -> list[str]:
    if rows[0][0].kind not in ("number", "part"):
        return []
    numbers = [int(name.order[0]) for name, _ in rows]
    absent = sorted(set(range(numbers[0], numbers[-1] + 1)) - set(numbers))
    if not absent:
        return []
    listed = ", ".join(map(str, absent[:_SHOWN])) + (" ..." if len(absent) > _SHOWN else "")
    return [
        f"WARNING: between {rows[0][1].name} and {rows[-1][1].name} the numbers {listed} are missing; what follows is "
        "joined without a gap, as nothing tells how long it is."
    ]


def _listed(files: Sequence[Path]) -> str:
    names = [file.name for file in files]
    return ", ".join(names) if len(names) <= _SHOWN else f"{', '.join(names[:2])}, ... {names[-1]} ({len(names)} files)"
