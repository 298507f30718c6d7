"""Tells pictures that are not to be believed: frozen ones, black ones, and those of a camera that looks elsewhere.

Also which camera shows no colour, as infrared ones do: its pictures are believed, and people are missed in them. All of
it sees what the person detector sees, reduced to the means of blocks, in which noise averages out.
"""

from __future__ import annotations

from enum import StrEnum

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.live.settings import FaultsConfig
from or_mv_anon.models.detectors.protocol import Picture
from or_mv_anon.regions.scene_change import colour_of

BLOCK = 8  # px of the detector's picture
FLAT = 4.0  # levels: the standard deviation of a picture without contrast
ENCODED = 3.0  # levels by which an encoder that goes on changes a picture that stands still
CHANGED = 0.1  # levels that noise changes a block by
FEW = 0.03  # share of changed blocks, below which a picture is without noise
NOISELESS_S = 1.0  # seconds without two pictures that hardly differ after which a camera counts as alive
COLOURLESS_S = 10.0  # seconds without colour: lamps that are off for a moment are no infrared camera
LEARN_S = 20.0  # time constant with which the usual picture follows the light
LEAST_CONTRAST = 1.0  # levels, below which a picture has nothing to be compared by
Small = NDArray[np.float32]


class Fault(StrEnum):
    """Why nothing of a picture is believed."""

    NONE = ""
    FROZEN = "frozen"
    BLACK = "black"
    MOVED = "moved"


class PictureWatch:
    """Looks at one camera's pictures in order.

    Attributes:
        fault: of the last one.
        moves: how often the camera was turned elsewhere so far.
        colourless: whether the last seconds were without colour.
    """

    def __init__(self, config: FaultsConfig, *, least_colour: float = 0.0) -> None:
        """`least_colour`: levels below which a picture is without colour, see `colour_of`."""
        self.fault = Fault.NONE
        self.moves = 0
        self.colourless = False
        self._config, self._least_colour = config, least_colour
        self._grey_since: float | None = None
        self._same: tuple[Small, float] | None = None  # the picture since when nothing changed
        self._before: Small | None = None
        self._noiseless = -np.inf  # when two pictures that followed each other hardly differed last
        self._usual: Small | None = None
        self._unlike: float | None = None  # since when pictures are unlike the usual one
        self._settling: tuple[Small, float] | None = None  # the new picture after a move, and since when it stands
        self._time = 0.0

    def look(self, picture: Picture, time: float) -> Fault:
        """The next picture, BGR ``(h, w, 3)``, taken at `time` seconds."""
        size = max(2, picture.shape[1] // BLOCK), max(2, picture.shape[0] // BLOCK)
        grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY)
        small: Small = np.asarray(cv2.resize(grey.astype(np.float32), size, interpolation=cv2.INTER_AREA), np.float32)
        self._look_for_colour(picture, size, time)
        frozen, moved = self._is_frozen(small, time), self._is_moved(small, time)
        if small.mean() < self._config.black_level and small.std() < FLAT:
            self.fault = Fault.BLACK
        elif frozen:
            self.fault = Fault.FROZEN
        else:
            self.fault = Fault.MOVED if moved else Fault.NONE
        self._time = time
        return self.fault

    def _look_for_colour(self, picture: Picture, size: tuple[int, int], time: float) -> None:
        blocks = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        if colour_of(blocks) >= self._least_colour:
            self._grey_since = None
        elif self._grey_since is None:
            self._grey_since = time
        self.colourless = self._grey_since is not None and time - self._grey_since >= COLOURLESS_S

    def _is_frozen(self, small: Small, time: float) -> bool:
        """Whether nothing has changed for a while, or no more than an encoder changes of what stands still.

        A camera that is alive has noise, which changes most of the picture a little, from one look to the next.
        """
        before, self._before = self._before, small
        if before is not None and before.shape == small.shape:
            if np.mean(np.abs(small - before) > CHANGED) < FEW:
                self._noiseless = time
        else:
            self._same = None
        away = np.inf if self._same is None else float(np.abs(small - self._same[0]).max())
        level = ENCODED if time - self._noiseless <= NOISELESS_S else self._config.same_level
        if self._same is None or away > level:
            self._same = small, time
        return time - self._same[1] >= self._config.frozen_s

    def _is_moved(self, small: Small, time: float) -> bool:
        shape = _shape(small)
        if self._usual is None or self._usual.shape != shape.shape:
            self._usual, self._unlike, self._settling = shape, None, None
            return False
        if self._settling is not None:
            stands, since = self._settling
            if _likeness(shape, stands) < 2 * self._config.moved_likeness:
                self._settling = shape, time
            elif time - since >= self._config.settled_s:
                self._usual, self._settling = shape, None
                return False
            return True
        if _likeness(shape, self._usual) >= self._config.moved_likeness:
            share = float(np.clip((time - self._time) / LEARN_S, 0, 1))
            self._usual = np.asarray((1 - share) * self._usual + share * shape, np.float32)
            self._unlike = None
            return False
        self._unlike = time if self._unlike is None else self._unlike
        if time - self._unlike < self._config.moved_s:
            return False
        self.moves += 1
        self._unlike, self._settling = None, (shape, time)
        return True


def _shape(small: Small) -> Small:
    """What stays of a picture when the light changes: its edges."""
    return np.asarray(small - cv2.GaussianBlur(small, (0, 0), 4.0), np.float32)


def _likeness(one: Small, other: Small) -> float:
    """Correlation in [-1, 1]; 1 where there is nothing to compare."""
    first, second = one - one.mean(), other - other.mean()
    spread = float(first.std() * second.std())
    return 1.0 if spread < LEAST_CONTRAST**2 else float((first * second).mean()) / spread
