"""Makes proxies of all cameras in the background, what is looked at first, and hands out their pictures.

One thread makes them. What somebody waits for interrupts what is made in advance: a single picture is decoded from the
covered video itself, a stretch that is to be played is made first. When the private folder is full, what was looked at
longest ago goes; it is made again when it is wanted.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.review.covered_video import CoveredVideo, open_covered
from or_mv_anon.review.proxy import GROUP, Picture, ProxyWriter, proxy_size, read_group
from or_mv_anon.review.run_folder import ReviewedCamera, ReviewedRun
from or_mv_anon.review.scratch import Scratch

NICENESS = 10  # of the thread that makes them: what is looked at goes first
AHEAD = 2  # stretches after the one that is looked at
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
    used: float = 0.0

    @property
    def size(self) -> int:
        return self.ends[-1] if self.ends else 0


@dataclass(frozen=True)
class _Wish:
    """What somebody waits for: a frame of a camera's output, and whether others are wanted after it."""

    camera: str
    frame: int
    played: bool


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
        self._views = {camera.name: _View(camera, proxy_size(camera.size)) for camera in run.cameras}
        self._wished: list[_Wish] = []  # the latest last
        self._focus: tuple[str, float] | None = None
        self._change = threading.Condition()
        self._ended = self._paused = False
        self._number = 0
        self._thread = threading.Thread(target=self._work, name="proxies", daemon=True)

    def start(self) -> None:
        """Begin to make them."""
        self._thread.start()

    def end(self) -> None:
        """Make no more."""
        with self._change:
            self._ended = True
            self._change.notify_all()
        if self._thread.is_alive():
            self._thread.join(timeout=10)

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
                self._views[camera.name] = _View(camera, proxy_size(camera.size))
            for name in self._views.keys() - {camera.name for camera in run.cameras}:
                self._views[name].refused = "There is no finished video of this camera now."
            self._first = list(first)
            self._paused = False
            self._change.notify_all()

    def look(self, camera: str, second: float) -> None:
        """Somebody looks there: it goes before everything that is made in advance."""
        with self._change:
            self._focus = camera, second
            self._wished = []  # of where somebody looked before
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
            stretch, ends = self._ready(view, _Wish(camera, frame, played))
            stretch.used = time.monotonic()
            with suppress(OSError):  # it has just gone to make room
                first, pictures = read_group(stretch.path, ends, frame - stretch.first)
                view.group = stretch, first, pictures
                return pictures[frame - stretch.first - first]
        return self.picture(camera, frame, played=played)

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
        if self._made(view, frame) is not None:
            return True
        if (group := view.group) is None:
            return False
        stretch, first, pictures = group
        return 0 <= frame - stretch.first - first < len(pictures)

    def _ready(self, view: _View, wish: _Wish) -> tuple[_Stretch, list[int]]:
        with self._change:
            if view.refused:
                raise UserError(view.refused)
            if (stretch := self._made(view, wish.frame)) is not None:
                return stretch, list(stretch.ends)
            if wish in self._wished:
                self._wished.remove(wish)
            self._wished.append(wish)
            self._change.notify_all()
        raise PreparingError

    def _work(self) -> None:
        with suppress(OSError, AttributeError):
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
        while True:
            with self._change:
                while not self._ended and (task := None if self._paused else self._next()) is None:
                    self._change.wait()
                if self._ended:
                    return
            assert task is not None
            task()

    def _next(self) -> Callable[[], None] | None:
        """What to do now; None for nothing. Called with the lock held."""
        if (wish := self._next_wish()) is not None:
            return lambda: self._fulfil(wish)
        names = [*([self._focus[0]] if self._focus is not None else []), *self._views]
        for view in (self._views[name] for name in names):
            if view.video is None and not view.refused:
                return lambda view=view: self._open(view)  # type: ignore[misc]
        if (ahead := self._next_ahead()) is not None:
            return lambda: self._make(*ahead)
        return None

    def _next_wish(self, *, played: bool = True) -> _Wish | None:
        """What somebody waits for, the latest first; what is there already is no wish any more.

        Args:
            played: also what is to be played.
        """
        self._wished = [wish for wish in self._wished if self._stands(wish)]
        for wish in reversed(self._wished):
            if self._views[wish.camera].video is not None and (played or not wish.played):
                return wish
        return None

    def _stands(self, wish: _Wish) -> bool:
        view = self._views[wish.camera]
        return not view.refused and not self._is_there(view, wish.frame)

    def _fulfil(self, wish: _Wish) -> None:
        view = self._views[wish.camera]
        stretch = view.stretches[view.stretch_of(wish.frame)]
        if wish.played:
            self._make(view, stretch, wanted=True)
        else:
            self._glimpse(view, stretch, wish)

    def _glimpse(self, view: _View, stretch: _Stretch, wish: _Wish) -> None:
        """Decode a single picture from the covered video, and those of its group before it."""
        assert view.video is not None
        number = view.video.stretches.index((stretch.first, stretch.stop))
        last = wish.frame - stretch.first
        first, found = last // GROUP * GROUP, []
        try:
            for picture in view.video.pictures(number, view.size, begin=first):
                found.append(picture)
                if first + len(found) > last:
                    break
        except (UserError, OSError) as error:
            self._refuse(view, error)
            return
        with self._change:
            view.group = stretch, first, found
            self._change.notify_all()

    def _refuse(self, view: _View, error: Exception) -> None:
        with self._change:
            view.refused = str(error) if isinstance(error, UserError) else f"It cannot be shown ({error})."
            self._change.notify_all()

    def _next_ahead(self) -> tuple[_View, _Stretch] | None:
        """What will be wanted: around what is looked at, then, as long as there is room, elsewhere."""
        if self._focus is not None:
            name, second = self._focus
            for each in dict.fromkeys([name, *self._views]):
                if (found := self._unfinished(each, second, AHEAD)) is not None:
                    return found
        if sum(stretch.size for view in self._views.values() for stretch in view.stretches) > FULL * self._room.budget:
            return None
        for name, second in self._first:
            if (found := self._unfinished(name, second, 0)) is not None:
                return found
        rest = [(stretch.first, name, stretch) for name, view in self._views.items() for stretch in view.stretches]
        left = [entry for entry in rest if not entry[2].finished and not self._views[entry[1]].refused]
        if not left:
            return None
        _, name, stretch = min(left, key=lambda entry: entry[:2])
        return self._views[name], stretch

    def _unfinished(self, name: str, second: float, ahead: int) -> tuple[_View, _Stretch] | None:
        """The first stretch at this moment, or up to `ahead` after it, that is not made."""
        view = self._views.get(name)
        if view is None or view.video is None or view.refused:
            return None
        number = max(0, view.stretch_of(view.camera.frame_at(second) or 0))
        for stretch in view.stretches[number : number + ahead + 1]:
            if not stretch.finished:
                return view, stretch
        return None

    def _open(self, view: _View) -> None:
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
        """Make a stretch; what somebody waits for more is done in between."""
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
                wish = self._next_wish(played=not wanted)
                mine = wish is not None and wish.played and self._views[wish.camera] is view
                if wish is None or (mine and stretch.first <= wish.frame < stretch.stop):
                    return True
            self._fulfil(wish)

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
