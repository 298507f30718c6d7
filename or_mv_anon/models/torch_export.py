"""From a torch network with one input and one output to the ONNX file that ships, weights in 16 bits."""

from __future__ import annotations

import io
import warnings
from collections.abc import Mapping

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import helper

from or_mv_anon.models.half_weights import halve_weights
from or_mv_anon.models.runtime import load_model


def export_halved(
    network: torch.nn.Module, example: torch.Tensor, *, names: tuple[str, str], about: Mapping[str, str]
) -> bytes:
    """The network as ONNX for batches of any size; large weights in 16 bits, arithmetic in 32.

    Args:
        network: in evaluation mode, on the CPU.
        example: input of one sample.
        names: of input and output.
        about: metadata.
    """
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the newer exporter needs further packages
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # group normalization checks its input's shape
        torch.onnx.export(
            network,
            (example,),
            buffer,  # type: ignore[arg-type]  # it takes a file object, too
            dynamo=False,
            input_names=names[:1],
            output_names=names[1:],
            dynamic_axes={name: {0: "N"} for name in names},
        )
    model = onnx.load_from_string(buffer.getvalue())
    halve_weights(model)
    helper.set_model_props(model, dict(about))
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def disagreement(network: torch.nn.Module, data: bytes, pictures: NDArray[np.float32], *, output: str) -> float:
    """The largest difference of what the exported bytes give for `pictures` from what torch gives."""
    with torch.no_grad():
        expected = network(torch.from_numpy(pictures)).numpy()
    found = load_model(data, device="cpu", precision="f32").infer(pictures)[output]
    return float(np.abs(found - expected).max())
