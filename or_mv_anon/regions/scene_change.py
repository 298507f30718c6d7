"""When something moves in a camera's picture, and whether it has colour, from pictures that the detector sees anyway.

A recording in which something moves and nobody is found is suspicious: a wrong network, a wrong setting, a picture that
is no picture of a room. The means of blocks are compared with those of half a second before: sensor noise averages out,
and a change of the whole picture's brightness is taken off. A picture without colour is an infrared camera's, in which
skin, cloth and hair look unlike what networks learned.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

BLOCK = 16  # px of the detector's picture
APART_S = 0.5  # seconds between the moments that are compared: people at work move by more than the noise in it
LEAST_BLOCKS = 2  # one may be a lamp that blinks
_LUMA = np.array([0.114, 0.587, 0.299], np.float32) / 255  # of BGR, Rec. 601, on the scale 0-1


class SceneChange:
    """Finds the stretches with movement over pictures of one camera in order, and how colourful they are at most.

    Attributes:
        stretches: seconds from and to, in order.
        colour: of the most colourful picture, see `colour_of`.
    """

    def __init__(self, least_change: float) -> None:
        """`least_change` is the brightness, 0-1, by which a block must change."""
        self.stretches: list[tuple[float, float]] = []
        self.colour = 0.0
        self._least_change = least_change
        self._before: NDArray[np.float32] | None = None
        self._time = 0.0
        self._last: tuple[NDArray[np.uint8], float] | None = None  # seen, but not compared yet

    def look(self, picture: NDArray[np.uint8], time: float) -> None:
        """The next picture, BGR ``(h, w, 3)`` of one size throughout, and its time in seconds."""
        self._last = picture, time
        if self._before is None or time - self._time >= APART_S:
            self.finish()

    def finish(self) -> None:
        """Compare the last picture as well, however short the time before it."""
        if self._last is None:
            return
        picture, time = self._last
        self._last = None
        size = max(1, picture.shape[1] // BLOCK), max(1, picture.shape[0] // BLOCK)
        small = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32)
        blocks = np.asarray(small @ _LUMA, np.float32)
        self.colour = max(self.colour, colour_of(small))
        if self._before is not None:
            change = blocks - self._before
            change -= np.median(change)  # lamps and the camera's exposure change everything alike
            if np.count_nonzero(np.abs(change) >= self._least_change) >= LEAST_BLOCKS:
                add_stretch(self.stretches, self._time, time)
        self._before, self._time = blocks, time


def colour_of(small: NDArray[np.float32]) -> float:
    """How colourful the means of a picture's blocks are, BGR ``(h, w, 3)``, in levels of 255.

    It is what of red and blue does not follow from green by a straight line: an infrared camera's picture has none, not
    even with a cast of green all over.
    """
    blue, green, red = (small - small.mean(axis=(0, 1))).reshape(-1, 3).T
    power = max(float(green @ green), 1e-6)
    return float(np.hypot(*[(part - (part @ green) / power * green).std() for part in (blue, red)]))


def add_stretch(stretches: list[tuple[float, float]], begin: float, end: float) -> None:
    """Append a stretch of time, as one with the last of `stretches` if it begins where that ends."""
    if stretches and stretches[-1][1] == begin:
        begin = stretches.pop()[0]
    stretches.append((begin, end))
