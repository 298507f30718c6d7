"""Frames of several cameras go through one detector together; each gets back what was found in it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest

from or_mv_anon.regions.detecting import detect_together
from or_mv_anon.video.frame import from_picture


class Counter:
    """Finds as many people as the picture's brightness says; notes how many pictures came together."""

    provider = "a test's"

    def __init__(self) -> None:
        self.together: list[tuple[int, tuple[int, int]]] = []

    def detect(self, pictures: Sequence[Any], *, size: tuple[int, int]) -> list[Any]:
        self.together.append((len(pictures), size))
        counts = [int(picture[0, 0, 0]) for picture in pictures]
        return [(np.tile(np.array([0, 0, *size], np.float32), (n, 1)), np.ones(n, np.float32)) for n in counts]


@pytest.mark.parametrize(("at_once", "calls"), [(1, 4), (2, 3), (16, 2)])
def test_every_frame_gets_its_own_people(at_once: int, calls: int) -> None:
    sizes = [(64, 48), (32, 32), (64, 48), (64, 48)]
    looks = []
    for number, (width, height) in enumerate(sizes):
        picture = np.full((height, width, 3), number, np.uint8)
        looks.append((from_picture(picture, number), picture))
    detector = Counter()
    found = detect_together(detector, looks, at_once=at_once)  # type: ignore[arg-type]
    assert [len(people) for people, _ in found] == [0, 1, 2, 3]
    assert all(heads is None for _, heads in found)
    assert len(detector.together) == calls
    assert all((people.box[:, 2:] == size).all() for (people, _), size in zip(found, sizes, strict=True))
