"""Hangs surveillance cameras in a room: in ceiling corners, on walls and over the table, past lamps and furniture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.cameras.lens import Lens, Optics, focal_length
from or_mv_anon.simulation.cameras.sensor import USUAL, Sensor, draw_sensor
from or_mv_anon.simulation.cameras.viewpoints import NARROWEST, WIDEST, Viewpoint, choose_viewpoints, look_at
from or_mv_anon.simulation.scene import Mesh, RoomPlan

MOST_CAMERAS = 8


@dataclass(frozen=True)
class Nudge:
    """Somebody bumps into the camera: from `time` (session seconds) on it is turned by `rotation` (3, 3)."""

    time: float
    rotation: NDArray[np.float64]


@dataclass(frozen=True)
class Clock:
    """When a camera records: session seconds at which it starts, what its first timestamp says, what it drops."""

    start: float = 0.0  # rounded up to an instant of its own
    first_stamp: float = 0.0  # seconds on its own clock at its start
    drop_rate: float = 0.0  # share of frames that never reach the file
    every: int = 1  # it takes every so many instants


@dataclass(frozen=True, kw_only=True, eq=False)
class Camera:
    """A camera of the simulated site; `still` is its optics before any nudge."""

    name: str
    still: Optics
    sensor: Sensor
    clock: Clock = Clock()
    nudge: Nudge | None = None

    @cached_property
    def nudged(self) -> Optics:
        """The optics after the nudge; the camera stays where it is."""
        if self.nudge is None:
            return self.still
        before, turn = self.still, self.nudge.rotation
        return Optics(
            before.width, before.height, before.focal, before.lens,
            turn @ before.rotation, turn @ before.translation, before.sharpness,
        )  # fmt: skip

    def optics_at(self, time: float) -> Optics:
        """What the camera sees at a session time in seconds."""
        return self.still if self.nudge is None or time < self.nudge.time else self.nudged


@dataclass(frozen=True)
class Recording:
    """What all cameras of a session share; sizes in pixels, rate in instants per second, duration in seconds."""

    width: int = 640
    height: int = 360
    rate: float = 10.0
    duration: float = 30.0
    nudge: bool = False  # one camera is bumped into
    mixed: bool = False  # cameras differ in frame rate and picture size
    sensor: str = USUAL  # of all cameras


def place_cameras(
    plan: RoomPlan, count: int, rng: np.random.Generator, recording: Recording, meshes: Sequence[Mesh] = ()
) -> list[Camera]:
    """Cameras named cam1, cam2, ... that see the table and much of the room from different sides.

    With the room's `meshes` they look past everything in it, without them past the boxes of its plan.

    Raises:
        ValueError: `count` is not 1 to 8.
    """
    if not 1 <= count <= MOST_CAMERAS:
        raise ValueError(f"expected 1 to {MOST_CAMERAS} cameras, got {count}")
    chosen = choose_viewpoints(plan, count, rng, meshes)
    bumped = int(rng.integers(count))
    own = [np.random.default_rng(seed) for seed in rng.integers(1 << 31, size=count)]  # no camera changes another
    return [
        _equip(number, place, own[number], recording, recording.nudge and number == bumped)
        for number, place in enumerate(chosen)
    ]


def _equip(number: int, place: Viewpoint, rng: np.random.Generator, recording: Recording, bumped: bool) -> Camera:
    width, height, every = recording.width, recording.height, 1
    if recording.mixed and number % 3 == 1:
        every = 2
    if recording.mixed and number % 3 == 2:
        width, height = 2 * round(height * 2 / 3), height  # 4:3
    lens = _draw_lens(place.field_of_view, width / height, rng)
    rotation = look_at(place.eye, place.target, roll=rng.normal(0, np.radians(1.2)))
    optics = Optics(
        width=width,
        height=height,
        focal=focal_length(width=width, field_of_view=place.field_of_view, lens=lens),
        lens=lens,
        rotation=rotation,
        translation=-rotation @ place.eye,
        sharpness=float(rng.uniform(0.85, 1.0)),
    )
    late = float(rng.choice([0.0, rng.uniform(0.1, 0.6)])) if number else 0.0
    clock = Clock(
        start=min(late, recording.duration / 4),
        first_stamp=round(float(rng.choice([0.0, rng.uniform(0.05, 0.5)])), 2),
        drop_rate=float(rng.choice([0.0, 0.002, 0.01])),
        every=every,
    )
    nudge = Nudge(recording.duration * rng.uniform(0.4, 0.7), _small_turn(rng)) if bumped else None
    return Camera(
        name=f"cam{number + 1}", still=optics, sensor=draw_sensor(rng, recording.sensor), clock=clock, nudge=nudge
    )


def _draw_lens(field_of_view: float, aspect: float, rng: np.random.Generator) -> Lens:
    """Wider lenses bend more; k2 keeps the picture from folding over in its corners."""
    wide = (field_of_view - NARROWEST) / (WIDEST - NARROWEST)
    k1 = -rng.uniform(0.03, 0.07) - 0.09 * wide
    corner = np.tan(field_of_view / 2) * np.hypot(1, 1 / aspect) * 1.3
    lens = Lens(k1, 0.0)
    while float(lens.slope(np.array(corner))) < 0.3:
        lens = Lens(k1, lens.k2 + 0.002)
    return lens


def _small_turn(rng: np.random.Generator) -> NDArray[np.float64]:
    """A turn of 1 to 4 degrees about a random axis (Rodrigues' formula)."""
    angle = np.radians(rng.uniform(1, 4))
    x, y, z = (axis := rng.normal(size=3)) / np.linalg.norm(axis)
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    return np.asarray(np.eye(3) + np.sin(angle) * cross + (1 - np.cos(angle)) * cross @ cross)
