"""One run at a time in an output folder, whatever kind of run it is: two would pass each other's half-made files off.

The lock is the kernel's, on a small file in the folder. It ends with the process that holds it and with its workers,
however they end, so what a killed run left behind stops nobody. Where the file system has no locks, a file that only
one run can make takes their place; nobody but the user can tell then whether its run is gone.

Workers on other machines cannot inherit a lock. They share one of their own for as long as they write, and begin only
while the folder's note is still their run's; the next run waits for them.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import socket
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import explained
from or_mv_anon.core.listening import tell

NOTE = ".or-mv-anon.lock"
CLAIM = ".or-mv-anon.run"
WORKERS = ".or-mv-anon.workers"
WORKERS_S = 60.0  # that a run waits for another one's last workers
LONGEST_COMMAND = 200  # characters that are shown of another run's
_BUSY = {errno.EAGAIN, errno.EACCES}
_NO_LOCKS = {errno.ENOLCK, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}
_held: dict[Path, int] = {}  # folder -> descriptor of its lock


@contextmanager
def hold(folder: Path, *, make: bool = True) -> Iterator[None]:
    """Keep every other run out of an output folder; the same process may hold it more than once.

    Args:
        folder: of the output.
        make: make it if it is not there. Otherwise, and where it may only be read, nothing is held then.

    Raises:
        UserError: another run holds it, or it cannot be written.
    """
    made = make and not folder.exists()
    if make:
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
    place = folder.resolve()
    if place in _held or not place.is_dir():
        yield
        return
    if not make and not os.access(place, os.W_OK):  # who may only read, locks nobody out
        yield
        return
    with explained(place / NOTE):
        note, descriptor = _lock(place)
    _held[place] = descriptor
    try:
        _outlast_workers(place, patience=WORKERS_S)
        yield
    finally:
        del _held[place]
        with suppress(UserError, OSError):
            _outlast_workers(place, patience=0.0)
        note.unlink(missing_ok=True)  # before it is let go; whoever has opened it meanwhile notices
        os.close(descriptor)
        if made:
            with suppress(OSError):  # a run that was refused leaves no empty folder behind
                place.rmdir()


def held() -> list[int]:
    """Descriptors of the locks, for worker processes: a folder is free when the last of them has ended."""
    return list(_held.values())


def marks() -> dict[Path, bytes]:
    """What this process wrote into the notes of the folders that it holds; no other run's note is the same."""
    return {place: os.pread(descriptor, os.fstat(descriptor).st_size, 0) for place, descriptor in _held.items()}


def mark_in(place: Path) -> bytes | None:
    """What the note in a folder says now; None where no run holds it."""
    for name in (NOTE, CLAIM):
        with suppress(FileNotFoundError, NotADirectoryError):
            return (place / name).read_bytes()
    return None


def _outlast_workers(place: Path, *, patience: float) -> None:
    """Wait until no worker on another machine writes for an earlier run any more.

    Raises:
        UserError: one still does after `patience` seconds.
    """
    try:
        descriptor = os.open(place / WORKERS, os.O_RDWR)
    except FileNotFoundError:
        return
    deadline, told = time.monotonic() + patience, False
    try:
        while not _free(descriptor):
            if time.monotonic() >= deadline:
                raise UserError(f"Workers of an earlier run still write to {place}; wait until they have ended.")
            if not told:
                tell(f"- Waiting for workers of an earlier run that still write to {place}.")
            told = True
            time.sleep(0.2)
        (place / WORKERS).unlink(missing_ok=True)
    finally:
        os.close(descriptor)


def _free(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in _BUSY
    return True


def _lock(place: Path) -> tuple[Path, int]:
    note = place / NOTE
    while True:
        descriptor = os.open(note, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _is_there(note, descriptor):
                os.ftruncate(descriptor, 0)
                os.write(descriptor, _about_this_run())
                return note, descriptor
            os.close(descriptor)  # the run that held it has just ended and removed it
        except OSError as error:
            os.close(descriptor)
            if error.errno in _BUSY:
                raise _refusal(place, note, "wait until it has ended, or choose another folder") from error
            if error.errno in _NO_LOCKS:
                note.unlink(missing_ok=True)
                return _claim(place)
            raise


def _claim(place: Path) -> tuple[Path, int]:
    claim = place / CLAIM
    try:
        descriptor = os.open(claim, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise _refusal(place, claim, f"if it no longer runs, remove {claim} and run again") from error
    os.write(descriptor, _about_this_run())
    tell(f"- {place} lies on a file system without locks: {CLAIM} keeps other runs out; a killed run leaves it behind.")
    return claim, descriptor


def _is_there(note: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(note.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False


def _about_this_run() -> bytes:
    about = {
        "run": uuid.uuid4().hex,
        "pid": os.getpid(),
        "host": socket.gethostname(),
        "started": datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": " ".join([Path(sys.argv[0]).name, *sys.argv[1:]]),
    }
    return json.dumps(about).encode()


def _refusal(place: Path, note: Path, advice: str) -> UserError:
    try:
        about = json.loads(note.read_bytes())
        who = f"process {about['pid']} on {about['host']}, started {about['started']}"
        command = "".join(c if c.isprintable() else "?" for c in about["command"][:LONGEST_COMMAND])
        who = f" ({who}: {command})"
    except (OSError, ValueError, KeyError, TypeError):
        who = ""
    return UserError(f"Another run is writing to {place}{who}; {advice}.")
