"""One picture per moment of the output: a frame as it is, a covered one, the last one again, or the slate."""

from __future__ import annotations

import math
import sys
import time
from collections.abc import Callable

import av

from or_mv_anon.core.config import OperatorConfig
from or_mv_anon.core.printable import printable
from or_mv_anon.core.redaction import redacted
from or_mv_anon.live.line import Held
from or_mv_anon.live.meter import Meter
from or_mv_anon.live.pictures import Fitter, protected, slate
from or_mv_anon.live.sinks import Sink
from or_mv_anon.operators.cells import Method

NO_SIGNAL_S = 0.5  # seconds without a new frame until the slate is shown


class Output:
    """Turns what is due into one picture per tick."""

    def __init__(
        self, sink: Sink, size: tuple[int, int], method: Method, operators: OperatorConfig, meter: Meter, *, live: bool,
        say: Callable[[str], None],
    ) -> None:  # fmt: skip
        self._say = say
        self._sink, self._method, self._operators, self._meter, self._live = sink, method, operators, meter, live
        self._fit = Fitter(size)
        self._slate = slate(size)
        self._shown: av.VideoFrame | None = None
        self._shown_at = -math.inf

    @property
    def shown(self) -> av.VideoFrame | None:
        """The covered picture that was sent last; None while the slate is shown."""
        return self._shown

    def show(self, due: list[Held], until: float, at: float) -> None:
        """Send the newest of the frames that are due, or the last one again, or the slate.

        Args:
            due: frames, oldest first.
            until: the line's time of this tick.
            at: seconds from the beginning of the output.
        """
        if due:
            self._meter.skipped += len(due) - 1
            self._shown, self._shown_at = self._picture(due[-1]), due[-1].time
        elif self._shown is None or until - self._shown_at > NO_SIGNAL_S:
            self._shown = None
            self._meter.slates += 1
        else:
            self._meter.repeated += 1
        self._meter.note_shown(slate=self._shown is None)
        sent = self._sink.write(self._slate if self._shown is None else self._shown, at)
        self._meter.frames_out += sent
        self._meter.unsent += not sent
        if due and sent and self._live:
            self._meter.note_latency(time.monotonic() - due[-1].time)

    def _picture(self, held: Held) -> av.VideoFrame | None:
        frame, regions = held.shown()
        self._meter.late += not (held.decided or frame.corrupt)
        self._meter.covered += regions is None
        try:
            picture, problem = protected(frame, regions, self._fit, self._method, self._operators)
        except Exception as error:  # fail closed: the slate takes its place
            picture, problem = None, f"{type(error).__name__}: {error}"
        if problem is not None:
            if not self._meter.failures:
                self._say(f"Covering failed, nothing of the picture is shown instead ({problem}).")
            self._meter.failures += 1
        return picture


def say(message: str) -> None:
    """Tell the user at once, on stderr."""
    print(printable(redacted(message)), file=sys.stderr, flush=True)
