"""A YOLOX that learns from labels and, at the same time, from a frozen teacher that looks at the same pictures."""

from __future__ import annotations

from typing import Any

import torch
from mmdet.models.detectors import YOLOX
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from torch import Tensor

from or_mv_anon.openmmlab import weighted_yolox  # noqa: F401  # registers the head
from or_mv_anon.openmmlab.imitation import Channels, Towers, hint_loss

HINT_WEIGHT = 0.5  # of agreeing in what the head reads, against agreeing in its answers


@MODELS.register_module()
class TaughtYOLOX(YOLOX):
    """mmdet's YOLOX with `WeightedYOLOXHead`; without a teacher it learns from labels alone."""

    def teach(self, teacher: Any, weight: float, kept: Channels | None = None) -> None:
        """Sets the network to agree with, how much that counts against the labels, and the channels that both have.

        The teacher is no part of this model: it is neither trained, nor averaged, nor saved with it.
        """
        object.__setattr__(self, "teacher", teacher.eval().requires_grad_(False))
        self.teacher_weight = weight
        self._kept = kept

    @torch.no_grad()
    def teacher_towers(self, batch_inputs: Tensor) -> Towers | None:
        """What the teacher knows before it answers; None without a teacher."""
        teacher = getattr(self, "teacher", None)
        return None if teacher is None else teacher.bbox_head.towers(teacher.extract_feat(batch_inputs))

    def hints(self, towers: Towers, wide: Towers) -> dict[str, Tensor]:
        """The loss of knowing what the teacher knows; nothing for a network that was not cut from it."""
        return {} if self._kept is None else {"loss_taught_hints": HINT_WEIGHT * hint_loss(towers, wide, self._kept)}

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """The losses of the labels and of the teacher."""
        head = self.bbox_head
        towers = head.towers(self.extract_feat(batch_inputs))
        predictions, priors = head.flatten(head.read(towers))
        labels, ignored, _ = unpack_gt_instances(batch_data_samples)
        targets = head.targets(predictions, priors, labels, ignored)
        losses = head.label_losses(predictions, targets)
        wide = self.teacher_towers(batch_inputs)
        if wide is not None:
            with torch.no_grad():
                taught, _ = head.flatten(self.teacher.bbox_head.read(wide))
            agreement = head.teacher_losses(predictions, taught, targets) | self.hints(towers, wide)
            for name, value in agreement.items():
                losses[name] = value * self.teacher_weight
        return losses
