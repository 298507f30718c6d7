"""A private folder for what a review needs while it lasts: in memory where there is room, and gone when it ends."""

from __future__ import annotations

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from or_mv_anon.core.errors import UserError

PREFIX = "or_mv_anon-review-"
MEMORY = Path("/dev/shm")  # noqa: S108, a folder of our own is made in it, for this user alone
SHARE = 0.25  # of the free memory, or of the free disk
LEAST_BYTES = 64 << 20
_LOCK = "lock"


@dataclass(frozen=True)
class Scratch:
    """A folder for this process, and how many bytes may be in it."""

    folder: Path
    budget: int


@contextmanager
def scratch(place: Path | None = None) -> Iterator[Scratch]:
    """A folder for as long as the block lasts; those that killed processes left behind are removed.

    Args:
        place: a folder to make it in; None for the machine's memory.

    Raises:
        UserError: there is no room for it, or it cannot be made.
    """
    parent = place or (MEMORY if MEMORY.is_dir() else Path(tempfile.gettempdir()))
    _remove_leftovers(parent)
    try:
        budget = int(min(SHARE * shutil.disk_usage(parent).free, SHARE * _free_memory() if place is None else 1 << 62))
        if budget < LEAST_BYTES:
            raise UserError(
                f"There are only {budget / SHARE / 1e6:.0f} MB free in {parent}; the review needs "
                f"{LEAST_BYTES / SHARE / 1e6:.0f} MB. Make room, or name another folder with --scratch."
            )
        folder = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
    except OSError as error:
        raise UserError(
            f"No folder can be made in {parent} ({error.strerror}); name another with --scratch."
        ) from error
    descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    try:
        yield Scratch(folder, budget)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(descriptor)


def _remove_leftovers(parent: Path) -> None:
    """Folders of this user whose process is gone: the kernel has let go of their lock."""
    for folder in parent.glob(f"{PREFIX}*"):
        try:
            if folder.is_symlink() or folder.stat().st_uid != os.getuid():
                continue
            descriptor = os.open(folder / _LOCK, os.O_RDWR)
        except OSError:
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # in use
            continue
        finally:
            os.close(descriptor)


def _free_memory() -> int:
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
        return next(int(line.split()[1]) << 10 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration, ValueError):
        return 4 << 30
