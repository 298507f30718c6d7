"""One training example from one labelled picture: another crop, other optics, other mishaps every time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.endoscopy.borders import find_picture_area, prepare
from or_mv_anon.endoscopy.training import mishaps, optics

WORK_SIZE = 256  # pixels at which the picture is worked on, a little more than the network's input
LEAST_CROP = {False: 0.55, True: 0.2}  # share of the shorter side; room views are wider than what a scope sees
Change = Callable[[optics.Picture, np.random.Generator], optics.Picture]
CHANGES: tuple[tuple[float, Change], ...] = (  # probability, change; in the order in which light meets them
    (0.5, optics.scope_light),
    (0.2, mishaps.smoke),
    (0.2, mishaps.blood),
    (0.15, mishaps.drops),
    (0.3, mishaps.motion_blur),
    (0.8, mishaps.colours),
    (0.5, mishaps.weak_encoding),
    (0.6, optics.border),
)


def example(picture: NDArray[np.uint8], *, outside: bool, rng: np.random.Generator) -> NDArray[np.float32]:
    """A changed version of the picture as the network's input, (3, 224, 224) float32.

    Args:
        picture: BGR (H, W, 3), any size.
        outside: its label, which decides how small a part may be taken.
        rng: where chance comes from; the same state gives the same example.
    """
    return prepare(changed := disturbed(picture, outside=outside, rng=rng), find_picture_area([changed]))


def disturbed(picture: NDArray[np.uint8], *, outside: bool, rng: np.random.Generator) -> NDArray[np.uint8]:
    """The changed picture before it is made the network's input, BGR (256, 256, 3) uint8."""
    x0, y0, x1, y1 = find_picture_area([picture])
    work = optics.crop(picture[y0:y1, x0:x1], rng, least=LEAST_CROP[outside], size=WORK_SIZE)
    if rng.random() < 0.6:
        work = optics.barrel(work, rng.uniform(0.05, 0.45))
    for probability, change in CHANGES:
        if rng.random() < probability:
            work = change(work, rng)
    return work
