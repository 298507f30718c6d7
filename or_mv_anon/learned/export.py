"""From the trained modifier to the ONNX file that the main job runs, checked against torch before it gets its name."""

from __future__ import annotations

import io
import warnings
from copy import deepcopy
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import helper

from or_mv_anon.files import write_atomically
from or_mv_anon.learned.coded import CodedModifier
from or_mv_anon.learned.modifier import Modifier
from or_mv_anon.learned.settings import ModifierConfig
from or_mv_anon.models.half_weights import halve_weights
from or_mv_anon.models.runtime import load_model

SCHEMA = 1  # of the metadata
TOLERANCE = 0.02  # largest difference of a sample, 0-1, between torch and the exported file


def export(modifier: Modifier | CodedModifier, path: Path, *, config: ModifierConfig) -> float:
    """Write the modifier as ONNX: `seen` (N, 3, S, S) to `modified` (N, 3, S, S), RGB 0-1, weights in 16 bits.

    The metadata say what it may be shown: `sees`, `cells` (at most so many along a region's longer side), `side` (S),
    `codes` (how many heads it can draw, 0 for any) and `schema`.

    Returns:
        The largest difference of a sample from torch's, on random mosaics.

    Raises:
        RuntimeError: the exported network disagrees with torch; nothing is written.
    """
    modifier = deepcopy(modifier).cpu().float().eval()
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the newer exporter needs further packages
        warnings.simplefilter("ignore", torch.jit.TracerWarning)  # group normalization checks its input's shape
        torch.onnx.export(
            modifier,
            (torch.zeros(1, 3, config.side, config.side),),
            buffer,  # type: ignore[arg-type]  # it takes a file object, too
            dynamo=False,
            input_names=["seen"],
            output_names=["modified"],
            dynamic_axes={"seen": {0: "N"}, "modified": {0: "N"}},
        )
    model = onnx.load_from_string(buffer.getvalue())
    halve_weights(model)
    about = {"sees": config.sees, "cells": config.cells, "side": config.side, "codes": config.codes, "schema": SCHEMA}
    helper.set_model_props(model, {name: str(value) for name, value in about.items()})
    onnx.checker.check_model(model)
    data = model.SerializeToString()
    difference = _disagreement(modifier, data, config.side)
    if difference > TOLERANCE:
        raise RuntimeError(f"the exported modifier differs from torch by {difference:.3f}")
    write_atomically(path, lambda part: part.write_bytes(data))
    return difference


def _disagreement(modifier: Modifier | CodedModifier, data: bytes, side: int) -> float:
    cells = torch.from_numpy(np.random.default_rng(0).random((4, 3, 6, 6), np.float32))
    seen = torch.nn.functional.interpolate(cells, size=(side, side), mode="bilinear")
    with torch.no_grad():
        expected = modifier(seen).numpy()
    found = load_model(data, device="cpu", precision="f32").infer(seen.numpy())["modified"]
    return float(np.abs(found - expected).max())
