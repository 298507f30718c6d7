"""Files that are whole or not there: written under another name, synced, then renamed in one step."""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path

from or_mv_anon.core.errors import UserError

PRIVATE = 0o700  # mode of folders with what tells about people: for this user alone


def write_atomically(path: Path, write: Callable[[Path], object]) -> None:
    """Let `write` fill ``path.partial``, then put it in its place.

    Raises:
        UserError: the disk is full or the place cannot be written; `path` is as it was.
    """
    partial = partial_path(path)
    with explained(path):
        try:
            write(partial)
            publish(partial, path)
        except BaseException:
            partial.unlink(missing_ok=True)
            raise


def partial_path(path: Path) -> Path:
    """Where a file or folder is written before it is whole."""
    return path.with_name(f"{path.name}.partial")


def publish(partial: Path, path: Path) -> None:
    """Make the finished `partial` durable, then give it its name in one step."""
    sync(partial)
    partial.replace(path)
    sync(path.parent)


def move_aside(place: Path) -> Path:
    """Give something that was found in `place` a free name beside it; returns where it is now.

    Raises:
        UserError: it cannot be renamed.
    """
    names = (place.with_name(f"{place.stem}.found-{number}{place.suffix}") for number in count(1))
    free = next(name for name in names if not os.path.lexists(name))
    with explained(place):
        place.rename(free)
    return free


def sync(path: Path) -> None:
    """Bring a file's data, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn a failed write of `path` into one sentence for the user."""
    try:
        yield
    except OSError as error:
        raise write_error(path, error) from error


def write_error(path: Path, error: Exception) -> UserError:
    """The one sentence for a failed write."""
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT):
        return UserError(
            f"The disk is full: {path} could not be written ({_free(path)} left); make room and run the same command "
            "again, finished work is kept."
        )
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return UserError(f"No permission to write {path}; choose another folder or change its permissions.")
    if number in (errno.ENOTDIR, errno.EEXIST):
        taken = next((p for p in [path, *path.parents] if p.is_file()), path)
        return UserError(f"{taken} is a file; expected a folder or a new name.")
    if number == errno.ENOENT:
        return UserError(f"The folder {path.parent} does not exist; create it first.")
    return UserError(f"Writing {path} failed: {getattr(error, 'strerror', None) or error}.")


def _free(path: Path) -> str:
    place = next((p for p in path.absolute().parents if p.exists()), Path("/"))
    return f"{shutil.disk_usage(place).free / 1e6:.0f} MB"
