"""Networks between two networks: what was learned, and what was known before.

Between the network from before a fine-tuning and the one after it lies one that has learned the new and kept the old
better than either (Wortsman et al. 2022, "Robust fine-tuning of zero-shot models").
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import onnx

from or_mv_anon.core.files import write_atomically
from or_mv_anon.models.half_weights import halve_weights

PREDICTORS = "bbox_head.multi_level_conv_"  # the last layers, with rows for each class


def average(
    first: Path, second: Path, path: Path, *, share: float = 0.5, model_config: Mapping[str, Any] | None = None
) -> None:
    """Writes the network that is by `share` the second of two YOLOX of one shape, with 16-bit weights.

    Args:
        first: ONNX export; classes that it lacks begin as persons.
        second: ONNX export.
        path: to write.
        share: from 0, the first, to 1, the second.
        model_config: mmdet's description of the model, as for `build_yolox`.
    """
    from or_mv_anon.openmmlab.export import export_yolox
    from or_mv_anon.openmmlab.yolox import build_yolox

    model = build_yolox(first, model_config=model_config)
    known, other = model.bbox_head.known_classes, build_yolox(second, model_config=model_config).state_dict()
    mixed = {}
    for name, value in model.state_dict().items():
        mixed[name] = (1 - share) * value + share * other[name]
        if PREDICTORS in name:  # a class that the first does not know is the second's alone
            rows = len(value) // model.bbox_head.num_classes * known
            mixed[name][rows:] = other[name][rows:]
    model.load_state_dict(mixed)
    export_yolox(model, path)
    write_halved(path, path)


def write_halved(path: Path, halved: Path) -> None:
    """Writes an ONNX file once more with its large weights in 16 bits."""
    model = onnx.load(path)
    halve_weights(model)
    write_atomically(halved, lambda part: part.write_bytes(model.SerializeToString()))
