"""From the trained modifier to the ONNX file that the main job runs, checked against torch before it gets its name."""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path

import numpy as np
import torch

from or_mv_anon.core.files import write_atomically
from or_mv_anon.head_training.codebook_modifier import CodedModifier
from or_mv_anon.head_training.modifier import Modifier
from or_mv_anon.head_training.settings import ModifierConfig
from or_mv_anon.models.torch_export import disagreement, export_halved
from or_mv_anon.operators.drawn.modifier_model import INPUT, OUTPUT, SCHEMA

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
    about = {"sees": config.sees, "cells": config.cells, "side": config.side, "codes": config.codes, "schema": SCHEMA}
    data = export_halved(
        modifier,
        torch.zeros(1, 3, config.side, config.side),
        names=(INPUT, OUTPUT),
        about={name: str(value) for name, value in about.items()},
    )
    cells = torch.from_numpy(np.random.default_rng(0).random((4, 3, 6, 6), np.float32))
    seen = torch.nn.functional.interpolate(cells, size=(config.side, config.side), mode="bilinear")
    difference = disagreement(modifier, data, seen.numpy(), output=OUTPUT)
    if difference > TOLERANCE:
        raise RuntimeError(f"the exported modifier differs from torch by {difference:.3f}")
    write_atomically(path, lambda part: part.write_bytes(data))
    return difference
