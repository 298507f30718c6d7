"""From the trained network to the ONNX file that ships, checked against torch before it gets its name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch

from or_mv_anon.core.files import write_atomically
from or_mv_anon.endoscopy.borders import INPUT_SIZE
from or_mv_anon.endoscopy.training.network import OutOfBodyNetwork
from or_mv_anon.models.torch_export import disagreement, export_halved

TOLERANCE = 0.05  # largest difference of a logit between torch and the exported file


def export(network: OutOfBodyNetwork, path: Path, *, temperature: float, about: dict[str, Any]) -> float:
    """Write the network as ONNX: `image` (N, 3, 224, 224) to `logit` (N, 1), 16-bit weights, 32-bit arithmetic.

    Args:
        network: trained.
        path: of the file.
        temperature: goes into the file's metadata.
        about: further metadata, plain values.

    Returns:
        The largest difference of a logit from torch's, on random pictures.

    Raises:
        RuntimeError: the exported network disagrees with torch; nothing is written.
    """
    network = network.eval()
    data = export_halved(
        network,
        torch.zeros(1, 3, INPUT_SIZE, INPUT_SIZE),
        names=("image", "logit"),
        about={"temperature": repr(temperature), **{name: str(value) for name, value in about.items()}},
    )
    pictures = np.random.default_rng(0).normal(size=(8, 3, INPUT_SIZE, INPUT_SIZE)).astype(np.float32)
    difference = disagreement(network, data, pictures, output="logit")
    if difference > TOLERANCE:
        raise RuntimeError(f"the exported network differs from torch by {difference:.3f} in a logit")
    write_atomically(path, lambda part: part.write_bytes(data))
    return difference
