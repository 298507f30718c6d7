"""Tells how much of a long computation is done, from within its parts, none of which knows the whole."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


class Progress:
    """The share of a job that is done, as its parts report it, from any thread.

    Args:
        report: called with the share done since the last call; all calls add up to at most `share`. None for nobody.
        share: of the whole that this job is.
    """

    def __init__(self, report: Callable[[float], object] | None = None, *, share: float = 1.0) -> None:
        self._report = report
        self._share = share
        self._left = 1.0
        self._lock = threading.Lock()

    def advance(self, share: float) -> None:
        """So much more of this job is done; what exceeds the whole is not told."""
        with self._lock:
            told = min(share, self._left)
            self._left -= told
            if self._report is not None and told > 0:
                self._report(told * self._share)

    @contextmanager
    def part(self, share: float) -> Iterator[Progress]:
        """A part of this job, which is done when the ``with`` block ends, whatever it told by itself."""
        part = Progress(self.advance, share=share)
        yield part
        part.advance(1.0)
