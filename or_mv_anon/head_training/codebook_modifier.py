"""The modifier that ships: it looks at a face and may answer with one of a few drawn heads, and with nothing else.

Whatever it sees, what comes out of it is one choice among K pictures: log2 K bits a frame about the person, which is
less than any mosaic that still shows where the head is turned. The choice is a hard one inside of the network, so the
bound holds for the file, not for its training; training makes the choice follow the head's direction and nothing else.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

CHANNELS = (24, 48, 64, 96)
POOLED = 2  # of the last cells are averaged in each direction: where exactly a head lies matters little
DARKEST_CONTRAST = 0.05  # standard deviation of brightness, 0-1, below which contrast is no longer raised


class CodedModifier(nn.Module):
    """`seen` (N, 3, S, S) to one of the drawings (N, 3, S, S) each, both RGB 0-1.

    In training mode gradients pass as if the drawings were mixed by their probabilities (straight-through estimator,
    Bengio et al. 2013, arXiv:1308.3432).

    Args:
        drawings: (K, 3, S, S), one for each direction a head can face; S is a multiple of 32.
    """

    drawings: Tensor

    def __init__(self, drawings: Tensor) -> None:
        super().__init__()
        self.register_buffer("drawings", drawings)
        layers: list[nn.Module] = []
        for inputs, outputs in zip((3, *CHANNELS), CHANNELS, strict=False):
            layers += [nn.Conv2d(inputs, outputs, 3, 2, 1), nn.GroupNorm(8, outputs), nn.ReLU()]
        self.features = nn.Sequential(*layers, nn.AvgPool2d(POOLED))
        cells = (drawings.shape[-1] // (2 ** len(CHANNELS) * POOLED)) ** 2
        self.choice = nn.Linear(CHANNELS[-1] * cells, len(drawings))

    def read(self, seen: Tensor) -> Tensor:
        """Logits (N, K) of the drawings; brightness and contrast are taken out of what is seen first."""
        centred = seen - seen.mean(dim=(1, 2, 3), keepdim=True)
        contrast = centred.square().mean(dim=(1, 2, 3), keepdim=True).sqrt()
        logits: Tensor = self.choice(self.features(centred / contrast.clamp(min=DARKEST_CONTRAST)).flatten(1))
        return logits

    def forward(self, seen: Tensor) -> Tensor:
        """The chosen drawings."""
        logits = self.read(seen).float()
        chosen = self.drawings[logits.argmax(dim=1)]
        if not self.training:
            return chosen
        soft = torch.einsum("nk,kchw->nchw", logits.softmax(dim=1), self.drawings)
        return chosen + soft - soft.detach()
