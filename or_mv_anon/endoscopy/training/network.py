"""MobileNetV2 (Sandler et al. 2018) with one logit: is this frame outside the body?

The modules carry the names of torchvision's model, so that its ImageNet weights load as they are.
"""

from __future__ import annotations

import pickle
from pathlib import Path

import torch
from torch import Tensor, nn

from or_mv_anon.core.errors import UserError

STAGES = (  # expansion, channels, blocks, stride of the first (table 2 of the paper)
    (1, 16, 1, 1),
    (6, 24, 2, 2),
    (6, 32, 3, 2),
    (6, 64, 4, 2),
    (6, 96, 3, 1),
    (6, 160, 3, 2),
    (6, 320, 1, 1),
)
FEATURES = 1280


def _convolution(inputs: int, outputs: int, *, kernel: int = 3, stride: int = 1, groups: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, kernel, stride, (kernel - 1) // 2, groups=groups, bias=False),
        nn.BatchNorm2d(outputs),
        nn.ReLU6(inplace=True),
    )


class InvertedResidual(nn.Module):
    """Expand, filter per channel, project; with a shortcut where the shape allows."""

    def __init__(self, inputs: int, outputs: int, *, stride: int, expansion: int) -> None:
        super().__init__()
        hidden = inputs * expansion
        expand = [] if expansion == 1 else [_convolution(inputs, hidden, kernel=1)]
        self.conv = nn.Sequential(
            *expand,
            _convolution(hidden, hidden, stride=stride, groups=hidden),
            nn.Conv2d(hidden, outputs, 1, bias=False),
            nn.BatchNorm2d(outputs),
        )
        self.shortcut = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        """(N, inputs, H, W) to (N, outputs, H / stride, W / stride)."""
        y: Tensor = self.conv(x)
        return x + y if self.shortcut else y


class OutOfBodyNetwork(nn.Module):
    """(N, 3, 224, 224) normalized pictures to (N, 1) logits, positive for outside."""

    def __init__(self, *, dropout: float = 0.2) -> None:
        super().__init__()
        layers: list[nn.Module] = [_convolution(3, 32, stride=2)]
        channels = 32
        for expansion, outputs, blocks, stride in STAGES:
            for block in range(blocks):
                layers.append(
                    InvertedResidual(channels, outputs, stride=stride if block == 0 else 1, expansion=expansion)
                )
                channels = outputs
        layers.append(_convolution(channels, FEATURES, kernel=1))
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Sequential(nn.Dropout(dropout), nn.Linear(FEATURES, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(N, 3, H, W) to (N, 1) logits."""
        logit: Tensor = self.classifier(self.features(x).mean(dim=(2, 3)))
        return logit

    def load_backbone(self, path: Path) -> None:
        """Take the features of torchvision's ImageNet weights; the classifier stays as it is.

        Raises:
            UserError: the file is no such state dict.
        """
        try:
            weights = torch.load(path, map_location="cpu", weights_only=True)
            self.features.load_state_dict(
                {
                    name.removeprefix("features."): value
                    for name, value in weights.items()
                    if name.startswith("features.")
                }
            )
        except (RuntimeError, AttributeError, EOFError, OSError, KeyError, pickle.UnpicklingError) as error:
            raise UserError(
                f"{path} does not hold torchvision's MobileNetV2 weights ({type(error).__name__})."
            ) from error
