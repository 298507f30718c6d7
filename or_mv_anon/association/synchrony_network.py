"""The network that learns from synchrony alone where in one camera a place of another camera is.

Imported only where torch is there; see `synchrony.py`.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

POINTS = 3  # two corners of the box and the head
FREQUENCIES = 64
BANDWIDTH = 1.0  # standard deviation of the frequencies, in cycles over half a picture
WIDTH = 256
TOKEN = 128
LAYERS = 3


class SynchronyNetwork(nn.Module):
    """Embeds what a camera shows of a person so that one person's embeddings in all cameras are close.

    Points go through random Fourier features (Tancik et al. 2020, arXiv:2006.10739), a token stands for the camera,
    and residual layers with a normalization that has no parameters follow, as in self-supervised multi-view
    association (Self-MVA, CVPR 2025, arXiv:2503.13739).
    """

    frequencies: Tensor

    def __init__(self, cameras: int) -> None:
        """A network for so many cameras; torch's global generator decides the weights."""
        super().__init__()
        self.register_buffer("frequencies", BANDWIDTH * torch.randn(2, FREQUENCIES))
        self.tokens = nn.Embedding(cameras, TOKEN)
        self.enter = nn.Linear(POINTS * 2 * FREQUENCIES + TOKEN, WIDTH)
        self.layers = nn.ModuleList(nn.Linear(WIDTH, WIDTH) for _ in range(LAYERS))
        self.decoder = nn.Linear(WIDTH, 2 * POINTS)

    def forward(self, points: Tensor, camera: Tensor) -> Tensor:
        """Embeddings (..., WIDTH).

        Args:
            points: (..., POINTS, 2), the picture spanning [-1, 1] in both directions.
            camera: (...) numbers of the cameras.
        """
        phase = 2 * math.pi * points @ self.frequencies
        encoded = torch.cat([phase.sin(), phase.cos()], dim=-1).flatten(-2)
        hidden = self.enter(torch.cat([encoded, self.tokens(camera)], dim=-1))
        for layer in self.layers:
            hidden = torch.relu(functional.layer_norm(hidden + layer(hidden), (WIDTH,)))
        return hidden

    @torch.inference_mode()
    def embed(self, points: NDArray[np.float32], camera: int) -> Tensor:
        """Embeddings (..., WIDTH) of points (..., POINTS, 2) of one camera."""
        inputs = torch.from_numpy(points)
        return self(inputs, torch.full(inputs.shape[:-2], camera))

    def decode(self, embedding: Tensor) -> Tensor:
        """The points (..., POINTS, 2) that an embedding stands for in its own camera."""
        return self.decoder(embedding).unflatten(-1, (POINTS, 2))
