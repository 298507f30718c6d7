"""What Ray is given to run: it travels as code, for a machine without this package has to be able to say so."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def make_attempt() -> Callable[..., Any]:
    """A task that does a job: returns the machine's identifier and a `worker.Answer`."""

    def attempt(terms: bytes, parcel: bytes, tally: Any, run: str, number: int) -> Any:
        import socket

        import ray

        node = ray.get_runtime_context().get_node_id()
        try:
            from or_mv_anon.cluster import worker
        except ImportError as error:
            where = f"The machine {socket.gethostname()}"
            return node, ("unfit", f"{where} cannot import or_mv_anon ({error}); install it on every machine.")
        return node, worker.attempt(terms, parcel, lambda count: tally.note.remote(run, number, count))

    return attempt


class Tally:
    """An actor that adds up how many frames are done, for the progress that is shown."""

    def __init__(self) -> None:
        self._counts: dict[str, dict[int, int]] = {}

    def note(self, run: str, number: int, count: int) -> None:
        """Job `number` of a run has done `count` frames so far."""
        self._counts.setdefault(run, {})[number] = count

    def total(self, run: str) -> int:
        """Frames of a run's jobs."""
        return sum(self._counts.get(run, {}).values())

    def forget(self, run: str) -> None:
        """A run is at its end."""
        self._counts.pop(run, None)
