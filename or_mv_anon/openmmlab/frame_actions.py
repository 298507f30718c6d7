"""Faster R-CNN (Ren et al. 2015) of mmdet that finds people and tells what they do, differentiable in the picture."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from mmengine.config import Config
from torch import Tensor, nn

from or_mv_anon.core.resources import resource
from or_mv_anon.openmmlab.compatibility import prepare

MEAN, STD = (123.675, 116.28, 103.53), (58.395, 57.12, 57.375)  # of RGB 0-255, ImageNet's
STRIDE = 32  # pictures are padded to multiples of it


class FasterRcnnActions(nn.Module):
    """Detector whose classes are actions; from scratch, with group instead of batch normalization for small batches.

    Args:
        actions: how many.
        depth: of the ResNet.
    """

    def __init__(self, actions: int, *, depth: int = 50) -> None:
        super().__init__()
        prepare()
        from mmdet.registry import MODELS

        model = Config.fromfile(resource("configs/detector/faster_rcnn_r50.py")).model
        norm = {"type": "GN", "num_groups": 32, "requires_grad": True}
        channels = [64, 128, 256, 512] if depth < 50 else [256, 512, 1024, 2048]
        model.backbone.update(depth=depth, frozen_stages=-1, norm_eval=False, norm_cfg=norm)
        model.neck.in_channels = channels
        model.roi_head.bbox_head.num_classes = actions
        self.model: Any = MODELS.build(model)
        self.model.init_weights()

    def loss(self, pictures: Sequence[Tensor], boxes: Sequence[Tensor], actions: Sequence[Tensor]) -> Tensor:
        """All losses of both stages, summed.

        Args:
            pictures: (3, H, W) each, RGB 0-1.
            boxes: (n, 4) pixels of the people in each.
            actions: (n,) what they do.
        """
        from mmdet.structures import DetDataSample
        from mmengine.structures import InstanceData

        high = max(-(-picture.shape[1] // STRIDE) * STRIDE for picture in pictures)
        wide = max(-(-picture.shape[2] // STRIDE) * STRIDE for picture in pictures)
        inputs, samples = [], []
        for picture, box, action in zip(pictures, boxes, actions, strict=True):
            mean, std = (picture.new_tensor(values)[:, None, None] / 255 for values in (MEAN, STD))
            height, width = picture.shape[1:]
            inputs.append(nn.functional.pad((picture - mean) / std, (0, wide - width, 0, high - height)))
            about = {"img_shape": (height, width), "pad_shape": (high, wide), "batch_input_shape": (high, wide)}
            people = InstanceData(bboxes=box, labels=action)
            samples.append(DetDataSample(gt_instances=people, metainfo={**about, "scale_factor": (1.0, 1.0)}))
        total: Tensor = self.model.parse_losses(self.model.loss(torch.stack(inputs), samples))[0]
        return total
