"""From the trained network to the ONNX file that ships, checked against torch before it gets its name."""

from __future__ import annotations

import io
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import helper

from or_mv_anon.endoscopy.borders import INPUT_SIZE
from or_mv_anon.endoscopy.training.network import OutOfBodyNetwork
from or_mv_anon.files import write_atomically
from or_mv_anon.models.half_weights import halve_weights
from or_mv_anon.models.runtime import load_model

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
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the newer exporter needs further packages
        torch.onnx.export(
            network,
            (torch.zeros(1, 3, INPUT_SIZE, INPUT_SIZE),),
            buffer,  # type: ignore[arg-type]  # it takes a file object, too
            dynamo=False,
            input_names=["image"],
            output_names=["logit"],
            dynamic_axes={"image": {0: "N"}, "logit": {0: "N"}},
        )
    graph = onnx.load_from_string(buffer.getvalue())
    halve_weights(graph)
    helper.set_model_props(graph, {"temperature": repr(temperature), **{name: str(v) for name, v in about.items()}})
    onnx.checker.check_model(graph)
    data = graph.SerializeToString()
    difference = _disagreement(network, data)
    if difference > TOLERANCE:
        raise RuntimeError(f"the exported network differs from torch by {difference:.3f} in a logit")
    write_atomically(path, lambda part: part.write_bytes(data))
    return difference


def _disagreement(network: OutOfBodyNetwork, data: bytes) -> float:
    pictures = np.random.default_rng(0).normal(size=(8, 3, INPUT_SIZE, INPUT_SIZE)).astype(np.float32)
    with torch.no_grad():
        expected = network(torch.from_numpy(pictures)).numpy()
    found = load_model(data, device="cpu", precision="f32").infer(pictures)["logit"]
    return float(np.abs(found - expected).max())
