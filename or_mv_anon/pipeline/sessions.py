"""Several sessions as one list of jobs: each has a status, and one that fails takes no other with it.

On this machine they go one after another, for each keeps every core busy. On a cluster several go at once, so that the
stages of one fill the machines that those of another leave idle.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextvars import copy_context
from typing import TypeVar

from or_mv_anon.core.executor import Executor
from or_mv_anon.core.listening import Bar, Listener, Status, current, heard_by
from or_mv_anon.core.printable import printable

Outcome = TypeVar("Outcome")
AT_ONCE = 16  # sessions; of each only the plan and the manifest are in memory
LOOK_S = 0.2


class OfSession:
    """Passes on what is told of one session, with its name before each sentence."""

    def __init__(self, inner: Listener, session: str) -> None:
        self._inner, self._session = inner, session

    def tell(self, sentence: str, *, problem: bool) -> None:
        """See `Listener.tell`."""
        self._inner.tell(f"[{printable(self._session)}] {sentence}", problem=problem)

    def bar(self, title: str, total: int) -> Bar:
        """See `Listener.bar`."""
        return self._inner.bar(title, total)

    def status(self, session: str, status: Status) -> None:
        """See `Listener.status`."""
        self._inner.status(session, status)


def run_sessions(
    names: Sequence[str],
    run: Callable[[int], Outcome],
    *,
    judge: Callable[[Outcome], Status],
    executor: Executor | None,
) -> list[Outcome]:
    """Run every session, in order or several at once.

    Args:
        names: of the sessions.
        run: one of them, by its number.
        judge: says how it went.
        executor: a cluster; None for this machine.

    Returns:
        What `run` returned, in the order of the sessions.
    """
    several = len(names) > 1

    def one(number: int) -> Outcome:
        listener = current()
        if several:
            listener.status(names[number], "running")
        try:
            outcome = run(number)
        except BaseException:
            if several:
                listener.status(names[number], "stopped")
            raise
        if several:
            listener.status(names[number], judge(outcome))
        return outcome

    if several:
        for name in names:
            current().status(name, "waiting")
    if executor is None or not several:
        return [one(number) for number in range(len(names))]
    return _at_once(names, one, executor)


def _at_once(names: Sequence[str], one: Callable[[int], Outcome], executor: Executor) -> list[Outcome]:
    def heard(number: int) -> Outcome:
        with heard_by(OfSession(current(), names[number])):
            return one(number)

    pool = ThreadPoolExecutor(min(AT_ONCE, len(names)), thread_name_prefix="session")
    futures = [pool.submit(copy_context().run, heard, number) for number in range(len(names))]
    try:
        while (left := wait(futures, timeout=LOOK_S)).not_done:  # in short steps, so that signals are answered
            for future in left.done:
                future.result()
    except BaseException:
        executor.stop()
        pool.shutdown(wait=True, cancel_futures=True)
        raise
    pool.shutdown(wait=True)
    return [future.result() for future in futures]
