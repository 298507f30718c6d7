"""A drawn box goes where its picture goes, waits behind what hides it, and says when it is lost."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from or_mv_anon.core.config import load_config
from or_mv_anon.tracking.following import Way, follow

CONFIG = load_config().manual
STEP = 1 / 25
SIDE = 24.0


def pattern(seed: int, width: int, height: int) -> NDArray[np.uint8]:
    noise = np.random.default_rng(seed).integers(0, 255, (height // 6 + 1, width // 6 + 1)).astype(np.uint8)
    return cv2.resize(noise, (width, height), interpolation=cv2.INTER_CUBIC)


BACKGROUND, FACE = pattern(1, 320, 240), pattern(2, 24, 24)


def middle(number: int) -> tuple[float, float]:
    """Where the face is: it walks to the right, swaying."""
    return 60 + 1.5 * number, 120 + 15 * np.sin(number / 10)


def picture(number: int, *, hidden: range = range(0), gone: int = 10_000, scale: float = 0.0) -> NDArray[np.uint8]:
    canvas = BACKGROUND.copy()
    x, y = middle(number)
    side = SIDE * (1 + scale * number)
    if number < gone:
        turn = np.array([[side / 24, 0, x - side / 2], [0, side / 24, y - side / 2]])
        shown = cv2.warpAffine(FACE, turn, (320, 240), borderValue=0)
        mask = cv2.warpAffine(np.full_like(FACE, 255), turn, (320, 240)) > 127
        canvas[mask] = shown[mask]
    if number in hidden:
        canvas[80:160, int(x) - 30 : int(x) + 30] = 90
    noise = np.random.default_rng(number).normal(0, 3, canvas.shape)
    return np.clip(canvas + noise, 0, 255).astype(np.uint8)


def box(number: int) -> NDArray[np.float64]:
    x, y = middle(number)
    return np.array([x - SIDE / 2, y - SIDE / 2, x + SIDE / 2, y + SIDE / 2])


def followed(numbers: range, **how: object) -> Way:
    pictures = ((n, n * STEP, picture(n, **how)) for n in numbers[1:])  # type: ignore[arg-type]
    return follow(picture(numbers[0], **how), box(numbers[0]), pictures, CONFIG)  # type: ignore[arg-type]


def covered(way: Way, numbers: range) -> bool:
    """Whether the middle half of the face lies in the box in every one of these frames."""
    boxes = dict(zip(way.frames, way.boxes, strict=True))
    inner = np.array([SIDE / 4, SIDE / 4, -SIDE / 4, -SIDE / 4])
    return all(
        n in boxes and (boxes[n][:2] <= box(n)[:2] + inner[:2]).all() and (boxes[n][2:] >= box(n)[2:] + inner[2:]).all()
        for n in numbers
    )


@pytest.mark.parametrize("numbers", [range(0, 100), range(99, -1, -1)], ids=["forwards", "backwards"])
def test_it_goes_where_the_face_goes(numbers: range) -> None:
    way = followed(numbers)
    assert way.lost_at is None
    assert way.frames == list(numbers)[1:]
    assert covered(way, numbers[1:])


def test_it_grows_with_the_face() -> None:
    way = followed(range(0, 80), scale=0.008)
    assert way.lost_at is None
    assert (way.boxes[-1][2:] - way.boxes[-1][:2] > 1.3 * SIDE).all()


def test_it_waits_while_something_hides_it() -> None:
    way = followed(range(0, 90), hidden=range(40, 52))
    assert way.lost_at is None
    assert covered(way, range(1, 40))
    assert covered(way, range(54, 90))
    assert 0.0 in way.scores


def test_lost_it_holds_a_stated_time_and_says_so() -> None:
    way = followed(range(0, 120), gone=50)
    assert way.lost_at == pytest.approx(49 * STEP)
    held = [n for n, score in zip(way.frames, way.scores, strict=True) if score == 0.0]
    assert held[0] == 50
    assert len(held) * STEP == pytest.approx(CONFIG.lost_s, abs=2 * STEP)
    assert covered(way, range(1, 50))


def test_what_has_no_structure_is_not_followed() -> None:
    flat = np.full((240, 320), 100, np.uint8)
    way = follow(flat, box(0), ((n, n * STEP, flat) for n in range(1, 60)), CONFIG)
    assert way.lost_at is not None
    assert set(way.scores) == {0.0}
