"""An output with a thread of its own: whatever it waits for, the camera's other outputs and its delay go on.

Only pictures that are covered already get here. What an output does not take in time is lost for it.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable

import av

from or_mv_anon.core.errors import UserError
from or_mv_anon.live.sinks import Sink
from or_mv_anon.live.stage_times import StageTimes

MOST_S = 2.0  # seconds of pictures that may wait
JOIN_S = 5.0  # seconds that an output is given to end


class QueuedSink:
    """See `Sink`; opens, encodes and writes in its own thread.

    Attributes:
        reconnects: of the output.
        problem: why it does not take pictures now; "" when it does.
        written: pictures.
        lost: pictures that it did not take.
    """

    def __init__(
        self, open_sink: Callable[[], Sink], *, rate: float, wrote: Callable[[float], None],
        stages: StageTimes, told: Callable[[str], None], retry_s: float = 2.0,
    ) -> None:  # fmt: skip
        """`wrote` is called with the time of every picture that was written; `told` hears of problems once."""
        self.reconnects = 0
        self.problem = ""
        self.written = self.lost = 0
        self._open, self._wrote, self._told, self._stages, self._retry_s = open_sink, wrote, told, stages, retry_s
        self._waiting: queue.Queue[tuple[av.VideoFrame, float] | None] = queue.Queue(max(8, round(MOST_S * rate)))
        self._sink: Sink | None = None
        self._retry = threading.Event()
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)
        self._thread.start()

    def write(self, picture: av.VideoFrame, time: float, *, wait: bool = False) -> bool:
        """See `Sink`; False if too many wait already, unless it is to `wait` until they do not."""
        try:
            self._waiting.put((picture, time), block=wait)
        except queue.Full:
            self.lost += 1
            return False
        return True

    def close(self) -> None:
        """See `Sink`."""
        try:
            self._waiting.put(None, timeout=JOIN_S)
        except queue.Full:
            return  # it hangs; the process ends without it
        self._thread.join(JOIN_S)

    def _run(self) -> None:
        while (item := self._waiting.get()) is not None:
            picture, time = item
            with self._stages.measured("encode"):
                taken = self._write(picture, time)
            if taken:
                self.written += 1
                self._wrote(time)
            else:
                self.lost += 1
        if self._sink is not None:
            try:
                self._sink.close()
            except UserError as error:
                self._note(str(error))

    def _write(self, picture: av.VideoFrame, time: float) -> bool:
        try:
            if self._sink is None:
                if self._retry.is_set():
                    return False
                self._sink = self._open()
            taken = self._sink.write(picture, time)
            self.reconnects = self._sink.reconnects
        except UserError as error:
            self._note(str(error))
            self._give_up()
            return False
        except Exception as error:
            self._note(f"{type(error).__name__}: {error}")
            self._give_up()
            return False
        if taken and self.problem:
            self._note("")
        elif not taken and not self.problem:
            self._note("it does not take pictures; trying again until it does")
        return taken

    def _give_up(self) -> None:
        """Begin anew after a while."""
        sink, self._sink = self._sink, None
        self._retry.set()
        timer = threading.Timer(self._retry_s, self._retry.clear)
        timer.daemon = True
        timer.start()
        if sink is not None:
            try:
                sink.close()
            except Exception as error:  # it is broken anyway; what was written before stays
                self._note(str(error))

    def _note(self, problem: str) -> None:
        if bool(problem) != bool(self.problem):  # each try may say it in other words
            self._told(problem or "it takes pictures again")
        self.problem = problem
