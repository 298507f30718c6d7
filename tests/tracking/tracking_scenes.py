"""Small generated recordings for the tracking tests."""

from __future__ import annotations

import numpy as np

from or_mv_anon.core.records import Detections, Frames

SIZE = (1920, 1080)


def make_frames(seconds: np.ndarray) -> Frames:
    count = len(seconds)
    return Frames(frame=np.arange(count), pts=np.arange(count), time=seconds, flags=np.ones(count))


def steady(count: int, rate: float = 30.0) -> Frames:
    return make_frames(np.arange(count) / rate)


def walk(frames, *, start, velocity, size=(120.0, 300.0), score=0.9, noise=0.0, seed=0) -> Detections:
    """One person whose centre moves by `velocity` px/s over all `frames` (a record)."""
    centre = np.asarray(start, float) + (frames.time - frames.time[0])[:, None] * np.asarray(velocity, float)
    half = np.asarray(size) / 2
    box = np.concatenate([centre - half, centre + half], axis=1)
    box += np.random.default_rng(seed).normal(0, noise, box.shape) if noise else 0
    return Detections(frame=frames.frame, box=box, score=np.broadcast_to(score, len(frames)))


def crowd(seed: int, *, count: int = 60, people: int = 4, rate: float = 30.0) -> tuple[Detections, Frames]:
    """People on curved paths, with jitter, missed boxes, weak boxes and false alarms."""
    rng = np.random.default_rng(seed)
    frames = steady(count, rate)
    parts = []
    for _ in range(people):
        phase, pace = rng.uniform(0, 2 * np.pi, 2), rng.uniform(0.2, 0.9, 2)
        angle = frames.time[:, None] * pace + phase
        centre = np.array([960, 540]) + np.array([700, 200]) * np.sin(angle)
        height = rng.uniform(150, 420)
        half = np.array([0.2, 0.5]) * height
        box = np.concatenate([centre - half, centre + half], axis=1) + rng.normal(0, 0.01 * height, (count, 4))
        score = np.clip(rng.normal(0.8, 0.12, count), 0.1, 0.99)
        weak = rng.random(count) < 0.15
        score[weak] = rng.uniform(0.1, 0.5, weak.sum())
        seen = rng.random(count) > 0.07
        parts.append(Detections(frame=frames.frame[seen], box=box[seen], score=score[seen]))
    alarms = rng.integers(0, count, count // 10)
    corner = rng.uniform([0, 0], [1700, 800], (len(alarms), 2))
    box = np.concatenate([corner, corner + rng.uniform(40, 250, (len(alarms), 2))], axis=1)
    parts.append(Detections(frame=alarms, box=box, score=rng.uniform(0.1, 0.7, len(alarms))))
    return shuffled(Detections.concat(parts), rng), frames


def shuffled(detections: Detections, rng: np.random.Generator) -> Detections:
    return detections[rng.permutation(len(detections))]
