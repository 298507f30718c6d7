"""Makes proxies of all cameras in the background, what is looked at first, and hands out their pictures.

A few threads make them, each a stretch of its own; one of them also what nobody has asked for. What somebody waits for
comes before what is made in advance: a single picture is decoded from the covered video itself, by `Stills`, while
these threads wait; a stretch that is to be played is made first. When the private folder is full, what was looked at
longest ago goes; it is made again when it is wanted.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.priority import lower_priority
from or_mv_anon.review.covered_video import CoveredVideo, open_covered
from or_mv_anon.review.proxy import Picture, ProxyWriter, proxy_size, read_group
from or_mv_anon.review.run_folder import ReviewedCamera, ReviewedRun
from or_mv_anon.review.scratch import Scratch
from or_mv_anon.review.still_reader import StillReader
from or_mv_anon.review.stills import Stills

NICENESS = 10  # of the threads that make them: what is looked at goes first
MOST_THREADS = 2  # that make them; more would keep the pictures that are there from being sent and shown
AHEAD = 2  # stretches after the one that is looked at
CASES_AHEAD = 3  # moments after the one that is looked at, in the worklist's order, whose pictures are made in advance
STILLS_S = 0.5  # after which it is looked again whether anybody waits for a single picture
FULL = 0.9  # of the budget; what is made in advance stops there


class PreparingError(Exception):
    """The picture is not there yet; it is made next."""


@dataclass(eq=False)
class _Stretch:
    first: int
    stop: int
    path: Path
    ends: list[int] = field(default_factory=list)
    finished: bool = False
    making: bool = False  # by one of the threads
    used: float = 0.0

    @property
    def size(self) -> int:
        return self.ends[-1] if self.ends else 0


@dataclass(frozen=True)
class _Wish:
    """What somebody waits to play: from a frame of a camera's output on."""

    camera: str
    frame: int


@dataclass(eq=False)
class _View:
    """One camera: `video` is None until it is opened, `refused` says why it is not shown."""

    camera: ReviewedCamera
    size: tuple[int, int]
    video: CoveredVideo | None = None
    stretches: list[_Stretch] = field(default_factory=list)
    refused: str = ""
    group: tuple[_Stretch, int, list[Picture]] | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    opening: threading.Lock = field(default_factory=threading.Lock)

    def stretch_of(self, frame: int) -> int:
        starts = [stretch.first for stretch in self.stretches]
        return int(np.searchsorted(starts, frame, side="right")) - 1


