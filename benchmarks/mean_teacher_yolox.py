"""The network of `mean_teacher`: a YOLOX that learns from what its own running average is sure of."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmengine.structures import InstanceData
from torch import Tensor

from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.openmmlab.augmentation import Augmentation, degrade, occlude, shown_share
from or_mv_anon.openmmlab.imitation import Channels
from or_mv_anon.openmmlab.taught_yolox import TaughtYOLOX


@MODELS.register_module()
class MeanTeacherYOLOX(TaughtYOLOX):
    """Pictures come weakly changed; the average labels them, and the network learns from them strongly changed.

    Args:
        least_score: of the average's boxes that become labels.
        most_overlap: of two such boxes (IoU); of those that overlap more, the best is taken.
        follow: share of the network's newest weights in the average, at every step.
        strong: how far light and camera are changed and people are covered, as in `configs/detector/base.py`.
        options: of mmdet's `YOLOX`.
    """

    def __init__(
        self, *, least_score: float, most_overlap: float, follow: float, strong: dict[str, Any], **options: Any
    ) -> None:
        super().__init__(**options)
        self.least_score = least_score
        self.most_overlap = most_overlap
        self.follow = follow
        self.strong = Augmentation(**strong)

    def teach(self, teacher: Any, weight: float, kept: Channels | None = None) -> None:
        """Takes `teacher` as the average's beginning; it is part of the model, so that checkpoints hold it."""
        self.averaged = teacher.eval().requires_grad_(False)

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """The losses of the average's labels on strongly changed pictures."""
        self._average()
        with torch.no_grad():
            found, _ = self.bbox_head.flatten(self.averaged.bbox_head(self.averaged.extract_feat(batch_inputs)))
        changed, labels, undecided = batch_inputs.clone(), [], []
        for row, sample in enumerate(batch_data_samples):
            height, width = sample.img_shape
            boxes = self._sure(found.boxes[row].cpu().numpy(), found.scores[row].cpu().numpy(), width, height)
            picture = batch_inputs[row, :, :height, :width].permute(1, 2, 0).byte().cpu().numpy().copy()
            rng = np.random.default_rng(int(picture.sum()))  # of the draw alone, so that training can be resumed
            picture, covered = occlude(picture, boxes, settings=self.strong, rng=rng)
            picture = degrade(picture, settings=self.strong, rng=rng)
            changed[row, :, :height, :width] = torch.from_numpy(picture.transpose(2, 0, 1)).to(changed)
            shown = shown_share(boxes, covered, width=width, height=height) >= self.strong.shown
            labels.append(_people(boxes[shown], changed.device))
            undecided.append(_people(boxes[~shown], changed.device))
        head = self.bbox_head
        predictions, priors = head.flatten(head(self.extract_feat(changed)))
        losses: dict[str, Tensor] = head.label_losses(predictions, head.targets(predictions, priors, labels, undecided))
        return losses

    @torch.no_grad()
    def _average(self) -> None:
        own = dict(self.named_parameters())
        for name, value in self.averaged.named_parameters():
            value.lerp_(own[name], self.follow)

    def _sure(self, boxes: Boxes, scores: Any, width: int, height: int) -> Boxes:
        sure = scores >= self.least_score
        boxes, scores = geometry.clip(boxes[sure], width=width, height=height), scores[sure]
        return boxes[geometry.nms(boxes, scores, iou_threshold=self.most_overlap)]


def _people(boxes: Boxes, device: torch.device) -> InstanceData:
    return InstanceData(
        bboxes=torch.from_numpy(np.ascontiguousarray(boxes, np.float32)).to(device),
        labels=torch.zeros(len(boxes), dtype=torch.long, device=device),
        weights=torch.ones(len(boxes), device=device),
    )
