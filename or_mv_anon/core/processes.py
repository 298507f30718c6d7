"""How this process starts others, and how those end with it."""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from multiprocessing import resource_tracker
from typing import Any

from or_mv_anon.core.stopping import SIGNALS, handling

PR_SET_PDEATHSIG = 1


@contextmanager
def signals_held() -> Iterator[None]:
    """Hold requests to stop back while processes start: they inherit the mask, so only this process answers them."""
    caught: list[int] = []
    with handling(lambda number, _: caught.append(number)):
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            resource_tracker.ensure_running()  # multiprocessing's own helper; starting it lifts the mask
            signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
            yield
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
    for number in caught[:1]:
        signal.raise_signal(number)


@contextmanager
def main_unseen() -> Iterator[None]:
    """Let processes that start within the block not run the caller's script again: all they need comes by name."""
    main = sys.modules["__main__"]
    hidden: dict[str, Any] = {name: vars(main).pop(name) for name in ("__file__", "__spec__") if name in vars(main)}
    main.__spec__ = None
    try:
        yield
    finally:
        vars(main).update(hidden)


def end_with_parent() -> None:
    """Called in a process that another has started: it is killed when the thread that started it is gone."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # no orphans when the main process is killed
        parent = multiprocessing.parent_process()
        if parent is None or os.getppid() != parent.pid:  # it was killed before the line above took effect
            os._exit(1)
