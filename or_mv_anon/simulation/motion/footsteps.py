"""Footsteps for a body that moves over the floor: planted feet stay where they are, and swing to where they are needed.

Steps are planned over the whole motion at once: a foot leaves the floor when it has fallen too far from its place
under the body, and lands where the body will need it in the middle of the time that it then stands.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.bodies.rotations import facing, wrapped
from or_mv_anon.simulation.motion.posture import Foot

Array = NDArray[np.float64]
STANCE = 0.11  # metres of each foot from the middle when standing
STRIDE_STANCE = 0.07  # the same when walking
TOE_OUT = math.radians(7)
LOOSE_WALKING, LOOSE_STANDING = 0.10, 0.07  # metres that a foot may be off its place
LOOSE_TURN = math.radians(22)
BOTH_DOWN = 0.1  # seconds between two steps in which both feet stand
ROLL = 0.14  # seconds before a step in which the heel rises, and after it in which the toes come down
LIFT = 0.05  # metres that a foot is lifted by


@dataclass(frozen=True)
class Step:
    """One foot's way through the air: place and heading before and after, (x, y, heading)."""

    start: float
    end: float
    before: Array
    after: Array

    @property
    def effort(self) -> float:
        """0 for a shuffle, 1 for a full stride."""
        return min(float(np.linalg.norm(self.after[:2] - self.before[:2])) / 0.8, 1.0)


class Footsteps:
    """The steps of both feet over a motion."""

    def __init__(self, times: Array, places: Array, headings: Array) -> None:
        """Plan the steps.

        Args:
            times: (T,) seconds, evenly spaced.
            places: (T, 2) metres of the body over the floor.
            headings: (T,) radians, unwrapped.
        """
        self._times, self._places, self._headings = times, places, headings
        moved = np.linalg.norm(np.gradient(places, axis=0), axis=1) / max(float(times[1] - times[0]), 1e-6)
        self._speeds = moved
        self._first = [self._ideal(0, float(times[0])), self._ideal(1, float(times[0]))]
        self.steps: tuple[list[Step], list[Step]] = ([], [])
        self._plan()
        self._starts = [[step.start for step in steps] for steps in self.steps]

    def at(self, time: float) -> tuple[Foot, Foot]:
        """Both feet at a time, left first."""
        return self._foot(0, time), self._foot(1, time)

    def swinging(self, foot: int, time: float) -> bool:
        """Whether the foot (0 left, 1 right) is off the floor."""
        number = bisect_right(self._starts[foot], time) - 1
        return number >= 0 and time < self.steps[foot][number].end

    def _plan(self) -> None:
        standing = [self._first[0], self._first[1]]
        ready, last = float(self._times[0]), 0
        for time in self._times:
            if time < ready:
                continue
            speed = self._value(self._speeds, float(time))
            walking = speed > 0.15
            need = [self._need(standing[foot], self._ideal(foot, float(time)), walking) for foot in (0, 1)]
            foot = 1 - last if walking and need[1 - last] > 0.6 else int(np.argmax(need))
            if need[foot] < 1:
                continue
            swing = float(np.clip(0.52 - 0.14 * speed, 0.34, 0.5))
            landing = self._ideal(foot, float(time) + swing + 0.5 * swing + BOTH_DOWN)
            self.steps[foot].append(Step(float(time), float(time) + swing, standing[foot], landing))
            standing[foot] = landing
            ready, last = float(time) + swing + BOTH_DOWN, foot

    @staticmethod
    def _need(standing: Array, ideal: Array, walking: bool) -> float:
        loose = LOOSE_WALKING if walking else LOOSE_STANDING
        off = float(np.linalg.norm(standing[:2] - ideal[:2]))
        return max(off / loose, abs(wrapped(standing[2] - ideal[2])) / LOOSE_TURN)

    def _value(self, values: Array, time: float) -> float:
        return float(np.interp(time, self._times, values))

    def _ideal(self, foot: int, time: float) -> Array:
        """Where a foot belongs under the body at a time: (x, y, heading)."""
        heading = self._value(self._headings, time)
        outward = 1 if foot == 0 else -1
        stance = STANCE + (STRIDE_STANCE - STANCE) * min(self._value(self._speeds, time) / 0.5, 1.0)
        aside = facing(heading) @ np.array([outward * stance, 0.0, 0.0])
        place = [self._value(self._places[:, axis], time) + aside[axis] for axis in (0, 1)]
        return np.array([*place, heading + outward * TOE_OUT])

    def _foot(self, foot: int, time: float) -> Foot:
        steps = self.steps[foot]
        number = bisect_right(self._starts[foot], time) - 1
        here = steps[number].after if number >= 0 else self._first[foot]
        pitch = 0.0
        if number >= 0 and time < steps[number].end:
            return self._swing(steps[number], time)
        if number >= 0 and time < steps[number].end + ROLL:
            pitch += _landing_pitch(steps[number]) * (1 - _ease((time - steps[number].end) / ROLL))
        if number + 1 < len(steps) and time > steps[number + 1].start - ROLL:
            coming = _ease((time - steps[number + 1].start + ROLL) / ROLL)
            pitch = pitch * (1 - coming) + _leaving_pitch(steps[number + 1]) * coming
        return Foot(np.array([here[0], here[1], 0.0]), float(here[2]), pitch)

    @staticmethod
    def _swing(step: Step, time: float) -> Foot:
        share = (time - step.start) / (step.end - step.start)
        along = _ease(share)
        x, y = step.before[:2] + along * (step.after[:2] - step.before[:2])
        height = LIFT * (0.5 + 0.5 * step.effort) * math.sin(math.pi * share) ** 2
        heading = step.before[2] + along * wrapped(step.after[2] - step.before[2])
        pitch = (1 - along) * _leaving_pitch(step) + along * _landing_pitch(step)
        return Foot(np.array([x, y, height]), float(heading), pitch)


def _leaving_pitch(step: Step) -> float:
    return 0.75 * step.effort


def _landing_pitch(step: Step) -> float:
    return -0.3 * step.effort


def _ease(share: float) -> float:
    """Smooth passage from 0 to 1."""
    inside = min(max(share, 0.0), 1.0)
    return inside * inside * (3 - 2 * inside)
