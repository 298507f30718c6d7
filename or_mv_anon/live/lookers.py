"""Look at what is due at the cameras of a room, and make looks as frequent as the machine can.

In live they are threads, each with networks of its own: a processor sees more pictures one beside another than one by
one on several cores, and frames are decided about in time beside them. Looks at one camera come one after another.
"""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Sequence

import cv2
import numpy as np

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.priority import lower_priority
from or_mv_anon.live.exchange import Exchange
from or_mv_anon.live.judged_camera import JudgedCamera, Seen, set_cadence
from or_mv_anon.live.ladder import Ladder, Step
from or_mv_anon.live.looking import Look, fewer_poses, look, smaller, warm
from or_mv_anon.live.settings import LiveConfig
from or_mv_anon.live.stage_times import StageTimes
from or_mv_anon.live.turned_looks import TurnedLooks
from or_mv_anon.regions.networks import Networks

TARGET = 0.85  # share of its time that looking may take while the cadence adapts
LEARN_STEP_S = 0.5  # between two turned pictures that are looked at although there is no time for them, while learning
TURN_STEP_S = 1.0  # the same later ...
IDLE_STEP_S = 0.5  # ... and in moments in which nothing else is due: one takes as long as some upright looks
NICE = 10  # of looks, beside what sends pictures in time: they take what is left of the processor
SLACK = 1.25  # times the longest interval: frames do not come when looks are due
MOST_OVERDUE = 0.5  # share of looks that may be farther apart than that while all else is in time
COMPARE_S = 0.1  # between two times at which cameras tell each other what they saw
WAIT_S = 0.02  # between two tries when nothing is due


