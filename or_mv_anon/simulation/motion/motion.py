"""From a score to movement: its abrupt values smoothed in time, feet under the body, sway and breath added."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import distance_transform_edt, gaussian_filter1d

from or_mv_anon.simulation.motion.footsteps import Footsteps
from or_mv_anon.simulation.motion.poser import Poser
from or_mv_anon.simulation.motion.posture import Foot, Hand, Posture
from or_mv_anon.simulation.motion.score import TICKS_PER_SECOND, Score

Array = NDArray[np.float64]
TURN_RATE = 2.4  # radians per second that somebody turns on the spot at most
PLACE_BLUR, HEADING_BLUR, HAND_BLUR, GAZE_BLUR, TRUNK_BLUR = 0.12, 0.2, 0.23, 0.14, 0.32  # seconds
REACH_EVERY, REACH_BLUR = 0.2, 0.22  # seconds
TRUNK = slice(20, 24)  # lean, side, twist and drop among the channels
MOST_GAZE_YAW = math.radians(95)
LOOK_AHEAD = np.array([0.0, 0.12, math.log(3.0)])  # yaw, pitch below the horizon, log of metres
SHARE_OF_GAZE_IN_TRUNK = 0.22  # of the gaze's turn that the shoulders follow
STEP_SHIFT = 0.03  # metres that the hips go over the standing foot
SWING_PER_METRE, TWIST_PER_METRE = 1.15, 0.22  # arms and shoulders go against the legs


class Motion:
    """What a person does, at any time."""

    def __init__(self, score: Score, poser: Poser, rng: np.random.Generator) -> None:
        """Smooth a score for a body; `rng` gives the person's own sway."""
        self._score = score
        times = score.times
        place = _blurred(score.place, PLACE_BLUR) + np.stack([_sway(times, rng, 0.006) for _ in range(2)], axis=-1)
        heading = _blurred(_turned(score.heading), HEADING_BLUR)
        self.footsteps = Footsteps(times, place, heading)
        hands = [_blurred(_hand_channels(score, side, place, heading), HAND_BLUR) for side in (0, 1)]
        gaze = _blurred(_gaze_channels(score, place, heading), GAZE_BLUR)
        gaze[:, :2] += np.stack([_sway(times, rng, 0.02) for _ in range(2)], axis=-1)
        trunk = _blurred(score.trunk, TRUNK_BLUR)
        trunk[:, 0] += _sway(times, rng, 0.012)
        trunk[:, 1] += _sway(times, rng, 0.012)
        trunk[:, 2] += SHARE_OF_GAZE_IN_TRUNK * gaze[:, 0]
        trunk[:, 4] = _blurred(trunk[:, 4] + self._over_standing_foot(times), 0.1)
        phase = rng.uniform(0, 2 * math.pi)
        breath = np.sin(2 * math.pi * times / rng.uniform(3.4, 4.6) + phase)
        self._channels = np.concatenate(
            [place, heading[:, None], *hands, gaze, trunk, breath[:, None]], axis=1
        )  # 2, 1, 7, 7, 3, 6, 1

        self._channels[:, TRUNK] += self._bending_to_reach(poser)

    def present(self, time: float) -> bool:
        """Whether the person is in the room."""
        return bool(self._score.present[self._score.tick(time)])

    def action(self, time: float) -> int:
        """Index into `score.ACTIONS`."""
        return int(self._score.action[self._score.tick(time)])

    def mask(self, time: float) -> int:
        """How the mask is worn, a `MaskState`."""
        return int(self._score.mask[self._score.tick(time)])

    def posture(self, time: float) -> Posture:
        """The posture at a time."""
        row = self._row(time)
        x, y, heading = row[:3]
        feet = self.footsteps.at(time)
        apart = _ahead(feet[1], x, y, heading) - _ahead(feet[0], x, y, heading)
        lean, side, twist, drop, shift, back = row[20:26]
        return Posture(
            float(x),
            float(y),
            float(heading),
            feet,
            (_hand(row[3:10]), _hand(row[10:17])),
            float(lean),
            float(side),
            float(twist - TWIST_PER_METRE * apart),
            float(drop),
            float(shift),
            float(back),
            _seen(row[17:20], self._score.build.eye_height),
            float(row[26]),
            float(np.clip(SWING_PER_METRE * apart, -1, 1)),
        )

    def _bending_to_reach(self, poser: Poser) -> Array:
        """How much lean, side, twist and drop (T, 4) bring the hands to what they want, smoothed over time."""
        times = self._score.times
        looks = np.arange(times[0], times[-1] + REACH_EVERY, REACH_EVERY)
        extra = np.zeros((len(looks), 4))
        for row, time in enumerate(looks):
            if self.present(float(time)):
                wanted = self.posture(float(time))
                bent = poser.reaching(wanted)
                extra[row] = (
                    bent.lean - wanted.lean,
                    bent.side - wanted.side,
                    bent.twist - wanted.twist,
                    bent.drop - wanted.drop,
                )
        dense = np.stack([np.interp(times, looks, column) for column in extra.T], axis=-1)
        return _blurred(dense, REACH_BLUR)

    def _row(self, time: float) -> Array:
        at = min(max((time - float(self._score.times[0])) * TICKS_PER_SECOND, 0.0), len(self._channels) - 1.0)
        first = min(int(at), len(self._channels) - 2)
        share = at - first
        return np.asarray((1 - share) * self._channels[first] + share * self._channels[first + 1])

    def _over_standing_foot(self, times: Array) -> Array:
        swinging = np.zeros(len(times))
        for foot, sign in ((0, -1.0), (1, 1.0)):  # the left foot swings: hips to the right
            for step in self.footsteps.steps[foot]:
                swinging[(times > step.start - 0.05) & (times < step.end)] = sign * STEP_SHIFT
        return swinging


