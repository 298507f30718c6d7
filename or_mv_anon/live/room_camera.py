"""One camera of a room: its input, its delay line, and the thread from which its pictures leave.

A frame leaves at its own time plus the delay, never earlier, with what was decided about it or covered whole.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import av

from or_mv_anon.core.config import OperatorConfig
from or_mv_anon.live.line import DelayLine, Held
from or_mv_anon.live.meter import Meter
from or_mv_anon.live.output import NO_SIGNAL_S, Output
from or_mv_anon.live.pictures import copy_of
from or_mv_anon.live.queued_sink import QueuedSink
from or_mv_anon.live.room_site import LiveCamera
from or_mv_anon.live.segments import SegmentedSink
from or_mv_anon.live.settings import OutputConfig
from or_mv_anon.live.sinks import EncodedSink, Sink
from or_mv_anon.live.source import Reader
from or_mv_anon.live.stage_times import StageTimes
from or_mv_anon.operators.cells import Method
from or_mv_anon.video.live.places import Place

SPARE_S = 1.0  # seconds of input that fit into the line beyond the delay
CATCH_UP_S = 0.15  # seconds that leaving may fall behind and catch up without leaving frames out
LEAST_STEP_S = 0.001  # between two pictures of an output
WAIT_S = 0.05  # for a frame, before the clock is looked at again


class RoomClock:
    """When the output's time 0 is.

    Attributes:
        start: on the line's clock.
    """

    def __init__(self, *, fast: bool, lead_s: float = 0.5) -> None:
        """`lead_s`: so far ahead it lies, for everything to be ready."""
        self.start = 0.0 if fast else time.monotonic() + lead_s
        self._epoch = time.time() if fast else None

    def epoch(self) -> float:
        """The wall clock, in seconds since 1970 (UTC), at the output's time 0, as the clock goes now."""
        return time.time() - (time.monotonic() - self.start) if self._epoch is None else self._epoch