class Lookers:
    """Threads that look at the frames of every room camera; without being started, one that is asked for its rounds.

    Attributes:
        ladder: of overload.
        interval: seconds between looks for people at each camera, now.
    """

    def __init__(
        self, cameras: Sequence[JudgedCamera], networks: Sequence[Networks], config: PipelineConfig, live: LiveConfig,
        *, fast: bool, guarded: Callable[[Callable[[], int | None]], int | None], wake: Callable[[], None],
        say: Callable[[str], None], stages: StageTimes, warmed: Collection[tuple[int, int]], across: Exchange | None,
    ) -> None:  # fmt: skip
        """Each set of `networks` has a thread. `fast`: every look that is due is made, in order, by the first of them.

        `guarded` runs work and lets no error out of it, `wake` is called after every look, `warmed` are sizes of
        pictures that the networks are prepared for.
        """
        self.ladder = Ladder(
            live.overload, longest_interval_s=live.looking.longest_interval_s, longest_gap_s=live.looking.longest_gap_s
        )
        self.interval = live.looking.longest_interval_s if fast else live.looking.interval_s
        self._cameras, self._live, self._fast = cameras, live, fast
        self._guarded, self._wake, self._say = guarded, wake, say
        self._turning = TurnedLooks(cameras, config, live)
        self._eyes = [_Eyes(each, config, live, warmed) for each in networks]
        self._work, self._stages = _Work(live.overload.watch_s), stages
        self._rare_s = SLACK * live.looking.longest_interval_s
        self._turned = -math.inf  # when a turned picture was looked at last
        self._across = across
        self._seen: deque[tuple[str, Look, bool]] = deque()  # that others are to hear of: camera, look, turned
        self._lock = threading.Lock()  # of everything here that several threads change
        self._due = threading.Event()
        self._quit = False
        self._threads = [
            threading.Thread(target=self._run, args=(eyes,), name=f"looking {number}", daemon=True)
            for number, eyes in enumerate(self._eyes)
        ]
        if across is not None:  # it takes as long as several looks, now and then
            self._threads.append(threading.Thread(target=self._run_compare, name="comparing", daemon=True))

    def start(self) -> None:
        """Begin to look."""
        for thread in self._threads:
            thread.start()

    @property
    def alive(self) -> bool:
        """Whether all of them still look."""
        return all(thread.is_alive() for thread in self._threads)

    def tell(self) -> None:
        """Something is due."""
        self._due.set()

    def quit(self) -> None:
        """End after the looks that are being made."""
        self._quit = True
        self._due.set()

    def join(self, seconds: float) -> None:
        """Wait until all have ended."""
        for thread in self._threads:
            thread.join(seconds)

    def round(self) -> int:
        """Make the looks that are due and that have waited longest; returns how many."""
        return self._round(self._eyes[0])

    def turn(self) -> int:
        """Look at one turned picture; whether any was due."""
        return self._guarded(lambda: self._turning.work(self._eyes[0].networks)) or 0

    def _run(self, eyes: _Eyes) -> None:
        lower_priority(NICE)
        while not self._quit:
            if not self._round(eyes):
                self._due.wait(WAIT_S)
                self._due.clear()

    def _round(self, eyes: _Eyes) -> int:
        sizes, began = len(eyes.warmed), time.monotonic()
        eyes.overdue = 0
        looked = self._guarded(lambda: self._look(eyes)) or 0
        took = time.monotonic() - began
        if looked:
            self._wake()
        if self._fast:
            self._guarded(self._compare)
            return looked
        if sizes != len(eyes.warmed):  # preparing took long, and is over
            for camera in self._cameras:
                camera.meter.fresh_late()
        elif looked:
            with self._lock:
                self._adapt(took, looked, eyes.overdue)
        if self._may_turn(idle=not looked):
            looked += self._guarded(lambda: self._turning.work(eyes.networks)) or 0
        return looked

    def _may_turn(self, *, idle: bool) -> bool:
        """Whether it is time for a turned picture: now and then, and more often while nothing else is to be done.

        While no camera is shown, because all of them wait for these pictures, nothing else is as urgent.
        """
        now = time.monotonic()
        step_s = TURN_STEP_S if self.ladder.step < Step.SIZE else math.inf
        if idle and self.ladder.step == Step.NOTHING:
            step_s = IDLE_STEP_S
        if self._turning.learning:
            shown = any(not camera.frames.learning and not camera.fault for camera in self._cameras)
            step_s = LEARN_STEP_S if shown else 0.0
        with self._lock:
            if now - self._turned < step_s:
                return False
            self._turned = now
            return True

    def _look(self, eyes: _Eyes) -> int:
        """Look at one frame of each of the cameras that have waited longest; returns how many.

        As many as the networks gain by seeing together: on a processor that is one.
        """
        chosen = self._chosen(eyes.networks.batch)
        try:
            if not chosen:
                return 0
            for _, found in chosen:
                eyes.prepare(found.held.frame.upright_size)
            networks, config = eyes.small if self.ladder.step >= Step.SIZE else eyes.full
            looks = [found for _, found in chosen]
            with self._stages.measured("look", len(looks)):
                look(looks, networks, config)
            for camera, found in chosen:
                self._note(camera, found)
            eyes.overdue = sum(found.overdue for _, found in chosen)
        finally:
            for camera, _ in chosen:
                camera.looking = False
        return len(chosen)

    def _chosen(self, at_once: int) -> list[tuple[JudgedCamera, Look]]:
        """The frames that have waited longest, of cameras that nobody looks at."""
        with self._lock:
            waiting = [camera for camera in self._cameras if camera.waiting and not camera.looking]
            waiting = sorted(waiting, key=lambda camera: camera.looked)[:at_once]
            chosen = [(camera, found) for camera in waiting if (found := self._next(camera)) is not None]
            for camera, _ in chosen:
                camera.looking = True
            return chosen

    def _next(self, camera: JudgedCamera) -> Look | None:
        """The next frame to look at: in live the newest that waits, which takes over what older ones were due for."""
        with camera.lock:
            if not camera.waiting:
                return None
            if self._fast:
                return camera.waiting.popleft()
            newest = camera.waiting.pop()
            newest.overdue = bool(camera.waiting) and newest.held.time - camera.looked > self._rare_s
            for passed in camera.waiting:
                newest.sources |= passed.sources
            camera.waiting.clear()
            return newest

    def _note(self, camera: JudgedCamera, found: Look) -> None:
        """Leave a finished look to who decides, and let the other cameras know of it."""
        assert found.picture is not None
        moves = camera.watch.moves
        fault = camera.watch.look(found.picture, found.held.time)
        found.grey = np.asarray(cv2.cvtColor(found.picture, cv2.COLOR_BGR2GRAY), np.uint8)
        found.picture = None
        found.believed = not fault
        turned = camera.watch.moves > moves
        camera.found.append(Seen(found, fault, turned))
        camera.looks += 1
        camera.looked = found.held.time
        if self._across is not None:
            self._seen.append((camera.name, found, turned))

    def _run_compare(self) -> None:
        lower_priority(NICE)
        while not self._quit:
            self._guarded(self._compare)
            time.sleep(COMPARE_S)

    def _compare(self) -> None:
        """Let cameras tell each other what they saw, as long as there is time for it."""
        if self._across is None:
            return
        while self._seen:
            name, found, turned = self._seen.popleft()
            if turned:
                self._across.forget(name)
            if found.believed:
                self._across.note(name, found.sight(grey=False))
        if self.ladder.step < Step.SIZE:
            with self._stages.measured("across"):
                self._across.update(max(camera.looked for camera in self._cameras))

    def _adapt(self, seconds: float, looked: int, overdue: int) -> None:
        """Make looks as frequent as the machine can, and give up something where it cannot.

        Args:
            seconds: that the last looks took.
            looked: how many these were.
            overdue: how many of them came more rarely than they must, although frames were there.
        """
        now = time.monotonic()
        needed = self._work.note(now, seconds, looked, overdue) * len(self._cameras) / len(self._eyes)
        before = self.ladder.step
        late = any([camera.meter.fresh_late() for camera in self._cameras])
        rare = self._work.overdue > MOST_OVERDUE and not self._turning.learning
        step = self.ladder.note(now, needed, late=late or rare)
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


