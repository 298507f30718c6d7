"""When a frame was taken, on this machine's clock: a stream's own timestamps are even, its arrivals are not."""

from __future__ import annotations

LARGEST_JITTER = 0.5  # seconds between a frame's own time and its arrival; more means that the stream's clock jumped
CREEP = 2e-4  # seconds per second that the estimate follows a stream's clock that runs slow


class Timeline:
    """Maps a stream's clock to this machine's: the frame that came quickest tells the offset between the two.

    Times never lie after the arrival, and never go back.
    """

    def __init__(self) -> None:
        self._offset: float | None = None
        self._last = float("-inf")
        self._arrival = 0.0

    def restart(self) -> None:
        """A new connection has a clock of its own."""
        self._offset = None

    def taken(self, own: float | None, arrival: float) -> float:
        """Seconds on this machine's clock at which a frame was taken.

        Args:
            own: the frame's timestamp in seconds, None where it has none.
            arrival: when it came out of the decoder.
        """
        time = arrival
        if own is not None:
            if self._offset is not None:
                self._offset += CREEP * (arrival - self._arrival)
            if self._offset is None or not 0 <= arrival - own - self._offset <= LARGEST_JITTER:
                self._offset = arrival - own
            time = own + self._offset
        self._arrival = arrival
        self._last = min(arrival, max(self._last, time))
        return self._last
