"""Where a stage's jobs run: on this machine's processes (`workers.WorkerPool`), or wherever somebody brings an executor
for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, Self, TypeVar

Job = TypeVar("Job")
Result = TypeVar("Result")


class Executor(Protocol):
    """Runs jobs; used as a context manager for as long as there are any."""

    def __enter__(self) -> Self: ...

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None: ...

    def run(
        self,
        function: Callable[[Job], Result],
        jobs: Sequence[Job],
        *,
        title: str,
        frames: int,
        at_once: int | None = None,
        networks: bool = False,
    ) -> Iterator[tuple[Job, Result | Exception]]:
        """Run `function` on every job, in any order; yields each job with its result or the exception it ended with.

        Args:
            function: importable by name.
            jobs: picklable.
            title: of the progress that is shown.
            frames: how many frames all jobs together have.
            at_once: jobs that may run on one machine at the same time; None for as many as there is room for.
            networks: whether jobs load networks, which an executor that knows of GPUs puts there.
        """

    def renew(self) -> None:
        """Let go of whatever finished jobs left in memory."""

    def stop(self) -> None:
        """End every `run` that another thread is in, with `workers.Stopped`."""


class InProcess:
    """Runs jobs one after another where it stands: for tests, and where processes cannot be started."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None: ...

    def run(
        self,
        function: Callable[[Job], Result],
        jobs: Sequence[Job],
        *,
        title: str,
        frames: int,
        at_once: int | None = None,
        networks: bool = False,
    ) -> Iterator[tuple[Job, Result | Exception]]:
        """See `Executor.run`."""
        for job in jobs:
            try:
                result = function(job)
            except Exception as error:
                yield job, error
            else:
                yield job, result

    def renew(self) -> None:
        """There is nothing to let go of."""

    def stop(self) -> None:
        """There is no other thread."""
