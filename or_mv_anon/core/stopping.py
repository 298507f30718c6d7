"""How a command is asked to stop: Ctrl-C, SIGTERM and SIGHUP all unwind it, so that nothing is leaked.

A second one ends the process at once. A signal that was ignored from the start, as `nohup` does it, stays ignored.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

SIGNALS = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
AGAIN_S = 0.01  # after which a request that Python lost is made again
SAME_S = 0.5  # seconds within which another signal is the same request: `timeout` and closed terminals send two
_CODE_OFFSET = 128  # what a shell adds to a signal's number
_WORDS = {"SIGINT": "Interrupted", "SIGTERM": "Asked to end", "SIGHUP": "The terminal was closed"}


class StopAsked(KeyboardInterrupt):
    """Raised in the main thread where a signal asks to stop; handled as Ctrl-C is everywhere."""

    def __init__(self, number: int = signal.SIGINT) -> None:
        super().__init__()
        self.number = number


def exit_code(interrupt: KeyboardInterrupt) -> int:
    """What a shell expects: 130 after Ctrl-C, 143 after SIGTERM, 129 after SIGHUP."""
    return _CODE_OFFSET + _number(interrupt)


def sentence(interrupt: KeyboardInterrupt) -> str:
    """What the user is told."""
    word = _WORDS[signal.Signals(_number(interrupt)).name]
    return f"{word}. Finished work is kept: run the same command again to go on."


class Requests:
    """Tells a first request to stop from one that repeats it within a moment, and ends the process at a second one."""

    def __init__(self) -> None:
        self._first: float | None = None

    @property
    def came(self) -> bool:
        """Whether any came."""
        return self._first is not None

    def forget(self) -> None:
        """Wait for a first one again."""
        self._first = None

    def is_first(self, number: int) -> bool:
        """Whether the signal `number` is the first that came; does not return when the user insists."""
        now = time.monotonic()
        if self._first is None:
            self._first = now
            return True
        if now - self._first > SAME_S:
            end_at_once(number)
        return False


@contextmanager
def handling(
    handle: Callable[[int, FrameType | None], None], *, for_good: Callable[[], bool] = lambda: False
) -> Iterator[None]:
    """Let `handle` answer the signals that ask to stop within the block, and afterwards, too, if it is `for_good`.

    Other threads than the main one may not set handlers; there the block runs as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        for number, handler in before.items():
            if handler not in (signal.SIG_IGN, None):  # None: set by a library in C, which has its reasons
                signal.signal(number, handle)
        yield
    finally:
        for number, handler in before.items() if not for_good() else ():
            if handler is not None:
                signal.signal(number, handler)


@contextmanager
def stopping() -> Iterator[None]:
    """Let signals raise `StopAsked` within the block. Once one came the process is expected to end, so that stays."""
    requests = Requests()

    def handle(number: int, frame: FrameType | None) -> None:
        if requests.is_first(number):
            raise StopAsked(number)

    with handling(handle, for_good=lambda: requests.came), _asking_again(requests):
        yield


@contextmanager
def _asking_again(requests: Requests) -> Iterator[None]:
    """Repeat a request that was raised where Python drops exceptions: in destructors and callbacks of weak references.

    Not from within the hook, which would be such a place, too.
    """
    usual = sys.unraisablehook
    waiting: list[threading.Timer] = []

    def repeat(dropped: sys.UnraisableHookArgs) -> None:
        asked = dropped.exc_value
        if not isinstance(asked, StopAsked):
            usual(dropped)
            return
        requests.forget()
        waiting.append(threading.Timer(AGAIN_S, signal.pthread_kill, (threading.main_thread().ident, asked.number)))
        with suppress(RuntimeError):  # no thread can start any more: the process is ending by itself
            waiting[-1].start()

    sys.unraisablehook = repeat
    try:
        yield
    finally:
        sys.unraisablehook = usual
        for timer in waiting:
            timer.cancel()


def end_at_once(number: int) -> None:
    """End this process and its workers without tidying up, as a second signal demands."""
    pools = sys.modules.get("multiprocessing")  # not loaded: no workers
    for child in pools.active_children() if pools is not None else ():
        child.kill()
    os._exit(_CODE_OFFSET + number)


def _number(interrupt: KeyboardInterrupt) -> int:
    return interrupt.number if isinstance(interrupt, StopAsked) else signal.SIGINT
