"""The live run: pictures leave at the output's own rate, a fixed delay after they were taken, judged or covered."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from or_mv_anon.core.config import OperatorConfig
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.stopping import Requests, handling
from or_mv_anon.endoscopy.classifier import OutOfBodyClassifier
from or_mv_anon.endoscopy.settings import EndoscopyConfig
from or_mv_anon.live.judge import Judge
from or_mv_anon.live.line import DelayLine, Held
from or_mv_anon.live.meter import Meter
from or_mv_anon.live.output import Output, say
from or_mv_anon.live.sinks import EncodedSink, Sink
from or_mv_anon.live.source import USUAL_RATE, Reader
from or_mv_anon.operators.cells import Method
from or_mv_anon.video.live.places import Place

LOOKAHEAD_SHARE = 0.6  # of the delay: what follows a frame for so long decides about it, the rest is time for judging
REPORT_S = 5.0  # seconds between reports
CATCH_UP_S = 0.2  # seconds that the output may fall behind and catch up without leaving pictures out
JOIN_S = 4.0  # seconds that a thread is given to end; reading gives up earlier
LARGEST_SIDE = 8192  # px of the output
SPARE_S = 1.0  # seconds of input that fit into the line beyond the delay


@dataclass(frozen=True, kw_only=True)
class LiveOptions:
    """What is asked for on the command line."""

    input: Place
    output: Place
    delay: float = 0.5  # seconds
    method: Method = "solid"
    size: tuple[int, int] | None = None  # (width, height) of the output; None for the input's
    fast: bool = False  # a file as quickly as it can be judged, every frame of it
    max_seconds: float = math.inf  # of output
    crf: int = 20
    preset: str = "superfast"
    threads: int = 1  # of the encoder
    stats: Path | None = None

    def __post_init__(self) -> None:
        if not 0 < self.delay <= 60:
            raise UserError(f"--delay is {self.delay:g}; expected seconds above 0, at most 60.")
        if not self.max_seconds > 0:
            raise UserError(f"--max-seconds is {self.max_seconds:g}; expected more than 0.")
        if self.size is not None and not all(16 <= side <= LARGEST_SIDE and side % 2 == 0 for side in self.size):
            raise UserError(
                f"--size is {self.size[0]}x{self.size[1]}; expected even numbers of at least 16 and at most "
                f"{LARGEST_SIDE}."
            )
        if self.fast and self.input.kind != "file":
            raise UserError("--pace fast is for files; a live input has its own pace.")


class LiveRun:
    """One run; `run` is called once, in the main thread."""

    def __init__(
        self, options: LiveOptions, endoscopy: EndoscopyConfig, operators: OperatorConfig,
        classifier: OutOfBodyClassifier,
    ) -> None:  # fmt: skip
        self.meter = Meter()
        self._options, self._operators = options, operators
        self._stop = threading.Event()
        self._first: Held | None = None
        self._first_seen = threading.Event()
        self._line = DelayLine(patient=options.fast)
        self._reader = Reader(
            options.input, self._line, self.meter, paced=not options.fast, stop=self._stop,
            on_first=self._note_first, say=say,
        )  # fmt: skip
        lookahead = LOOKAHEAD_SHARE * options.delay
        self._judge = Judge(
            self._line, classifier, endoscopy, lookahead=lookahead,
            oldest=None if options.fast else options.delay - lookahead, meter=self.meter, say=say,
        )  # fmt: skip

    def run(self) -> int:
        """Run to the end of the input, to `max_seconds`, or until a signal; returns the exit code.

        Raises:
            UserError: the input never showed a picture, or the output cannot be written.
        """
        self._reader.start()
        self._judge.start()
        with asked_to_stop(self._stop):
            try:
                start = self._wait_for_start()
                if start is None:
                    raise self._reader.error or UserError(f"No picture came from {self._options.input.shown}.")
                self._send(start)
            finally:
                self._stop.set()
                self._line.close()
                # A thread that is still at work in a library when the interpreter ends would abort the process.
                self._judge.join(JOIN_S)
                self._reader.join(JOIN_S)
        print(f"Done: {self.meter.line()}", flush=True)
        if self._reader.error:
            raise self._reader.error
        return 1 if self.meter.failures else 0

    def _note_first(self, first: Held) -> None:
        self._line.capacity = math.ceil((self._options.delay + SPARE_S) * self._reader.rate) + 8
        self._first = first
        self._first_seen.set()

    def _wait_for_start(self) -> float | None:
        """The line's time of the first picture to send; None if there will be none.

        With a size asked for the output begins at once, with the slate; otherwise the input tells the size.
        """
        if self._options.size is not None and self._options.input.kind == "stream":
            return time.monotonic() - self._options.delay
        began = time.monotonic()
        while not self._first_seen.wait(0.05):
            waited = time.monotonic() - began
            if self._stop.is_set() or not self._reader.is_alive() or waited > self._options.max_seconds:
                return None if self._first is None else self._first.time
        return None if self._first is None else self._first.time

    def _send(self, start: float) -> None:
        rate = self._reader.rate if self._first else USUAL_RATE
        size = self._options.size or self._even_size()
        sink = self._open_sink(size, rate)
        output = Output(
            sink, size, self._options.method, self._operators, self.meter, live=not self._options.fast, say=say
        )
        self._say_start(size, rate)
        reported = time.monotonic()
        try:
            tick = 0
            while tick / rate < self._options.max_seconds:
                until = start + tick / rate
                self._wait(until)
                due = self._line.take_due(until + 0.5 / rate)
                if not due and self._line.finished:
                    break
                output.show(due, until, tick / rate)
                tick = self._next_tick(tick, start, rate)
                if time.monotonic() - reported >= REPORT_S:
                    reported = time.monotonic()
                    print(self.meter.line(), flush=True)
        finally:
            sink.close()
            self.meter.skipped += self._line.dropped
            self.meter.output_reconnects = sink.reconnects
            if self._options.stats is not None:
                self.meter.write(self._options.stats, self._settings(size, rate))

    def _wait(self, until: float) -> None:
        """Wait until the frames taken up to `until` are due."""
        if self._options.fast:
            self._line.wait_decided(until + 0.5 / self._reader.rate)
        else:
            time.sleep(max(0.0, until + self._options.delay - time.monotonic()))
        if self._stop.is_set():
            self._line.close()

    def _next_tick(self, tick: int, start: float, rate: float) -> int:
        if self._options.fast:
            return tick + 1
        # An output that fell behind for long leaves pictures out: the delay stays what it is.
        behind = time.monotonic() - self._options.delay - start - tick / rate
        return max(tick + 1, tick + math.floor(behind * rate)) if behind > CATCH_UP_S else tick + 1

    def _even_size(self) -> tuple[int, int]:
        assert self._reader.size is not None
        width, height = self._reader.size
        return max(16, width // 2 * 2), max(16, height // 2 * 2)

    def _open_sink(self, size: tuple[int, int], rate: float) -> Sink:
        options = self._options
        return EncodedSink(
            options.output, size=size, rate=rate, crf=options.crf, preset=options.preset, threads=options.threads
        )

    def _say_start(self, size: tuple[int, int], rate: float) -> None:
        options = self._options
        say(
            f"{options.input.shown} -> {options.output.shown}: {size[0]}x{size[1]} at {rate:.3g} frames per second, "
            f"{options.delay:g} s behind."
        )

    def _settings(self, size: tuple[int, int], rate: float) -> dict[str, Any]:
        options = self._options
        return {
            "input": options.input.shown,
            "output": options.output.shown,
            "delay_s": options.delay,
            "method": options.method,
            "width": size[0],
            "height": size[1],
            "rate": rate,
        }


@contextmanager
def asked_to_stop(stop: threading.Event) -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP end the run cleanly, which is how a live run ends; a second one ends it at once."""
    requests = Requests()

    def handle(number: int, frame: FrameType | None) -> None:
        if requests.is_first(number):
            stop.set()

    with handling(handle):
        yield
