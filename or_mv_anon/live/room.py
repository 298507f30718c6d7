"""The live gateway of a room: all its cameras at once, each a fixed delay behind, judged or covered whole."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from or_mv_anon.association.known_geometry import Geometry
from or_mv_anon.core.companion import Companion
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.errors import UserError
from or_mv_anon.endoscopy.classifier import OutOfBodyClassifier
from or_mv_anon.endoscopy.settings import EndoscopyConfig
from or_mv_anon.live.across import geometry_between
from or_mv_anon.live.deciding import CameraFrames, Question, Windows, Zones
from or_mv_anon.live.exchange import Comparer, Exchange
from or_mv_anon.live.judge import Judge
from or_mv_anon.live.judged_camera import JudgedCamera, cadences
from or_mv_anon.live.looking import live_thresholds, smaller, warm
from or_mv_anon.live.overview import RATE, SIZE, Overview
from or_mv_anon.live.queued_sink import QueuedSink
from or_mv_anon.live.room_camera import RoomCamera, RoomClock
from or_mv_anon.live.room_judge import RoomJudge
from or_mv_anon.live.room_site import LiveCamera, LiveSite
from or_mv_anon.live.run import LOOKAHEAD_SHARE, asked_to_stop
from or_mv_anon.live.settings import LiveConfig, OutputConfig
from or_mv_anon.live.sinks import EncodedSink, Sink
from or_mv_anon.live.stage_times import StageTimes
from or_mv_anon.live.watch import PictureWatch
from or_mv_anon.live.window import Decided
from or_mv_anon.operators.cells import Method
from or_mv_anon.regions.networks import Networks
from or_mv_anon.video.demux import main_stream, open_video
from or_mv_anon.video.live.places import Place

JOIN_S = 30.0  # seconds that a thread is given to end
TICK_S = 0.1  # between two looks at what the run's threads do


@dataclass(frozen=True, kw_only=True)
class RoomOptions:
    """What is asked for on the command line.

    Attributes:
        delay: seconds from capture to output.
        method: how regions are covered.
        fast: files as quickly as they can be judged, every frame of them.
        max_seconds: of output.
        threads: of the encoders, each.
        keep_s: remove files that are older; None keeps all.
        overview: where all cameras in one picture go; None for nowhere.
    """

    delay: float = 1.0
    method: Method = "solid"
    fast: bool = False
    max_seconds: float = math.inf
    threads: int = 1
    keep_s: float | None = None
    overview: Place | None = None

    def __post_init__(self) -> None:
        if not 0.2 <= self.delay <= 60:
            raise UserError(f"--delay is {self.delay:g}; expected seconds from 0.2 to 60.")
        if not self.max_seconds > 0:
            raise UserError(f"--max-seconds is {self.max_seconds:g}; expected more than 0.")
        if self.overview is not None and self.fast:
            raise UserError("--overview has the pace of live pictures; leave it out with --pace fast.")


class RoomRun:
    """One run; `run` is called once, in the main thread.

    Attributes:
        cameras: by name.
        judge: of the room's cameras; None where there is none.
        across: what cameras tell one another; None without a geometry.
        judged: the room's cameras as the judge knows them, by name.
        stages: what the work costs.
        companions: processes beside: the one that decides, and the one that compares cameras, if there are any.
        finished: called with every file that was ended: its camera, where it is, and its number of pictures.
    """

    def __init__(
        self, site: LiveSite, options: RoomOptions, *, config: PipelineConfig, live: LiveConfig,
        networks: Sequence[Networks], endoscopy: EndoscopyConfig, classifier: OutOfBodyClassifier | None,
        say: Callable[[str], None], geometry: Geometry | None = None, beside: bool = False, known_room: bool = False,
    ) -> None:  # fmt: skip
        """`networks` look at room cameras, each set in a thread of its own, `classifier` at endoscopes.

        `known_room`: they were adapted to its cameras, so that one without colour is no reason for an alarm.

        `geometry` of a site model lets cameras carry heads to one another. `beside` decides, and compares
        cameras, in processes of their own.
        """
        if options.fast and any(camera.input.kind != "file" for camera in site.cameras):
            raise UserError("--pace fast is for files; a live input has its own pace.")
        config = live_thresholds(config, live.looking)
        self.name, self.delay = site.name, options.delay
        self.finished: Callable[[str, Path, int], None] = lambda camera, path, pictures: None
        self.stages = StageTimes()
        self._site, self._options, self._say = site, options, say
        self._least_colour = 0.0 if known_room else config.verdict.least_colour
        self._stop, self._wake = threading.Event(), threading.Event()
        files = _files(site.cameras)
        sizes = {size for _, size in files.values()}
        for each in networks:  # before the clock starts: it takes seconds
            for size in sizes:
                warm([(each, config), smaller(each, config, live.overload.smaller)], size)
        rooms = [camera for camera in site.cameras if camera.kind == "room"]
        self.companions: list[Companion[Any, Any]] = []
        zones = {camera.name: Zones(camera.always, camera.never) for camera in rooms}
        beside = beside and bool(rooms and networks)
        self._ask: Callable[[Question], Decided] = self._asking(partial(Windows, config, live, zones), beside=beside)
        self.across = self._exchange([camera.name for camera in rooms], geometry, config, live, beside=beside)
        self.clock = RoomClock(fast=options.fast)
        self._overview = None if options.overview is None else partial(self._tiled, options.overview, live.output)
        begins = _begins(files, site.cameras)
        self.cameras = {
            camera.name: RoomCamera(
                camera, self.clock, delay=options.delay, fast=options.fast, begin_s=begins[camera.name],
                method=options.method, operators=config.operators, output=live.output, threads=options.threads,
                keep_s=options.keep_s, wake=self._wake.set, stop=self._stop, say=say, stages=self.stages,
                finished=self._note_file, max_seconds=options.max_seconds,
            )
            for camera in site.cameras
        }  # fmt: skip
        self.judged: dict[str, JudgedCamera] = {}
        self.judge = self._room_judge(config, live, networks, sizes)
        self._judges = [] if classifier is None else self._scope_judges(endoscopy, classifier)

    def run(self, every_s: float = 1.0, report: Callable[[], None] = lambda: None) -> int:
        """Run to the end of all inputs, to `max_seconds`, or until a signal; returns the exit code.

        Args:
            every_s: seconds between reports.
            report: called so often, in this thread.
        """
        with asked_to_stop(self._stop):
            for thread in [*([] if self.judge is None else [self.judge]), *self._judges]:
                thread.start()
            overview = None if self._overview is None else self._overview()
            if overview is not None:
                overview.start()
            for camera in self.cameras.values():
                camera.start()
            reported = time.monotonic()
            while any(camera.thread.is_alive() for camera in self.cameras.values()):
                for camera in self.cameras.values():
                    camera.thread.join(TICK_S / len(self.cameras))
                if time.monotonic() - reported >= every_s:
                    reported += every_s
                    report()
            self._stop.set()
            if overview is not None:
                overview.end()
            for camera in self.cameras.values():
                camera.line.close()
                camera.join(JOIN_S)
            if self.judge is not None:
                self.judge.quit()
            for thread in [*([] if self.judge is None else [self.judge]), *self._judges]:
                thread.join(JOIN_S)
            for companion in self.companions:
                companion.close()
        report()
        errors = [camera.reader.error for camera in self.cameras.values() if camera.reader.error]
        if errors and len(errors) == len(self.cameras):
            raise errors[0]
        for error in errors:
            self._say(str(error))
        failures = sum(camera.meter.failures for camera in self.cameras.values())
        return 1 if failures or errors else 0

    def _tiled(self, place: Place, config: OutputConfig) -> Overview:
        def opened() -> Sink:
            return EncodedSink(
                place, size=SIZE, rate=RATE, crf=config.crf, preset=config.preset, threads=self._options.threads
            )

        sink = QueuedSink(
            opened, rate=RATE, wrote=lambda at: None, stages=self.stages,
            told=lambda text: self._say(f"overview: {text}"),
        )  # fmt: skip
        return Overview(self.cameras, sink, start=self.clock.start, delay=self._options.delay)

    def ask_to_stop(self) -> None:
        """Let the run end; what is held back is still sent."""
        self._stop.set()

    def _room_judge(
        self, config: PipelineConfig, live: LiveConfig, networks: Sequence[Networks], sizes: set[tuple[int, int]]
    ) -> RoomJudge | None:
        rooms = [camera for camera in self.cameras.values() if camera.spec.kind == "room"]
        if not rooms or not networks:
            return None
        interval = live.looking.longest_interval_s if self._options.fast else live.looking.interval_s
        self.judged = {
            camera.spec.name: JudgedCamera(
                camera.spec.name, camera.line, camera.meter,
                CameraFrames(
                    camera.spec.name, self._ask, live, has_zones=bool(camera.spec.always or camera.spec.never)
                ),
                PictureWatch(live.faults, least_colour=self._least_colour), cadences(live, interval),
            )
            for camera in rooms
        }  # fmt: skip
        return RoomJudge(
            list(self.judged.values()), networks, config, live, delay=self._options.delay, fast=self._options.fast,
            wake=self._wake, say=self._say, stages=self.stages, warmed=sizes, across=self.across,
        )  # fmt: skip

    def _asking(self, make: Callable[[], Callable[[Any], Any]], *, beside: bool) -> Callable[[Any], Any]:
        """What `make` gives, or a process beside this one that asks it there."""
        if not beside:
            return make()
        self.companions.append(Companion(make))
        return self.companions[-1].ask

    def _exchange(
        self, rooms: Sequence[str], geometry: Geometry | None, config: PipelineConfig, live: LiveConfig, *, beside: bool
    ) -> Exchange | None:
        """What cameras tell one another, where the geometry knows any of them."""
        known = geometry_between(rooms, geometry or {})
        if not known:
            return None
        return Exchange(self._asking(partial(Comparer, rooms, known, config, live.faults), beside=beside), self._say)

    def _scope_judges(self, endoscopy: EndoscopyConfig, classifier: OutOfBodyClassifier) -> list[Judge]:
        lookahead = LOOKAHEAD_SHARE * self._options.delay
        return [
            Judge(
                camera.line, classifier, endoscopy, lookahead=lookahead,
                oldest=None if self._options.fast else self._options.delay - lookahead, meter=camera.meter,
                say=partial(self._say_of, camera.spec.name), always=camera.spec.always,
            )
            for camera in self.cameras.values()
            if camera.spec.kind == "endoscope"
        ]  # fmt: skip

    def _say_of(self, camera: str, text: str) -> None:
        self._say(f"{camera}: {text}")

    def _note_file(self, camera: str, path: Path, pictures: int) -> None:
        self.finished(camera, path, pictures)


def _files(cameras: Sequence[LiveCamera]) -> dict[str, tuple[float, tuple[int, int]]]:
    """Session time at which each file begins, and its picture's size, by camera."""
    found = {}
    for camera in cameras:
        if camera.input.kind == "file":
            path = Path(camera.input.address)
            with open_video(path) as container:
                stream = main_stream(container, path)
                start = camera.offset + float((stream.start_time or 0) * (stream.time_base or 0))
                found[camera.name] = start, (stream.codec_context.width, stream.codec_context.height)
    return found


def _begins(files: dict[str, tuple[float, tuple[int, int]]], cameras: Sequence[LiveCamera]) -> dict[str, float]:
    """Seconds of the output's time at which each file begins: they keep their places in the session."""
    first = min((start for start, _ in files.values()), default=0.0)
    return {camera.name: files[camera.name][0] - first if camera.name in files else 0.0 for camera in cameras}
