"""What the modifier M is asked for, and what its critic is; each a scalar, averaged over the batch."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from or_mv_anon.head_training.settings import Goal

FEATHER = 0.25  # share of half a region over which a drawn head passes into the person crop around it


def away_from(logits: Tensor, identity: Tensor, goal: Goal) -> Tensor:
    """How much of an identity the adversary still reads.

    Args:
        logits: (N, people), the adversary's.
        identity: (N,) who it really was.
        goal: `uniform`: the cross-entropy towards giving everybody the same probability, less its least value, so 0
            if D knows nothing; `wrong`: the negative cross-entropy of Ren, Lee and Ryoo (2018), unbounded below.
    """
    if goal == "wrong":
        return -functional.cross_entropy(logits, identity)
    people = torch.tensor(float(logits.shape[1]), device=logits.device)
    return -functional.log_softmax(logits, dim=1).mean() - people.log()


def sampled(pictures: Tensor, matrix: Tensor, *, height: int, width: int) -> tuple[Tensor, Tensor]:
    """Pictures (N, C, H, W) at the places that `matrix` (N, 2, 3) names, and which of these lie inside.

    Returns:
        (N, C, height, width), and (N, 1, height, width) how far inside: 1 beyond `FEATHER`, 0 at the edge and outside.
    """
    places = functional.affine_grid(matrix, [len(pictures), 1, height, width], align_corners=False)
    taken = functional.grid_sample(pictures, places, padding_mode="border", align_corners=False)
    depth = (1 - places.abs().amax(dim=3)) / FEATHER
    return taken, depth.clamp(0, 1)[:, None]


def flicker(drawn: Tensor, drawn_displaced: Tensor, to_displaced: Tensor) -> Tensor:
    """Mean absolute difference between two drawings of one head where they overlap.

    Args:
        drawn: (N, 3, S, S) in the first region.
        drawn_displaced: the same heads in regions displaced a little.
        to_displaced: (N, 2, 3) where these lie in the first ones.
    """
    height, width = drawn.shape[2:]
    expected, inside = sampled(drawn, to_displaced, height=height, width=width)
    difference = (expected - drawn_displaced).abs() * inside
    return difference.sum() / (3 * inside.sum()).clamp(min=1)


def pasted(person: Tensor, drawn: Tensor, to_region: Tensor) -> Tensor:
    """Person crops (N, 3, H, W) with their heads (N, 3, S, S) replaced by what was drawn, seams inside the region."""
    height, width = person.shape[2:]
    smaller = functional.avg_pool2d(drawn, 2)  # a head is smaller in the crop than it is drawn
    head, inside = sampled(smaller, to_region, height=height, width=width)
    return person * (1 - inside) + head * inside


def critic_loss(real: Tensor, drawn: Tensor) -> Tensor:
    """Hinge loss of a critic that gives real pictures above 1 and drawn ones below -1."""
    return functional.relu(1 - real).mean() + functional.relu(1 + drawn).mean()
