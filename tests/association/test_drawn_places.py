"""What is drawn in two cameras is covered in the third; one drawing, or two of different things, place nothing."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from numpy.typing import NDArray

from or_mv_anon.association.drawn_places import Clock, groups, place_drawn
from or_mv_anon.association.geometry import fundamental_matrix
from or_mv_anon.association.views import PairGeometry
from or_mv_anon.corrections.actions import Cover, Keyframe

CAMERA = np.array([[800.0, 0, 320], [0, 800.0, 240], [0, 0, 1]])
PLACES = {"a": (3.0, 0.0), "b": (0.0, 3.5), "c": (-3.0, -1.0)}  # metres on the floor; all hang at 2.5 m
CLOCK = Clock(0.0, 0.2)
SIDE = 50.0


def pose(x: float, y: float) -> NDArray[np.float64]:
    """Looks at the middle of the room, one metre above the floor."""
    here = np.array([x, y, 2.5])
    forward = np.array([0, 0, 1.0]) - here
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    found = np.eye(4)
    found[:3, :3] = np.stack([right, np.cross(forward, right), forward], axis=1)
    found[:3, 3] = here
    return found


POSES = {name: pose(*place) for name, place in PLACES.items()}
GEOMETRY = {
    (first, second): [
        PairGeometry(
            views=(first, second), start=0, stop=100, residual=0.05,
            matrix=fundamental_matrix((CAMERA, POSES[first]), (CAMERA, POSES[second])),
        )
    ]
    for first, second in combinations(POSES, 2)
}  # fmt: skip


def seen(camera: str, point: tuple[float, float, float]) -> NDArray[np.float64]:
    local = np.linalg.inv(POSES[camera]) @ np.array([*point, 1.0])
    pixel = CAMERA @ local[:3]
    return pixel[:2] / pixel[2]


def cover(camera: str, point: tuple[float, float, float], hold: str = "always", time: float = 2.0) -> Cover:
    x, y = seen(camera, point)
    box = (float(x - 25), float(y - 25), float(x + 25), float(y + 25))
    span = {"start": 1.0, "end": 3.0} if hold == "span" else {}
    return Cover(camera, (Keyframe(time, box),), hold=hold, all_cameras=True, **span)  # type: ignore[arg-type]


@pytest.mark.parametrize("point", [(0.0, 0.0, 1.0), (0.4, -0.3, 0.9), (-0.5, 0.5, 1.7)])
@pytest.mark.parametrize("hold", ["always", "span"])
def test_two_drawings_tell_the_third(point: tuple[float, float, float], hold: str) -> None:
    covers = [cover("a", point, hold), cover("b", point, hold)]
    assert groups(covers, GEOMETRY, CLOCK, 0.5) == [[0, 1]]
    placed = place_drawn("c", covers, GEOMETRY, CLOCK, side=SIDE, moment_s=0.5)
    assert placed is not None
    assert (placed.camera, placed.hold, placed.start) == ("c", hold, 1.0 if hold == "span" else None)
    x1, y1, x2, y2 = placed.boxes[0].box
    x, y = seen("c", point)
    assert x1 < x - 20 < x + 20 < x2
    assert y1 < y - 20 < y + 20 < y2
    assert max(x2 - x1, y2 - y1) < 3 * SIDE


def test_drawings_of_different_things_stay_apart() -> None:
    covers = [cover("a", (0.0, 0.0, 1.0)), cover("b", (0.6, 0.2, 1.6)), cover("b", (0.0, 0.0, 1.0))]
    assert groups(covers, GEOMETRY, CLOCK, 0.5) == [[0, 2], [1]]


def test_drawings_of_different_times_stay_apart() -> None:
    point = (0.0, 0.0, 1.0)
    covers = [cover("a", point, "moment", 2.0), cover("b", point, "moment", 9.0)]
    assert groups(covers, GEOMETRY, CLOCK, 0.5) == [[0], [1]]


def test_one_drawing_tells_no_place() -> None:
    assert place_drawn("c", [cover("a", (0.0, 0.0, 1.0))], GEOMETRY, CLOCK, side=SIDE, moment_s=0.5) is None


def test_cameras_that_are_not_known_place_nothing() -> None:
    unknown = {name: [PairGeometry(views=name, matrix=None, start=0, stop=100)] for name in GEOMETRY}
    covers = [cover("a", (0.0, 0.0, 1.0)), cover("b", (0.0, 0.0, 1.0))]
    assert groups(covers, unknown, CLOCK, 0.5) == [[0], [1]]
    assert place_drawn("c", covers, unknown, CLOCK, side=SIDE, moment_s=0.5) is None
