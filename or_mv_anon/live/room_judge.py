"""Decides about the frames of all room cameras, in a thread: what is covered in them when they leave.

A frame is decided about when enough of what follows it was seen, and well before it has to leave. What is not decided
about by then leaves covered whole, and so does whatever this thread fails on. It says which frames are to be looked at;
`lookers.Lookers` look, in live in threads beside this one.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Collection, Sequence
from functools import partial

import numpy as np

from or_mv_anon.core.companion import CompanionLostError
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Regions
from or_mv_anon.core.run_layout import KEYPOINTS, PERSONS
from or_mv_anon.live.exchange import Exchange
from or_mv_anon.live.judged_camera import JudgedCamera, Seen
from or_mv_anon.live.ladder import Ladder, Step
from or_mv_anon.live.line import Held
from or_mv_anon.live.lookers import Lookers
from or_mv_anon.live.looking import Look
from or_mv_anon.live.moments import Searched
from or_mv_anon.live.settings import LiveConfig
from or_mv_anon.live.stage_times import StageTimes
from or_mv_anon.live.watch import Fault
from or_mv_anon.regions.networks import Networks

WAIT_S = 0.02  # between two tries when nothing happens
JOIN_S = 30.0  # that the last look is given to end


class RoomJudge(threading.Thread):
    """Decides about the frames of every room camera, and has them looked at.

    Attributes:
        started: whether it ever ran.
    """

    def __init__(
        self, cameras: Sequence[JudgedCamera], networks: Sequence[Networks], config: PipelineConfig, live: LiveConfig,
        *, delay: float, fast: bool, wake: threading.Event, say: Callable[[str], None], stages: StageTimes,
        warmed: Collection[tuple[int, int]] = (), across: Exchange | None = None,
    ) -> None:  # fmt: skip
        """`fast`: time is that of the frames, and every look that is due is made; `warmed`: see `Lookers`.

        `across` carries heads from camera to camera; None without a geometry.
        """
        super().__init__(name="judge", daemon=True)
        self._cameras, self._live, self._fast, self._wake, self._say = cameras, live, fast, wake, say
        self._lookahead = delay * (1 - live.window.reserve)
        self._stages, self._across = stages, across
        self._failed = False
        self._took = 0  # frames, the last time
        self.started = False
        self._quit = False
        self._lookers = Lookers(
            cameras, networks, config, live, fast=fast, guarded=self._guarded, wake=wake.set, say=say, stages=stages,
            warmed=warmed, across=across,
        )  # fmt: skip

    @property
    def ladder(self) -> Ladder:
        """Of overload."""
        return self._lookers.ladder

    def quit(self) -> None:
        """End after the look that is being made: nobody waits for what would follow."""
        self._quit = True
        self._lookers.quit()
        self._wake.set()

    @property
    def judging(self) -> bool:
        """Whether frames are looked at and decided about, or will be."""
        return not self.started or (self.is_alive() and (self._fast or self._lookers.alive))

    def run(self) -> None:
        """Judge until every line has ended. Whatever fails, the frames concerned leave covered."""
        try:
            if not self._fast:
                self._lookers.start()
            self.started = True
            while not self._quit:
                ended = self._guarded(self._take)
                self._guarded(self._decide)
                looked = self._look() if self._fast else 0
                if ended and not any(camera.frames.undecided or camera.waiting for camera in self._cameras):
                    return
                for camera in self._cameras:
                    camera.line.busy = bool(looked)
                if not (looked or self._took):
                    self._wake.wait(WAIT_S)
                    self._wake.clear()
        finally:
            self._lookers.quit()
            if not self._fast:
                self._lookers.join(JOIN_S)
            for camera in self._cameras:
                camera.frames.cover()
                camera.line.tell_decided(final=True)

    def _take(self) -> int:
        """Take over the frames that came; 1 if no camera will have any more.

        Where time does not matter one at a time, so that no more is known of a frame than in time.
        """
        self._took = 0
        for camera in self._cameras:
            camera.line.busy = True
            frames, hole = camera.line.unjudged_now(1 if self._fast else None)
            ended = camera.line.drained
            self._took += len(frames)
            if hole:
                camera.meter.holes += 1
            for held in frames:
                camera.frames.add(held)
                camera.newest, camera.shown = held.time, held
                self._schedule(camera, held)
            if ended and not camera.ended and (last := camera.frames.newest) is not None and not last.decided:
                self._look_at_last(camera, last)
            camera.ended = ended
        self._take_notes()
        if self._took:
            self._lookers.tell()
        return int(all(camera.ended for camera in self._cameras))

    def _schedule(self, camera: JudgedCamera, held: Held) -> None:
        """Note which sources are to look at a frame. Damage is no sight."""
        camera.owed |= {name for name, cadence in camera.cadence.items() if cadence.due([held.time])[0]}
        if PERSONS.name in camera.owed and not held.frame.corrupt:
            with camera.lock:
                camera.waiting.append(Look(held, frozenset(camera.owed)))
            camera.owed.clear()

    def _look_at_last(self, camera: JudgedCamera, last: Held) -> None:
        if not last.frame.corrupt and (not camera.waiting or camera.waiting[-1].held is not last):
            with camera.lock:
                camera.waiting.append(Look(last, frozenset({PERSONS.name, KEYPOINTS.name})))

    def _note(self, camera: JudgedCamera, found: Seen | Searched) -> None:
        """Tell what came of a look."""
        if isinstance(found, Searched):
            camera.frames.search(found)
            return
        if found.turned:
            camera.meter.moves += 1
            camera.frames.turned()
        fault = Fault.MOVED if camera.frames.zones_lost else found.fault
        if fault != camera.fault:
            told = (
                f"the picture is {fault}, covered whole until that changes" if fault else "the picture is sound again"
            )
            self._say(f"{camera.name}: {told}.")
        camera.fault = fault
        if camera.watch.colourless and not camera.colourless:
            self._say(
                f"{camera.name}: the picture has no colour, like an infrared camera's, in which people are missed whom "
                "the networks find otherwise. Watch it, or adapt to the room."
            )
        camera.colourless = camera.watch.colourless
        found.look.believed = not camera.fault
        camera.frames.note(found.look)

    def _look(self) -> int:
        """Where time does not matter: every look that is due now, and what follows from it."""
        looked = self._lookers.round()
        self._guarded(self._take_notes)
        while self._lookers.turn():
            self._guarded(self._take_notes)
        self._guarded(self._decide)
        return looked

    def _take_notes(self) -> None:
        for camera in self._cameras:
            while camera.found:
                self._note(camera, camera.found.popleft())

    def _decide(self) -> None:
        for camera in self._cameras:
            undecided = camera.frames.undecided
            if not undecided:
                continue
            due = self._known(camera) - self._lookahead
            if undecided[0].time > due:
                continue
            # Those that are not due yet are decided about with them, as far as they lie before a look.
            until = max(due, min(due + self._live.window.chunk_s, camera.frames.looked_until))
            with self._stages.measured("decide"):
                self._decide_camera(camera, until)
            camera.line.tell_decided()

    def _known(self, camera: JudgedCamera) -> float:
        """Until when everything has been seen that will be seen in time."""
        if not self._fast:
            return time.monotonic()
        if camera.ended and not camera.waiting:
            return math.inf
        return min(camera.newest, camera.waiting[0].held.time if camera.waiting else math.inf)

    def _decide_camera(self, camera: JudgedCamera, until: float) -> None:
        try:
            if self.ladder.step == Step.COVERED:
                camera.frames.cover(until)
                camera.frames.tell()
                camera.people = 0
                return
            shown = camera.frames.decide(until, partial(self._told_by_others, camera.name))
            camera.people = len(np.unique(shown.track[shown.track >= 0]))
        except CompanionLostError:
            for each in self._cameras:
                each.frames.begin_anew()
            raise
        except Exception:
            camera.frames.cover()
            raise

    def _told_by_others(self, name: str, time: float) -> Regions:
        return Regions.empty() if self._across is None else self._across.regions(name, time)

    def _guarded(self, work: Callable[[], int | None]) -> int | None:
        """Fail closed: what was not decided about in time leaves covered."""
        try:
            return work()
        except Exception as error:
            if not self._failed:
                self._say(f"Judging failed, the frames concerned are covered ({type(error).__name__}: {error}).")
            self._failed = True
            for camera in self._cameras:
                camera.meter.failures += 1
            return None
