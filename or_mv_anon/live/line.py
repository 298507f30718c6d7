"""The delay line: every frame waits here, undecided, until its time has come; undecided frames leave covered."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass

from or_mv_anon.core.records import Regions
from or_mv_anon.video.frame import Frame


@dataclass(eq=False)
class Held:
    """One frame of the input, covered whole until it was decided about.

    Attributes:
        time: seconds on the line's clock: when it was taken, as well as is known.
        frame: upright; `corrupt` covers it whole, whatever was decided.
        regions: what was decided; None is the frame whole.
        decided: whether anything was.
        number: by which who decides knows it.
    """

    time: float
    frame: Frame
    regions: Regions | None = None
    decided: bool = False
    number: int = -1

    def decide(self, regions: Regions | None) -> None:
        """What is to be covered in it; None for all of it."""
        self.regions, self.decided = regions, True

    def shown(self) -> tuple[Frame, Regions | None]:
        """The frame and what leaves covered of it (see `operators.line.FrameLine`)."""
        return self.frame, None if self.frame.corrupt or not self.decided else self.regions


class DelayLine:
    """Frames between the reader, the judge and the output, each of them a thread; holds at most `capacity`.

    When it is full, a patient line makes the reader wait; any other drops its oldest frame, which nobody sees then.
    """

    def __init__(self, *, patient: bool, capacity: int = 64, told: Callable[[], None] = lambda: None) -> None:
        """`told` is called whenever a frame came or the line was closed, for who waits for several lines."""
        self._told = told
        self.capacity = capacity
        self.dropped = 0
        self._patient = patient
        self._held: deque[Held] = deque()
        self._unjudged: deque[Held] = deque()
        self._hole = False  # frames were dropped before the judge saw them
        self._busy = False
        self._changed = threading.Condition()
        self._closed = self._judged = False

    @property
    def busy(self) -> bool:
        """Whether the judge still works on frames that it took without waiting; who waits hears of a change."""
        return self._busy

    @busy.setter
    def busy(self, busy: bool) -> None:
        with self._changed:
            self._busy = busy
            self._changed.notify_all()

    def put(self, held: Held) -> None:
        """Take the next frame; after `close` it is ignored."""
        with self._changed:
            while self._patient and len(self._held) >= self.capacity and not self._closed:
                self._changed.wait()
            if self._closed:
                return
            if len(self._held) >= self.capacity:
                self._held.popleft()
                self.dropped += 1
            if len(self._unjudged) >= self.capacity:
                self._unjudged.popleft()
                self._hole = True
            self._held.append(held)
            self._unjudged.append(held)
            self._changed.notify_all()
        self._told()

    def distrust(self) -> None:
        """Damage was noticed: what waits here may have been reached by it, and leaves covered."""
        with self._changed:
            for held in self._held:
                held.frame.corrupt = True

    def close(self) -> None:
        """No frame follows."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        self._told()

    def take_unjudged(self, limit: int) -> tuple[list[Held], bool] | None:
        """Wait for frames to judge: at most `limit`, and whether some before them were lost; None at the end."""
        with self._changed:
            while not self._unjudged and not self._closed:
                self._changed.wait()
            if not self._unjudged:
                return None
            return self._next_unjudged(limit)

    def unjudged_now(self, limit: int | None = None) -> tuple[list[Held], bool]:
        """The same without waiting, however many or few there are; None takes all."""
        with self._changed:
            return self._next_unjudged(len(self._unjudged) if limit is None else limit)

    def _next_unjudged(self, limit: int) -> tuple[list[Held], bool]:
        taken = [self._unjudged.popleft() for _ in range(min(limit, len(self._unjudged)))]
        hole, self._hole = self._hole, False
        return taken, hole

    def tell_decided(self, *, final: bool = False) -> None:
        """The judge has decided about some frames; with `final` about all that it ever will."""
        with self._changed:
            self._judged |= final
            self._changed.notify_all()

    def take_due(self, until: float) -> list[Held]:
        """Remove the frames taken at or before `until`, oldest first, decided or not."""
        with self._changed:
            due = []
            while self._held and self._held[0].time <= until:
                due.append(self._held.popleft())
            if due:
                self._changed.notify_all()
            return due

    def wait_decided(self, until: float) -> None:
        """Wait until all frames up to `until` are here and decided about, or it is certain that they will not be."""
        with self._changed:
            while not self._settled(until):
                self._changed.wait()

    def _settled(self, until: float) -> bool:
        if self._judged:
            return True
        if len(self._held) >= self.capacity and not (self._unjudged or self._busy or self._held[0].decided):
            return True  # nothing more fits in that could help to decide: the oldest leaves covered
        complete = bool(self._held) and self._held[-1].time > until
        return complete and all(held.decided for held in self._held if held.time <= until)

    def next_time(self, timeout: float) -> float | None:
        """When the oldest frame was taken; waits for one for at most `timeout` seconds."""
        with self._changed:
            if not self._held and not self._closed:
                self._changed.wait(timeout)
            return self._held[0].time if self._held else None

    @property
    def closed(self) -> bool:
        """Whether no frame follows."""
        with self._changed:
            return self._closed

    @property
    def drained(self) -> bool:
        """Whether no frame follows and the judge has taken all."""
        with self._changed:
            return self._closed and not self._unjudged

    @property
    def finished(self) -> bool:
        """Whether no frame is left and none follows."""
        with self._changed:
            return self._closed and not self._held
