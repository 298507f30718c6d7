"""Reads the input in a thread of its own, and connects again for as long as it takes when a stream is lost."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.redaction import redacted
from or_mv_anon.live.line import DelayLine, Held
from or_mv_anon.live.meter import Meter
from or_mv_anon.live.pictures import turned_upright, upright_frame
from or_mv_anon.live.relay import Relay
from or_mv_anon.live.sender_clock import SenderClock
from or_mv_anon.live.stage_times import StageTimes
from or_mv_anon.video.damage.watch import WatchedDecoder
from or_mv_anon.video.demux import demux, main_stream, open_video
from or_mv_anon.video.frame import PictureScaler
from or_mv_anon.video.live.places import Place
from or_mv_anon.video.live.timeline import FILLED_S, FileClock, Timeline

OPEN_TIMEOUT, READ_TIMEOUT = 5.0, 3.0  # seconds without anything from a stream
FIRST_PAUSE, LONGEST_PAUSE = 0.25, 5.0  # seconds between attempts to connect; each pause is twice the one before
USUAL_RATE, LEAST_RATE, LARGEST_RATE = 25.0, 1.0, 120.0  # frames per second
SHOWN_JUMPS = 5  # of the clock
QUICK = {"fflags": "nobuffer", "flags": "low_delay", "probesize": "500000", "analyzeduration": "500000"}

Timed = tuple[av.VideoFrame, float | None]  # a picture and its own timestamp in seconds


class Reader(threading.Thread):
    """Decodes the input into the line. A file ends; a stream, a device or the pattern goes on until `stop`.

    Attributes:
        rate: the input's nominal frame rate, known with the first frame.
        size: (width, height) of the first upright frame; None until then.
        error: why there will be no frame at all, of a file that cannot be read.
    """

    def __init__(
        self, place: Place, line: DelayLine, meter: Meter, *, paced: bool, stop: threading.Event,
        on_first: Callable[[Held], None], say: Callable[[str], None], begin: float | None = None,
        stages: StageTimes | None = None,
    ) -> None:  # fmt: skip
        """Nothing is read yet.

        Args:
            place: of the input.
            line: takes its frames.
            meter: counts.
            paced: files and the pattern come at their own rate; without it as quickly as the line takes them.
            stop: ends it.
            on_first: told of the first frame, before the line has it.
            say: tells the user.
            begin: when the first frame of a file counts as taken, on the line's clock; None for now, or 0 unless paced.
            stages: counts what decoding takes.
        """
        self._start, self._stages = begin, stages or StageTimes()
        super().__init__(name="reader", daemon=True)
        self.rate = USUAL_RATE
        self.size: tuple[int, int] | None = None
        self.error: UserError | None = None
        self._place, self._line, self._meter, self._paced, self._stop_asked = place, line, meter, paced, stop
        self._on_first, self._say = on_first, say
        self._timeline = Timeline()
        self._sender: SenderClock | None = None  # of this connection, where it is one that may tell
        self._seen = False  # anything in this connection
        self._damaged = False  # damage reaches the frame decoded last
        self._number, self._scaler = 0, PictureScaler()

    @property
    def drift_ppm(self) -> float | None:
        """How much quicker the input's clock runs than this machine's, in millionths; None where that is not known."""
        return self._timeline.drift_ppm

    @property
    def by_sender(self) -> bool:
        """Whether frames have the times that the sender's wall clock gives them."""
        return self._timeline.by_sender

    def run(self) -> None:
        """Read until the end of a file, or until asked to stop."""
        try:
            if self._place.kind == "file":
                self._read_file()
            else:
                self._read_stream()
        except UserError as error:
            self.error = error
        except Exception as error:  # the output must end cleanly whatever happens here
            told = redacted(f"{type(error).__name__}: {error}")
            self.error = UserError(f"Reading {self._place.shown} failed ({told}).")
        finally:
            self._line.close()

    def _read_file(self) -> None:
        path = Path(self._place.address)
        with open_video(path) as container:
            stream = main_stream(container, path)
            self._begin(stream)
            try:
                self._pump(self._timed(self._decoded(container, stream)))
            except FFmpegError as error:
                raise UserError(f"{path} is damaged: reading ended early ({error.strerror}).") from error
        if self.size is None and not self._stop_asked.is_set():
            raise UserError(f"No frame of {path} can be decoded; it is damaged.")

    def _read_stream(self) -> None:
        pause, lost = FIRST_PAUSE, False
        while not self._stop_asked.is_set():
            self._seen = False
            why = self._read_connection()
            if self._stop_asked.is_set():
                return
            if self._seen or not lost:
                self._say(f"No signal from {self._place.shown} ({why}); trying again until it is back.")
            pause = FIRST_PAUSE if self._seen else min(LONGEST_PAUSE, 2 * pause)
            lost = True
            self._stop_asked.wait(pause)

    def _read_connection(self) -> str:
        """Read until the stream breaks off; returns why.

        Raises:
            UserError: the server will not do, and never did.
        """
        if self._place.format != "rtsp":
            return self._read_address(self._place.address)
        try:
            self._sender = SenderClock()
            with Relay(self._place.address, timeout=OPEN_TIMEOUT, clock=self._sender) as relay:
                why = self._read_address(relay.address)
        except (OSError, ValueError) as error:
            return getattr(error, "strerror", None) or str(error)
        if relay.refused and self.size is None:
            raise UserError(f"{self._place.shown} cannot be used: {relay.refused}; give the address that it leads to.")
        return relay.refused or why

    def _read_address(self, address: str) -> str:
        try:
            with self._open_stream(address) as container:
                if not container.streams.video:
                    return "it has no video"
                stream = container.streams.video[0]
                self._begin(stream)
                self._timeline.restart()
                frames = self._decoded(container, stream)
                self._pump(self._timed(frames) if self._place.kind == "pattern" else self._arriving(frames))
            return "it ended"
        except (FFmpegError, OSError, ValueError) as error:
            return getattr(error, "strerror", None) or str(error)

    def _open_stream(self, address: str) -> InputContainer:
        options: dict[str, str] = {}
        if self._place.kind == "stream":
            options = dict(QUICK)
            if self._place.format == "rtsp":
                options["rtsp_transport"] = "tcp"  # a lost datagram damages the picture until the next keyframe
        return av.open(address, format=self._place.format, options=options, timeout=(OPEN_TIMEOUT, READ_TIMEOUT))

    def _begin(self, stream: VideoStream) -> None:
        if self.size is None:
            rate = float(stream.average_rate or stream.guessed_rate or USUAL_RATE)
            self.rate = rate if LEAST_RATE <= rate <= LARGEST_RATE else USUAL_RATE

    def _decoded(self, container: InputContainer, stream: VideoStream) -> Iterator[Timed]:
        """Frames as they decode, with their timestamps; damage marks whatever is decoded after it.

        That ends with the next keyframe.
        """
        decoder = WatchedDecoder(stream, scrutiny="thorough")
        decoder.context.thread_type = "SLICE"  # threads per frame would hold frames back
        for packet in demux(container, stream):
            with self._stages.measured("decode"):
                decoded = list(decoder.decode(packet if packet.size else None))
            for picture, damaged, _ in decoded:
                if damaged and not self._damaged and decoder.hides:
                    self._line.distrust()  # such damage is noticed late at times
                self._damaged = damaged
                # The decoder's last frames come without a time base of their own.
                yield picture, None if picture.pts is None else float(picture.pts * (stream.time_base or 0))

    def _pump(self, frames: Iterator[tuple[av.VideoFrame, float]]) -> None:
        for picture, taken in frames:
            if self._stop_asked.is_set():
                return
            upright = turned_upright(picture) if picture.rotation else picture
            self._meter.frames_in += 1
            if not self._seen and self.size is not None and self._place.kind != "file":
                self._meter.reconnects += 1
                self._say(f"The signal from {self._place.shown} is back.")
            self._seen = True
            frame = upright_frame(upright, self._number, taken, corrupt=self._damaged, scaler=self._scaler)
            self._number += 1
            held = Held(taken, frame)
            if self.size is None:
                self.size = upright.width, upright.height
                self._on_first(held)
            self._line.put(held)

    def _arriving(self, frames: Iterator[Timed]) -> Iterator[tuple[av.VideoFrame, float]]:
        """Frames of a stream as they come."""
        for picture, own in frames:
            now = time.monotonic()
            wall = None if self._sender is None or own is None else self._sender.wall(own)
            sent = None if wall is None else now + wall - time.time()
            yield picture, self._timeline.taken(own, now, sent)

    def _timed(self, frames: Iterator[Timed]) -> Iterator[tuple[av.VideoFrame, float]]:
        """Frames by their own timestamps, waiting for each one's moment where the input is paced."""
        clock = FileClock(self.rate)
        start = self._start
        for picture, own in frames:
            after, jump = clock.placed(own)
            if jump:
                self._meter.clock_jumps += 1
                self._say_jump(after, jump)
            if start is None:
                start = time.monotonic() if self._paced else 0.0
            if self._paced and self._stop_asked.wait(max(0.0, start + after - time.monotonic())):
                return
            yield picture, start + after

    def _say_jump(self, after: float, jump: float) -> None:
        if self._meter.clock_jumps <= SHOWN_JUMPS:
            self._say(
                f"The timestamps of {self._place.shown} jump by {jump:+.1f} s, {after - FILLED_S:.1f} s after the "
                f"beginning; {FILLED_S:g} s without a picture is shown for it."
            )
        elif self._meter.clock_jumps == SHOWN_JUMPS + 1:
            self._say("Further jumps are only counted.")