class Proxies:
    """The small copies of a run's covered outputs.

    Args:
        run: to show.
        room: where they are kept.
        first: (camera, session second) in the order in which they are made in advance, before all others.
    """

    def __init__(self, run: ReviewedRun, room: Scratch, first: Sequence[tuple[str, float]] = ()) -> None:
        self._room = room
        self._first = list(first)
        self._views: dict[str, _View] = {}
        self._wished: list[_Wish] = []  # the latest last
        self._focus: tuple[str, float] | None = None
        self._change = threading.Condition()
        self._ended = self._paused = False
        self._number = 0
        self._stills = Stills(self._change)
        self._threads = [
            threading.Thread(target=self._work, args=(number == 0,), name=f"proxies-{number}", daemon=True)
            for number in range(min(MOST_THREADS, os.cpu_count() or 1))
        ]
        for camera in run.cameras:
            self._add_view(camera)

    def start(self) -> None:
        """Begin to make them."""
        self._stills.start()
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Make no more."""
        with self._change:
            self._ended = True
            self._change.notify_all()
        self._stills.end()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=10)

    def pause(self) -> None:
        """Read no output from now on: they are about to be replaced."""
        with self._change:
            self._paused = True

    def renew(self, run: ReviewedRun, first: Sequence[tuple[str, float]] = ()) -> None:
        """Go on with the outputs as they are now; copies of those that did not change stay."""
        with self._change:
            for camera in run.cameras:
                view = self._views.get(camera.name)
                if view is not None and view.camera.seal == camera.seal and not view.refused:
                    view.camera = camera
                    continue
                for stretch in view.stretches if view is not None else ():
                    stretch.path.unlink(missing_ok=True)
                self._add_view(camera)
            for name in self._views.keys() - {camera.name for camera in run.cameras}:
                self._views[name].refused = "There is no finished video of this camera now."
            self._first = list(first)
            self._paused = False
            self._change.notify_all()

    def _add_view(self, camera: ReviewedCamera) -> None:
        view = self._views[camera.name] = _View(camera, proxy_size(camera.size))

        def opener() -> StillReader:
            self._open(view)
            if view.video is None:
                raise UserError(view.refused)
            return StillReader(view.video, view.size)

        self._stills.set(camera.name, opener, lambda error: self._refuse(view, error))

    def look(self, camera: str, second: float) -> None:
        """Somebody looks there: it goes before everything that is made in advance.

        Whoever asks again for what is being made is not to have it begun anew.
        """
        with self._change:
            if self._focus == (camera, second):
                return
            self._focus = camera, second
            self._wished = []  # of where somebody looked before
            self._stills.unwant()
            self._change.notify_all()

    def picture(self, camera: str, frame: int, *, played: bool = False) -> NDArray[np.uint8]:
        """The upright BGR picture of a frame of the output; `played` if those after it are wanted, too.

        Raises:
            PreparingError: it is being made.
            UserError: it must not or cannot be shown.
        """
        view = self._views[camera]
        with view.lock:
            if view.group is not None:
                stretch, first, pictures = view.group
                if 0 <= frame - stretch.first - first < len(pictures):
                    stretch.used = time.monotonic()
                    return pictures[frame - stretch.first - first]
            found = self._ready(view, camera, frame, played=played)
            if isinstance(found, np.ndarray):
                return found
            stretch, ends = found
            stretch.used = time.monotonic()
            with suppress(OSError):  # it has just gone to make room
                first, pictures = read_group(stretch.path, ends, frame - stretch.first)
                view.group = stretch, first, pictures
                return pictures[frame - stretch.first - first]
        return self.picture(camera, frame, played=played)

    def video(self, camera: str) -> CoveredVideo:
        """A camera's covered output, opened.

        Raises:
            UserError: it must not or cannot be shown, or is about to be replaced.
        """
        view = self._views[camera]
        if self._paused:
            raise UserError("The videos are being made again; look once they are there.")
        self._open(view)
        if view.video is None or view.refused:
            raise UserError(view.refused)
        return view.video

    def wait(self, camera: str, frame: int, seconds: float) -> None:
        """Wait until the picture is there, or the time is over."""
        limit = time.monotonic() + seconds
        view = self._views[camera]
        with self._change:
            while not self._ended and not view.refused and not self._is_there(view, frame):
                left = limit - time.monotonic()
                if left <= 0 or not self._change.wait(left):
                    return

    def progress(self) -> dict[str, dict[str, float | str]]:
        """By camera: the share that is made, and why it is not shown, if it is not."""
        with self._change:
            return {
                name: {
                    "made": sum(len(each.ends) for each in view.stretches) / max(1, len(view.camera)),
                    "opened": float(view.video is not None),
                    "refused": view.refused,
                }
                for name, view in self._views.items()
            }

    @property
    def bytes(self) -> int:
        """How much room they take."""
        with self._change:
            return sum(stretch.size for view in self._views.values() for stretch in view.stretches)

    def _made(self, view: _View, frame: int) -> _Stretch | None:
        if view.video is None:
            return None
        stretch = view.stretches[view.stretch_of(frame)]
        return stretch if frame - stretch.first < len(stretch.ends) else None

    def _is_there(self, view: _View, frame: int) -> bool:
        if self._made(view, frame) is not None or self._stills.kept(view.camera.name, frame) is not None:
            return True
        if (group := view.group) is None:
            return False
        stretch, first, pictures = group
        return 0 <= frame - stretch.first - first < len(pictures)

    def _ready(self, view: _View, camera: str, frame: int, *, played: bool) -> tuple[_Stretch, list[int]] | Picture:
        with self._change:
            if view.refused:
                raise UserError(view.refused)
            if (stretch := self._made(view, frame)) is not None:
                return stretch, list(stretch.ends)
            if (picture := self._stills.kept(camera, frame)) is not None:
                return picture
            self._wish(camera, frame, played=played)
        raise PreparingError

    def ask(self, frames: Mapping[str, int], *, played: bool = False) -> None:
        """Somebody waits for these frames, by camera, all at the same time: none of them waits for another."""
        with self._change:
            for camera, frame in frames.items():
                view = self._views[camera]
                if not view.refused and not self._is_there(view, frame):
                    self._wish(camera, frame, played=played)

    def _wish(self, camera: str, frame: int, *, played: bool) -> None:
        if not played:
            if not self._paused or self._stills.is_open(camera):  # what is open stays what the run vouched for
                self._stills.want(camera, frame)
            return
        wish = _Wish(camera, frame)
        if wish in self._wished:
            self._wished.remove(wish)
        self._wished.append(wish)
        self._change.notify_all()

    def _work(self, ahead: bool) -> None:
        lower_priority(NICENESS)
        while True:
            with self._change:
                while not self._ended and (task := None if self._paused else self._next(ahead=ahead)) is None:
                    self._change.wait()
                if self._ended:
                    return
            assert task is not None
            task()

    def _next(self, *, ahead: bool) -> Callable[[], None] | None:
        """What to do now, in advance only if `ahead`; None for nothing. Called with the lock held."""
        if (wish := self._next_wish()) is not None:
            return self._maker(*self._of_wish(wish), wanted=True)
        if not ahead:
            return None
        names = [*([self._focus[0]] if self._focus is not None else []), *self._views]
        for view in (self._views[name] for name in names):
            if view.video is None and not view.refused and not view.opening.locked():
                return lambda view=view: self._open(view)  # type: ignore[misc]
        return self._next_ahead()

    def _next_wish(self) -> _Wish | None:
        """What somebody waits to play and no thread makes, the latest first; what is there is no wish any more."""
        self._wished = [wish for wish in self._wished if self._stands(wish)]
        opened = (wish for wish in reversed(self._wished) if self._views[wish.camera].video is not None)
        return next((wish for wish in opened if not self._of_wish(wish)[1].making), None)

    def _of_wish(self, wish: _Wish) -> tuple[_View, _Stretch]:
        view = self._views[wish.camera]
        return view, view.stretches[view.stretch_of(wish.frame)]

    def _maker(self, view: _View, stretch: _Stretch, *, wanted: bool = False) -> Callable[[], None]:
        """What makes a stretch, which is this thread's from now on. Called with the lock held."""
        stretch.making = True
        return lambda: self._make(view, stretch, wanted=wanted)

    def _stands(self, wish: _Wish) -> bool:
        view = self._views[wish.camera]
        return not view.refused and self._made(view, wish.frame) is None

    def _refuse(self, view: _View, error: Exception) -> None:
        with self._change:
            view.refused = str(error) if isinstance(error, UserError) else f"It cannot be shown ({error})."
            self._change.notify_all()

    def _next_ahead(self) -> Callable[[], None] | None:
        """What will be wanted: around what is looked at, then, as long as there is room, elsewhere."""
        if (found := self._around_focus(0)) is not None:
            return found
        for second in self._moments_ahead():
            for name, view in self._views.items():
                frame = view.camera.frame_at(second)
                if frame is not None and not view.refused and not self._is_there(view, frame):
                    return lambda name=name, frame=frame: self._make_still(name, frame)  # type: ignore[misc]
        if (found := self._around_focus(AHEAD)) is not None:
            return found
        if sum(stretch.size for view in self._views.values() for stretch in view.stretches) > FULL * self._room.budget:
            return None
        for name, second in self._first:
            if (found := self._unfinished(name, second, 0)) is not None:
                return found
        rest = [(stretch.first, name, stretch) for name, view in self._views.items() for stretch in view.stretches]
        left = [entry for entry in rest if _is_free(entry[2]) and not self._views[entry[1]].refused]
        if not left:
            return None
        _, name, stretch = min(left, key=lambda entry: entry[:2])
        return self._maker(self._views[name], stretch)

    def _around_focus(self, ahead: int) -> Callable[[], None] | None:
        """The stretches that are looked at, and so many after them, the leading camera's first."""
        if self._focus is None:
            return None
        lead, second = self._focus
        for name in dict.fromkeys([lead, *self._views]):
            if (found := self._unfinished(name, second, ahead)) is not None:
                return found
        return None

    def _moments_ahead(self) -> list[float]:
        """Of the cases after the one that is looked at; the first ones while none is."""
        seconds = list(dict.fromkeys(second for _, second in self._first))
        looked = None if self._focus is None else self._focus[1]
        after = seconds.index(looked) + 1 if looked in seconds else 0
        return seconds[after : after + CASES_AHEAD]

    def _make_still(self, camera: str, frame: int) -> None:
        """Have a single picture made, unless somebody waits for others."""
        with self._change:
            if not self._stills.busy:
                self._stills.want(camera, frame)
            self._wait_for_stills()

    def _wait_for_stills(self) -> None:
        """Let those go first who wait for a single picture. Called with the lock held."""
        while self._stills.busy and not self._ended:
            self._change.wait(STILLS_S)

    def _unfinished(self, name: str, second: float, ahead: int) -> Callable[[], None] | None:
        """Makes the first stretch at this moment, or up to `ahead` after it, that is not made."""
        view = self._views.get(name)
        if view is None or view.video is None or view.refused:
            return None
        number = max(0, view.stretch_of(view.camera.frame_at(second) or 0))
        for stretch in view.stretches[number : number + ahead + 1]:
            if _is_free(stretch):
                return self._maker(view, stretch)
        return None

    def _open(self, view: _View) -> None:
        with view.opening:
            if view.video is not None or view.refused:
                return
            try:
                video = open_covered(view.camera)
            except UserError as error:
                self._refuse(view, error)
                return
            with self._change:
                self._number += 1
                stem = f"{self._number:04d}"
                view.stretches = [
                    _Stretch(first, stop, self._room.folder / f"{stem}-{number:06d}")
                    for number, (first, stop) in enumerate(video.stretches)
                ]
                view.video = video
                self._change.notify_all()

    def _make(self, view: _View, stretch: _Stretch, *, wanted: bool = False) -> None:
        """Make a stretch that is this thread's; what somebody waits for more is done in between."""
        try:
            self._write(view, stretch, wanted=wanted)
        finally:
            with self._change:
                stretch.making = False
                self._change.notify_all()

    def _write(self, view: _View, stretch: _Stretch, *, wanted: bool) -> None:
        assert view.video is not None
        number = view.video.stretches.index((stretch.first, stretch.stop))
        stretch.ends.clear()
        try:
            writer = ProxyWriter(stretch.path, view.size)
            try:
                for picture in view.video.pictures(number, view.size):
                    writer.write(picture)
                    if not self._add(view, stretch, writer.ends[-1], wanted=wanted):
                        return
            finally:
                writer.close()
        except (UserError, OSError, RuntimeError) as error:
            stretch.ends.clear()
            self._refuse(view, error)
            return
        with self._change:
            stretch.finished = True
            stretch.used = time.monotonic()
            self._make_room()
            self._change.notify_all()

    def _add(self, view: _View, stretch: _Stretch, end: int, *, wanted: bool) -> bool:
        """Note one more frame of a stretch, and do what cannot wait; False where no more is to be made of it."""
        while True:
            with self._change:
                if self._ended or self._paused or self._views.get(view.camera.name) is not view:
                    stretch.ends.clear()
                    return False
                if not stretch.ends or stretch.ends[-1] != end:
                    stretch.ends.append(end)
                    self._change.notify_all()
                self._wait_for_stills()
                wish = None if wanted else self._next_wish()
                if wish is None:
                    return True
                make = self._maker(*self._of_wish(wish), wanted=True)
            make()

    def _make_room(self) -> None:
        """Let go of what was looked at longest ago, until the rest fits. Called with the lock held."""
        finished = [each for view in self._views.values() for each in view.stretches if each.finished]
        finished.sort(key=lambda stretch: stretch.used)
        total = sum(stretch.size for stretch in finished)
        for stretch in finished[:-1]:
            if total <= self._room.budget:
                return
            total -= stretch.size
            stretch.path.unlink(missing_ok=True)
            stretch.finished = False
            stretch.ends = []


def _is_free(stretch: _Stretch) -> bool:
    """Whether a stretch is to be made and no thread does."""
    return not stretch.finished and not stretch.making
