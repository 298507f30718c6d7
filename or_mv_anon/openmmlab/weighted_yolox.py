"""YOLOX's losses for labels that nobody checked: each box counts by its weight, and ignored regions teach nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmdet.models.dense_heads import YOLOXHead
from mmdet.registry import MODELS
from mmdet.structures.bbox import bbox_overlaps
from mmengine.structures import InstanceData
from torch import Tensor

from or_mv_anon.openmmlab.cell_losses import Predictions, Targets, holds, losses, rows
from or_mv_anon.openmmlab.imitation import Towers

Heads = tuple[
    list[Tensor], list[Tensor], list[Tensor]
]  # per stride: class, box and objectness maps (N, channels, h, w)
MOST_LOG_SIDE = 10.0  # strides, as a logarithm: sides stay finite


@MODELS.register_module()
class WeightedYOLOXHead(YOLOXHead):
    """YOLOX's head for one class, with weighted labels, ignored regions and an optional teacher.

    Args:
        ignored_share: share of a predicted box inside an ignored region from which on it is not judged.
        taught: "unlabelled" lets the teacher speak where no trusted label lies, "all" everywhere.
        least_taught_score: of the teacher's boxes that teach class and place.
        least_positives: cells with a label per picture that losses are divided by even where there are fewer, so that a
            batch with next to nobody in it does not weigh more than all others.
        options: of mmdet's `YOLOXHead`.
    """

    def __init__(
        self,
        *,
        ignored_share: float = 0.5,
        taught: str = "unlabelled",
        least_taught_score: float = 0.05,
        least_positives: float = 0.0,
        **options: Any,
    ) -> None:
        super().__init__(**options)
        self.ignored_share = ignored_share
        self.taught = taught
        self.least_taught_score = least_taught_score
        self.least_positives = least_positives

    def loss_by_feat(
        self,
        cls_scores: Sequence[Tensor],
        bbox_preds: Sequence[Tensor],
        objectnesses: Sequence[Tensor],
        batch_gt_instances: Sequence[InstanceData],
        batch_img_metas: Sequence[dict],
        batch_gt_instances_ignore: Sequence[InstanceData] | None = None,
    ) -> dict[str, Tensor]:
        """mmdet's interface; the ground truth carries `weights`."""
        predictions, priors = self.flatten((list(cls_scores), list(bbox_preds), list(objectnesses)))
        targets = self.targets(predictions, priors, batch_gt_instances, batch_gt_instances_ignore)
        return self.label_losses(predictions, targets)

    def towers(self, features: Sequence[Tensor]) -> Towers:
        """The last hidden layers, from which `read` reads the answers."""
        parts = zip(features, self.multi_level_cls_convs, self.multi_level_reg_convs, strict=True)
        return [(of_class(level), of_box(level)) for level, of_class, of_box in parts]

    def read(self, towers: Towers) -> Heads:
        """What mmdet's `forward` gives, from the last hidden layers."""
        levels = range(len(towers))
        return (
            [self.multi_level_conv_cls[level](towers[level][0]) for level in levels],
            [self.multi_level_conv_reg[level](towers[level][1]) for level in levels],
            [self.multi_level_conv_obj[level](towers[level][1]) for level in levels],
        )

    def flatten(self, heads: Heads) -> tuple[Predictions, Tensor]:
        """The predictions in one row per cell, in full precision, and the cells' corners and strides ``(P, 4)``."""
        cls, boxes, obj = ([part.float() for part in maps] for maps in heads)
        sizes = [part.shape[2:] for part in cls]
        priors = torch.cat(
            self.prior_generator.grid_priors(sizes, dtype=torch.float32, device=cls[0].device, with_stride=True)
        )
        coordinates = rows(boxes)
        coordinates = torch.cat([coordinates[..., :2], coordinates[..., 2:].clamp(max=MOST_LOG_SIDE)], dim=-1)
        return Predictions(rows(cls)[..., 0], rows(obj)[..., 0], self._bbox_decode(priors, coordinates)), priors

    @torch.no_grad()
    def targets(
        self,
        predictions: Predictions,
        priors: Tensor,
        labels: Sequence[InstanceData],
        ignored: Sequence[InstanceData] | None,
    ) -> list[Targets]:
        """Assigns labels to cells (SimOTA, Ge et al. 2021, section 2.1), picture by picture."""
        centres = torch.cat([priors[:, :2] + priors[:, 2:] / 2, priors[:, 2:]], dim=-1)
        found = []
        for row, label in enumerate(labels):
            of_picture = InstanceData(
                bboxes=predictions.boxes[row],
                scores=predictions.scores[row].sqrt()[:, None],
                priors=centres,
            )
            assigned = self.assigner.assign(pred_instances=of_picture, gt_instances=label)
            positive = assigned.gt_inds > 0
            weight, boxes = torch.zeros_like(priors[:, 0]), torch.zeros_like(priors)
            weight[positive] = label.weights[assigned.gt_inds[positive] - 1]
            boxes[positive] = label.bboxes[assigned.gt_inds[positive] - 1]
            regions = ignored[row].bboxes if ignored is not None else boxes[:0]
            exempt = ~positive & self._in_regions(predictions.boxes[row], centres, regions)
            judged = torch.where(positive, weight, (~exempt).float())
            unlabelled = ~positive & ~holds(label.bboxes, centres)
            found.append(Targets(weight, boxes, assigned.max_overlaps.clamp(min=0), judged, unlabelled))
        return found

    def label_losses(self, predictions: Predictions, targets: Sequence[Targets]) -> dict[str, Tensor]:
        """The three losses per unit of trusted label."""
        weight = torch.stack([target.weight for target in targets])
        overlap = torch.stack([target.overlap for target in targets])
        boxes = torch.stack([target.boxes for target in targets])
        judged = torch.stack([target.judged for target in targets])
        positive = weight > 0
        unit = weight.sum().clamp(min=self.least_positives * len(targets))
        return losses(predictions, positive.float(), overlap, boxes, judged=judged, weight=weight, unit=unit)

    def teacher_losses(
        self, predictions: Predictions, teacher: Predictions, targets: Sequence[Targets]
    ) -> dict[str, Tensor]:
        """The same losses with what the teacher says in the place of labels, as the soft targets that they are."""
        scope = torch.stack([target.unlabelled for target in targets]).float()
        if self.taught == "all":
            scope = torch.ones_like(scope)
        scores = teacher.scores
        weight = scope * torch.where(scores >= self.least_taught_score, scores, torch.zeros_like(scores))
        unit = weight.sum() + sum(target.weight.sum() for target in targets)  # so that background counts the same
        found = losses(
            predictions,
            teacher.obj.sigmoid(),
            teacher.cls.sigmoid(),
            teacher.boxes,
            judged=scope,
            weight=weight,
            unit=unit,
        )
        return {name.replace("loss_", "loss_taught_"): value for name, value in found.items()}

    def _in_regions(self, boxes: Tensor, centres: Tensor, regions: Tensor) -> Tensor:
        if not len(regions):
            return torch.zeros_like(centres[:, 0], dtype=torch.bool)
        inside = bbox_overlaps(boxes, regions, mode="iof").amax(dim=1) > self.ignored_share
        return inside | holds(regions, centres)
