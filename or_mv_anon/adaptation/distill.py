"""Makes a fast detector for a site: a narrow copy of the adapted one, trained to see what that one sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from or_mv_anon.adaptation.settings import StudentConfig
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.pictures import Picture, PictureBank
from or_mv_anon.core.resources import resource
from or_mv_anon.models.detectors.families import kind_of
from or_mv_anon.models.runtime import Device

CONFIGS = {
    "yolox": "configs/detector/yolox_student.py",
    "people_and_heads": "configs/detector/people_and_heads_student.py",
}
"""By the teacher's kind: the student finds what it finds."""
FITTED_PICTURES = 16  # that channels are chosen and refitted on


def distill(
    *,
    teacher: Path,
    labels: Path,
    pictures: PictureBank,
    out: Path,
    settings: StudentConfig,
    device: Device = "auto",
    seed: int = 0,
    seconds: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path:
    """Trains the student; a call that was interrupted goes on where it stopped, a finished one returns at once.

    Args:
        teacher: the detector to imitate, an ONNX export of a YOLOX.
        labels: COCO json of the pictures, with weights and ignored regions.
        pictures: by image id.
        out: folder for `student.onnx` and what is needed to go on.
        settings: the student's size and training.
        device: to train on.
        seed: of everything drawn.
        seconds: ends the training early when they are over.
        progress: told the steps done and planned.

    Returns:
        The student, which `PersonDetector` loads.

    Raises:
        UserError: the teacher is no YOLOX export wider than the student, or the OpenMMLab packages are missing.
    """
    student = out / "student.onnx"
    if student.exists():
        return student
    if not len(pictures):
        raise UserError("There are no pictures to train the student detector on.")

    from or_mv_anon.openmmlab.detector_training import train_detector
    from or_mv_anon.openmmlab.student import narrow
    from or_mv_anon.openmmlab.training_job import DetectorTraining

    out.mkdir(parents=True, exist_ok=True)
    start = out / "narrow.onnx"
    if not start.exists():
        some = _of_one_size(pictures, long_side=settings.long_side, seed=seed)
        narrow(teacher, start, width=settings.width, pictures=some, seed=seed)
    trained = train_detector(
        DetectorTraining(
            config=resource(CONFIGS[kind_of(teacher)]),
            start=start,
            labels=labels,
            pictures=pictures,
            out=out / "training",
            steps=settings.steps,
            batch=settings.batch,
            long_side=settings.long_side,
            learning_rate=settings.learning_rate,
            seed=seed,
            device=device,
            seconds=seconds,
            teacher=teacher,
            teacher_weight=settings.teacher_weight,
        ),
        progress=progress,
    )
    assert trained.onnx is not None
    trained.onnx.replace(student)
    return student


def _of_one_size(pictures: PictureBank, *, long_side: int, seed: int) -> list[Picture]:
    """Some pictures of the most frequent shape, at the student's size."""
    shape, _ = Counter(picture.shape for picture in pictures.pictures.values()).most_common(1)[0]
    alike = [number for number, picture in sorted(pictures.pictures.items()) if picture.shape == shape]
    chosen = np.random.default_rng(seed).permutation(alike)[:FITTED_PICTURES]
    scale = long_side / max(shape[:2])
    size = (max(1, round(shape[1] * scale)), max(1, round(shape[0] * scale)))
    small = (cv2.resize(pictures[int(number)], size, interpolation=cv2.INTER_AREA) for number in chosen)
    return [np.asarray(picture, np.uint8) for picture in small]
