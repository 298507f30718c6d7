"""A pool of worker processes with one progress bar, that stops cleanly when it is asked to.

Processes rather than threads: a crash inside a codec or a model takes one segment with it, not the run, and every
core decodes, detects and encodes on its own.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import closing, contextmanager
from functools import partial
from multiprocessing import connection, reduction
from typing import Any, TypeVar

import cv2

from or_mv_anon.core.listening import current
from or_mv_anon.core.lock import held
from or_mv_anon.core.printable import printable
from or_mv_anon.core.processes import end_with_parent, main_unseen, signals_held

Job = TypeVar("Job")
Result = TypeVar("Result")

PLACES = 4096  # for counts of worker processes, each at its process number's remainder: those that run at a time differ
WORKER_DIED = "a worker process died; most often the machine ran out of memory, so try fewer --workers"
_counter: Callable[[int], object] | None = None  # hears of a job's frames; set in each worker


class Stopped(BaseException):
    """Raised in a worker whose run was given up; no handler of a job's own errors should take it for one."""


def count_frames(number: int = 1) -> None:
    """Called by a job to advance the progress bar; ends the job when the run was given up."""
    if _counter is not None:
        _counter(number)


@contextmanager
def counted_by(counter: Callable[[int], object]) -> Iterator[None]:
    """Within the block `counter` hears of every frame that a job of this process counts; it may raise `Stopped`."""
    global _counter
    before, _counter = _counter, counter
    try:
        yield
    finally:
        _counter = before


class WorkerPool:
    """Worker processes for the length of a ``with`` block.

    A worker that dies takes its job with it: the jobs that were running are tried again one at a time, so that only
    the guilty one is given up.

    Args:
        workers: number of processes.
        patience: seconds that a worker has to end when the run is given up; after that it is killed.
    """

    def __init__(self, workers: int, *, patience: float = 5.0) -> None:
        self._workers = workers
        self._patience = patience
        self._context = multiprocessing.get_context("spawn")
        self._counts = self._context.RawArray("q", PLACES)
        self._stopping = self._context.RawValue("b", 0)
        with signals_held():  # for multiprocessing's own helper process, which this starts
            self._executor = self._start()

    def __enter__(self) -> WorkerPool:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self._executor.shutdown(wait=True)
            return
        # Asked first, killed last: a process killed inside a queue can leave the queue's other end waiting forever.
        self.stop()
        processes = {process.sentinel: process for process in (self._executor._processes or {}).values()}
        self._executor.shutdown(wait=False, cancel_futures=True)
        deadline = time.monotonic() + self._patience
        while processes and (left := deadline - time.monotonic()) > 0:
            for ended in connection.wait(list(processes), timeout=left):
                del processes[ended]  # type: ignore[arg-type]
        for process in processes.values():
            process.kill()

    def renew(self) -> None:
        """Let the processes end, and what finished jobs left in their memory with them; the next jobs get new ones."""
        self._executor.shutdown(wait=True)
        self._executor = self._start()

    def stop(self) -> None:
        """Let jobs end at their next frame."""
        self._stopping.value = 1

    def _start(self) -> ProcessPoolExecutor:
        return ProcessPoolExecutor(
            self._workers,
            mp_context=self._context,
            initializer=_start_worker,
            initargs=(self._counts, self._stopping, _Descriptors(held())),
        )

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
        """Run `function` on every job; yields each job with its result, or the exception it ended with.

        Args:
            function: importable by name; it may call `count_frames`.
            jobs: picklable.
            title: of the progress bar.
            frames: how many frames all jobs together have.
            at_once: jobs that may run at the same time; None for one per worker.
            networks: whether jobs load networks; every worker can.
        """
        before = sum(self._counts)
        waiting, suspects = deque(jobs), deque[Job]()
        running: dict[Future[Result], Job] = {}
        with closing(current().bar(printable(title), frames)) as bar:
            while waiting or suspects or running:
                broken = not self._fill(function, waiting, suspects, running, at_once or self._workers)
                finished, _ = wait(running, timeout=0.2, return_when=FIRST_COMPLETED)
                bar.update(min(sum(self._counts) - before, frames))
                if broken or any(isinstance(future.exception(), BrokenProcessPool) for future in finished):
                    victims = list(running.values())
                    running.clear()
                    self._discard()
                    self._executor = self._start()
                    if len(victims) == 1:
                        yield victims[0], RuntimeError(WORKER_DIED)
                    suspects.extend(victims if len(victims) > 1 else ())
                    continue
                for future in finished:
                    job = running.pop(future)
                    error = future.exception()
                    if error is not None and not isinstance(error, Exception):
                        raise error
                    yield job, error if error is not None else future.result()
            bar.update(min(sum(self._counts) - before, frames))

    def _discard(self) -> None:
        """Give up a pool that lost a worker.

        It terminates the others by itself, but not one that was only just being started: that one would wait for work
        forever, and this process for its end.
        """
        processes = list((self._executor._processes or {}).values())
        self._executor.shutdown(wait=False)
        for process in processes:
            process.kill()

    def _fill(
        self,
        function: Callable[[Job], Result],
        waiting: deque[Job],
        suspects: deque[Job],
        running: dict[Future[Result], Job],
        at_once: int,
    ) -> bool:
        """Start jobs while there is room, suspects one at a time; False when the processes turn out to be dead."""
        while suspects or waiting:
            if len(running) >= (1 if suspects else at_once):
                return True
            queue = suspects or waiting
            try:
                with signals_held(), main_unseen():
                    future = self._executor.submit(function, queue[0])
                    running[future] = queue.popleft()
            except BrokenProcessPool:
                return False
        return True


def default_workers(cameras: int) -> int:
    """One process per core, but no more than four or one per camera, whichever is more: memory stays bounded."""
    return min(available_cores(), max(4, cameras))


def available_cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


class _Descriptors:
    """Open files that a worker process holds for as long as it lives."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = numbers

    def __reduce__(self) -> tuple[Any, ...]:
        return _take_over, ([reduction.DupFd(number) for number in self._numbers],)


def _take_over(passed: list[Any]) -> list[int]:
    return [one.detach() for one in passed]


def _start_worker(counts: Any, stopping: Any, _: Any) -> None:
    global _counter
    _counter = partial(_count_for_all, counts, os.getpid() % PLACES, stopping)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})  # how the pool ends a worker that lost its fellow
    cv2.setNumThreads(1)  # one process per core: threads below would only get in each other's way
    end_with_parent()


def _count_for_all(counts: Any, place: int, stopping: Any, number: int) -> None:
    """Add to this process's own count, unless the main process has raised its flag.

    No lock is shared: a process that was killed while it held one would leave all others, and the run, waiting forever.
    """
    if stopping.value:
        raise Stopped
    counts[place] += number
