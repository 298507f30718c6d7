"""Makes a narrow detector out of a wide one, so close to it that little training is needed.

Channels are chosen by what they contribute on pictures of the site, and each convolution is then refitted, layer by
layer, so that from the fewer channels it gets it computes what the wide one does (He, Zhang and Sun 2017, "Channel
Pruning for Accelerating Very Deep Neural Networks"). No gradient is needed for that: it is least squares.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import numpy_helper
from torch import Tensor
from torch.nn import functional

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.pictures import Picture
from or_mv_anon.models.detectors.dense import letterbox
from or_mv_anon.models.detectors.yolox import PersonDetector
from or_mv_anon.models.graphs import read_onnx
from or_mv_anon.openmmlab.imitation import BRANCHES, note_channels
from or_mv_anon.openmmlab.yolox import FULL_WIDTH

HEADS = ("multi_level_conv_cls", "multi_level_conv_reg", "multi_level_conv_obj")
SAMPLES = 12_000  # positions of the pictures that a layer is fitted on
RIDGE = 1e-3  # of holding on to the wide layer's own weights, against the mean square of its inputs


def narrow(teacher: Path, out: Path, *, width: float, pictures: Sequence[Picture], seed: int) -> None:
    """Writes a YOLOX export with a smaller share of every layer's channels.

    Args:
        teacher: mmdet's YOLOX as ONNX.
        out: the file to write, of the same form.
        width: on YOLOX's scale, 64 channels in the first layer being 1.
        pictures: of the site, all of one size, (h, w, 3) BGR: a dozen is enough.
        seed: of the positions that layers are fitted on.

    Raises:
        UserError: the teacher is no YOLOX export, or not wider than that.
    """
    model = read_onnx(teacher)
    full, slim = _first_channels(model), round(FULL_WIDTH * width)
    if not 0 < slim < full:
        raise UserError(f"The student's width of {width:g} is not below the teacher's of {full / FULL_WIDTH:g}.")
    batch = torch.from_numpy(letterbox(pictures, value=PersonDetector.pad_value)).permute(0, 3, 1, 2).float()
    narrowing = _Narrowing(model, full, slim, torch.Generator().manual_seed(seed))
    with torch.no_grad():
        narrowing.run(batch)
    for tensor in model.graph.initializer:
        if tensor.name in narrowing.fitted:
            values = narrowing.fitted[tensor.name].numpy()
            tensor.CopyFrom(numpy_helper.from_array(np.ascontiguousarray(values), tensor.name))
    note_channels(model, {branch: narrowing.read_by(branch) for branch in BRANCHES})
    del model.graph.value_info[:]  # they state the widths that were
    write_atomically(out, lambda part: part.write_bytes(model.SerializeToString()))


@dataclass(frozen=True)
class _Flow:
    """One tensor of the graph in both networks; `kept` are the channels of `wide` that `slim` still has."""

    wide: Tensor
    slim: Tensor
    kept: Tensor


class _Narrowing:
    """Runs the graph once, both networks side by side, and fits every convolution on the way."""

    def __init__(self, model: onnx.ModelProto, full: int, width: int, random: torch.Generator) -> None:
        self._nodes = [node for node in model.graph.node if node.op_type != "Constant"]
        self._weights = {t.name: torch.from_numpy(np.array(numpy_helper.to_array(t))) for t in model.graph.initializer}
        self._full, self._width, self._random = full, width, random
        self._sums = _summed_channels(self._nodes)
        self._chosen: dict[str, Tensor] = {}
        self._read: dict[str, Tensor] = {}  # by the weight of a head: the channels that it reads
        self.fitted: dict[str, Tensor] = {}

    def run(self, pictures: Tensor) -> None:
        convolutions = [node for node in self._nodes if node.op_type == "Conv"]
        heads = {node.output[0] for node in convolutions if any(head in node.input[1] for head in HEADS)}
        if len(heads) != 3 * len(HEADS):
            raise UserError("The teacher has no YOLOX heads: expected mmdet's ONNX export of a YOLOX.")
        left = heads.copy()
        flows: dict[str, _Flow] = {}
        uses = Counter(name for node in self._nodes for name in node.input)
        for node in self._nodes:
            if node is convolutions[0]:
                start = _focused(pictures)
                flows[node.input[0]] = _Flow(start, start, torch.arange(start.shape[1]))
            inputs = [flows[name] for name in node.input if name in flows]
            if not inputs:
                continue
            flows[node.output[0]] = self._step(node, inputs, exact=node.output[0] in heads)
            for name in node.input:
                uses[name] -= 1
                if not uses[name]:
                    flows.pop(name, None)
            left.discard(node.output[0])
            if not left:
                return

    def read_by(self, branch: str) -> list[list[int]]:
        """Per stride, which of the wide network's channels the narrow one's head reads."""
        names = sorted(name for name in self._read if f"multi_level_conv_{branch}." in name)
        return [self._read[name].tolist() for name in names]

    def _step(self, node: onnx.NodeProto, inputs: list[_Flow], *, exact: bool) -> _Flow:
        if node.op_type == "Conv":
            return self._convolved(node, inputs[0], exact=exact)
        operation = {
            "Sigmoid": lambda parts: torch.sigmoid(parts[0]),
            "Mul": lambda parts: parts[0] * parts[1],
            "Add": lambda parts: parts[0] + parts[1],
            "Concat": lambda parts: torch.cat(parts, dim=1),
            "MaxPool": lambda parts: _pooled(parts[0], node),
            "Resize": lambda parts: functional.interpolate(parts[0], scale_factor=2, mode="nearest"),
        }[node.op_type]
        kept = inputs[0].kept
        if node.op_type == "Concat":
            starts = np.cumsum([0, *(flow.wide.shape[1] for flow in inputs[:-1])])
            kept = torch.cat([flow.kept + int(start) for flow, start in zip(inputs, starts, strict=True)])
        return _Flow(operation([flow.wide for flow in inputs]), operation([flow.slim for flow in inputs]), kept)

    def _convolved(self, node: onnx.NodeProto, flow: _Flow, *, exact: bool) -> _Flow:
        weight, bias = self._weights[node.input[1]], self._weights[node.input[2]]
        settings = {entry.name: onnx.helper.get_attribute_value(entry) for entry in node.attribute}
        stride, padding = settings["strides"], settings["pads"][:2]
        wide = functional.conv2d(flow.wide, weight, bias, stride=stride, padding=padding)
        kept = torch.arange(len(weight)) if exact else self._choose(node.output[0], wide)
        if exact:
            self._read[node.input[1]] = flow.kept
        slim_weight, slim_bias = self._fit(flow, weight[kept], bias[kept], wide[:, kept], stride, padding)
        self.fitted[node.input[1]], self.fitted[node.input[2]] = slim_weight, slim_bias
        return _Flow(wide, functional.conv2d(flow.slim, slim_weight, slim_bias, stride=stride, padding=padding), kept)

    def _choose(self, output: str, wide: Tensor) -> Tensor:
        """The channels that vary most after the activation; channels that are added to one another stay together."""
        group = self._sums.get(output, output)
        if group not in self._chosen:
            count = wide.shape[1] * self._width // self._full
            strength = functional.silu(wide).var(dim=(0, 2, 3))
            self._chosen[group] = strength.topk(count).indices.sort().values
        return self._chosen[group]

    def _fit(
        self, flow: _Flow, weight: Tensor, bias: Tensor, wanted: Tensor, stride: Any, padding: Any
    ) -> tuple[Tensor, Tensor]:
        """Weights by which the slim input gives, as nearly as it can, what the wide network computes."""
        size = weight.shape[2:]
        start = weight[:, flow.kept].reshape(len(weight), -1)
        seen, target = [], []
        per_picture = SAMPLES // len(wanted) + 1
        for one, goal in zip(flow.slim, wanted, strict=True):
            columns = functional.unfold(one[None], size, stride=stride, padding=padding)[0]
            some = torch.randperm(columns.shape[1], generator=self._random)[:per_picture]
            seen.append(columns[:, some].T)
            target.append(goal.reshape(len(weight), -1)[:, some].T)
        inputs = torch.cat(seen).double()
        inputs = torch.cat([inputs, torch.ones(len(inputs), 1, dtype=inputs.dtype)], dim=1)
        before = torch.cat([start, bias[:, None]], dim=1).T.double()
        gram = inputs.T @ inputs
        gram += RIDGE * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
        change = torch.linalg.solve(gram, inputs.T @ (torch.cat(target).double() - inputs @ before))
        fitted = (before + change).T.float()
        return fitted[:, :-1].reshape(len(weight), -1, *size).contiguous(), fitted[:, -1].contiguous()


def _first_channels(model: onnx.ModelProto) -> int:
    """Channels of the first layer, of which every layer of a YOLOX has a multiple."""
    first = next((node for node in model.graph.node if node.op_type == "Conv"), None)
    sizes = {tensor.name: tensor.dims for tensor in model.graph.initializer}
    return int(sizes[first.input[1]][0]) if first is not None else 0


def _summed_channels(nodes: Sequence[onnx.NodeProto]) -> dict[str, str]:
    """For convolutions whose results are added up (residual blocks): the name of the first one of each such group."""
    source: dict[str, str] = {}  # tensor -> the convolution that determines its channels
    group: dict[str, str] = {}
    for node in nodes:
        if node.op_type == "Conv":
            source[node.output[0]] = node.output[0]
        elif node.op_type in ("Sigmoid", "Mul") and node.input[0] in source:
            source[node.output[0]] = source[node.input[0]]
        elif node.op_type == "Add" and all(name in source for name in node.input):
            first, second = (source[name] for name in node.input)
            joined = group.get(first, group.get(second, first))
            group[first] = group[second] = joined
            source[node.output[0]] = joined
    return group


def _focused(pictures: Tensor) -> Tensor:
    """Pixels regrouped 2 × 2 into channels, in mmdet's order of `Focus`."""
    corners = [(0, 0), (1, 0), (0, 1), (1, 1)]  # row, column: top left, bottom left, top right, bottom right
    return torch.cat([pictures[..., row::2, column::2] for row, column in corners], dim=1)


def _pooled(values: Tensor, node: onnx.NodeProto) -> Tensor:
    settings = {entry.name: onnx.helper.get_attribute_value(entry) for entry in node.attribute}
    return functional.max_pool2d(
        values, settings["kernel_shape"], stride=settings.get("strides", 1), padding=settings["pads"][:2]
    )
