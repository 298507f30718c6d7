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


@MODELS.register_module()
class TaughtYOLOX(YOLOX):
    """mmdet's YOLOX with `WeightedYOLOXHead`; without a teacher it learns from labels alone."""

    def teach(self, teacher: Any, weight: float) -> None:
        """Sets the network to agree with, and how much that counts against the labels.

        The teacher is no part of this model: it is neither trained, nor averaged, nor saved with it.
        """
        object.__setattr__(self, "_teacher", teacher.eval().requires_grad_(False))
        self._teacher_weight = weight

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """The losses of the labels and of the teacher."""
        head = self.bbox_head
        predictions, priors = head.flatten(head(self.extract_feat(batch_inputs)))
        labels, ignored, _ = unpack_gt_instances(batch_data_samples)
        targets = head.targets(predictions, priors, labels, ignored)
        losses = head.label_losses(predictions, targets)
        teacher = getattr(self, "_teacher", None)
        if teacher is not None:
            with torch.no_grad():
                taught, _ = head.flatten(teacher.bbox_head(teacher.extract_feat(batch_inputs)))
            for name, value in head.teacher_losses(predictions, taught, targets).items():
                losses[name] = value * self._teacher_weight
        return losses