class RoomCamera:
    """Reads, holds back and sends one camera's pictures.

    Attributes:
        spec: what is asked for.
        line: its frames.
        meter: its counts.
        reader: of its input.
        sinks: its outputs; empty until the first frame.
    """

    def __init__(
        self, spec: LiveCamera, clock: RoomClock, *, delay: float, fast: bool, begin_s: float, method: Method,
        operators: OperatorConfig, output: OutputConfig, threads: int, keep_s: float | None,
        wake: Callable[[], None], stop: threading.Event, say: Callable[[str], None], stages: StageTimes,
        finished: Callable[[str, Path, int], None], max_seconds: float,
    ) -> None:  # fmt: skip
        """`begin_s`: seconds of the output's time at which a file's first frame was taken."""
        self.spec, self.meter = spec, Meter()
        self.sinks: list[QueuedSink] = []
        self.line = DelayLine(patient=fast, told=wake)
        self._clock, self._delay, self._fast, self._stop, self._stages = clock, delay, fast, stop, stages
        self._method, self._operators, self._output_config = method, operators, output
        self._threads, self._keep_s, self._finished, self._max_seconds = threads, keep_s, finished, max_seconds
        self._say = lambda text: say(f"{spec.name}: {text}")
        self.reader = Reader(
            spec.input, self.line, self.meter, paced=not fast, stop=stop, on_first=self._ready, say=self._say,
            begin=clock.start + begin_s, stages=stages,
        )  # fmt: skip
        self.thread = threading.Thread(target=self._run, name=f"leaving {spec.name}", daemon=True)
        self._output: Output | None = None
        self._moment = -math.inf  # of the picture that was sent last

    def start(self) -> None:
        """Begin to read and to send."""
        self.reader.start()
        self.thread.start()

    def join(self, seconds: float) -> None:
        """Wait until everything is sent and written."""
        self.thread.join(seconds)
        self.reader.join(seconds)

    @property
    def shown(self) -> av.VideoFrame | None:
        """The covered picture that left last; None while the slate is shown."""
        return None if self._output is None else self._output.shown

    @property
    def problems(self) -> list[str]:
        """What is wrong with its outputs now."""
        return [sink.problem for sink in self.sinks if sink.problem]

    def _ready(self, first: Held) -> None:
        """The first frame tells size and rate."""
        self.line.capacity = math.ceil((self._delay + SPARE_S) * self.reader.rate) + 8
        width, height = first.frame.upright_size
        size = max(16, width // 2 * 2), max(16, height // 2 * 2)
        self.sinks = [self._queued(place, size) for place in self.spec.outputs]
        if self.spec.folder is not None:
            self.sinks.append(self._queued(self.spec.folder, size))
        self._output = Output(
            _Tee(self.sinks, wait=self._fast), size, self._method, self._operators, self.meter, live=False,
            say=self._say,
        )  # fmt: skip

    def _queued(self, target: Place | Path, size: tuple[int, int]) -> QueuedSink:
        config, rate, shown = self._output_config, self.reader.rate, str(getattr(target, "shown", target))

        def opened() -> Sink:
            if isinstance(target, Path):
                return SegmentedSink(
                    target, size=size, rate=rate, crf=config.crf, preset=config.preset, threads=self._threads,
                    segment_s=config.segment_s, epoch=self._clock.epoch, keep_s=self._keep_s,
                    done=lambda path, count: self._finished(self.spec.name, path, count),
                )  # fmt: skip
            return EncodedSink(
                target, size=size, rate=rate, crf=config.crf, preset=config.preset, threads=self._threads
            )

        return QueuedSink(
            opened, rate=rate, wrote=self._wrote, stages=self._stages,
            told=lambda text: self._say(f"{shown}: {text}"),
        )  # fmt: skip

    def _wrote(self, at: float) -> None:
        if not self._fast:
            self.meter.note_latency(time.monotonic() - self._clock.start - at)

    def _run(self) -> None:
        """Send until the input ends, or the run does; whatever fails, the next frame is tried again."""
        last = self._clock.start
        try:
            while not self.line.finished:
                taken = self.line.next_time(WAIT_S)
                if self._stop.is_set():
                    self.line.close()
                if taken is None:
                    last = self._no_signal(last)
                    continue
                if taken - self._clock.start >= self._max_seconds:
                    self._stop.set()
                    self.line.close()
                    return
                last = max(last, self._leave(taken, last))
        finally:
            for sink in self.sinks:
                sink.close()
            self.meter.skipped += self.line.dropped
            self.meter.output_reconnects = sum(sink.reconnects for sink in self.sinks)

    def _leave(self, taken: float, last: float) -> float:
        """Let the frame taken at `taken` leave when it is due, and those that are overdue with it.

        Until then slates fill what may be missing since the moment `last`.
        """
        if self._fast:
            self.line.wait_decided(taken)
            until = taken
        else:
            while (left := taken + self._delay - time.monotonic()) > 0:
                time.sleep(min(left, WAIT_S))
                last = last if left <= WAIT_S else self._no_signal(last)
            behind = time.monotonic() - self._delay - taken
            until = taken + behind if behind > CATCH_UP_S else taken
        due = self.line.take_due(until)
        if due:
            self._show(due, due[-1].time)
        return until

    def _no_signal(self, last: float) -> float:
        """A slate, if it is time for one; returns when the output showed anything last."""
        if self._fast or self._output is None:
            return last
        now = time.monotonic() - self._delay
        silent = now - last
        if silent < (NO_SIGNAL_S if self._output.shown is not None else 1 / self._output_config.slate_rate):
            return last
        self._show([], now)
        return now

    def _show(self, due: list[Held], moment: float) -> None:
        if self._output is None:
            return
        self._moment = max(moment, self._moment + LEAST_STEP_S)  # a slate may stand where a late frame belongs
        try:
            with self._stages.measured("cover"):
                self._output.show(due, moment, self._moment - self._clock.start)
        except Exception as error:  # the next picture is tried again
            self.meter.failures += 1
            if self.meter.failures == 1:
                self._say(f"Sending a picture failed ({type(error).__name__}: {error}).")


class _Tee:
    """All outputs of a camera as one; a picture counts as sent when any takes it."""

    reconnects = 0

    def __init__(self, sinks: Sequence[QueuedSink], *, wait: bool) -> None:
        self._sinks, self._wait = sinks, wait

    def write(self, picture: av.VideoFrame, time: float) -> bool:
        own = [picture, *(copy_of(picture) for _ in self._sinks[1:])]  # each encoder writes its time into its picture
        return any([sink.write(each, time, wait=self._wait) for sink, each in zip(self._sinks, own, strict=False)])

    def close(self) -> None:
        for sink in self._sinks:
            sink.close()
