"""Small random networks with the layout of the real exports, for tests that need no pretrained weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

TINY_SIDE = 64  # px, the picture side that the export is fixed to
TINY_CLASSES = 3


def write_tiny_yolox(path: Path, *, with_boxes: int = 1) -> Path:
    """A YOLOX look-alike: fixed-size regrouping of pixels, strides 8, 16, 32, heads named as mmdet names them.

    Its own outputs are the raw heads ``cls_0``, ``reg_0``, ``obj_0`` and so on, with all classes, the boxes of
    `with_boxes` of which are their own.
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
        for kind, channels in (("cls", TINY_CLASSES), ("reg", 4 * with_boxes), ("obj", with_boxes)):
            name = f"bbox_head.multi_level_conv_{kind}.{level}.weight"
            convolve(source, f"{kind}_{level}", (channels, 8, 1, 1), name)
            outputs.append(helper.make_tensor_value_info(f"{kind}_{level}", TensorProto.FLOAT, None))
    picture = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, TINY_SIDE, TINY_SIDE])
    graph = helper.make_graph(nodes, "tiny", [picture], outputs, weights)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6), path)
    return path


QUERY_SIZE = (48, 32)  # px, width and height that the end-to-end export is fixed to
QUERIES = np.array([[0.5, 0.5, 0.2, 0.4], [0.25, 0.25, 0.5, 0.5], [0.9, 0.9, 0.4, 0.4]], np.float32)
"""Boxes as centre and sides in shares of the picture; the last one reaches over its edge."""
LOGITS = np.array([[-9.0, 2.0, 5.0], [-9.0, -1.0, 5.0], [-9.0, 3.0, -9.0]], np.float32)


def write_tiny_query(path: Path, *, layout: str = "rf-detr", classes: int = 91, **stated: str) -> Path:
    """An end-to-end look-alike whose scores follow the picture: the mean of its red channel is added to all logits.

    Its queries are `QUERIES`, with the logits of `LOGITS` in the classes 0, 1 and 2.

    Args:
        path: to write.
        layout: rf-detr | logits | finished, see `or_mv_anon.models.detectors.query`.
        classes: of the first two layouts.
        stated: metadata.
    """
    width, height = QUERY_SIZE
    logits = np.full((1, len(QUERIES), classes), -9.0, np.float32)
    logits[0, :, : LOGITS.shape[1]] = LOGITS
    weights = [
        numpy_helper.from_array(QUERIES[None], "queries"),
        numpy_helper.from_array(logits, "class_logits"),
        numpy_helper.from_array(np.array([0]), "zero"),
        numpy_helper.from_array(np.array([1, 1, 1]), "one_value"),
    ]
    nodes = [
        helper.make_node("Gather", ["images", "zero"], ["red"], axis=1),
        helper.make_node("ReduceMean", ["red"], ["brightness"], axes=[1, 2, 3], keepdims=0),
        helper.make_node("Reshape", ["brightness", "one_value"], ["bright"]),
        helper.make_node("Add", ["class_logits", "bright"], ["scored"]),
    ]
    inputs = [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, height, width])]
    count = len(QUERIES)
    if layout == "finished":
        nodes += _chosen_class(weights, count)
        inputs.append(helper.make_tensor_value_info("orig_target_sizes", TensorProto.INT64, [1, 2]))
        outputs = [
            helper.make_tensor_value_info("labels", TensorProto.INT64, [1, count]),
            helper.make_tensor_value_info("boxes", TensorProto.FLOAT, [1, count, 4]),
            helper.make_tensor_value_info("scores", TensorProto.FLOAT, [1, count]),
        ]
    else:
        names = {"rf-detr": ("dets", "labels"), "logits": ("pred_boxes", "logits")}[layout]
        nodes += [
            helper.make_node("Identity", ["queries"], [names[0]]),
            helper.make_node("Identity", ["scored"], [names[1]]),
        ]
        outputs = [
            helper.make_tensor_value_info(names[0], TensorProto.FLOAT, [1, count, 4]),
            helper.make_tensor_value_info(names[1], TensorProto.FLOAT, [1, count, classes]),
        ]
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    helper.set_model_props(model, stated)
    onnx.save(model, path)
    return path


def _chosen_class(weights: list[onnx.TensorProto], count: int) -> list[onnx.NodeProto]:
    """A post-processor: the best class of every query, its score, and corners in pixels of the size asked for."""
    corners = np.array([[1, 0, -0.5, 0], [0, 1, 0, -0.5], [1, 0, 0.5, 0], [0, 1, 0, 0.5]], np.float32).T
    weights += [
        numpy_helper.from_array(corners, "to_corners"),
        numpy_helper.from_array(np.array([0, 1, 0, 1]), "twice"),
    ]
    return [
        helper.make_node("ArgMax", ["scored"], ["labels"], axis=2, keepdims=0),
        helper.make_node("Sigmoid", ["scored"], ["probability"]),
        helper.make_node("ReduceMax", ["probability"], ["scores"], axes=[2], keepdims=0),
        helper.make_node("MatMul", ["queries", "to_corners"], ["shares"]),
        helper.make_node("Cast", ["orig_target_sizes"], ["sizes"], to=TensorProto.FLOAT),
        helper.make_node("Gather", ["sizes", "twice"], ["extent"], axis=1),
        helper.make_node("Mul", ["shares", "extent"], ["boxes"]),
    ]
