"""How well outside frames are told from inside ones: ranking measures, and what leaks at every exit."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


def roc_auc(scores: NDArray[np.floating], outside: NDArray[np.bool_]) -> float:
    """Chance that an outside frame scores above an inside one, ties counting half (Mann-Whitney U).

    Raises:
        ValueError: only one label occurs.
    """
    _both(outside)
    values, ranks = np.unique(scores, return_inverse=True)
    counts = np.bincount(ranks, minlength=len(values))
    middle = np.cumsum(counts) - (counts - 1) / 2  # mean rank of each value, from 1
    positives = int(outside.sum())
    negatives = len(outside) - positives
    return float((middle[ranks][outside].sum() - positives * (positives + 1) / 2) / (positives * negatives))


def outside_recall(
    scores: NDArray[np.floating], outside: NDArray[np.bool_], *, inside_recall: float = 0.99
) -> tuple[float, float]:
    """Share of outside frames found when at most `1 - inside_recall` of the inside ones are called outside.

    Returns:
        The share, and the threshold: frames that score above it are called outside.
    """
    _both(outside)
    inside = np.sort(scores[~outside])
    threshold = inside[max(0, int(np.ceil(inside_recall * len(inside))) - 1)]
    return float(np.mean(scores[outside] > threshold)), float(threshold)


@dataclass(frozen=True)
class Leaks:
    """Outside frames that were not covered, per time that the scope left the body.

    Attributes:
        exits: how often it left.
        leaky_exits: of these, how many leaked any frame.
        frames: leaked frames per exit, mean.
        worst: leaked frames of the worst exit.
        seconds: leaked seconds in all.
        covered_inside: share of the inside frames that were covered in vain.
    """

    exits: int
    leaky_exits: int
    frames: float
    worst: int
    seconds: float
    covered_inside: float


def leaks(covered: NDArray[np.bool_], outside: NDArray[np.bool_], *, rate: float) -> Leaks:
    """Count what leaks in one recording.

    Args:
        covered: (N,) which frames are covered.
        outside: (N,) the truth.
        rate: frames per second.
    """
    edges = np.diff(outside.astype(np.int8), prepend=0, append=0)
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    lost = [int((~covered[start:end]).sum()) for start, end in zip(starts, ends, strict=True)]
    inside = ~outside
    return Leaks(
        exits=len(lost),
        leaky_exits=sum(count > 0 for count in lost),
        frames=float(np.mean(lost)) if lost else 0.0,
        worst=max(lost, default=0),
        seconds=sum(lost) / rate,
        covered_inside=float(covered[inside].mean()) if inside.any() else 0.0,
    )


def _both(outside: NDArray[np.bool_]) -> None:
    if outside.all() or not outside.any():
        raise ValueError("expected frames of both labels")
