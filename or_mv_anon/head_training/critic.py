"""The realism critic: does this patch, given the mosaic, look like a picture or like something drawn?

Not in Ren, Lee and Ryoo (ECCV 2018), whose modifier sees the face: from a mosaic alone, closeness to the picture would
give a smear. Patches as in pix2pix (Isola et al., CVPR 2017), spectral normalization after Miyato et al. (ICLR 2018).
"""

from __future__ import annotations

from torch import Tensor, cat, nn
from torch.nn.utils.parametrizations import spectral_norm

CHANNELS = (32, 64, 128)


class PatchCritic(nn.Module):
    """What M was shown and a head (N, 3, S, S) each, RGB 0-1, to one number per patch (N, 1, S / 8, S / 8)."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in zip((6, *CHANNELS), CHANNELS, strict=False):
            layers += [spectral_norm(nn.Conv2d(inputs, outputs, 4, 2, 1)), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, spectral_norm(nn.Conv2d(CHANNELS[-1], 1, 3, 1, 1)))

    def forward(self, seen: Tensor, head: Tensor) -> Tensor:
        """High for what looks like a picture."""
        judged: Tensor = self.layers(2 * cat([seen, head], dim=1) - 1)
        return judged
