"""When an RTSP server says that its pictures were taken: its wall clock, from the RTCP sender reports it sends along.

The reading library keeps these reports to itself, but they pass through the relay. Each names one moment twice, on the
sender's wall clock and on the clock of its packets (RFC 3550, 6.4.1). FFmpeg counts a stream's time from the packets'
clock that the server's answer to PLAY names, or else from its first packet.
"""

from __future__ import annotations

import re
import threading

NTP_EPOCH = 2_208_988_800  # seconds from 1900, where NTP begins, to 1970
CLOCK_RATE = 90_000  # ticks per second of every video payload in use
SENDER_REPORT = 200
_RTPTIME = re.compile(rb"(?im)^rtp-info\s*:[^\r\n]*?rtptime=(\d+)")


class SenderClock:
    """Watches one connection; asked from another thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._base: int | None = None  # packet clock at the stream's time 0
        self._report: tuple[float, int] | None = None  # seconds since 1970, packet clock
        self._video_first = True

    def reply(self, text: bytes) -> None:
        """A reply of the server, with its body."""
        video, audio = text.find(b"m=video"), text.find(b"m=audio")
        with self._lock:
            if 0 <= audio < video:
                self._video_first = False  # the first channel is sound
            if (match := _RTPTIME.search(text)) is not None:
                self._base = int(match[1])

    def packet(self, channel: int, data: bytes) -> None:
        """A packet of channel 0, pictures, or 1, reports about them."""
        with self._lock:
            if channel == 0 and self._base is None and len(data) >= 12:
                self._base = int.from_bytes(data[4:8], "big")
            elif channel == 1:
                self._reports(data)

    def _reports(self, data: bytes) -> None:
        """A compound of reports; what is no sender's is passed over."""
        while len(data) >= 4:
            length = 4 * (int.from_bytes(data[2:4], "big") + 1)
            if data[1] == SENDER_REPORT and length >= 28 and len(data) >= 28:
                seconds = int.from_bytes(data[8:12], "big") + int.from_bytes(data[12:16], "big") / 2**32
                self._report = seconds - NTP_EPOCH, int.from_bytes(data[16:20], "big")
            data = data[length:]

    def wall(self, own: float) -> float | None:
        """Seconds since 1970 at the sender, at a time of the stream in seconds; None while that is not known."""
        with self._lock:
            if self._report is None or self._base is None or not self._video_first:
                return None
            wall, ticks = self._report
        since = (ticks - self._base + 2**31) % 2**32 - 2**31
        return wall + own - since / CLOCK_RATE
