"""Constant-velocity Kalman filter for all tracks of a camera at once.

ByteTrack's filter works on ``(cx, cy, aspect, height)`` with diagonal noise, so that its 8 × 8 covariance never
couples two coordinates: it is exactly four filters of two numbers, position and velocity. The state is therefore one
float64 array ``(5, N, 4)``: position, velocity, and the three entries of each 2 × 2 covariance.

Time is real: a step may last any number of seconds (variable frame rate, skipped frames). Velocities and noise count
in reference steps of 1/30 s, the rate for which the weights were tuned; noise is integrated over the step as white
noise, so that two short steps equal a long one.

Source: Zhang et al., ByteTrack, ECCV 2022; weights 1/20 and 1/160 from Wojke et al., DeepSORT, ICIP 2017.
"""

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes

REFERENCE_STEP_S = 1 / 30
SAME_TIME_S = 1e-6  # 0.5 s at 30 frames/s are 15 frames, whatever the last bit of a timestamp says
POSITION_WEIGHT = 1 / 20  # standard deviation of a position per box height
VELOCITY_WEIGHT = 1 / 160  # standard deviation of a velocity per box height and reference step
LEAST_HEIGHT = 1.0  # px; keeps the noise of degenerate boxes above zero

State = NDArray[np.float64]
Measurements = NDArray[np.float64]

_POSITION, _VELOCITY, _VAR_POSITION, _COVARIANCE, _VAR_VELOCITY = range(5)
_ASPECT, _HEIGHT = 2, 3


def _variances(*, position: float, aspect: float) -> NDArray[np.float64]:
    return np.square([position, position, aspect, position])


_INITIAL_POSITION = _variances(position=2 * POSITION_WEIGHT, aspect=1e-2)
_INITIAL_VELOCITY = _variances(position=10 * VELOCITY_WEIGHT, aspect=1e-5)
_PROCESS_POSITION = _variances(position=POSITION_WEIGHT, aspect=1e-2)
_PROCESS_VELOCITY = _variances(position=VELOCITY_WEIGHT, aspect=1e-5)
_MEASUREMENT = _variances(position=POSITION_WEIGHT, aspect=1e-1)


def measurements(boxes: Boxes) -> Measurements:
    """Boxes ``(N, 4)`` xyxy as ``(cx, cy, aspect, height)``; heights are at least `LEAST_HEIGHT`."""
    result = np.empty((len(boxes), 4))
    low, high = boxes[:, :2], boxes[:, 2:]
    np.add(low, high, out=result[:, :2])
    result[:, :2] *= 0.5
    np.subtract(high, low, out=result[:, 2:])
    np.maximum(result[:, 3], LEAST_HEIGHT, out=result[:, 3])
    result[:, 2] /= result[:, 3]
    return result


def initiate(first: Measurements) -> State:
    """State ``(5, N, 4)`` of tracks seen once, at rest."""
    scale = _squared_scale(first[:, _HEIGHT])
    state = np.zeros((5, len(first), 4))
    state[_POSITION] = first
    state[_VAR_POSITION] = scale * _INITIAL_POSITION
    state[_VAR_VELOCITY] = scale * _INITIAL_VELOCITY
    return state


def predict(state: State, *, seconds: float, lost: NDArray[np.bool_]) -> None:
    """Moves `state` on by `seconds`, in place; the height of `lost` tracks ``(N,)`` is held, as ByteTrack does."""
    step = seconds / REFERENCE_STEP_S
    position, velocity, var_position, covariance, var_velocity = state
    scale = _squared_scale(position[:, _HEIGHT])
    velocity[lost, _HEIGHT] = 0
    position += step * velocity
    spread = scale * (step * _PROCESS_VELOCITY)
    drift = step * var_velocity
    var_position += step * (2 * covariance + drift)
    var_position += scale * (step * _PROCESS_POSITION) + (step * step / 3) * spread
    covariance += drift + (step / 2) * spread
    var_velocity += spread


def correct(state: State, rows: NDArray[np.intp], seen: Measurements) -> None:
    """Corrects the tracks `rows` ``(M,)`` of `state` by what was `seen` ``(M, 4)``, in place."""
    chosen = state[:, rows]
    position, velocity, var_position, covariance, var_velocity = chosen
    total = var_position + _squared_scale(position[:, _HEIGHT]) * _MEASUREMENT
    gain_position = var_position / total
    gain_velocity = covariance / total
    surprise = seen - position
    position += gain_position * surprise
    velocity += gain_velocity * surprise
    var_velocity -= gain_velocity * covariance
    keep = 1 - gain_position
    covariance *= keep
    var_position *= keep
    state[:, rows] = chosen


def boxes(state: State) -> Boxes:
    """The tracks' boxes ``(N, 4)`` xyxy."""
    position = state[_POSITION]
    half = position[:, _ASPECT:].copy()
    half[:, 0] *= half[:, 1]
    half *= 0.5
    result = np.empty((len(position), 4), np.float32)
    np.subtract(position[:, :2], half, out=result[:, :2], casting="same_kind")
    np.add(position[:, :2], half, out=result[:, 2:], casting="same_kind")
    return result


def _squared_scale(height: NDArray[np.float64]) -> NDArray[np.float64]:
    """What a unit variance is worth ``(N, 4)``: squared height, but 1 for the aspect."""
    height = np.maximum(height, LEAST_HEIGHT)
    scale = np.empty((len(height), 4))
    scale[:] = (height * height)[:, None]
    scale[:, _ASPECT] = 1
    return scale
