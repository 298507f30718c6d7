"""Surgery on pretrained ONNX graphs: our own input, raw heads as outputs, any batch and picture size.

The published exports fix the picture's size and end in post-processing that we want to control (a low score
threshold, our own non-maximum suppression). Each function returns the bytes of a graph whose only input `picture` is
``(batch, height, width, 3)`` uint8 BGR. Converting to float and to channels-first happens inside the graph, where the
runtime does it fastest. Only ONNX is read here: a protobuf holds no code, and nothing is unpickled.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnx
from google.protobuf.message import DecodeError  # type: ignore[import-untyped]
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from or_mv_anon.core.errors import UserError
from or_mv_anon.models.half_weights import restore_weights

CHANNELS = {"cls": 1, "reg": 4, "obj": 1}  # of YOLOX's heads, per class
STRIDES = (8, 16, 32)  # pixels per cell of the three detection heads, in YOLOX and in YuNet
POSE_MEAN = (123.675, 116.28, 103.53)  # RGB, of ImageNet: mmpose's PoseDataPreprocessor in the RTMPose configurations
POSE_STD = (58.395, 57.12, 57.375)
SFACE_SIDE = 112  # px


def yolox(path: Path, *, classes: int = 1) -> bytes:
    """YOLOX with outputs ``cls_8 (N, C, h, w)``, ``reg_8 (N, 4·C, h, w)``, ``obj_8 (N, C, h, w)``, then 16 and 32.

    Only the first `classes` are kept: class 0 is a person in the Human-Art and COCO heads and in site models. More than
    one can be had of networks whose classes have boxes of their own (`openmmlab.classwise`). All are logits or strides,
    as the heads of Ge et al. 2021 ("YOLOX") emit them. Height and width are multiples of 32. A graph that this function
    made before is left as it is.

    Raises:
        UserError: the file is no ONNX graph, lacks mmdet's YOLOX heads, or has no boxes for so many classes.
    """
    graph = read_onnx(path)
    if [value.name for value in graph.graph.input] == ["picture"]:  # rewritten already: a quantized detector
        return graph.SerializeToString()
    heads = {}
    for level, stride in enumerate(STRIDES):
        for kind in CHANNELS:
            heads[f"{kind}_{stride}"] = _convolution(graph, f"multi_level_conv_{kind}.{level}.weight", path)
    for stride in STRIDES:
        for kind, each in CHANNELS.items():
            _keep_channels(graph, heads[f"{kind}_{stride}"], each * classes, path)
    _fold_focus(graph)
    return with_picture_input(graph, {name: node.output[0] for name, node in heads.items()})


def yunet(path: Path) -> bytes:
    """YuNet with outputs ``cls_8 (N, 1, h, w)``, ``obj_8``, ``bbox_8 (N, 4, h, w)``, then 16 and 32; scores as logits.

    Height and width are multiples of 32.

    Raises:
        UserError: the file is no ONNX graph or lacks YuNet's heads.
    """
    graph = read_onnx(path)
    heads = {}
    for level, stride in enumerate(STRIDES):
        for kind in ("cls", "obj", "bbox"):
            node = _convolution(graph, f"multi_level_{kind}.{level}.conv2.weight", path)
            heads[f"{kind}_{stride}"] = node.output[0]
    return with_picture_input(graph, heads)


def rtmpose(path: Path) -> bytes:
    """RTMPose with normalization and BGR to RGB inside; outputs ``simcc_x (N, K, 384)`` and ``simcc_y (N, K, 512)``.

    Raises:
        UserError: the file is no ONNX graph or lacks the two SimCC outputs.
    """
    graph = read_onnx(path)
    names = [output.name for output in graph.graph.output]
    if names != ["simcc_x", "simcc_y"]:
        raise UserError(f"{path} is no RTMPose export: expected the outputs simcc_x and simcc_y, found {names}.")
    mean = np.array(POSE_MEAN[::-1], np.float32)
    std = np.array(POSE_STD[::-1], np.float32)
    _swap_input_channels(graph)
    return with_picture_input(graph, {name: name for name in names}, mean=mean, std=std)


def sface(path: Path) -> bytes:
    """SFace with channel order inside (it wants RGB, 0-255); output ``vector (N, 128)``. Pictures are 112 x 112: its
    last layer holds a weight for every place of such a picture.

    Raises:
        UserError: the file is no ONNX graph or lacks SFace's output.
    """
    graph = read_onnx(path)
    names = [output.name for output in graph.graph.output]
    if names != ["fc1"]:
        raise UserError(f"{path} is no SFace export: expected the output fc1, found {names}.")
    _swap_channels(graph, next(node for node in graph.graph.node if node.op_type == "Conv"))  # scalars lie before it
    return with_picture_input(graph, {"vector": "fc1"}, size=(SFACE_SIDE, SFACE_SIDE), several=True)


def read_onnx(path: Path) -> onnx.ModelProto:
    """The ONNX model in a file.

    Raises:
        UserError: the file cannot be read or is something else.
    """
    try:
        model = onnx.load(path)
    except OSError as error:
        raise UserError(f"Cannot read the model {path}: {error.strerror}.") from error
    except DecodeError as error:
        raise UserError(f"{path} is not an ONNX model; only ONNX files are read.") from error
    if not model.graph.node:
        raise UserError(f"{path} is not an ONNX model; only ONNX files are read.")
    restore_weights(model)
    return model


def _convolution(model: onnx.ModelProto, weight: str, path: Path) -> onnx.NodeProto:
    for node in model.graph.node:
        if node.op_type == "Conv" and node.input[1].endswith(weight):
            return node
    raise UserError(f"{path} lacks the head convolution '{weight}': it is another kind of model, or was renamed.")


def classes_with_boxes(graph: onnx.GraphProto) -> int | None:
    """How many classes of a YOLOX as mmdet exports it have boxes of their own, 1 where all share them; else None."""
    if not any("multi_level_conv_obj" in name for node in graph.node for name in node.input):
        return None
    rows = [tensor.dims[0] for tensor in graph.initializer if tensor.name.endswith("multi_level_conv_reg.0.weight")]
    return rows[0] // CHANNELS["reg"] if rows else 1


def _initializer(model: onnx.ModelProto, name: str) -> TensorProto:
    return next(tensor for tensor in model.graph.initializer if tensor.name == name)


def _keep_channels(model: onnx.ModelProto, node: onnx.NodeProto, count: int, path: Path) -> None:
    for name in node.input[1:]:
        tensor = _initializer(model, name)
        if tensor.dims[0] < count:
            raise UserError(f"{path} tells less than is asked of it: '{name}' has {tensor.dims[0]} rows, not {count}.")
        tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor)[:count].copy(), name))


def _fold_focus(model: onnx.ModelProto) -> None:
    """Turns YOLOX's first layer, pixels regrouped 2 × 2 and a 3 × 3 convolution, into a 6 × 6 one of stride 2.

    The export wrote the regrouping as reshapes of fixed size. Channel ``6·x + 3·y + c`` of the regrouped picture is
    colour `c` at column offset `x` and row offset `y` (mmdet's `Focus`), so the weights move one to one.
    """
    first = next(node for node in model.graph.node if node.op_type == "Conv")
    tensor = _initializer(model, first.input[1])
    if list(tensor.dims[1:]) != [12, 3, 3]:
        return
    grouped = numpy_helper.to_array(tensor).reshape(-1, 2, 2, 3, 3, 3)  # out, x, y, colour, row, column
    whole = grouped.transpose(0, 3, 4, 2, 5, 1).reshape(-1, 3, 6, 6)
    tensor.CopyFrom(numpy_helper.from_array(whole.copy(), tensor.name))
    folded = helper.make_node(
        "Conv",
        [picture_input(model), *first.input[1:]],
        list(first.output),
        kernel_shape=[6, 6],
        strides=[2, 2],
        pads=[2, 2, 2, 2],
    )
    first.CopyFrom(folded)


def _swap_input_channels(model: onnx.ModelProto) -> None:
    source = picture_input(model)
    for node in model.graph.node:
        if node.op_type == "Conv" and node.input[0] == source:
            _swap_channels(model, node)


def _swap_channels(model: onnx.ModelProto, node: onnx.NodeProto) -> None:
    tensor = _initializer(model, node.input[1])
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor)[:, ::-1].copy(), tensor.name))


def picture_input(model: onnx.ModelProto) -> str:
    weights = {tensor.name for tensor in model.graph.initializer}
    return next(value.name for value in model.graph.input if value.name not in weights)


def with_picture_input(
    model: onnx.ModelProto,
    outputs: dict[str, str],
    *,
    mean: NDArray[np.float32] | None = None,
    std: NDArray[np.float32] | None = None,
    rgb: bool = False,
    size: tuple[int, int] | None = None,
    several: bool = False,
) -> bytes:
    """Puts the uint8 input in front, names the outputs, and drops every node and weight that no output needs.

    Args:
        model: whose only free input takes ``(batch, 3, height, width)`` floats.
        outputs: new name -> the name in `model`.
        mean, std: subtracted from and divided by, in the order of the network's channels; None for pixels as they are.
        rgb: the network wants red first.
        size: ``(width, height)`` in pixels, for a network that takes pictures of one size, and, unless `several`, whose
            outputs keep their names; None for any.
        several: any number of pictures at a time, not one, whatever their size.
    """
    source = picture_input(model)
    nodes = [helper.make_node("Cast", ["picture"], ["as_float"], to=TensorProto.FLOAT)]
    weights = list(model.graph.initializer)
    last = "as_float"
    if rgb:
        nodes.append(helper.make_node("Gather", [last, "red_first"], ["as_rgb"], axis=3))
        weights.append(numpy_helper.from_array(np.array([2, 1, 0], np.int64), "red_first"))
        last = "as_rgb"
    if mean is not None and std is not None:
        nodes += [
            helper.make_node("Sub", [last, "picture_mean"], ["centred"]),
            helper.make_node("Div", ["centred", "picture_std"], ["normalized"]),
        ]
        weights += [numpy_helper.from_array(mean, "picture_mean"), numpy_helper.from_array(std, "picture_std")]
        last = "normalized"
    nodes.append(helper.make_node("Transpose", [last], [source], perm=[0, 3, 1, 2]))
    nodes = _needed([*nodes, *model.graph.node], list(outputs.values()))
    _rename(nodes, {old: new for new, old in outputs.items()})
    used = {name for node in nodes for name in node.input}
    width, height = size or ("width", "height")
    one = size is not None and not several
    shape: list[str | int] = [1 if one else "batch", height, width, 3]
    picture = helper.make_tensor_value_info("picture", TensorProto.UINT8, shape)
    graph = helper.make_graph(
        nodes,
        model.graph.name,
        [picture],
        [_output(model, name, fixed=one) for name in outputs],
        [tensor for tensor in weights if tensor.name in used],
    )
    derived = helper.make_model(graph, opset_imports=model.opset_import, ir_version=model.ir_version)
    return derived.SerializeToString()


def _rename(nodes: Sequence[onnx.NodeProto], names: dict[str, str]) -> None:
    for node in nodes:
        node.input[:] = [names.get(name, name) for name in node.input]
        node.output[:] = [names.get(name, name) for name in node.output]


def _output(model: onnx.ModelProto, name: str, *, fixed: bool) -> onnx.ValueInfoProto:
    if fixed:
        return next(value for value in model.graph.output if value.name == name)
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, _dynamic(name))


def _dynamic(output: str) -> list[str]:
    """Named free dimensions, apart from the batch one set per output, because heads differ in size."""
    if output.startswith("simcc"):
        return ["batch", f"{output}_points", f"{output}_bins"]
    if output == "vector":
        return ["batch", "vector_size"]
    return ["batch", *(f"{output}_{axis}" for axis in ("channels", "height", "width"))]


def _needed(nodes: Sequence[onnx.NodeProto], outputs: Sequence[str]) -> list[onnx.NodeProto]:
    wanted = set(outputs)
    kept = []
    for node in reversed(nodes):  # ONNX orders nodes so that every input is produced earlier
        if wanted.intersection(node.output):
            wanted.update(node.input)
            kept.append(node)
    return kept[::-1]
