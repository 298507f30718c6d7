"""One training of a detector: what it is given, and what it leaves."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from or_mv_anon.core.pictures import PictureBank
from or_mv_anon.models.runtime import Device

CHECKPOINT = "checkpoint.pth"
DETECTOR = "detector.onnx"


@dataclass(frozen=True, kw_only=True)
class DetectorTraining:
    """One training.

    Attributes:
        config: mmengine configuration of the model (`configs/detector/*.py`).
        start: weights to begin with, an ONNX export of a YOLOX, or an mmdet checkpoint of the configured model.
        labels: COCO json; an annotation's `weight` in [0, 1] says how far it counts, `iscrowd` 1 makes it a region
            that is never background.
        pictures: by image id of `labels`.
        out: folder of the checkpoint and the trained detector. A training that was stopped goes on from there.
        steps: of the optimizer.
        batch: pictures per step.
        long_side: of the pictures in pixels.
        learning_rate: the highest of the training.
        seed: of every draw.
        device: "auto", "cpu" or "cuda".
        seconds: after which it ends before its steps are done, all runs together; None for no limit.
        teacher: a network like `start` that the trained one is to go on agreeing with; YOLOX only.
        teacher_weight: of that against the labels; 0 for no teacher.
        frozen_stages: of the backbone, from the first, which are not trained.
        checkpoint_s: seconds between checkpoints.
    """

    config: Path
    start: Path
    labels: Path
    pictures: PictureBank = field(repr=False)
    out: Path
    steps: int
    batch: int
    long_side: int
    learning_rate: float
    seed: int = 0
    device: Device = "auto"
    seconds: float | None = None
    teacher: Path | None = None
    teacher_weight: float = 0.5
    frozen_stages: int = 0
    checkpoint_s: float = 30.0


@dataclass(frozen=True, kw_only=True)
class TrainedDetector:
    """What a training made.

    Attributes:
        onnx: the averaged network for `models.detectors.yolox.PersonDetector`; None for a model that is no YOLOX.
        checkpoint: mmengine checkpoint whose `state_dict` holds the averaged weights.
        log: one entry per step: step, seconds, learning_rate, loss and its parts.
        steps: that were done.
        seconds: that they took.
        stopped_by: "steps" or "time".
    """

    onnx: Path | None
    checkpoint: Path
    log: list[dict[str, float]] = field(repr=False)
    steps: int
    seconds: float
    stopped_by: str
