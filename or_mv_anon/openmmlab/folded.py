"""Puts the weights of an exported ONNX graph back into the trainable module that it was exported from.

Exports fold batch normalization into the convolution before it and lose the names of what they fold. The graph's
weights are therefore met in the order in which the module calls its layers. A folded normalization becomes an identity
that carries the folded bias, so the module computes what the graph does and can be trained on.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import Tensor, nn

from or_mv_anon.core.errors import UserError
from or_mv_anon.models.graphs import read_onnx

Weights = dict[str, NDArray[Any]]


def load_folded(module: nn.Module, path: Path, run: Callable[[], Any]) -> None:
    """Fills `module`, in place, from the export at `path`.

    Args:
        module: of the architecture that was exported.
        path: the ONNX file.
        run: calls the module once on any input of the exported size; the order of calls is what counts.

    Raises:
        UserError: the graph's layers are not the module's.
    """
    graph = read_onnx(path).graph
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in graph.initializer}
    layers, exported = _layers_in_order(module, run), _exported_layers(graph, weights)
    norms = _norm_after(module)
    for name, layer in layers:
        weight, bias = _take(exported, name, layer, path)
        _copy(layer.weight, weight)
        if name in norms:
            _make_identity(norms[name], bias)
        elif layer.bias is not None and bias is not None:
            _copy(layer.bias, bias)
    if exported:
        raise UserError(f"{path} has {len(exported)} layers more than {type(module).__name__}: another architecture.")
    for name, parameter in module.named_parameters():
        if name in weights:
            _copy(parameter, weights[name])


def _layers_in_order(module: nn.Module, run: Callable[[], Any]) -> list[tuple[str, Any]]:
    called: list[tuple[str, Any]] = []
    names = {layer: name for name, layer in module.named_modules() if isinstance(layer, nn.Conv2d | nn.Linear)}
    hooks = [layer.register_forward_hook(lambda layer, *_: called.append((names[layer], layer))) for layer in names]
    mode = module.training
    try:
        module.eval()
        with torch.no_grad():
            run()
    finally:
        module.train(mode)
        for hook in hooks:
            hook.remove()
    return called


def _exported_layers(graph: onnx.GraphProto, weights: Weights) -> list[tuple[str, NDArray[Any], NDArray[Any] | None]]:
    found = []
    for node in graph.node:
        if node.op_type == "Conv":
            bias = weights[node.input[2]] if len(node.input) > 2 else None
            found.append((node.input[1], weights[node.input[1]], bias))
        elif node.op_type == "MatMul" and node.input[1] in weights:
            found.append((node.input[1], weights[node.input[1]].T, None))
    return found


def _take(
    exported: list[tuple[str, NDArray[Any], NDArray[Any] | None]], name: str, layer: Any, path: Path
) -> tuple[NDArray[Any], NDArray[Any] | None]:
    """The layer's own name where the export kept it, else the first unnamed layer of the same shape."""
    shape = tuple(layer.weight.shape)
    wanted = f"{name}.weight"
    same = [i for i, entry in enumerate(exported) if entry[0] == wanted]
    alike = [i for i, entry in enumerate(exported) if not entry[0].endswith(".weight") and entry[1].shape == shape]
    if not same and not alike:
        raise UserError(f"{path} lacks a layer of shape {shape} for '{name}': it is of another architecture.")
    _, weight, bias = exported.pop((same or alike)[0])
    return weight, bias


def _norm_after(module: nn.Module) -> dict[str, nn.BatchNorm2d]:
    """Batch normalizations by the name of the convolution that they follow (mmcv's `ConvModule`)."""
    return {
        f"{name}.conv" if name else "conv": part.norm
        for name, part in module.named_modules()
        if type(part).__name__ == "ConvModule" and part.with_norm
    }


def _make_identity(norm: nn.BatchNorm2d, bias: NDArray[Any] | None) -> None:
    assert norm.running_mean is not None
    assert norm.running_var is not None
    with torch.no_grad():
        norm.weight.fill_(1)
        norm.running_mean.zero_()
        norm.running_var.fill_(1 - norm.eps)
        norm.bias.zero_() if bias is None else _copy(norm.bias, bias)


def _copy(parameter: Tensor, values: NDArray[Any]) -> None:
    with torch.no_grad():
        parameter.copy_(torch.from_numpy(np.array(values, np.float32)).reshape(parameter.shape))
