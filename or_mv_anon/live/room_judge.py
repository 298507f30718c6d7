"""Judges all room cameras in one thread: looks at what is due, then decides about frames whose time has come.

A frame is decided about when enough of what follows it was seen, and well before it has to leave. What is not decided
about by then leaves covered whole, and so does whatever this thread fails on.
"""

from __future__ import annotations

import dataclasses
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence
from functools import partial

import cv2
import numpy as np

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Regions
from or_mv_anon.core.run_layout import KEYPOINTS, PERSONS
from or_mv_anon.live.across import Across
from or_mv_anon.live.judged_camera import JudgedCamera, set_cadence
from or_mv_anon.live.ladder import Ladder, Step
from or_mv_anon.live.line import Held
from or_mv_anon.live.looking import Look, fewer_poses, look, smaller, warm
from or_mv_anon.live.settings import LiveConfig
from or_mv_anon.live.stage_times import StageTimes
from or_mv_anon.live.turned_looks import TurnedLooks
from or_mv_anon.live.watch import Fault
from or_mv_anon.regions.networks import Networks

TARGET = 0.85  # share of its time that judging may take while the cadence adapts
LEARN_STEP_S = 0.5  # between two turned pictures that are looked at although there is no time for them
WAIT_S = 0.02  # between two tries when nothing happens


