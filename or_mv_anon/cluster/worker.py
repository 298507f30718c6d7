"""What a cluster's machine does with a job: it does it, or refuses where it could not do it as the run's own machine.

Nothing is raised: what a job ends with is a value, so that no sentence about anybody gets into the cluster's logs.
"""

from __future__ import annotations

import fcntl
import os
import pickle
import socket
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, fields, is_dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import cv2

from or_mv_anon.cluster.installation import Installation, installation
from or_mv_anon.core.lock import WORKERS, mark_in
from or_mv_anon.core.private import private_files
from or_mv_anon.core.workers import counted_by

REPORT_S = 1.0  # seconds between two signs of progress
MOST_PATHS = 64  # of one job that are looked for
SHARED = "mount the same storage under the same path on every machine"


@dataclass(frozen=True)
class Terms:
    """What has to hold wherever a job of a run is done.

    Attributes:
        installation: of the machine that the run was started on.
        folders: that the run holds, with what its notes there say (`core.lock.marks`).
    """

    installation: Installation
    folders: Mapping[Path, bytes]


Kind = Literal["result", "error", "refused", "unfit"]
Answer = tuple[Kind, Any]
"""A job's result; the exception that it ended with; or the sentence why this machine cannot do it, or no job at all."""


class _RefusedError(Exception):
    """This machine cannot do the job."""


class _UnfitError(Exception):
    """This machine cannot do any job of the run."""


def attempt(terms: bytes, parcel: bytes, report: Callable[[int], object]) -> Answer:
    """Do a job.

    Args:
        terms: pickled `Terms`.
        parcel: pickled function and job.
        report: called now and then with the number of frames that are done.
    """
    try:
        agreed = _checked(pickle.loads(terms))  # noqa: S301
        function, job = pickle.loads(parcel)  # noqa: S301
        places = list(islice(_folders(job), MOST_PATHS))
        _require(places)
        counter = _Counter(report)
        with private_files(), _working_in(_held(agreed.folders, places)), counted_by(counter):
            cv2.setNumThreads(1)
            answer = _sendable(("result", function(job)))
        counter.report()
        return answer
    except _UnfitError as refusal:
        return "unfit", str(refusal)
    except _RefusedError as refusal:
        return "refused", str(refusal)
    except Exception as error:
        return _sendable(("error", error))


def _checked(terms: Terms) -> Terms:
    if difference := terms.installation.difference(installation()):
        raise _UnfitError(f"{_here()} has {difference}; install the same packages on every machine.")
    return terms


def _held(folders: Mapping[Path, bytes], places: Sequence[Path]) -> dict[Path, bytes]:
    """Those of the run's folders that a job has to do with; other sessions' may be finished by now."""
    above = {folder for place in places for folder in (place.resolve(), *place.resolve().parents)}
    return {folder: mark for folder, mark in folders.items() if folder in above}


@contextmanager
def _working_in(folders: Mapping[Path, bytes]) -> Iterator[None]:
    """Keep later runs out of the run's folders while this worker writes there; see `core.lock`."""
    with ExitStack() as stack:
        for folder, mark in folders.items():
            try:
                descriptor = os.open(folder / WORKERS, os.O_RDWR | os.O_CREAT, 0o600)
            except OSError as error:
                raise _RefusedError(
                    f"{_here()} cannot write to {folder} ({error.strerror}); {SHARED}, for writing."
                ) from error
            stack.callback(os.close, descriptor)
            with suppress(OSError):  # no locks on this file system
                fcntl.flock(descriptor, fcntl.LOCK_SH)
            if mark_in(folder) != mark:
                raise _RefusedError(f"On {_here()}, {folder} is not the folder that this run writes to; {SHARED}.")
        yield


def _require(places: Sequence[Path]) -> None:
    missing = next((place for place in places if not place.exists()), None)
    if missing is not None:
        raise _RefusedError(f"{missing} is not there on {_here()}; {SHARED} (recordings, results and --weights-dir).")


def _folders(value: Any) -> Iterator[Path]:
    """Folders that a job reads from or writes to, found in its records."""
    if isinstance(value, Path):
        if value.is_absolute():
            yield value.parent
    elif is_dataclass(value) and not isinstance(value, type):
        for field in fields(value):
            yield from _folders(getattr(value, field.name))
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _folders(one)
    elif isinstance(value, Mapping):
        yield from _folders(list(value.values()))


class _Counter:
    """Counts a job's frames and reports them now and then."""

    def __init__(self, report: Callable[[int], object]) -> None:
        self._send = report
        self._count, self._reported = 0, time.monotonic()

    def __call__(self, number: int) -> None:
        self._count += number
        if time.monotonic() - self._reported >= REPORT_S:
            self.report()

    def report(self) -> None:
        """Tell how many there are so far."""
        self._reported = time.monotonic()
        self._send(self._count)


def _sendable(answer: Answer) -> Answer:
    """The answer, or an error that says that it cannot be sent."""
    try:
        pickle.dumps(answer)
    except Exception as error:
        kept = answer[1] if isinstance(answer[1], Exception) else error
        return "error", RuntimeError(f"{type(kept).__name__}: {kept}")
    return answer


def _here() -> str:
    return f"the machine {socket.gethostname()}"
