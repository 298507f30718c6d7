"""Where the processor's time goes while a room runs live: by stage, in this process's own threads."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

ONE_OF = 17  # blocks of a stage, one is measured; a prime, so that no rhythm of the work hides anything


class StageTimes:
    """Adds up processor time by stage; threads that a network starts by itself are not seen."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns: dict[str, int] = {}
        self._spent: dict[str, list[float]] = {}

    @contextmanager
    def measured(self, stage: str, count: int = 1) -> Iterator[None]:
        """Count the processor time of this thread within the block to `stage`, as of `count` frames.

        Asking for it takes longer than some stages, so one block of many stands for the others.
        """
        with self._lock:
            turn = self._turns[stage] = self._turns.get(stage, -1) + 1
        if turn % ONE_OF:
            wall = time.monotonic()
            try:
                yield
            finally:
                self.add(stage, 0.0, time.monotonic() - wall, count)
            return
        began, wall = time.thread_time(), time.monotonic()
        try:
            yield
        finally:
            self.add(stage, ONE_OF * (time.thread_time() - began), time.monotonic() - wall, count)

    def add(self, stage: str, cpu_s: float, wall_s: float, count: int = 1) -> None:
        """Count seconds to `stage`."""
        with self._lock:
            spent = self._spent.setdefault(stage, [0.0, 0.0, 0])
            spent[0] += cpu_s
            spent[1] += wall_s
            spent[2] += count

    def summary(self) -> dict[str, dict[str, float]]:
        """Seconds of processor and of wall clock, and frames, by stage."""
        with self._lock:
            return {
                stage: {"cpu_s": round(cpu, 3), "wall_s": round(wall, 3), "frames": count}
                for stage, (cpu, wall, count) in sorted(self._spent.items())
            }
