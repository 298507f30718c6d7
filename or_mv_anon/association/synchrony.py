"""Association learned from synchrony: pictures of one moment show the same people, whoever and wherever they are.

A small network embeds boxes so that people matched between views at one moment come close (Self-MVA, CVPR 2025,
arXiv:2503.13739). It needs no geometry, copes with strong lens distortion and learns where people usually are, and it
has to be trained on every session's cameras.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.synchrony_people import people_of, points_of
from or_mv_anon.association.views import TrackPairs, View
from or_mv_anon.core.errors import UserError

if TYPE_CHECKING:
    from or_mv_anon.association.synchrony_training import SynchronyNetwork

STEPS = 1500
INSTANTS_AT_ONCE = 2000
SHORTEST_SCALE = 1e-3  # of distances that tell nobody apart


@dataclass(frozen=True, eq=False)
class Synchrony:
    """What was learned of a session's views.

    Attributes:
        cameras: names of the views.
        network: None if there was too little to learn from.
        scale: distances of embeddings that count as 0 and as 1.
    """

    cameras: tuple[str, ...]
    network: SynchronyNetwork | None
    scale: tuple[float, float] = (0.0, 1.0)

    def embed(self, view: View) -> NDArray[np.float32]:
        """Embeddings (N, D) of all of a view's observations; D is 0 without a network. For short recordings."""
        if self.network is None:
            return np.zeros((len(view.observations), 0), np.float32)
        return self.network.embed(points_of(view), self.cameras.index(view.name)).numpy()

    def pair_distances(self, first: View, second: View) -> TrackPairs:
        """Mean distance of two tracks' embeddings over their common instants, in `synchrony`; other evidence is NaN.

        Distances of embeddings are counted from those of the nearest tenth of matched people, 0, to that of the median
        pair of people from two moments, 1; nearer ones are 0 too.
        """
        import torch

        if self.network is None or not len(first.observations) or not len(second.observations):
            return TrackPairs.empty()
        count = 1 + int(min(first.observations.instant.max(), second.observations.instant.max()))
        views = [first, second]
        tables = [people_of(view, max(count, 1 + int(view.observations.instant.max()))) for view in views]
        total = np.zeros(len(first.tracks) * len(second.tracks))
        common = np.zeros(len(total), np.int64)
        for start in range(0, count, INSTANTS_AT_ONCE):
            part = slice(start, min(start + INSTANTS_AT_ONCE, count))
            found = [
                self.network.embed(table.points[part], self.cameras.index(view.name))
                for view, table in zip(views, tables, strict=True)
            ]
            distance = torch.cdist(found[0], found[1]).numpy()
            left, right = tables[0], tables[1]
            both = left.present[part, :, None] & right.present[part, None, :]
            key = (left.track[part, :, None] * len(second.tracks) + right.track[part, None, :])[both]
            total += np.bincount(key, distance[both], minlength=len(total))
            common += np.bincount(key, minlength=len(total))
        seen = np.flatnonzero(common)
        near, strange = self.scale
        nothing = np.full(len(seen), np.nan)
        return TrackPairs(
            first=first.tracks[seen // len(second.tracks)],
            second=second.tracks[seen % len(second.tracks)],
            instants=common[seen],
            distance=nothing,
            appearance=nothing,
            synchrony=np.maximum(total[seen] / common[seen] - near, 0) / max(strange - near, SHORTEST_SCALE),
            probability=nothing,
        )


def learn_synchrony(
    views: Sequence[View],
    *,
    seed: int = 0,
    steps: int = STEPS,
    seconds_budget: float | None = None,
    progress: Callable[[int], object] | None = None,
) -> Synchrony:
    """Train the associator on a session's views.

    Args:
        views: of all cameras.
        seed: decides everything, except where `seconds_budget` ends the training.
        steps: of training.
        seconds_budget: end the training after so many seconds.
        progress: called with the number of steps done since the last call.

    Raises:
        UserError: torch is not installed.
    """
    try:
        from or_mv_anon.association.synchrony_training import distance_scale, train
    except ModuleNotFoundError as error:
        raise UserError(
            f"association.use_synchrony needs torch ({error.name} is missing). Install it with: "
            "pip install 'or_mv_anon[train]', or turn use_synchrony off."
        ) from error
    instants = 1 + max((int(view.observations.instant.max(initial=-1)) for view in views), default=-1)
    people = [people_of(view, instants) for view in views]
    network = train(people, seed=seed, steps=steps, seconds_budget=seconds_budget, progress=progress)
    cameras = tuple(view.name for view in views)
    if network is None:
        return Synchrony(cameras, None)
    return Synchrony(cameras, network, distance_scale(network, people, seed=seed))
