"""A detector that its own running average teaches: what the adaptation's tracking and association are compared with.

The average of the network's weights (Tarvainen and Valpola 2017, "Mean teachers are better role models") looks at
weakly changed pictures. What it is sure of are the labels of the same pictures, strongly changed, that the network
learns from (Liu et al. 2021, "Unbiased Teacher for Semi-Supervised Object Detection"). No picture has labels of its
own.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from pathlib import Path

from or_mv_anon.adaptation.coco import LabelledImage, write_coco
from or_mv_anon.adaptation.pseudo_labels import PseudoLabels
from or_mv_anon.adaptation.settings import TrainingConfig
from or_mv_anon.core.pictures import PictureBank
from or_mv_anon.models.runtime import Device
from or_mv_anon.openmmlab.detector_training import train_detector
from or_mv_anon.openmmlab.training_job import DetectorTraining

CONFIG = Path(__file__).with_name("mean_teacher_network.py")


def mean_teacher(
    *,
    start: Path,
    images: Sequence[LabelledImage],
    pictures: PictureBank,
    out: Path,
    settings: TrainingConfig,
    device: Device = "auto",
    seed: int = 0,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Trains for as many steps as one iteration of the adaptation; an interrupted call goes on where it stopped.

    Args:
        start: the built-in detector.
        images: to learn from; their labels are not looked at.
        pictures: by image id.
        out: folder of the training.
        settings: of one iteration's training.
        device: to train on.
        seed: of every draw.
        progress: told the steps done and planned.

    Returns:
        The averaged detector, which `PersonDetector` loads.
    """
    detector = out / "mean_teacher.onnx"
    if detector.exists():
        return detector
    out.mkdir(parents=True, exist_ok=True)
    labels = out / "pictures.json"
    write_coco([dataclasses.replace(image, labels=PseudoLabels.empty()) for image in images], labels)
    trained = train_detector(
        DetectorTraining(
            config=CONFIG,
            start=start,
            labels=labels,
            pictures=pictures,
            out=out,
            steps=settings.steps,
            batch=settings.batch,
            long_side=settings.long_side,
            learning_rate=settings.learning_rate,
            seed=seed,
            device=device,
            teacher=start,
            teacher_weight=1.0,
            frozen_stages=settings.frozen_stages,
        ),
        progress=progress,
    )
    assert trained.onnx is not None
    return trained.onnx.replace(detector)
