"""OSNet x1.0 as an ONNX graph, built from the published weights, so that the anonymizer runs without PyTorch.

The architecture is that of Zhou et al. 2019, "Omni-Scale Feature Learning for Person Re-Identification" (ICCV).
"""

from __future__ import annotations

from pathlib import Path

from or_mv_anon.core.errors import UserError
from or_mv_anon.models.osnet_layers import GraphBuilder, Weights
from or_mv_anon.models.osnet_weights import read_state_dict

INPUT_WIDTH, INPUT_HEIGHT = 128, 256  # px
STAGES = ("conv2", "conv3", "conv4")
BLOCKS = 2  # per stage
STREAMS = "abcd"  # of 1, 2, 3 and 4 convolutions: features of four scales


def osnet(path: Path) -> bytes:
    """The graph from `picture` ``(N, 256, 128, 3)`` uint8 BGR to `embedding` ``(N, 512)``, not normalized.

    ImageNet normalization is inside. Every embedding entry is at least 0.

    Raises:
        UserError: the file is no state dict of OSNet x1.0.
    """
    weights = read_state_dict(path)
    try:
        return build(weights)
    except (KeyError, ValueError) as error:
        raise UserError(f"{path} does not hold the weights of OSNet x1.0: {error} is missing or misshapen.") from error


def build(weights: Weights) -> bytes:
    """The same graph from a state dict.

    Raises:
        KeyError: a tensor is missing.
    """
    graph = GraphBuilder(weights)
    features = graph.picture(width=INPUT_WIDTH, height=INPUT_HEIGHT)
    features = graph.relu(graph.convolution(features, "conv1", stride=2, of_bgr=True))
    features = graph.pool("MaxPool", features, side=3, stride=2, pad=1)
    for stage in STAGES:
        for block in range(BLOCKS):
            features = _omni_scale_block(graph, features, f"{stage}.{block}")
        if stage != STAGES[-1]:
            features = graph.relu(graph.convolution(features, f"{stage}.{BLOCKS}.0"))
            features = graph.pool("AveragePool", features, side=2, stride=2)
    features = graph.relu(graph.convolution(features, "conv5"))
    features = graph.node("Flatten", [graph.node("GlobalAveragePool", [features])])
    return graph.finish(graph.relu(graph.linear(features, "fc.0", "fc.1")))


def _omni_scale_block(graph: GraphBuilder, features: str, name: str) -> str:
    """The paper's figure 4b: four streams of growing reach, weighted by one shared gate, added to a shortcut."""
    narrow = graph.relu(graph.convolution(features, f"{name}.conv1"))
    joined = None
    for count, letter in enumerate(STREAMS, start=1):
        stream = narrow
        for layer in range(count):
            light = f"{name}.conv2{letter}" if count == 1 else f"{name}.conv2{letter}.{layer}"
            stream = graph.relu(graph.light_convolution(stream, light))
        weighted = _gated(graph, stream, f"{name}.gate")
        joined = weighted if joined is None else graph.node("Add", [joined, weighted])
    assert joined is not None
    wide = graph.convolution(joined, f"{name}.conv3")
    shortcut = features
    if graph.knows(f"{name}.downsample.conv.weight"):
        shortcut = graph.convolution(features, f"{name}.downsample")
    return graph.relu(graph.node("Add", [wide, shortcut]))


def _gated(graph: GraphBuilder, stream: str, name: str) -> str:
    """The unified aggregation gate: a weight in [0, 1] per channel."""
    pooled = graph.node("GlobalAveragePool", [stream])
    hidden = graph.relu(graph.biased_convolution(pooled, f"{name}.fc1"))
    gate = graph.node("Sigmoid", [graph.biased_convolution(hidden, f"{name}.fc2")])
    return graph.node("Mul", [stream, gate])
