"""Simulated rooms as examples: exact boxes of people and heads, and the same rooms without anybody."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.detector_training.examples import Example
from or_mv_anon.detector_training.simulated_rooms import Room

LEAST_SHOWN = 0.15  # of a person; less is an ignored region
LEAST_HEAD = 0.3  # of a head's box that shows the head; it fills about 0.7 of it with nothing in front
LEAST_SIDE = 4.0  # px of a head


def room_examples(room: Room) -> list[Example]:
    """All pictures of a room with everybody who shows."""
    found = []
    for number, picture in enumerate(room.pictures):
        here = room.picture == number
        people, shown = room.box[here], room.shown[here] >= LEAST_SHOWN
        heads, clear, somewhere = _heads(room, here)
        found.append(
            Example(picture, (people[shown], heads[clear]), (people[~shown], heads[somewhere]), (1.0, 1.0), "simulated")
        )
    return found


def _heads(room: Room, here: NDArray[np.bool_]) -> tuple[Boxes, NDArray[np.bool_], NDArray[np.bool_]]:
    """Heads of a picture, which of them show, and which do so a little or are too small to tell."""
    heads, share = room.head[here], room.head_shown[here]
    sides = (heads[:, 2:] - heads[:, :2]).min(axis=1)
    inside, large = sides > 0, sides >= LEAST_SIDE
    clear = inside & large & (share >= LEAST_HEAD)
    return heads, clear, inside & ~clear & (share > 0)
