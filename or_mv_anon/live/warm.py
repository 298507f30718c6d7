"""The network, loaded and run once on every batch size before the first frame needs it."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from or_mv_anon.endoscopy.borders import INPUT_SIZE
from or_mv_anon.endoscopy.classifier import OutOfBodyClassifier
from or_mv_anon.live.judge import BATCH
from or_mv_anon.models.runtime import Device, Precision


def ready_classifier(path: Path | None, *, device: Device, precision: Precision, threads: int) -> OutOfBodyClassifier:
    """See `OutOfBodyClassifier`.

    Raises:
        UserError: the network cannot be loaded.
    """
    classifier = OutOfBodyClassifier(path, device=device, precision=precision, threads=threads)
    for count in range(1, BATCH + 1):
        classifier.probabilities(np.zeros((count, 3, INPUT_SIZE, INPUT_SIZE), np.float32))
    return classifier
