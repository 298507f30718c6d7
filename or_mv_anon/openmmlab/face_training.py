"""Fine-tunes the small face detector on labelled pictures: YuNet's own losses and assignment on its own weights.

Losses as in Wu et al. 2023 ("YuNet"): binary cross-entropy for objectness and class, EIoU for boxes (Zhang et al. 2021,
"Focal and Efficient IOU Loss"), labels assigned by SimOTA (Ge et al. 2021, "YOLOX"). The five facial points are not
trained: nothing here uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
from mmdet.models.losses import EIoULoss
from mmdet.models.task_modules.assigners import SimOTAAssigner
from mmengine.structures import InstanceData
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.models import graphs
from or_mv_anon.models.detectors.protocol import Picture
from or_mv_anon.models.graphs import STRIDES
from or_mv_anon.models.runtime import Device
from or_mv_anon.models.torch_device import torch_device
from or_mv_anon.openmmlab.trainable_graph import TrainableGraph

BOX_WEIGHT = 5.0
SCALES = (0.5, 1.5)  # of a picture, before a square is cut out of it
LEAST_SHARE = 0.3  # of a face that must be inside the square for it to be learned; what is less is left undecided


@dataclass(frozen=True, kw_only=True)
class FacePicture:
    """One labelled picture: boxes ``(N, 4)`` in its pixels, weight 0 for what is left undecided."""

    picture: Picture
    box: Boxes
    weight: NDArray[np.float32]


def train_faces(
    start: Path,
    pictures: Sequence[FacePicture],
    out: Path,
    *,
    steps: int,
    batch: int,
    crop: int,
    learning_rate: float,
    device: Device,
    seed: int,
    progress: Callable[[int], Any] | None = None,
) -> list[float]:
    """Trains the network in `start` and writes it to `out`.

    Args:
        start: OpenCV Zoo's YuNet.
        pictures: labelled.
        out: an ONNX file of the same form.
        steps: of AdamW, with a cosine to zero.
        batch: crops per step.
        crop: side of a crop in pixels, a multiple of 32.
        learning_rate: at the start.
        device: where to train.
        seed: of the crops.
        progress: told every step.

    Returns:
        The loss of every step.
    """
    torch.manual_seed(seed)
    draw = np.random.default_rng(seed)
    place = torch_device(device)
    network = TrainableGraph(graphs.yunet(start)).to(place)
    optimizer = torch.optim.AdamW(network.parameters(), lr=learning_rate, weight_decay=1e-4)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, max(steps, 1))
    losses = []
    for step in range(steps):
        chosen = [_crop(pictures[int(draw.integers(len(pictures)))], crop, draw) for _ in range(batch)]
        stacked = torch.from_numpy(np.stack([each.picture for each in chosen])).to(place)
        loss = _loss(network(stacked), chosen, crop)
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
        schedule.step()
        losses.append(float(loss.detach()))
        if progress is not None:
            progress(step + 1)
    network.write(start, out)
    return losses


def _loss(heads: dict[str, Tensor], pictures: Sequence[FacePicture], side: int) -> Tensor:
    priors, count = _priors(side, heads["cls_8"].device), len(pictures)
    classes, objectness = (_flat(heads, kind, 1)[..., 0] for kind in ("cls", "obj"))
    boxes = _decode(_flat(heads, "bbox", 4), priors)
    # Named with its package, whichever one is the default by now.
    assigner = SimOTAAssigner(center_radius=2.5, iou_calculator={"type": "mmdet.BboxOverlaps2D"})
    target, weight = torch.zeros_like(objectness), torch.ones_like(objectness)
    total_class, total_box, positives = objectness.sum() * 0, objectness.sum() * 0, 0
    for number in range(count):
        labels = pictures[number]
        box = torch.from_numpy(labels.box).to(boxes.device)
        trust = torch.from_numpy(labels.weight).to(boxes.device)
        weight[number][_inside_any(priors, box[trust <= 0])] = 0
        known = trust > 0
        if not known.any():
            continue
        found = assigner.assign(
            InstanceData(
                bboxes=boxes[number].detach(), priors=priors,
                scores=(classes[number].sigmoid() * objectness[number].sigmoid()).sqrt().detach()[:, None],
            ),
            InstanceData(bboxes=box[known], labels=torch.zeros(int(known.sum()), dtype=torch.long, device=box.device)),
        )  # fmt: skip
        rows = (found.gt_inds > 0).nonzero()[:, 0]
        of = found.gt_inds[rows] - 1
        target[number, rows], weight[number, rows] = 1.0, trust[known][of]
        loss = functional.binary_cross_entropy_with_logits(
            classes[number, rows], torch.ones_like(classes[number, rows]), reduction="none"
        )
        total_class = total_class + (loss * trust[known][of]).sum()
        total_box = total_box + EIoULoss(reduction="sum")(
            boxes[number, rows], box[known][of], weight=trust[known][of][:, None].expand(-1, 4)
        )
        positives += len(rows)
    presence = functional.binary_cross_entropy_with_logits(objectness, target, weight=weight, reduction="sum")
    return (presence + total_class + BOX_WEIGHT * total_box) / max(positives, 1)


def _flat(heads: dict[str, Tensor], kind: str, channels: int) -> Tensor:
    parts = [heads[f"{kind}_{stride}"] for stride in STRIDES]
    return torch.cat([part.permute(0, 2, 3, 1).reshape(len(part), -1, channels) for part in parts], dim=1)


def _priors(side: int, device: torch.device) -> Tensor:
    """Every cell's corner and stride ``(P, 4)`` as x, y, stride, stride, in pixels."""
    parts = []
    for stride in STRIDES:
        at = torch.arange(side // stride, device=device) * float(stride)
        y, x = torch.meshgrid(at, at, indexing="ij")
        size = torch.full_like(x, stride)
        parts.append(torch.stack([x, y, size, size], dim=-1).reshape(-1, 4))
    return torch.cat(parts)


def _decode(regression: Tensor, priors: Tensor) -> Tensor:
    centre = regression[..., :2] * priors[:, 2:] + priors[:, :2]
    half = regression[..., 2:].clamp(max=10).exp() * priors[:, 2:] / 2
    return torch.cat([centre - half, centre + half], dim=-1)


def _inside_any(priors: Tensor, boxes: Tensor) -> Tensor:
    centre = priors[:, None, :2] + priors[:, None, 2:] / 2
    return ((centre >= boxes[None, :, :2]) & (centre <= boxes[None, :, 2:])).all(dim=-1).any(dim=-1)


def _crop(labelled: FacePicture, side: int, draw: np.random.Generator) -> FacePicture:
    """A square of a scaled, mirrored, brightened picture, half of the time about a face."""
    scale = draw.uniform(*SCALES)
    picture = cv2.resize(labelled.picture, None, fx=scale, fy=scale, interpolation=cv2.INTER_LINEAR)
    box = labelled.box * np.float32(scale)
    height, width = picture.shape[:2]
    room = np.array([max(width - side, 0), max(height - side, 0)])
    corner = draw.integers(0, room + 1)
    if len(box) and draw.random() < 0.5:
        one = box[draw.integers(len(box))]
        corner = np.clip((one[:2] + one[2:]) / 2 - draw.uniform(0.1, 0.9, 2) * side, 0, room).astype(int)
    canvas = np.zeros((side, side, 3), np.uint8)
    part = picture[corner[1] : corner[1] + side, corner[0] : corner[0] + side]
    canvas[: part.shape[0], : part.shape[1]] = part
    moved = box - np.tile(corner, 2).astype(np.float32)
    cut = np.clip(moved, 0, side)
    share = np.prod(cut[:, 2:] - cut[:, :2], axis=1) / np.maximum(np.prod(moved[:, 2:] - moved[:, :2], axis=1), 1e-6)
    weight = np.where(share >= LEAST_SHARE, labelled.weight, 0).astype(np.float32)
    inside = share > 0
    if draw.random() < 0.5:
        canvas = canvas[:, ::-1]
        cut = np.stack([side - cut[:, 2], cut[:, 1], side - cut[:, 0], cut[:, 3]], axis=1)
    shone = np.clip(canvas * draw.uniform(0.7, 1.3) + draw.uniform(-20, 20), 0, 255).astype(np.uint8)
    return FacePicture(picture=shone, box=cut[inside].astype(np.float32), weight=weight[inside])
