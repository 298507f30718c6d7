"""One step of a run, as the manifest knows it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from or_mv_anon.core.seals import Sealed, seal

ALL_CAMERAS = ""  # the camera of a step that is about the whole session


@dataclass(frozen=True)
class Task:
    """A job with what the manifest needs to know of it.

    Attributes:
        stage: its key.
        fingerprint: of everything that the result rests on, but for the files of other stages.
        files: that it writes, relative to the store's folder.
        job: what a worker gets.
        camera: whose failure it is if it fails.
        frames: for the progress bar.
        facts: noted beside what the job reports.
        made_of: the stages whose files it reads.
        moved: for outputs in `files`, the names in the store under which the job leaves them.
    """

    stage: str
    fingerprint: str
    files: list[str]
    job: Any
    camera: str
    frames: int
    facts: dict[str, Any] = field(default_factory=dict)
    made_of: Sequence[str] = ()
    moved: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class SealedJob:
    """A job whose files are hashed by the worker that wrote them.

    Attributes:
        function: makes the result.
        job: its argument.
        files: where what it writes lies, by name.
    """

    function: Callable[[Any], Any]
    job: Any
    files: Mapping[str, Path]


@dataclass(frozen=True)
class SealedResult:
    """What a job reports, and the hashes of its files."""

    result: Any
    sealed: dict[str, Sealed]


def run_sealed(job: SealedJob) -> SealedResult:
    """Do the job, then hash what it wrote.

    Raises:
        UserError: a file is not there or changes meanwhile.
    """
    result = job.function(job.job)
    return SealedResult(result, {name: seal(path) for name, path in job.files.items()})
