"""Which frames are trained on, and which are kept to compare iterations.

Every camera gives the same number. Within a camera the draw is systematic over time with unequal probabilities
(Madow 1949): frames with recovered or weakly scored people, and crowded ones, come up more often, and no stretch of
time is left out or crowded with near-equal pictures. Whole stretches of time, the same for all cameras, are held out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.adaptation.pseudo_labels import PseudoLabels
from or_mv_anon.adaptation.settings import SamplingConfig
from or_mv_anon.core.records import Provenance

LEAST_BLOCKS = 8  # a short window is cut into this many, so that something is left to train on
MEGABYTE = 1e6
CHANNELS = 3


class TimeUse(IntEnum):
    """What a moment is used for."""

    TRAINING = 0
    HELD_OUT = 1
    NOTHING = 2  # too close to what is held out


@dataclass(frozen=True)
class Candidates:
    """One camera's frames to choose from, with its labels.

    Attributes:
        seconds: session time of every frame (F,).
        allowed: frames that may be chosen (F,).
        labels: of the camera.
        size: width and height of a picture in pixels.
    """

    seconds: NDArray[np.float64]
    allowed: NDArray[np.bool_]
    labels: PseudoLabels
    size: tuple[int, int]


def time_use(
    seconds: NDArray[np.float64], *, start: float, end: float, config: SamplingConfig, seed: Sequence[int]
) -> NDArray[np.uint8]:
    """What every moment is used for: the same answer for all cameras of a window.

    Args:
        seconds: session times (F,).
        start, end: of the window.
        config: how much is held out.
        seed: of the draw.
    """
    use = np.full(len(seconds), TimeUse.TRAINING, np.uint8)
    for first, last in held_out_stretches(start=start, end=end, config=config, seed=seed):
        guard_s = min(config.guard_s, (last - first) / 4)
        near = (seconds >= first - guard_s) & (seconds < last + guard_s)
        use[near & (use != TimeUse.HELD_OUT)] = TimeUse.NOTHING
        use[(seconds >= first) & (seconds < last)] = TimeUse.HELD_OUT
    return use


def held_out_stretches(
    *, start: float, end: float, config: SamplingConfig, seed: Sequence[int]
) -> list[tuple[float, float]]:
    """From when to when nothing is trained on, in seconds of session time; see `time_use`."""
    block_s = min(config.held_out_block_s, (end - start) / LEAST_BLOCKS)
    count = max(1, int((end - start) / block_s))
    held = max(1, round(config.held_out_share * count)) if config.held_out_share > 0 else 0
    draw = np.random.default_rng(list(seed))
    stretches = np.array_split(np.arange(count), held) if held else []
    firsts = [start + float(draw.choice(stretch)) * block_s for stretch in stretches]
    return [(first, first + block_s) for first in firsts]


def affordable(wished: int, size: tuple[int, int], config: SamplingConfig) -> int:
    """How many pictures of `size` fit into the memory that is allowed."""
    return min(wished, max(1, int(config.most_megabytes * MEGABYTE / (size[0] * size[1] * CHANNELS))))


def choose_frames(
    cameras: Sequence[Candidates], count: int, *, config: SamplingConfig, seed: Sequence[int]
) -> list[NDArray[np.int64]]:
    """Frames to use of every camera, ascending; fewer than `count` in all where there are not so many."""
    draw = np.random.default_rng(list(seed))
    quotas = np.full(len(cameras), count // max(1, len(cameras)))
    quotas[: count % max(1, len(cameras))] += 1
    return [_choose(camera, int(quota), config, draw) for camera, quota in zip(cameras, quotas, strict=True)]


def _choose(camera: Candidates, quota: int, config: SamplingConfig, draw: np.random.Generator) -> NDArray[np.int64]:
    frames = np.flatnonzero(camera.allowed)
    if len(frames) <= quota:
        return frames.astype(np.int64)
    worth = _worth(camera, config)[frames]
    share = np.cumsum(worth) / worth.sum() * quota
    picked = np.searchsorted(share, np.arange(quota) + draw.random(quota), side="right")
    return frames[np.unique(np.minimum(picked, len(frames) - 1))].astype(np.int64)


def _worth(camera: Candidates, config: SamplingConfig) -> NDArray[np.float64]:
    """How often each frame should come up, relative to one with nobody difficult in it (F,)."""
    labels, count = camera.labels, len(camera.seconds)
    trusted = labels.trusted
    hard = trusted & ((labels.provenance != Provenance.DETECTED) | (labels.weight < 1))
    people = np.bincount(labels.frame[trusted], minlength=count)
    worth = 1 + config.crowd_weight * people + config.hard_weight * np.bincount(labels.frame[hard], minlength=count)
    empty = camera.allowed & (np.bincount(labels.frame, minlength=count) == 0)
    others = worth[camera.allowed & ~empty].sum()
    if empty.any() and others > 0:
        most = others * config.empty_share / max(1 - config.empty_share, 1e-6)
        worth[empty] *= min(1.0, most / worth[empty].sum())
    result: NDArray[np.float64] = worth
    return result