class RoomJudge(threading.Thread):
    """Looks at and decides about the frames of every room camera.

    Attributes:
        ladder: of overload.
        interval: seconds between looks for people at each camera, now.
        started: whether it ever ran.
    """

    def __init__(
        self, cameras: Sequence[JudgedCamera], networks: Networks, config: PipelineConfig, live: LiveConfig, *,
        delay: float, fast: bool, wake: threading.Event, say: Callable[[str], None], stages: StageTimes,
        warmed: Collection[tuple[int, int]] = (), across: Across | None = None,
    ) -> None:  # fmt: skip
        """`fast`: time is that of the frames, and every look that is due is made; `warmed`: see `prepare`.

        `across` carries heads from camera to camera; None without a geometry.
        """
        super().__init__(name="judge", daemon=True)
        self.ladder = Ladder(
            live.overload, longest_interval_s=live.looking.longest_interval_s, longest_gap_s=live.looking.longest_gap_s
        )
        self.interval = live.looking.longest_interval_s if fast else live.looking.interval_s
        self._cameras, self._live, self._fast, self._wake, self._say = cameras, live, fast, wake, say
        least = max(config.pose.min_detection_score, live.looking.pose_least_score)
        config = dataclasses.replace(config, pose=dataclasses.replace(config.pose, min_detection_score=least))
        self._turning = TurnedLooks(cameras, networks, config, live)
        networks = fewer_poses(networks, live.looking.pose_at_once)
        self._full = networks, config
        self._small = smaller(networks, config, live.overload.smaller)
        self._lookahead = delay * (1 - live.window.reserve)
        self._work, self._stages = _Work(live.overload.watch_s), stages
        self._failed = False
        self._took = 0  # frames, the last time
        self._turned = -math.inf  # when there was time for a turned picture last
        self.started = False
        self._quit = False
        self._warm, self._across = set(warmed), across

    def prepare(self, size: tuple[int, int]) -> None:
        """Let the networks prepare themselves for pictures of `size`, (width, height)."""
        if size in self._warm:
            return
        self._warm.add(size)
        warm([self._full, self._small], size)

    def quit(self) -> None:
        """End after the look that is being made: nobody waits for what would follow."""
        self._quit = True
        self._wake.set()

    def run(self) -> None:
        """Judge until every line has ended. Whatever fails, the frames concerned leave covered."""
        self.started = True
        try:
            while not self._quit:
                began = time.monotonic()
                ended = self._guarded(self._take)
                self._guarded(self._decide)
                sizes = len(self._warm)
                looked = self._guarded(self._look) or 0
                if looked:
                    self._guarded(self._compare)
                if self._fast:
                    while self._guarded(self._turning.work):
                        pass
                    self._guarded(self._decide)
                if sizes != len(self._warm):  # preparing took long, and is over
                    for camera in self._cameras:
                        camera.meter.fresh_late()
                elif looked:
                    self._adapt(time.monotonic() - began, looked)
                if ended and not any(camera.window.undecided or camera.waiting for camera in self._cameras):
                    return
                for camera in self._cameras:
                    camera.line.busy = bool(looked)
                if not self._fast and self._may_turn(idle=not looked):
                    looked += self._guarded(self._turning.work) or 0
                if not (looked or self._took):
                    self._wake.wait(WAIT_S)
                    self._wake.clear()
        finally:
            for camera in self._cameras:
                camera.window.cover()
                camera.line.tell_decided(final=True)

    def _may_turn(self, *, idle: bool) -> bool:
        """Whether there is time for a turned picture, or a camera waits for it that is not shown until then."""
        now = time.monotonic()
        idle = idle and self.ladder.step == Step.NOTHING
        if not idle and (not self._turning.learning or now - self._turned < LEARN_STEP_S):
            return False
        self._turned = now
        return True

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
                camera.window.add(held)
                camera.newest = held.time
                self._schedule(camera, held)
            if ended and not camera.ended and (last := camera.window.newest) is not None and not last.decided:
                self._look_at_last(camera, last)
            camera.ended = ended
        return int(all(camera.ended for camera in self._cameras))

    def _schedule(self, camera: JudgedCamera, held: Held) -> None:
        """Note which sources are to look at a frame. Damage is no sight."""
        camera.owed |= {name for name, cadence in camera.cadence.items() if cadence.due([held.time])[0]}
        if PERSONS.name in camera.owed and not held.frame.corrupt:
            camera.waiting.append(Look(held, frozenset(camera.owed)))
            camera.owed.clear()

    def _look_at_last(self, camera: JudgedCamera, last: Held) -> None:
        if not last.frame.corrupt and (not camera.waiting or camera.waiting[-1].held is not last):
            camera.waiting.append(Look(last, frozenset({PERSONS.name, KEYPOINTS.name})))

    def _look(self) -> int:
        """Look at one frame of each of the cameras that have waited longest; returns how many.

        As many as the networks gain by seeing together: on a processor that is one, and others get their decisions
        in between.
        """
        waiting = sorted((camera for camera in self._cameras if camera.waiting), key=lambda camera: camera.looked)
        at_once = self._full[0].batch
        chosen = [(camera, found) for camera in waiting[:at_once] if (found := self._next(camera)) is not None]
        if not chosen:
            return 0
        for _, found in chosen:
            self.prepare(found.held.frame.upright_size)
        networks, config = self._small if self.ladder.step >= Step.SIZE else self._full
        looks = [found for _, found in chosen]
        with self._stages.measured("look", len(looks)):
            look(looks, networks, config)
        for camera, found in chosen:
            self._watch(camera, found)
            camera.window.note(found)
            camera.looks += 1
            camera.looked = found.held.time
            if self._across is not None and found.believed:
                self._across.note(camera.name, found)
        return len(chosen)

    def _next(self, camera: JudgedCamera) -> Look | None:
        """The next frame to look at: in live the newest that waits, which takes over what older ones were due for."""
        if not camera.waiting:
            return None
        if self._fast:
            return camera.waiting.popleft()
        newest = camera.waiting.pop()
        for passed in camera.waiting:
            newest.sources |= passed.sources
        camera.waiting.clear()
        return newest

    def _watch(self, camera: JudgedCamera, found: Look) -> None:
        assert found.picture is not None
        moves = camera.watch.moves
        fault = camera.watch.look(found.picture, found.held.time)
        found.grey = np.asarray(cv2.cvtColor(found.picture, cv2.COLOR_BGR2GRAY), np.uint8)
        found.picture = None
        if fault != camera.fault:
            told = (
                f"the picture is {fault}, covered whole until that changes" if fault else "the picture is sound again"
            )
            self._say(f"{camera.name}: {told}.")
        if camera.watch.moves > moves:
            camera.meter.moves += 1
            camera.window.turned()
            if self._across is not None:
                self._across.forget(camera.name)
        if camera.window.zones_lost:
            fault = Fault.MOVED
        camera.fault = fault
        found.believed = not fault

    def _decide(self) -> None:
        for camera in self._cameras:
            undecided = camera.window.undecided
            if not undecided:
                continue
            known = self._known(camera)
            if camera.ended and not camera.waiting:
                known = math.inf
            elif undecided[0].time > known - self._lookahead:
                continue
            with self._stages.measured("decide"):
                self._decide_camera(camera, known - self._lookahead + self._live.window.chunk_s)
            camera.line.tell_decided()

    def _known(self, camera: JudgedCamera) -> float:
        """Until when everything has been seen that will be seen in time."""
        if not self._fast:
            return time.monotonic()
        return min(camera.newest, camera.waiting[0].held.time if camera.waiting else math.inf)

    def _decide_camera(self, camera: JudgedCamera, until: float) -> None:
        if self.ladder.step == Step.COVERED:
            camera.window.cover(until)
            camera.people = 0
            return
        try:
            shown = camera.window.decide(until, partial(self._told_by_others, camera.name))
            camera.people = len(np.unique(shown.track[shown.track >= 0]))
        except Exception:
            camera.window.cover()
            raise

    def _told_by_others(self, name: str, time: float) -> Regions:
        return Regions.empty() if self._across is None else self._across.regions(name, time)

    def _compare(self) -> None:
        """Let cameras tell each other what they saw, as long as there is time for it."""
        if self._across is not None and self.ladder.step < Step.SIZE:
            with self._stages.measured("across"):
                self._across.update(max(camera.looked for camera in self._cameras))

    def _adapt(self, seconds: float, looked: int) -> None:
        """Make looks as frequent as the machine can, and give up something where it cannot."""
        now = time.monotonic()
        needed = self._work.note(now, seconds, looked) * len(self._cameras)
        if self._fast:
            return
        before = self.ladder.step
        step = self.ladder.note(now, needed, late=any(camera.meter.fresh_late() for camera in self._cameras))
        if step != before:
            self._say(f"Overload: {before.word} -> {step.word} ({needed * 1000:.0f} ms for one look at every camera).")
        looking = self._live.looking
        self.interval = min(max(needed / TARGET, looking.interval_s), looking.longest_interval_s)
        if step == Step.COVERED:
            self.interval = self._live.overload.probe_s
        slower = self._live.overload.slower if step >= Step.CADENCE else 1.0
        if step == Step.COVERED:  # looks that measure are of the same mixture
            slower *= self.interval / looking.longest_interval_s
        for camera in self._cameras:
            set_cadence(camera, self.interval, slower, self._live)

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


class _Work:
    """Seconds of work per look at one camera, over the last seconds."""

    def __init__(self, watch_s: float) -> None:
        self._watch_s = watch_s
        self._done: deque[tuple[float, float, int]] = deque()

    def note(self, now: float, seconds: float, looks: int) -> float:
        self._done.append((now, seconds, looks))
        while self._done[0][0] < now - self._watch_s:
            self._done.popleft()
        return sum(each[1] for each in self._done) / sum(each[2] for each in self._done)
