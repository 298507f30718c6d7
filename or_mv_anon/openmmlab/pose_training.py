"""Adapts the head of a pose model to labelled people of a site, through mmengine's runner.

The frozen backbone is shared with the network as it was, whose opinion of every keypoint without a label is kept: a
person's body is not forgotten while the head is learned.
"""

from __future__ import annotations

import copy
import tempfile
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from mmengine.hooks import Hook
from mmengine.registry import DefaultScope
from numpy.typing import NDArray
from torch.utils.data import Dataset

from or_mv_anon.core.errors import UserError
from or_mv_anon.models.runtime import Device
from or_mv_anon.models.torch_device import torch_device
from or_mv_anon.openmmlab.compatibility import prepare
from or_mv_anon.openmmlab.devices import DeviceRunner
from or_mv_anon.openmmlab.pose import pose_config

Progress = Callable[[int, int], None]  # steps done, steps planned
Examples = Callable[[int], tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]]
"""The numbered training example: crop (256, 192, 3) BGR, keypoints (26, 2) in its pixels, weights (26,)."""

GRADIENT_NORM = 1.0


def train_pose(
    model: Any,
    examples: Examples,
    *,
    steps: int,
    batch: int,
    learning_rate: float,
    keep_weight: float,
    device: Device,
    seed: int,
    seconds: float | None = None,
    progress: Progress | None = None,
) -> int:
    """Trains `model`, of `pose.build_rtmpose`, in place.

    Args:
        model: mmpose's estimator; its backbone is frozen.
        examples: gives any numbered example, the same each time.
        steps: at most so many.
        batch: examples per step.
        learning_rate: of AdamW, falling to zero along half a cosine.
        keep_weight: of agreeing with the starting network on keypoints without a label.
        device: `auto`, `cpu` or `cuda`.
        seed: of what torch draws.
        seconds: ends the training when they are over.
        progress: told after each step.

    Returns:
        The steps that were made.

    Raises:
        UserError: the loss is no number; the learning rate is too high.
    """
    keep_opinion(model.head, keep_weight)
    config = pose_config()
    data = torch.utils.data.DataLoader(
        _Examples(examples, steps * batch, config.codec), batch_size=batch, collate_fn=_collated
    )
    watch = _Watch(seconds=seconds, progress=progress)
    scope = DefaultScope.overwrite_default_scope("mmpose")  # the runner's own would outlive it and mislead mmdet
    with scope, tempfile.TemporaryDirectory() as folder:  # the runner insists on one; no pictures go there
        runner = DeviceRunner(
            model=model.to(torch_device(device)),
            work_dir=folder,
            train_dataloader=data,
            train_cfg={"by_epoch": False, "max_iters": steps},
            optim_wrapper={
                "type": "OptimWrapper",
                "optimizer": {"type": "AdamW", "lr": learning_rate, "weight_decay": 0.0},
                "clip_grad": {"max_norm": GRADIENT_NORM},
            },
            param_scheduler=[{"type": "CosineAnnealingLR", "T_max": steps, "by_epoch": False, "eta_min": 0.0}],
            default_hooks={"checkpoint": None, "logger": None},
            custom_hooks=[watch],
            randomness={"seed": seed},
            log_level="ERROR",
            default_scope="mmpose",
        )
        runner.train()
    model.to("cpu")
    return watch.done


def keep_opinion(head: Any, weight: float) -> None:
    """Makes the head's loss hold on to what it says now wherever there is no label."""
    before = copy.deepcopy(head).requires_grad_(requires_grad=False).eval()

    def loss(feats: Any, batch_data_samples: Any, train_cfg: Any = None) -> dict[str, torch.Tensor]:
        labels = [sample.gt_instance_labels for sample in batch_data_samples]
        target = tuple(torch.cat([getattr(part, f"keypoint_{axis}_labels") for part in labels]) for axis in "xy")
        weights = torch.cat([part.keypoint_weights for part in labels])
        found = head.forward(feats)
        with torch.no_grad():
            opinion = before.to(found[0].device)(feats)
        unlabelled = (weights == 0).to(weights.dtype) * weight
        # The loss turns both sides into distributions at one temperature, so the opinion is matched as it stands.
        return {
            "loss_labelled": head.loss_module(found, target, weights),
            "loss_kept": head.loss_module(found, opinion, unlabelled),
        }

    head.loss = loss


class _Examples(Dataset):
    """Examples as mmpose takes them."""

    def __init__(self, examples: Examples, count: int, codec: dict[str, Any]) -> None:
        prepare()
        from mmpose.registry import KEYPOINT_CODECS

        self._examples, self._count = examples, count
        self._codec = KEYPOINT_CODECS.build(codec)

    def __len__(self) -> int:
        return self._count

    def __getitem__(self, number: int) -> dict[str, Any]:
        from mmengine.structures import InstanceData
        from mmpose.structures import PoseDataSample

        picture, points, weight = self._examples(number)
        encoded = self._codec.encode(points[None], (weight > 0).astype(np.float32)[None])
        labels = InstanceData()
        for axis in "xy":
            labels.set_field(torch.from_numpy(encoded[f"keypoint_{axis}_labels"]), f"keypoint_{axis}_labels")
        labels.keypoint_weights = torch.from_numpy(encoded["keypoint_weights"] * weight)
        sample = PoseDataSample()
        sample.gt_instance_labels = labels
        return {"inputs": torch.from_numpy(picture.transpose(2, 0, 1).copy()), "data_samples": sample}


def _collated(items: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {key: [item[key] for item in items] for key in items[0]}


class _Watch(Hook):
    """Counts steps, reports them, ends the training when its time is over, and stops at a loss that is no number."""

    def __init__(self, *, seconds: float | None, progress: Progress | None) -> None:
        self.done = 0
        self._progress = progress
        self._deadline = None if seconds is None else time.monotonic() + seconds

    def after_train_iter(
        self, runner: Any, batch_idx: int, data_batch: Any = None, outputs: dict[str, Any] | None = None
    ) -> None:
        if outputs is not None and not torch.isfinite(outputs["loss"]):
            raise UserError("The pose training diverged; use a lower learning rate in [pose] of the configuration.")
        self.done += 1
        if self._progress is not None:
            self._progress(self.done, runner.max_iters)
        if self._deadline is not None and time.monotonic() > self._deadline:
            runner.train_loop.stop_training = True
