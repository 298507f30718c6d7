"""Small random networks with the layout of the real exports, for tests that need no pretrained weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TINY_SIDE = 64  # px, the picture side that the export is fixed to
TINY_CLASSES = 3


def write_tiny_yolox(path: Path) -> Path:
    """A YOLOX look-alike: fixed-size regrouping of pixels, strides 8, 16, 32, heads named as mmdet names them.

    Its own outputs are the raw heads ``cls_0``, ``reg_0``, ``obj_0`` and so on, with all classes.
    """
    random = np.random.RandomState(3)
    half = TINY_SIDE // 2
    weights = [
        numpy_helper.from_array(np.array([1, 3, half, 2, -1, 2]), "split"),
        numpy_helper.from_array(np.array([1, 12, half, half]), "join"),
    ]
    nodes = [
        helper.make_node("Reshape", ["input", "split"], ["pairs"]),
        helper.make_node("Transpose", ["pairs"], ["moved"], perm=[0, 5, 3, 1, 2, 4]),
        helper.make_node("Reshape", ["moved", "join"], ["grouped"]),
    ]

    def convolve(source: str, out: str, shape: tuple[int, ...], weight: str, stride: int = 1) -> None:
        weights.append(numpy_helper.from_array((random.normal(0, 0.05, shape)).astype(np.float32), weight))
        bias = random.normal(0, 0.1, shape[0]).astype(np.float32)
        weights.append(numpy_helper.from_array(bias, weight.replace("weight", "bias")))
        pad = shape[-1] // 2
        names = [source, weight, weight.replace("weight", "bias")]
        nodes.append(helper.make_node("Conv", names, [out], strides=[stride] * 2, pads=[pad] * 4))

    convolve("grouped", "c2", (8, 12, 3, 3), "stem.weight")
    convolve("c2", "c4", (8, 8, 3, 3), "down4.weight", stride=2)
    convolve("c4", "c8", (8, 8, 3, 3), "down8.weight", stride=2)
    convolve("c8", "c16", (8, 8, 3, 3), "down16.weight", stride=2)
    convolve("c16", "c32", (8, 8, 3, 3), "down32.weight", stride=2)
    outputs = []
    for level, source in enumerate(("c8", "c16", "c32")):
        for kind, channels in (("cls", TINY_CLASSES), ("reg", 4), ("obj", 1)):
            name = f"bbox_head.multi_level_conv_{kind}.{level}.weight"
            convolve(source, f"{kind}_{level}", (channels, 8, 1, 1), name)
            outputs.append(helper.make_tensor_value_info(f"{kind}_{level}", TensorProto.FLOAT, None))
    picture = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, TINY_SIDE, TINY_SIDE])
    graph = helper.make_graph(nodes, "tiny", [picture], outputs, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6), path)
    return path