class _Eyes:
    """One set of networks, for pictures as they are and smaller ones.

    Attributes:
        networks: all of them, for turned pictures.
        full, small: networks and settings.
        warmed: sizes of pictures that they are prepared for.
        overdue: how many of the looks that were made last came too rarely.
    """

    def __init__(
        self, networks: Networks, config: PipelineConfig, live: LiveConfig, warmed: Collection[tuple[int, int]]
    ) -> None:
        few = fewer_poses(networks, live.looking.pose_at_once)
        self.networks = networks
        self.full = few, config
        self.small = smaller(few, config, live.overload.smaller)
        self.warmed = set(warmed)
        self.overdue = 0

    def prepare(self, size: tuple[int, int]) -> None:
        """Let the networks prepare themselves for pictures of `size`, (width, height)."""
        if size not in self.warmed:
            self.warmed.add(size)
            warm([self.full, self.small], size)


class _Work:
    """Looks of the last seconds: how long one takes, and which share of them was overdue."""

    def __init__(self, watch_s: float) -> None:
        self._watch_s = watch_s
        self._done: deque[tuple[float, float, int, int]] = deque()

    def note(self, now: float, seconds: float, looks: int, overdue: int) -> float:
        """Seconds of work per look at one camera."""
        self._done.append((now, seconds, looks, overdue))
        while self._done[0][0] < now - self._watch_s:
            self._done.popleft()
        return sum(each[1] for each in self._done) / sum(each[2] for each in self._done)

    @property
    def overdue(self) -> float:
        """The share of looks that came more rarely than they must."""
        return sum(each[3] for each in self._done) / sum(each[2] for each in self._done)
