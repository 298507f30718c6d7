"""Association of MVOR's people by all that its single moments tell: geometry, place, scores and the third view."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

from benchmarks.mvor.dataset import Mvor
from benchmarks.mvor.pair_likelihood import Pairs, judge
from benchmarks.mvor.people import Crowd, Floats, epipolar_percent
from benchmarks.mvor.place_map import PlaceMap
from or_mv_anon.evaluation.association import ViewPair

Key = tuple[int, int, int]  # number of the instant, first and second camera
Matrices = Mapping[tuple[int, int, int], Floats]  # by day, first and second camera


@dataclass(frozen=True, eq=False)
class Joint:
    """Outcome for all instants.

    Attributes:
        log_odds: (N, M) that two people are one, the third view included.
        maps: by camera from which and camera to which.
    """

    log_odds: Mapping[Key, Floats]
    maps: Mapping[tuple[int, int], PlaceMap]


def associate_jointly(
    mvor: Mvor,
    people: Mapping[int, Crowd],
    matrices: Matrices,
    *,
    distances: Mapping[tuple[int, int], Mapping[tuple[int, int], Floats]] | None = None,
    seed: int = 0,
) -> Joint:
    """Log-odds of all pairs of people at every instant.

    Args:
        mvor: the instants.
        people: by image number.
        matrices: fundamental matrices.
        distances: by cameras a further distance (N, M) between the people of two instants.
        seed: draws the moments that are set side by side.
    """
    tables: dict[Key, Floats] = {}
    maps = {}
    for first, second in combinations(sorted(mvor.cameras), 2):
        extra = None if distances is None else distances[first, second]
        random = np.random.default_rng([seed, first, second])
        moments = np.arange(len(mvor.instants))
        same = _pairs(mvor, people, matrices, (first, second), np.stack([moments, moments], axis=1), extra)
        other = _pairs(mvor, people, matrices, (first, second), _other_moments(mvor, random), extra)
        judged = judge(same, other, seed=seed)
        maps[first, second], maps[second, first] = judged.maps
        start = 0
        for moment, instant in enumerate(mvor.instants):
            shape = tuple(len(people[instant.views[camera].image].scores) for camera in (first, second))
            stop = start + int(np.prod(shape))
            tables[moment, first, second] = judged.log_odds[start:stop].reshape(shape)
            start = stop
    return Joint({key: table + _third_view(tables, key, sorted(mvor.cameras)) for key, table in tables.items()}, maps)


def matches(joint: Joint, mvor: Mvor, people: Mapping[int, Crowd]) -> Iterator[ViewPair]:
    """Matches that are likelier than not, one to one, nobody forced."""
    for (moment, first, second), log_odds in joint.log_odds.items():
        sides = [people[mvor.instants[moment].views[camera].image] for camera in (first, second)]
        yield ViewPair(
            (f"cam{first}", f"cam{second}"),
            sides[0].identities,
            sides[1].identities,
            np.log(probabilities(log_odds) + 1e-12),
            assign_likely(log_odds),
        )


def assign_likely(log_odds: Floats) -> NDArray[np.int64]:
    """One-to-one matches (K, 2) of the greatest total log-odds; pairs less likely than not stay apart."""
    worth = np.maximum(log_odds, 0)
    row, column = linear_sum_assignment(worth, maximize=True)
    hit = worth[row, column] > 0
    return np.stack([row[hit], column[hit]], axis=1)


def probabilities(log_odds: Floats) -> Floats:
    """Of pairs (N, M) when each person has one partner or none."""
    odds = np.exp(np.clip(log_odds, -20, 20))
    return np.asarray(odds / (1 + odds.sum(axis=0) + odds.sum(axis=1, keepdims=True) - odds))


def _third_view(tables: Mapping[Key, Floats], key: Key, cameras: list[int]) -> Floats:
    """What is gained when both of a pair agree with somebody in a third view: log(1 + the sum of such odds)."""
    moment, first, second = key
    gain = np.zeros_like(tables[key])
    for third in cameras:
        if third not in (first, second):
            to_first, to_second = (_table(tables, moment, camera, third) for camera in (first, second))
            through = to_first[:, None, :] + to_second[None, :, :]
            gain += np.log1p(np.exp(np.clip(through, -30, 10)).sum(axis=2))
    return gain


def _table(tables: Mapping[Key, Floats], moment: int, rows: int, columns: int) -> Floats:
    return tables[moment, rows, columns] if rows < columns else tables[moment, columns, rows].T


def _other_moments(mvor: Mvor, random: np.random.Generator) -> NDArray[np.int64]:
    """Every instant with another one of the same day."""
    days = np.array([instant.day for instant in mvor.instants])
    pairs = np.stack([np.arange(len(days)), np.zeros(len(days), np.int64)], axis=1)
    for day in np.unique(days):
        here = np.flatnonzero(days == day)
        pairs[here, 1] = here[(np.arange(len(here)) + random.integers(1, max(len(here), 2), len(here))) % len(here)]
    return pairs


def _pairs(
    mvor: Mvor,
    people: Mapping[int, Crowd],
    matrices: Matrices,
    cameras: tuple[int, int],
    moments: NDArray[np.int64],
    extra: Mapping[tuple[int, int], Floats] | None,
) -> Pairs:
    places, percent, scores, owners, further = [], [], [], [], []
    counted = np.zeros(2, np.int64)
    for left, right in moments.tolist():
        instants = mvor.instants[left], mvor.instants[right]
        sides = [people[instant.views[camera].image] for instant, camera in zip(instants, cameras, strict=True)]
        row, column = np.indices([len(side.scores) for side in sides]).reshape(2, -1)
        picked = list(zip(sides, (row, column), strict=True))
        matrix = matrices.get((instants[0].day, *cameras))
        places.append(np.stack([side.places[rows] for side, rows in picked]))
        percent.append(epipolar_percent(matrix, *sides).ravel())
        scores.append(np.stack([side.scores[rows] for side, rows in picked]))
        owners.append(np.stack([row, column]) + counted[:, None])
        further.append(np.zeros((len(row), 0)) if extra is None else extra[left, right].reshape(-1, 1))
        counted += [len(side.scores) for side in sides]
    return Pairs(
        np.concatenate(places, axis=1),
        np.concatenate(percent),
        np.concatenate(scores, axis=1),
        np.concatenate(owners, axis=1),
        np.concatenate(further),
    )
