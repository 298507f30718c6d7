"""A YOLOX whose classes have boxes and scores of their own, so that one cell can see a person and, in them, a head.

The classes share everything but the last 1 x 1 convolutions, so a second class costs next to nothing. Each is judged by
itself: a picture in which one class was not labelled still teaches the others (an ignored region over the whole
picture).
"""

from __future__ import annotations

from typing import Any

import torch
from mmdet.models.utils import unpack_gt_instances
from mmdet.registry import MODELS
from mmdet.structures import SampleList
from mmengine.structures import InstanceData
from torch import Tensor, nn

from or_mv_anon.models.graphs import CHANNELS
from or_mv_anon.openmmlab.taught_yolox import TaughtYOLOX
from or_mv_anon.openmmlab.weighted_yolox import Heads, WeightedYOLOXHead


@MODELS.register_module()
class ClasswiseYOLOXHead(WeightedYOLOXHead):
    """YOLOX's head with `num_classes` rows of class, box and objectness per cell; class 0 is a person."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.known_classes = self.num_classes  # of the weights that it started from

    def _build_predictor(self) -> tuple[nn.Module, ...]:
        rows = [each * self.num_classes for each in CHANNELS.values()]
        return tuple(nn.Conv2d(self.feat_channels, number, 1) for number in rows)

    def of_class(self, heads: Heads, number: int) -> Heads:
        """The rows of one class, as a head of that class alone has them."""
        parts = zip(heads, CHANNELS.values(), strict=True)
        found = [[part[:, each * number : each * (number + 1)] for part in maps] for maps, each in parts]
        return found[0], found[1], found[2]


@MODELS.register_module()
class ClasswiseYOLOX(TaughtYOLOX):
    """Sums the losses of `ClasswiseYOLOXHead`'s classes, as if each were a network's only one."""

    def loss(self, batch_inputs: Tensor, batch_data_samples: SampleList) -> dict[str, Tensor]:
        """The losses of the labels and, for the classes that the teacher knows, of the teacher."""
        head = self.bbox_head
        towers = head.towers(self.extract_feat(batch_inputs))
        heads = head.read(towers)
        labels, ignored, _ = unpack_gt_instances(batch_data_samples)
        wide = self.teacher_towers(batch_inputs)
        with torch.no_grad():
            taught = None if wide is None else self.teacher.bbox_head.read(wide)
        agreed = {} if wide is None else self.hints(towers, wide)
        losses = {name: value * self.teacher_weight for name, value in agreed.items()}
        for number in range(head.num_classes):
            predictions, priors = head.flatten(head.of_class(heads, number))
            targets = head.targets(predictions, priors, _only(labels, number), _only(ignored, number))
            of_class = head.label_losses(predictions, targets)
            if taught is not None and number < self.teacher.bbox_head.known_classes:
                wanted, _ = head.flatten(head.of_class(taught, number))
                agreement = head.teacher_losses(predictions, wanted, targets)
                of_class |= {name: value * self.teacher_weight for name, value in agreement.items()}
            losses |= {f"{name}_{number}": value for name, value in of_class.items()}
        return losses


def _only(instances: list[InstanceData], number: int) -> list[InstanceData]:
    """The instances of one class, named 0 as the only class of a head is."""
    found = []
    for of_picture in instances:
        chosen = of_picture[of_picture.labels == number]
        chosen.labels = chosen.labels * 0
        found.append(chosen)
    return found
