"""Single pictures for somebody who waits for them now: of all cameras side by side, each by a decoder of its own.

Of every camera only the picture that was asked for last is made; whatever it was before is given up. The last pictures
are kept, in memory alone and no more of them than `MOST_BYTES`.
"""

from __future__ import annotations

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from queue import SimpleQueue

from or_mv_anon.core.errors import UserError
from or_mv_anon.review.covered_video import Picture
from or_mv_anon.review.still_reader import StillReader

MOST_BYTES = 64 << 20
MOST_THREADS = 4

Opener = Callable[[], StillReader]


@dataclass(eq=False)
class _Desk:
    """One camera: how its reader is made, and what is wanted of it."""

    name: str
    opener: Opener
    refuse: Callable[[Exception], None]
    reader: StillReader | None = None
    wanted: int | None = None
    queued: bool = False
    gone: bool = False


class Stills:
    """Makes single pictures with as many threads as there are processors for it.

    Args:
        change: held while anything here changes; whoever waits at it hears of every picture.
    """

    def __init__(self, change: threading.Condition) -> None:
        self._change = change
        self._desks: dict[str, _Desk] = {}
        self._kept: OrderedDict[tuple[str, int], Picture] = OrderedDict()
        self._bytes = 0
        self._asked: SimpleQueue[_Desk | None] = SimpleQueue()
        self._threads = [
            threading.Thread(target=self._work, name=f"stills-{number}", daemon=True)
            for number in range(min(MOST_THREADS, os.cpu_count() or 1))
        ]

    def start(self) -> None:
        """Begin to make what is asked for."""
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Make no more."""
        self.forget()
        for _ in self._threads:
            self._asked.put(None)
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=5)

    def set(self, camera: str, opener: Opener, refuse: Callable[[Exception], None]) -> None:
        """Take pictures of a camera from what `opener` opens from now on; `refuse` hears why that cannot be."""
        with self._change:
            self._let_go(camera)
            self._desks[camera] = _Desk(camera, opener, refuse)

    @property
    def busy(self) -> bool:
        """Whether somebody waits for a picture. Called with the lock held."""
        return any(desk.wanted is not None for desk in self._desks.values())

    def is_open(self, camera: str) -> bool:
        """Whether a camera's file is open. Called with the lock held."""
        desk = self._desks.get(camera)
        return desk is not None and desk.reader is not None

    def kept(self, camera: str, frame: int) -> Picture | None:
        """A picture that is there. Called with the lock held."""
        picture = self._kept.get((camera, frame))
        if picture is not None:
            self._kept.move_to_end((camera, frame))
        return picture

    def want(self, camera: str, frame: int) -> None:
        """Make this picture next, and no other one of the camera. Called with the lock held."""
        desk = self._desks[camera]
        desk.wanted = frame
        if not desk.queued:
            desk.queued = True
            self._asked.put(desk)

    def unwant(self) -> None:
        """Nobody waits any more. Called with the lock held."""
        for desk in self._desks.values():
            desk.wanted = None

    def forget(self) -> None:
        """Nobody waits any more, and no camera is known any more."""
        with self._change:
            for camera in list(self._desks):
                self._let_go(camera)

    def _let_go(self, camera: str) -> None:
        if (desk := self._desks.pop(camera, None)) is None:
            return
        desk.wanted, desk.gone = None, True
        if not desk.queued:  # who has it in hand closes it
            self._close(desk)
        for key in [key for key in self._kept if key[0] == camera]:
            self._bytes -= self._kept.pop(key).nbytes

    def _work(self) -> None:
        while (desk := self._asked.get()) is not None:
            while True:
                with self._change:
                    if (frame := desk.wanted) is None:
                        desk.queued = False
                        if desk.gone:
                            self._close(desk)
                        break
                self._make(desk, frame)

    def _make(self, desk: _Desk, frame: int) -> None:
        try:
            if desk.reader is None:
                desk.reader = desk.opener()
            picture = desk.reader.read(frame, lambda: desk.wanted == frame)
        except (UserError, OSError, RuntimeError) as error:
            with self._change:
                desk.wanted = None
                gone = desk.gone
            if not gone:
                desk.refuse(error)
            return
        with self._change:
            if picture is None or desk.wanted != frame:
                return
            desk.wanted = None
            self._keep((desk.name, frame), picture)
            self._change.notify_all()

    def _keep(self, key: tuple[str, int], picture: Picture) -> None:
        if (earlier := self._kept.pop(key, None)) is not None:
            self._bytes -= earlier.nbytes
        self._kept[key] = picture
        self._bytes += picture.nbytes
        while self._bytes > MOST_BYTES and len(self._kept) > 1:
            self._bytes -= self._kept.popitem(last=False)[1].nbytes

    @staticmethod
    def _close(desk: _Desk) -> None:
        if desk.reader is not None:
            desk.reader.close()
            desk.reader = None
