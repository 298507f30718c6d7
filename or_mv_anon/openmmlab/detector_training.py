"""Trains a detector on labels of people: the one entrance for the adaptation to a site.

Nothing heavy is imported until a training begins, so this module can be imported where torch is missing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from or_mv_anon.openmmlab.compatibility import prepare
from or_mv_anon.openmmlab.training_job import DetectorTraining, TrainedDetector


def train_detector(job: DetectorTraining, *, progress: Callable[[int, int], Any] | None = None) -> TrainedDetector:
    """Trains, or goes on with, the detector that `job` describes.

    Args:
        job: the training.
        progress: told steps done and steps in all after each step; by default a bar with the time left is shown.

    Raises:
        UserError: a file is not what it should be, packages are missing, or the training diverged.
        KeyboardInterrupt: the user pressed Ctrl-C; the checkpoint is written, the same job goes on from it.
    """
    prepare()
    from or_mv_anon.openmmlab.session import run_training

    return run_training(job, progress=progress)
