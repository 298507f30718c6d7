"""Composed recordings of an endoscope that leaves the body and returns, with a truth for every frame.

Real pictures of the inside and of rooms are moved as a hand-held scope moves: swings and tremor, instruments, smoke,
blood on the lens until it is wiped, the dark sleeve of the trocar in between. A frame is outside from the first in
which any of the room shows to the last. Frames are made when asked for, each from the clip's seed and its own number;
nothing is stored.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.endoscopy_lens import Lens, cloth, open_part, seen, sleeve, tool
from or_mv_anon.endoscopy.borders import find_picture_area

RATE = 25.0  # frames per second
SHORTEST, LONGEST = 20.0, 40.0  # seconds of a clip
TUNNEL = (0.2, 1.0)  # seconds in the sleeve, each way
INSIDE, ROOM, WIPE = (4.0, 10.0), (1.0, 5.0), (0.8, 2.0)  # seconds
WIPED = 0.6  # share of the exits in which the lens is cleaned
OPENING = 6  # frames at most until the room fills the picture; the first shows a part of it

Kind = Literal["inside", "leaving", "room", "entering"]
Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Part:
    """A stretch of a clip, frames `start` to before `stop`; `picture` counts the inside or room pictures."""

    kind: Kind
    start: int
    stop: int
    picture: int
    wipe: tuple[int, int] = (0, 0)  # frames in which the lens is wiped, within a room part


def timeline(rng: np.random.Generator) -> list[Part]:
    """Parts of a clip: it begins and ends inside, and leaves the body at least once."""
    parts: list[Part] = []

    def add(kind: Kind, seconds: tuple[float, float], picture: int) -> Part:
        start = parts[-1].stop if parts else 0
        part = Part(kind, start, start + max(1, round(rng.uniform(*seconds) * RATE)), picture)
        parts.append(part)
        return part

    target, exits = rng.uniform(SHORTEST + 1, LONGEST - INSIDE[1]), 0
    add("inside", INSIDE, 0)
    while True:
        add("leaving", TUNNEL, exits)
        room = add("room", ROOM, exits)
        if rng.random() < WIPED:
            length = round(rng.uniform(*WIPE) * RATE)
            middle = (room.start + room.stop) // 2
            stop = room.stop + length
            parts[-1] = Part("room", room.start, stop, exits, (middle, middle + length))
        exits += 1
        add("entering", TUNNEL, exits)
        left = target - parts[-1].stop / RATE
        longest = INSIDE[0] + ROOM[1] + WIPE[1] + 2 * TUNNEL[1]
        if left < longest:  # no further exit is sure to fit
            low = max(INSIDE[0], SHORTEST - parts[-1].stop / RATE)
            add("inside", (low, max(low, left)), exits)
            return parts
        add("inside", (INSIDE[0], min(INSIDE[1], max(INSIDE[0], left - longest))), exits)


class Clip:
    """One composed recording.

    Args:
        inside: pictures of one source, BGR (H, W, 3); each stay inside shows the next of them.
        rooms: pictures of one source; each exit shows the next of them.
        seed: of everything drawn.
        name: what a report calls it.
    """

    def __init__(self, inside: Sequence[Picture], rooms: Sequence[Picture], *, seed: int, name: str = "clip") -> None:
        self.name = name
        self._inside = [_lit(picture) for picture in inside]
        self._rooms = [_lit(picture) for picture in rooms]
        self._seed = seed
        self.parts = timeline(np.random.default_rng((seed, 0)))
        self._lens = Lens((seed, 1))

    def __len__(self) -> int:
        return self.parts[-1].stop

    @cached_property
    def outside(self) -> NDArray[np.bool_]:
        """(N,) the truth: frames in which anything outside the body shows."""
        return np.repeat([part.kind == "room" for part in self.parts], [part.stop - part.start for part in self.parts])

    @cached_property
    def times(self) -> NDArray[np.float64]:
        """(N,) seconds."""
        return np.arange(len(self)) / RATE

    @property
    def exits(self) -> int:
        """How often the scope leaves the body."""
        return sum(part.kind == "room" for part in self.parts)

    def frame(self, number: int) -> Picture:
        """The frame as it is recorded, BGR."""
        part = self.part_of(number)
        since_wipe = max([0, *(other.wipe[1] for other in self.parts if 0 < other.wipe[1] <= number)])
        return self._lens.record(
            self.scene(number), number=number, inside=part.kind != "room", dirt_age=(number - since_wipe) / RATE
        )

    def scene(self, number: int) -> Picture:
        """What is in front of the lens, before dirt, camera and border."""
        part = self.part_of(number)
        done = (number - part.start + 0.5) / (part.stop - part.start)
        time = number / RATE
        if part.kind == "room":
            return self._room(part, number)
        pictures = self._inside
        seed = (self._seed, 2, part.picture)
        view = seen(pictures[part.picture % len(pictures)], time, seed=seed, wild=False)
        if part.kind == "inside":
            return tool(view, time, seed=seed)
        # Withdrawn into the sleeve, the scope sees the far end of it shrink; then the valve closes.
        near = 1 - done if part.kind == "leaving" else done
        exit_number = part.picture - (part.kind == "entering")
        return sleeve(view, open_part(near), seed=(self._seed, 4, exit_number))

    def part_of(self, number: int) -> Part:
        """The part that a frame belongs to."""
        if not 0 <= number < len(self):
            raise IndexError(f"frame {number} of {len(self)}")
        return next(part for part in self.parts if number < part.stop)

    def _room(self, part: Part, number: int) -> Picture:
        seed = (self._seed, 3, part.picture)
        rng = np.random.default_rng((*seed, 1))
        opening, closing = rng.integers(1, OPENING + 1, 2)
        view = seen(self._rooms[part.picture % len(self._rooms)], number / RATE, seed=seed, wild=True)
        first, last = part.wipe
        if first <= number < last:
            return cloth(view, (number - first + 0.5) / (last - first), seed=seed)
        shown = min((number - part.start + 1) / opening, (part.stop - number) / closing)
        return view if shown >= 1 else sleeve(view, 0.2 + 0.8 * shown, seed=(self._seed, 4, part.picture))


def _lit(picture: Picture) -> Picture:
    """The middle of the lit rectangle: what is left of a border must not move with the scene."""
    x0, y0, x1, y1 = find_picture_area([picture])
    width, height = (x1 - x0) // 10, (y1 - y0) // 10
    middle = picture[y0 + height : y1 - height, x0 + width : x1 - width]
    scale = min(1.0, 720 / max(middle.shape[:2]))
    return np.asarray(cv2.resize(middle, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