def _ahead(foot: Foot, x: float, y: float, heading: float) -> float:
    return float((foot.place[0] - x) * math.cos(heading) + (foot.place[1] - y) * math.sin(heading))


def _hand(row: Array) -> Hand:
    return Hand(row[:3], *(float(value) for value in row[3:]))


def _seen(row: Array, eye_height: float) -> Array:
    yaw, pitch, distance = float(row[0]), float(row[1]), math.exp(float(row[2]))
    level = math.cos(pitch)
    direction = np.array([level * math.sin(yaw), -level * math.cos(yaw), -math.sin(pitch)])
    return np.array([0.0, -0.1, eye_height]) + distance * direction


def _blurred(values: NDArray[Any], seconds: float) -> Array:
    return np.asarray(
        gaussian_filter1d(np.asarray(values, np.float64), seconds * TICKS_PER_SECOND, axis=0, mode="nearest")
    )


def _sway(times: Array, rng: np.random.Generator, size: float) -> Array:
    """Slow irregular movement of about that size."""
    waves = [
        np.sin(2 * math.pi * times / rng.uniform(low, 2.2 * low) + rng.uniform(0, 2 * math.pi))
        for low in (2.5, 5.0, 11.0)
    ]
    return np.asarray(size * np.sum(waves, axis=0) / 1.7)


def _turned(wanted: Array) -> Array:
    """Headings that follow the wanted ones, unwrapped, at no more than the rate at which people turn."""
    heading = float(wanted[0])
    most = TURN_RATE / TICKS_PER_SECOND
    followed = np.empty(len(wanted))
    for tick, goal in enumerate(wanted):
        error = (float(goal) - heading + math.pi) % (2 * math.pi) - math.pi
        heading += min(max(0.35 * error, -most), most)
        followed[tick] = heading
    return followed


def _hand_channels(score: Score, side: int, place: Array, heading: Array) -> Array:
    """Point in the upright frame (3), weight, pronation, grip, elbow of one hand, (T, 7); idle hands keep a point."""
    points = score.points[:, side].copy()
    forward = np.stack([np.cos(heading), np.sin(heading)], axis=-1)
    offset = points[:, :2] - place
    ahead = (offset * forward).sum(axis=1)
    left = offset[:, 1] * forward[:, 0] - offset[:, 0] * forward[:, 1]
    local = np.stack([left, -ahead, points[:, 2]], axis=-1)
    points = np.where(score.world[:, side, None], local, points)
    busy = score.weights[:, side] > 0
    if busy.any():
        points = points[distance_transform_edt(~busy, return_distances=False, return_indices=True)[0]]
    rest = [score.weights[:, side], score.pronation[:, side], score.grip[:, side], score.elbow[:, side]]
    return np.concatenate([points, np.stack(rest, axis=-1)], axis=1)


def _gaze_channels(score: Score, place: Array, heading: Array) -> Array:
    """Yaw, pitch and log distance (T, 3) of what is looked at, from about where the eyes are."""
    eyes = np.concatenate([place, np.full((len(place), 1), score.build.eye_height)], axis=1)
    eyes[:, :2] += 0.1 * np.stack([np.cos(heading), np.sin(heading)], axis=-1)
    seen = score.gaze - eyes
    yaw = (np.arctan2(seen[:, 1], seen[:, 0]) - heading + math.pi) % (2 * math.pi) - math.pi
    level = np.hypot(seen[:, 0], seen[:, 1])
    pitch = np.arctan2(-seen[:, 2], level)
    distance = np.log(np.maximum(np.hypot(level, seen[:, 2]), 0.3))
    found = np.stack([np.clip(yaw, -MOST_GAZE_YAW, MOST_GAZE_YAW), pitch, distance], axis=-1)
    return np.where(np.isnan(found), LOOK_AHEAD, found)
