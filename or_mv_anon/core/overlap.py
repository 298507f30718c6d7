"""Refuses output folders in which inputs lie, and such that lie in an input: whatever is written or removed there.

Places are compared by what they are, not by what they are called: links, bind mounts, and capitals where the file
system does not tell them apart, all lead to the same folder.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from or_mv_anon.core.errors import UserError

Identity = tuple[int, int]
"""Device and inode."""


def refuse_overlap(out: Path, files: Iterable[Path], *, option: str = "--out", own: Iterable[Path] = ()) -> None:
    """Refuse `out` if it holds an input or lies in a folder that is one.

    A new folder beside the recordings, such as ``recordings/anonymous``, is allowed.

    Args:
        out: folder of the results, which need not exist.
        files: every file that is read.
        option: what names `out` on the command line.
        own: folders that are an input as a whole, such as a camera's pictures.

    Raises:
        UserError: it is refused.
    """
    place = identity(out)
    for folder in sorted({file.absolute().parent for file in files}):
        if place is not None and place in _lineage(folder):
            raise UserError(
                f"{option} {out} is a folder of the recordings ({folder} lies in it); choose another, so that nothing "
                "of theirs can be replaced."
            )
    above = _lineage(out)
    for folder in own:
        if identity(folder) in above:
            raise UserError(f"{option} {out} lies in {folder}, which holds a recording's pictures; choose another.")


def refuse_other_json(path: Path, is_own: Callable[[Any], bool], *, option: str) -> None:
    """Refuse to write figures over a file that holds anything but figures of the same kind.

    Args:
        path: of the figures, which need not exist.
        is_own: whether the content of a JSON file is of that kind.
        option: what names `path` on the command line.

    Raises:
        UserError: it is refused.
    """
    if not os.path.lexists(path):
        return
    try:
        own = path.is_file() and not path.is_symlink() and is_own(json.loads(path.read_bytes()))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        own = False
    if not own:
        raise UserError(f"{option} {path} is there already and holds something else; choose another name.")


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file or folder, by whatever links."""
    found = identity(one)
    return one.resolve() == other.resolve() or (found is not None and found == identity(other))


def identity(path: Path) -> Identity | None:
    """What a path leads to; None if that is nothing."""
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _lineage(path: Path) -> set[Identity]:
    """The folder itself and those above it, by every way that leads to it."""
    ways = (path.absolute(), path.resolve())
    found = {identity(place) for way in ways for place in (way, *way.parents)}
    return {place for place in found if place is not None}
