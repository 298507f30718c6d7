"""Draws each step's heads by number: equal keys give equal batches, whatever was drawn before."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from or_mv_anon.head_training.batches import Batch, make_batch
from or_mv_anon.head_training.head_pictures import Head
from or_mv_anon.head_training.material import Material
from or_mv_anon.head_training.settings import LearnedTrainingConfig

Key = tuple[int, ...]


class HeadSampler:
    """Draws batches of heads.

    Attributes:
        people: whom the identity adversary tells apart.
    """

    def __init__(self, material: Material, *, config: LearnedTrainingConfig, device: str) -> None:
        self._material, self._config, self._device = material, config, device
        self._acting = [head for head in material.simulated if head.person is not None]
        self.people = material.identities

    def mixed(self, key: Key) -> Batch:
        """Real and simulated heads in the configured shares."""
        material, batch = self._material, self._config.training.batch
        share = self._config.material.real_share if material.simulated else 1.0
        count = round(share * batch) if material.real else 0
        heads = self._drawn(material.real, count, (*key, 0)) + self._drawn(material.simulated, batch - count, (*key, 1))
        return self.laid(heads, key)

    def acting(self, count: int, key: Key) -> Batch:
        """Heads of people who are doing something."""
        return self.laid(self._drawn(self._acting, count, (5, *key)), (6, *key))

    def as_they_are(self, heads: Sequence[Head]) -> Batch:
        """These heads with nothing left to chance."""
        config = self._config
        batch = make_batch(heads, identities=(), material=config.material, modifier=config.modifier, rng=None)
        return batch.to(self._device)

    def laid(self, heads: Sequence[Head], key: Key) -> Batch:
        """These heads with their regions laid out by chance."""
        config = self._config
        rng = np.random.default_rng((config.material.seed + 1, *key))
        batch = make_batch(heads, identities=self.people, material=config.material, modifier=config.modifier, rng=rng)
        return batch.to(self._device)

    def _drawn(self, heads: Sequence[Head], count: int, key: Key) -> list[Head]:
        rng = np.random.default_rng((self._config.material.seed, *key))
        return [heads[row] for row in rng.integers(len(heads), size=count)] if count else []
