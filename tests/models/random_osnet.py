"""OSNet x1.0 with random weights, and what PyTorch makes of it, written apart from the package's graph."""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

import numpy as np

WIDTHS = {"conv2": (64, 256), "conv3": (256, 384), "conv4": (384, 512)}  # channels into and out of each stage
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # of RGB in [0, 1], ImageNet


def random_state(torch: Any, seed: int = 0) -> OrderedDict[str, Any]:
    """A state dict of the published names and shapes, the identity classifier (here: 10) included."""
    generator = torch.Generator().manual_seed(seed)
    state: OrderedDict[str, Any] = OrderedDict()

    def weight(name: str, *shape: int) -> None:
        fan_in = int(np.prod(shape[1:]))
        state[f"{name}.weight"] = torch.randn(shape, generator=generator) * (2 / fan_in) ** 0.5

    def norm(name: str, channels: int) -> None:
        state[f"{name}.weight"] = 0.5 + torch.rand(channels, generator=generator)
        state[f"{name}.bias"] = 0.2 * torch.randn(channels, generator=generator)
        state[f"{name}.running_mean"] = 0.2 * torch.randn(channels, generator=generator)
        state[f"{name}.running_var"] = 0.5 + torch.rand(channels, generator=generator)
        state[f"{name}.num_batches_tracked"] = torch.tensor(7)

    def layer(name: str, into: int, out: int, side: int = 1) -> None:
        weight(f"{name}.conv", out, into, side, side)
        norm(f"{name}.bn", out)

    layer("conv1", 3, 64, 7)
    for stage, (into, out) in WIDTHS.items():
        middle = out // 4
        for block, source in enumerate((into, out)):
            name = f"{stage}.{block}"
            layer(f"{name}.conv1", source, middle)
            for count, letter in enumerate("abcd", start=1):
                for i in range(count):
                    light = f"{name}.conv2{letter}" + (f".{i}" if count > 1 else "")
                    weight(f"{light}.conv1", middle, middle, 1, 1)
                    weight(f"{light}.conv2", middle, 1, 3, 3)
                    norm(f"{light}.bn", middle)
            for gate, shape in (("fc1", (middle // 16, middle)), ("fc2", (middle, middle // 16))):
                weight(f"{name}.gate.{gate}", *shape, 1, 1)
                state[f"{name}.gate.{gate}.bias"] = 0.1 * torch.randn(shape[0], generator=generator)
            layer(f"{name}.conv3", middle, out)
            if source != out:
                layer(f"{name}.downsample", source, out)
        if stage != "conv4":
            layer(f"{stage}.2.0", out, out)
    layer("conv5", 512, 512)
    weight("fc.0", 512, 512)
    state["fc.0.bias"] = 0.1 * torch.randn(512, generator=generator)
    norm("fc.1", 512)
    weight("classifier", 10, 512)
    state["classifier.bias"] = torch.zeros(10)
    return state


def reference_embeddings(torch: Any, state: OrderedDict[str, Any], crops: np.ndarray) -> np.ndarray:
    """Unit vectors ``(N, 512)`` of BGR crops ``(N, 256, 128, 3)``."""
    nn = torch.nn.functional

    def norm(x: Any, name: str) -> Any:
        values = (state[f"{name}.{key}"] for key in ("running_mean", "running_var", "weight", "bias"))
        return nn.batch_norm(x, *values)

    def layer(x: Any, name: str, **options: int) -> Any:
        return norm(nn.conv2d(x, state[f"{name}.conv.weight"], **options), f"{name}.bn")

    def light(x: Any, name: str) -> Any:
        x = nn.conv2d(x, state[f"{name}.conv1.weight"])
        return norm(nn.conv2d(x, state[f"{name}.conv2.weight"], padding=1, groups=x.shape[1]), f"{name}.bn").relu()

    def gated(x: Any, name: str) -> Any:
        y = nn.conv2d(x.mean((2, 3), keepdim=True), state[f"{name}.fc1.weight"], state[f"{name}.fc1.bias"]).relu()
        return x * nn.conv2d(y, state[f"{name}.fc2.weight"], state[f"{name}.fc2.bias"]).sigmoid()

    def block(x: Any, name: str) -> Any:
        narrow = layer(x, f"{name}.conv1").relu()
        total = 0
        for count, letter in enumerate("abcd", start=1):
            stream = narrow
            for i in range(count):
                stream = light(stream, f"{name}.conv2{letter}" + (f".{i}" if count > 1 else ""))
            total = total + gated(stream, f"{name}.gate")
        shortcut = layer(x, f"{name}.downsample") if f"{name}.downsample.conv.weight" in state else x
        return (layer(total, f"{name}.conv3") + shortcut).relu()

    with torch.no_grad():
        rgb = torch.from_numpy(crops[..., ::-1].copy()).permute(0, 3, 1, 2) / 255
        x = (rgb - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
        x = nn.max_pool2d(layer(x, "conv1", stride=2, padding=3).relu(), 3, 2, 1)
        for stage in WIDTHS:
            x = block(block(x, f"{stage}.0"), f"{stage}.1")
            if stage != "conv4":
                x = nn.avg_pool2d(layer(x, f"{stage}.2.0").relu(), 2)
        x = layer(x, "conv5").relu().mean((2, 3))
        x = norm(nn.linear(x, state["fc.0.weight"], state["fc.0.bias"]), "fc.1").relu()
        return nn.normalize(x).numpy()
