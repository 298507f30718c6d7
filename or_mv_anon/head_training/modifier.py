"""The face modifier M: an image-to-image network that draws the head of nobody where a head was.

Ren, Lee and Ryoo (ECCV 2018) use a generator of nine residual blocks at 256 x 256 (after Johnson et al., ECCV 2016).
This one works at an eighth of the side, so that a CPU trains it in minutes and draws a face in milliseconds.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

STRIDE = 8  # the side must be a multiple of it


class Residual(nn.Module):
    """Two convolutions beside a shortcut."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(channels, channels, 3, 1, 1),
            nn.LeakyReLU(0.2),
            nn.Conv2d(channels, channels, 3, 1, 1),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(N, channels, H, W) in and out."""
        y: Tensor = x + 0.3 * self.body(x)
        return y


class Modifier(nn.Module):
    """`seen` (N, 3, S, S) to the modified head (N, 3, S, S), both RGB 0-1.

    Args:
        width: channels at half the side; twice and four times as many at a quarter and an eighth.
        blocks: residual blocks at an eighth of the side.
    """

    def __init__(self, *, width: int, blocks: int) -> None:
        super().__init__()
        self.fine = nn.Conv2d(12, width, 3, 1, 1)
        self.middle = nn.Conv2d(width, 2 * width, 3, 2, 1)
        self.coarse = nn.Conv2d(2 * width, 4 * width, 3, 2, 1)
        self.blocks = nn.Sequential(*(Residual(4 * width) for _ in range(blocks)))
        self.to_middle = nn.Conv2d(4 * width, 2 * width, 3, 1, 1)
        self.at_middle = Residual(2 * width)
        self.to_fine = nn.Conv2d(2 * width, width, 3, 1, 1)
        self.at_fine = Residual(width)
        self.draw = nn.Conv2d(width, 12, 3, 1, 1)

    def forward(self, seen: Tensor) -> Tensor:
        """What is drawn is a change of what is seen; before training the change is small."""
        fine = functional.leaky_relu(self.fine(functional.pixel_unshuffle(2 * seen - 1, 2)), 0.2)
        middle = functional.leaky_relu(self.middle(fine), 0.2)
        deep = self.blocks(functional.leaky_relu(self.coarse(middle), 0.2))
        middle = self.at_middle(middle + functional.leaky_relu(self.to_middle(_doubled(deep)), 0.2))
        fine = self.at_fine(fine + functional.leaky_relu(self.to_fine(_doubled(middle)), 0.2))
        change = functional.pixel_shuffle(self.draw(fine), 2)
        return (seen + torch.tanh(change)).clamp(0, 1)


def _doubled(x: Tensor) -> Tensor:
    return functional.interpolate(x, scale_factor=2.0, mode="bilinear", align_corners=False)
