"""Files that are whole or not there: written under another name, synced, then renamed in one step."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from or_mv_anon.errors import UserError


def partial_path(path: Path) -> Path:
    """Where a file or folder is written before it is whole."""
    return path.with_name(f"{path.name}.partial")


def sync(path: Path) -> None:
    """Bring a file's data, or a folder's entries, to the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def publish(partial: Path, path: Path) -> None:
    """Make the finished `partial` durable, then give it its name in one step."""
    sync(partial)
    partial.replace(path)
    sync(path.parent)


def write_error(path: Path, error: Exception) -> UserError:
    """The one sentence for a failed write."""
    number = getattr(error, "errno", None)
    if number in (errno.ENOSPC, errno.EDQUOT):
        return UserError(f"The disk is full: {path} could not be written; free some space and run again.")
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return UserError(f"No permission to write {path}; choose another folder or change its permissions.")
    if number in (errno.ENOENT, errno.ENOTDIR):
        return UserError(f"The folder {path.parent} does not exist; create it first.")
    return UserError(f"Writing {path} failed: {getattr(error, 'strerror', None) or error}.")
