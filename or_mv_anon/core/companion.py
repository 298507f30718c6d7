"""A process beside this one that answers one question after the other, for work that would hold up this one's threads.

Python runs one thread of a process at a time; what is asked of a companion runs beside them.
"""

from __future__ import annotations

import atexit
import multiprocessing
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any, Generic, TypeVar

import cv2

from or_mv_anon.core.processes import end_with_parent, main_unseen, signals_held

Question = TypeVar("Question")
Answer = TypeVar("Answer")

START_S = 60.0  # that it is given to start


class CompanionLostError(RuntimeError):
    """It died or did not answer; what it knew is gone, and the next question goes to a new one."""


class Companion(Generic[Question, Answer]):
    """Asked by one thread at a time."""

    def __init__(self, make: Callable[[], Callable[[Question], Answer]], *, patience_s: float = 5.0) -> None:
        """Start it; return when it is ready.

        Args:
            make: picklable; called there once, it gives what answers. Questions and answers are picklable, too.
            patience_s: seconds that an answer may take.

        Raises:
            CompanionLostError: it could not start.
            RuntimeError: what an error in `make` said.
        """
        self._make, self._patience_s = make, patience_s
        self._process: Any = None
        atexit.register(self.close)  # it heeds no signal but the last, so this process would wait for it
        self._start()

    @property
    def process(self) -> int | None:
        """The number of its process; None while there is none."""
        return None if self._process is None else self._process.pid

    def ask(self, question: Question) -> Answer:
        """The answer.

        Raises:
            CompanionLostError: none came.
            RuntimeError: what an error there said.
        """
        if self._process is None:
            self._start()
        try:
            self._connection.send(question)
        except OSError as error:
            raise self._lost() from error
        return self._received(self._patience_s)

    def close(self) -> None:
        """End it."""
        atexit.unregister(self.close)
        if self._process is not None:
            self._connection.close()  # the end of its questions
            self._process.join(self._patience_s)
            self._end()

    def _start(self) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_answer, args=(theirs, self._make), name="companion", daemon=True)
        with signals_held(), main_unseen():
            self._process.start()
        theirs.close()
        try:
            self._received(START_S)
        except RuntimeError:
            self.close()
            raise

    def _received(self, within_s: float) -> Any:
        try:
            if not self._connection.poll(within_s):
                raise self._lost()
            answered, content = self._connection.recv()
        except (EOFError, OSError) as error:
            raise self._lost() from error
        if not answered:
            raise RuntimeError(content)
        return content

    def _lost(self) -> CompanionLostError:
        self._connection.close()
        self._end()
        return CompanionLostError("the process beside this one died or did not answer")

    def _end(self) -> None:
        self._process.kill()
        self._process.join()
        self._process = None


def _answer(questions: Connection, make: Callable[[], Callable[[Any], Any]]) -> None:
    """What runs there, until nobody asks any more."""
    end_with_parent()
    cv2.setNumThreads(1)
    with suppress(EOFError, OSError):
        made, answer = _replied(make)
        questions.send((made, None if made else answer))
        while made:
            questions.send(_replied(answer, questions.recv()))


def _replied(work: Callable[..., Any], *arguments: Any) -> tuple[bool, Any]:
    """Whether it was done without an error, and what came of it, or what the error says."""
    try:
        return True, work(*arguments)
    except Exception as error:
        return False, f"{type(error).__name__}: {error}"
