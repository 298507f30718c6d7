"""What a user asks the simulator for, checked before anything is built."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any

from or_mv_anon.core.config import CRF
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.ranges import checked
from or_mv_anon.simulation.cameras.placing import MOST_CAMERAS
from or_mv_anon.simulation.cameras.sensor import SENSORS, USUAL
from or_mv_anon.simulation.cast import MOST_PEOPLE
from or_mv_anon.simulation.motion.lying import ANY, POSITIONS

_LEAST_SIDE, _MOST_SIDE = 64, 4096  # pixels
_FASTEST = 60  # instants per second


@dataclass(frozen=True, kw_only=True)
class SimulationOptions:
    """See `tools/simulate_site.py --help` for the meaning of each.

    All but `out`, `workers` and `overwrite` decide what is made: equal values give equal pictures and ground truth.

    Raises:
        UserError: a value is out of its range.
    """

    out: Path
    seed: int = 0
    session: int = 0  # another one has the same room, cameras and clothes, other people and other events
    cameras: int = 4
    seconds: float = 30.0
    fps: int = 10
    width: int = 640
    height: int = 360
    people: int = 6
    crf: int = 24
    nudge: bool = False
    mixed: bool = False
    position: str = POSITIONS[0]  # of the patient
    sensor: str = USUAL  # of the cameras
    workers: int | None = None
    overwrite: bool = False

    def __post_init__(self) -> None:
        _check("--cameras", self.cameras, 1, MOST_CAMERAS)
        _check("--people", self.people, 1, MOST_PEOPLE)
        _check("--fps", self.fps, 1, _FASTEST)
        checked(self.crf, Annotated[int, CRF], "--crf")
        _check("--seed", self.seed, 0, 2**31 - 1)
        _check("--session", self.session, 0, 2**31 - 1)
        for side in (self.width, self.height):
            if side % 2 or not _LEAST_SIDE <= side <= _MOST_SIDE:
                raise UserError(
                    f"--size is {self.width}x{self.height}; expected even sides of {_LEAST_SIDE} to {_MOST_SIDE} "
                    "pixels, such as 640x360."
                )
        if not math.isfinite(self.seconds) or self.instants < 1:
            raise UserError(f"--seconds is {self.seconds:g}; expected a duration of at least one picture.")
        if self.position not in (*POSITIONS, ANY):
            raise UserError(f"--position is {self.position}; expected one of {', '.join(POSITIONS)}, or {ANY}.")
        if self.sensor not in SENSORS:
            raise UserError(f"--sensor is {self.sensor}; expected one of {', '.join(SENSORS)}.")
        if self.workers is not None and self.workers < 1:
            raise UserError(f"--workers is {self.workers}; expected at least 1.")

    @property
    def laid(self) -> str:
        """How the patient lies: the position, or the seed's if any will do."""
        return POSITIONS[self.seed % len(POSITIONS)] if self.position == ANY else self.position

    @property
    def instants(self) -> int:
        """Number of the session's common moments."""
        return round(self.seconds * self.fps) if math.isfinite(self.seconds) else 0

    @property
    def rate(self) -> Fraction:
        """Instants per second."""
        return Fraction(self.fps)

    def to_json(self) -> dict[str, Any]:
        """What decides the result, as plain values."""
        return {
            "seed": self.seed,
            "session": self.session,
            "cameras": self.cameras,
            "seconds": self.seconds,
            "fps": self.fps,
            "size": [self.width, self.height],
            "people": self.people,
            "crf": self.crf,
            "nudge": self.nudge,
            "mixed": self.mixed,
            "position": self.laid,
            "sensor": self.sensor,
        }


def _check(name: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise UserError(f"{name} is {value}; expected {least} to {most}.")
