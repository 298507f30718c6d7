"""When a frame was taken, on this machine's clock: a stream's own timestamps are even, its arrivals are not."""

from __future__ import annotations

from collections import deque

LARGEST_GAP_S = 5.0  # of a file's clock: so long may frames be missing; more means that the clock jumped
LARGEST_STEP_BACK_S = 0.5  # of a file's clock: so far timestamps may be out of order
SAME_S = 1e-6  # timestamps that differ by less are equal
FILLED_S = 1.0  # seconds that a jump of a file's clock is given in the output
LARGEST_JITTER = 0.5  # seconds between a frame's own time and its arrival; more means that the stream's clock jumped
DRIFT_SPAN_S, DRIFT_SPANS = 20.0, 90  # half an hour, over which a clock's drift is measured
CREEP = 2e-4  # seconds per second that the estimate follows a stream's clock that runs slow


class Timeline:
    """Maps a stream's clock to this machine's: the frame that came quickest tells the offset between the two.

    Times never lie after the arrival, and never go back.

    Attributes:
        by_sender: whether the last frame has the time that the sender's wall clock gave it.
    """

    def __init__(self) -> None:
        self.by_sender = False
        self._offset: float | None = None
        self._last = float("-inf")
        self._arrival = 0.0
        self._span = 0.0
        self._quickest: deque[tuple[float, float]] = deque(maxlen=DRIFT_SPANS)  # of every span: arrival, and that - own

    def restart(self) -> None:
        """A new connection has a clock of its own."""
        self._offset = None
        self._quickest.clear()

    @property
    def drift_ppm(self) -> float | None:
        """How much quicker the stream's clock runs than this machine's, in millionths; None before it can be told.

        From the frames that came quickest in every `DRIFT_SPAN_S`: what delays the others is not the clock.
        """
        if len(self._quickest) < 3:
            return None
        (first, before), (last, after) = self._quickest[0], self._quickest[-2]  # the last span is not over
        return None if last <= first else round(1e6 * (before - after) / (last - first), 1)

    def _note_drift(self, own: float, arrival: float) -> None:
        late = arrival - own
        if not self._quickest or arrival - self._span >= DRIFT_SPAN_S:
            self._span = arrival
            self._quickest.append((arrival, late))
        elif late < self._quickest[-1][1]:
            self._quickest[-1] = arrival, late

    def taken(self, own: float | None, arrival: float, sent: float | None = None) -> float:
        """Seconds on this machine's clock at which a frame was taken.

        Args:
            own: the frame's timestamp in seconds, None where it has none.
            arrival: when it came out of the decoder.
            sent: when it was taken by the sender's clock, laid on this machine's; None where that is not known. It
                counts if it lies at most so far before the arrival as anything may be under way.
        """
        time = arrival
        self.by_sender = sent is not None and 0 <= arrival - sent <= LARGEST_JITTER
        if own is not None:
            if self._offset is not None:
                self._offset += CREEP * (arrival - self._arrival)
            if self._offset is None or not 0 <= arrival - own - self._offset <= LARGEST_JITTER:
                if self._offset is not None and abs(arrival - own - self._offset) > LARGEST_JITTER:
                    self._quickest.clear()  # the stream's clock jumped
                self._offset = arrival - own
            self._note_drift(own, arrival)
            time = sent if sent is not None and self.by_sender else own + self._offset
        self._arrival = arrival
        self._last = min(arrival, max(self._last, time))
        return self._last


class FileClock:
    """When a file's frames follow one another: by their own timestamps, across jumps of the clock that made them.

    A gap of a few seconds is kept. A longer one, or a clock that starts anew, would be hours without a picture, or all
    pictures at one moment: such a jump is given one second, and the clock goes on from there.

    Attributes:
        jumps: how many there were.
    """

    def __init__(self, rate: float) -> None:
        """`rate`: nominal frames per second, for frames without a timestamp."""
        self.jumps = 0
        self._step = 1 / rate
        self._offset: float | None = None
        self._last = 0.0

    def placed(self, own: float | None) -> tuple[float, float]:
        """Seconds from the first frame to this one, and by how much the clock jumped before it (0: it did not).

        Args:
            own: the frame's timestamp in seconds, None where it has none.
        """
        if self._offset is None:
            self._offset = -(own or 0.0)
            return 0.0, 0.0
        expected = self._last + self._step
        time = expected if own is None else own + self._offset
        jump = time - self._last
        if -LARGEST_STEP_BACK_S <= jump <= LARGEST_GAP_S:
            if jump < SAME_S:  # out of order: a moment of its own, unless that would run ahead of the clock
                time = expected if expected - time <= LARGEST_STEP_BACK_S else self._last
            self._last = time
            return time, 0.0
        self.jumps += 1
        self._last += FILLED_S
        self._offset += self._last - time
        return self._last, jump
