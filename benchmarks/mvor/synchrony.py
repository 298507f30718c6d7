"""The learned associator on MVOR: trained on the moments' own detections, judged as its authors judge theirs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import combinations

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from benchmarks.mvor.dataset import Mvor
from benchmarks.mvor.people import POSE_POINTS, SIZE, Crowd, Floats
from or_mv_anon.association.synchrony import learn_synchrony
from or_mv_anon.association.views import BodyPoint, Observations, View
from or_mv_anon.evaluation.association import ViewPair

STEPS = 500  # of training; the recording has only 732 instants
LEAST_SIMILARITY = 0.1  # 1 - distance / largest distance of the picture pair; Self-MVA's value for MVOR


def view_of(mvor: Mvor, people: Mapping[int, Crowd], camera: int) -> View:
    """A camera's people as association takes them, each a track of its own."""
    crowds = [people[instant.views[camera].image] for instant in mvor.instants]
    count = [len(crowd.scores) for crowd in crowds]
    size = sum(count)
    points, weight = np.zeros((size, len(BodyPoint), 2)), np.zeros((size, len(BodyPoint)))
    some = [crowd.bodies.points for crowd in crowds if len(crowd.scores)]
    if some and some[0].shape[1] == POSE_POINTS:
        known = np.concatenate(some)
        points, weight = known[..., :2], np.clip(known[..., 2], 0, 1)
    rows = Observations(
        instant=np.repeat(np.arange(len(crowds)), count),
        track=np.arange(size),
        box=np.concatenate([crowd.boxes for crowd in crowds]),
        score=np.concatenate([crowd.scores for crowd in crowds]),
        points=points,
        weight=weight,
        head=np.ones(size),
    )
    return View(name=f"cam{camera}", size=SIZE, observations=rows, tracks=np.arange(size))


class Distances(Mapping[tuple[int, int], Floats]):
    """Distances (N, M) between two cameras' people of two instants, worked out when asked for."""

    def __init__(self, first: list[NDArray[np.float32]], second: list[NDArray[np.float32]]) -> None:
        """Embeddings by instant."""
        self.first, self.second = first, second

    def __getitem__(self, moments: tuple[int, int]) -> Floats:
        return np.asarray(cdist(self.first[moments[0]], self.second[moments[1]]))

    def __iter__(self) -> Iterator[tuple[int, int]]:
        return iter([(moment, moment) for moment in range(len(self.first))])

    def __len__(self) -> int:
        return len(self.first)


def synchrony_distances(
    mvor: Mvor, people: Mapping[int, Crowd], *, seed: int = 0, steps: int = STEPS
) -> dict[tuple[int, int], Distances]:
    """Train on all instants without labels; distances by pair of cameras."""
    cameras = sorted(mvor.cameras)
    views = [view_of(mvor, people, camera) for camera in cameras]
    learned = learn_synchrony(views, seed=seed, steps=steps)
    parts = {}
    for camera, view in zip(cameras, views, strict=True):
        cuts = np.searchsorted(view.observations.instant, np.arange(1, len(mvor.instants)))
        parts[camera] = np.split(learned.embed(view), cuts)
    return {pair: Distances(parts[pair[0]], parts[pair[1]]) for pair in combinations(cameras, 2)}


def match_by_synchrony(
    mvor: Mvor, people: Mapping[int, Crowd], distances: Mapping[tuple[int, int], Distances]
) -> Iterator[ViewPair]:
    """Match by these distances alone as Self-MVA does: everybody, then less those too far apart for their picture."""
    for moment, instant in enumerate(mvor.instants):
        for first, second in combinations(sorted(instant.views), 2):
            sides = [people[instant.views[camera].image] for camera in (first, second)]
            table = distances[first, second][moment, moment]
            row, column = linear_sum_assignment(table)
            near = table[row, column] <= (1 - LEAST_SIMILARITY) * table.max(initial=0)
            near |= len(row) == 1
            pairs = np.stack([row[near], column[near]], axis=1)
            yield ViewPair((f"cam{first}", f"cam{second}"), sides[0].identities, sides[1].identities, -table, pairs)
