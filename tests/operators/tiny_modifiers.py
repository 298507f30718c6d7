"""Face modifiers of a few bytes: one that copies what it sees, one that paints, one that gives no picture."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

SIDE = 32
Behaviour = Literal["copy", "paint", "nothing"]
COLOUR = (0.8, 0.5, 0.3)  # RGB 0-1, what "paint" paints


def write_modifier(
    path: Path,
    behaviour: Behaviour,
    *,
    sees: str = "cells",
    cells: int = 6,
    codes: int = 0,
    schema: str = "1",
    side: int = SIDE,
) -> Path:
    """Writes a modifier with the interface of the trained one."""
    factor = {"copy": 1.0, "paint": 0.0, "nothing": np.nan}[behaviour]
    colour = np.array(COLOUR if behaviour == "paint" else (0, 0, 0), np.float32)
    kernel = factor * np.eye(3, dtype=np.float32).reshape(3, 3, 1, 1)
    weights = [numpy_helper.from_array(kernel, "kernel"), numpy_helper.from_array(colour, "colour")]
    nodes = [helper.make_node("Conv", ["seen", "kernel", "colour"], ["modified"])]
    shape = ["n", 3, side, side]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [helper.make_tensor_value_info("seen", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("modified", TensorProto.FLOAT, shape)],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    noted = {"sees": sees, "cells": cells, "codes": codes, "side": side, "schema": schema}
    for key, value in noted.items():
        model.metadata_props.add(key=key, value=str(value))
    onnx.save(model, path)
    return path
