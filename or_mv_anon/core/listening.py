"""What a run tells, and who hears it: a terminal, a scheduler that reads JSON lines, or a program that called it.

Code that has something to say calls `tell` or opens a `Bar`; it neither prints nor knows who listens. The listener is a
context variable, so two runs in one process, each in its own thread, do not hear each other.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import asdict, dataclass
from typing import Literal, Protocol, TextIO

from tqdm import tqdm

TERMINAL_S, LOG_S = 0.2, 30.0  # seconds between two signs of progress: for a person, and in a log file
JSON_S = 1.0
SMOOTHING = 0.05


@dataclass(frozen=True)
class Progress:
    """How far a piece of work is.

    Attributes:
        title: of the work, such as ``morning: analyse``.
        done, total: frames.
        seconds: since it began.
        left_s: seconds that the rest of it will take at this speed; None before anything is done.
    """

    title: str
    done: int
    total: int
    seconds: float
    left_s: float | None


Status = Literal["waiting", "running", "done", "problems", "failed", "stopped"]


class Bar(Protocol):
    """Progress of one piece of work."""

    def update(self, done: int) -> None:
        """So many frames are done in all."""

    def close(self) -> None:
        """It is at its end."""


class Listener(Protocol):
    """Hears what a run tells."""

    def tell(self, sentence: str, *, problem: bool) -> None:
        """Something is to be known; a `problem` is something that somebody has to look at."""

    def bar(self, title: str, total: int) -> Bar:
        """A piece of work of so many frames begins."""

    def status(self, session: str, status: Status) -> None:
        """One of several sessions has come so far."""


class Terminal:
    """Sentences on standard output, problems and progress on standard error."""

    def __init__(self, *, plain: bool | None = None) -> None:
        """`plain` is for log files: a line now and then, no carriage returns; None finds out."""
        self._plain = not sys.stderr.isatty() if plain is None else plain

    def tell(self, sentence: str, *, problem: bool) -> None:
        """See `Listener.tell`."""
        print(sentence, file=sys.stderr if problem else sys.stdout, flush=True)

    def bar(self, title: str, total: int) -> Bar:
        """See `Listener.bar`."""
        return _Paced(title, total, LOG_S, _print_line) if self._plain else _Tqdm(title, total)

    def status(self, session: str, status: Status) -> None:
        """See `Listener.status`."""
        if status not in ("waiting", "stopped"):
            self.tell(f"Session {session}: {status}", problem=status in ("problems", "failed"))


class JsonLines:
    """One JSON object a line on `stream`: by ``event``: progress, said, or session."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = stream

    def tell(self, sentence: str, *, problem: bool) -> None:
        """See `Listener.tell`."""
        self._write({"event": "said", "problem": problem, "text": sentence})

    def bar(self, title: str, total: int) -> Bar:
        """See `Listener.bar`."""
        return _Paced(title, total, JSON_S, lambda progress: self._write({"event": "progress", **asdict(progress)}))

    def status(self, session: str, status: Status) -> None:
        """See `Listener.status`."""
        self._write({"event": "session", "session": session, "status": status})

    def _write(self, content: dict[str, object]) -> None:
        print(json.dumps(content), file=self._stream or sys.stdout, flush=True)


class Caller:
    """A program that wants callbacks instead of output; what it does not ask for is not heard.

    Args:
        progress: called now and then.
        said: called with every sentence.
    """

    def __init__(
        self, progress: Callable[[Progress], None] | None = None, said: Callable[[str], None] | None = None
    ) -> None:
        self._progress = progress or (lambda _: None)
        self._said = said or (lambda _: None)

    def tell(self, sentence: str, *, problem: bool) -> None:
        """See `Listener.tell`."""
        self._said(sentence)

    def bar(self, title: str, total: int) -> Bar:
        """See `Listener.bar`."""
        return _Paced(title, total, TERMINAL_S, self._progress)

    def status(self, session: str, status: Status) -> None:
        """Sessions are in the result."""


_listener: ContextVar[Listener | None] = ContextVar("listener", default=None)


def current() -> Listener:
    """Who listens now; a terminal where nobody was named."""
    return _listener.get() or Terminal()


def tell(sentence: str, *, problem: bool = False) -> None:
    """Let whoever listens know."""
    current().tell(sentence, problem=problem)


@contextmanager
def heard_by(listener: Listener) -> Iterator[None]:
    """Within the block `listener` hears what is told."""
    token = _listener.set(listener)
    try:
        yield
    finally:
        _listener.reset(token)


class _Tqdm:
    def __init__(self, title: str, total: int) -> None:
        self._bar = tqdm(total=total, desc=title, unit="frame", mininterval=TERMINAL_S, smoothing=SMOOTHING)

    def update(self, done: int) -> None:
        self._bar.update(done - self._bar.n)

    def close(self) -> None:
        self._bar.close()


class _Paced:
    """Tells at most every so many seconds, and at the end."""

    def __init__(self, title: str, total: int, every_s: float, show: Callable[[Progress], None]) -> None:
        self._title, self._total, self._every_s, self._show = title, total, every_s, show
        self._started = self._shown = time.monotonic()
        self._done = 0

    def update(self, done: int) -> None:
        self._done = done
        if time.monotonic() - self._shown >= self._every_s:
            self._tell()

    def close(self) -> None:
        self._tell()

    def _tell(self) -> None:
        self._shown = time.monotonic()
        seconds = self._shown - self._started
        left = (self._total - self._done) * seconds / self._done if self._done else None
        self._show(Progress(self._title, self._done, self._total, round(seconds, 1), left))


def _print_line(progress: Progress) -> None:
    left = "" if not progress.left_s else f", about {progress.left_s:.0f} s left"
    print(f"{progress.title}: {progress.done} of {progress.total} frames{left}", file=sys.stderr, flush=True)
