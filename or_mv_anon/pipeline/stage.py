"""A stage of a run: what it does, on what its results rest, and what its failure costs."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from or_mv_anon.core.run_layout import Stored
from or_mv_anon.core.seals import Sealed, seal

if TYPE_CHECKING:
    from or_mv_anon.pipeline.context import RunContext

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
        made_of: the stages whose files it reads, or single files of theirs.
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


Scope = Literal["segment", "camera", "session"]
Cost = Literal["camera", "session", "nothing"]


class Stage(ABC):
    """One stage; each has a file of its own in `pipeline/stages/` with its job, its result and what it does.

    Attributes:
        name: of the stage, in the manifest and on the terminal.
        scope: what one of its jobs is about.
        costs: what a failure costs: the camera's output, what the cameras know of each other, or nothing.
        run: does a job; importable by name, and pure of anything but the job and the run folder.
        at_once: jobs that may run at the same time, where each holds a whole recording; None for one per worker.
        networks: whether its jobs load networks, which stay in memory until the next stage without.
        reads, writes: tables and other files, see `core.run_layout`.
    """

    name: ClassVar[str]
    scope: ClassVar[Scope] = "camera"
    costs: ClassVar[Cost] = "camera"
    run: Callable[[Any], Any]
    at_once: ClassVar[int | None] = None
    networks: ClassVar[bool] = False
    reads: ClassVar[tuple[Stored, ...]] = ()
    writes: ClassVar[tuple[Stored, ...]] = ()

    @abstractmethod
    def tasks(self, context: RunContext) -> list[Task]:
        """Its jobs over a session, each with the key of everything that the result rests on."""

    def after(self, context: RunContext) -> None:  # noqa: B027  # most have nothing left to do
        """What is left to do in the main process when its jobs are done."""

    def failed(self, camera: str, text: str) -> str:
        """The sentence about a failure, `text`, in a camera."""
        return f"{camera}: not anonymized, {self.name} failed. {text}"
