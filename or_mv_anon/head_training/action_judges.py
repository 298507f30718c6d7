"""How the action detector A is asked: about person crops, or about whole frames as in Ren, Lee and Ryoo (ECCV 2018)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from or_mv_anon.head_training.actions import ActionNetwork
from or_mv_anon.head_training.batches import Batch
from or_mv_anon.head_training.frames import ActionFrame, frame_tensor, pasted_in_frame
from or_mv_anon.head_training.losses import pasted
from or_mv_anon.head_training.sampler import HeadSampler, Key

Draw = Callable[[Tensor], Tensor]


class ActionJudge(Protocol):
    """Asks A; every loss is a scalar."""

    def clear(self, key: Key) -> Tensor:
        """How wrong A is about clear pictures."""

    def modified(self, batch: Batch, drawn: Tensor, draw: Draw, key: Key) -> Tensor | None:
        """How wrong A is about modified heads, or None if it cannot be asked; gradients reach the modifier.

        Args:
            batch: heads; `drawn` (B, 3, S, S) is what the modifier made of them.
            draw: the modifier.
            key: of what is drawn by chance beside the batch.
        """


class CropJudge:
    """Asks about people cut out of their frames."""

    def __init__(self, network: ActionNetwork, sampler: HeadSampler, *, batch: int) -> None:
        self._network, self._sampler, self._batch = network, sampler, batch

    def clear(self, key: Key) -> Tensor:
        """See `ActionJudge`."""
        batch = self._sampler.acting(2 * self._batch, key)
        return functional.cross_entropy(self._network(batch.person), batch.action)

    def modified(self, batch: Batch, drawn: Tensor, draw: Draw, key: Key) -> Tensor | None:
        """See `ActionJudge`."""
        if not len(batch.acting):
            return None
        people = pasted(batch.person, drawn[batch.acting], batch.to_region)
        return functional.cross_entropy(self._network(people), batch.action)


class FrameJudge:
    """Asks a detector that finds people in whole frames and tells what each does."""

    def __init__(
        self,
        detector: FrameDetector,
        frames: Sequence[ActionFrame],
        sampler: HeadSampler,
        *,
        batch: int,
        seed: int,
        device: str,
    ) -> None:
        self._detector, self._frames, self._sampler = detector, frames, sampler
        self._batch, self._seed, self._device = batch, seed, device

    def clear(self, key: Key) -> Tensor:
        """See `ActionJudge`."""
        frames = self._drawn(key)
        return self._loss(frames, [frame_tensor(frame).to(self._device) for frame in frames])

    def modified(self, batch: Batch, drawn: Tensor, draw: Draw, key: Key) -> Tensor | None:
        """See `ActionJudge`."""
        frames = self._drawn(key)
        pictures = []
        for frame in frames:
            picture = frame_tensor(frame).to(self._device)
            if frame.heads:
                heads = draw(self._sampler.as_they_are(frame.heads).seen)
                picture = pasted_in_frame(picture, heads, frame.head_region)
            pictures.append(picture)
        return self._loss(frames, pictures)

    def _loss(self, frames: Sequence[ActionFrame], pictures: Sequence[Tensor]) -> Tensor:
        boxes = [torch.from_numpy(frame.person_box).to(self._device) for frame in frames]
        actions = [torch.from_numpy(frame.action).to(self._device) for frame in frames]
        return self._detector.loss(pictures, boxes, actions)

    def _drawn(self, key: Key) -> list[ActionFrame]:
        rng = np.random.default_rng((self._seed, *key))
        return [self._frames[row] for row in rng.integers(len(self._frames), size=self._batch)]


class FrameDetector(Protocol):
    """What `openmmlab.frame_actions.FasterRcnnActions` does."""

    def loss(self, pictures: Sequence[Tensor], boxes: Sequence[Tensor], actions: Sequence[Tensor]) -> Tensor:
        """The detector's training loss on pictures (3, H, W), RGB 0-1, with people (n, 4) px and actions (n,)."""
