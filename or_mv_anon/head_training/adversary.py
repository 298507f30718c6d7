"""The identity adversary D: it learns to tell people apart in real and in modified faces, and M learns to defeat it."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from or_mv_anon.head_training.settings import Margin

FACE_SIDE = 112  # pixels of an aligned face
CHANNELS = (24, 48, 96, 160)
FEATURES = 128
KEPT = 5.0  # SphereFace's weight of the plain cosine beside the margin's; it is annealed to this value there


class SmallFaceNetwork(nn.Module):
    """Aligned faces (N, 3, 112, 112), RGB 0-1, to features (N, 128); trained from scratch."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in zip((3, *CHANNELS), CHANNELS, strict=False):
            layers += [nn.Conv2d(inputs, outputs, 3, 2, 1), nn.GroupNorm(8, outputs), nn.LeakyReLU(0.1)]
        self.convolutions = nn.Sequential(*layers)
        self.features = nn.Linear(CHANNELS[-1] * (FACE_SIDE // 2 ** len(CHANNELS)) ** 2, FEATURES)

    def forward(self, faces: Tensor) -> Tensor:
        """Features that are not yet of unit length."""
        vector: Tensor = self.features(self.convolutions(2 * faces - 1).flatten(1))
        return vector


class IdentityAdversary(nn.Module):
    """Aligned faces (N, 3, 112, 112) to cosines (N, people) between each face and each person.

    Args:
        backbone: faces to features (N, 128).
        people: how many are told apart.
        scale: of the cosines before the softmax.
    """

    def __init__(self, backbone: nn.Module, *, people: int, scale: float) -> None:
        super().__init__()
        self.backbone = backbone
        self.people = nn.Parameter(nn.init.xavier_normal_(torch.empty(people, FEATURES)))
        self.scale = scale

    def forward(self, faces: Tensor) -> Tensor:
        """Cosines, -1 to 1."""
        return functional.linear(functional.normalize(self.backbone(faces)), functional.normalize(self.people))

    def loss(self, cosines: Tensor, identity: Tensor, *, kind: Margin, margin: float) -> Tensor:
        """Cross-entropy in which the right person must win by a margin; what D is trained with."""
        return functional.cross_entropy(self.scale * MARGINS[kind](cosines, identity, margin), identity)


def _plain(cosines: Tensor, identity: Tensor, margin: float) -> Tensor:
    return cosines


def additive_margin(cosines: Tensor, identity: Tensor, margin: float) -> Tensor:
    """CosFace (Wang et al., CVPR 2018): the right person's cosine less `margin`."""
    return cosines - margin * functional.one_hot(identity, cosines.shape[1])


def multiplied_angle(cosines: Tensor, identity: Tensor, margin: float) -> Tensor:
    """A-softmax (SphereFace, Liu et al., CVPR 2017): the right person's angle times the whole number `margin`.

    ψ(θ) = (-1)^k cos(mθ) - 2k for θ in [kπ/m, (k+1)π/m], which falls from 1 to 1 - 2m; averaged with the plain cosine.
    """
    times = round(margin)
    right = cosines.gather(1, identity[:, None])
    angle = torch.acos(right.clamp(-1 + 1e-6, 1 - 1e-6))
    k = torch.floor(angle * times / math.pi).detach()
    falling = (1 - 2 * (k % 2)) * torch.cos(times * angle) - 2 * k
    return cosines.scatter(1, identity[:, None], (KEPT * right + falling) / (1 + KEPT))


MARGINS: dict[Margin, Callable[[Tensor, Tensor, float], Tensor]] = {
    "none": _plain,
    "cosface": additive_margin,
    "a-softmax": multiplied_angle,
}
