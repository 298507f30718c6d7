"""Teaching the action classifier on clear frames, and its mean average precision."""

from __future__ import annotations

import math
import sys

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch.nn import functional
from tqdm import tqdm

from or_mv_anon.evaluation.average_precision import stepwise
from or_mv_anon.head_training.actions import ActionCrops, ActionNetwork, as_tensor

LEARNING_RATE = 2e-3  # AdamW, cosine to zero
WEIGHT_DECAY = 0.02
SMOOTHING = 0.05  # of the labels: neighbouring actions pass into each other


def train_actions(crops: ActionCrops, *, steps: int, batch: int = 48, seed: int = 0) -> ActionNetwork:
    """Train from scratch; equal arguments give equal weights on the CPU.

    Args:
        crops: clear people.
        steps: batches; rare actions are drawn as often as the square root of their number says.
        batch: crops per step.
        seed: of everything drawn.
    """
    torch.manual_seed(seed)
    network = ActionNetwork(len(crops.names)).train()
    optimizer = torch.optim.AdamW(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    counts = np.bincount(crops.action, minlength=len(crops.names)).clip(1)
    chance = 1 / np.sqrt(counts[crops.action])
    chance /= chance.sum()
    shown = 1.0 if sys.stderr.isatty() else 30.0
    for step in tqdm(range(steps), desc="actions", unit="step", mininterval=shown):
        rng = np.random.default_rng((seed, step))
        rows = rng.choice(len(crops.action), batch, p=chance)
        pictures = as_tensor(np.stack([varied(crops.picture[row], rng) for row in rows]))
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * (1 + math.cos(math.pi * step / steps)) / 2
        labels = torch.from_numpy(crops.action[rows])
        loss = functional.cross_entropy(network(pictures), labels, label_smoothing=SMOOTHING)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()
    return network.eval()


def varied(crop: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """The crop mirrored by chance, shifted, and in another light; (H, W, 3) in and out."""
    height, width = crop.shape[:2]
    scale = rng.uniform(0.9, 1.2)
    across = -scale if rng.random() < 0.5 else scale
    shift = rng.uniform(-0.06, 0.06, 2) * (width, height)
    matrix = np.array(
        [
            [across, 0, width / 2 * (1 - across) + shift[0]],
            [0, scale, height / 2 * (1 - scale) + shift[1]],
        ]
    )
    moved = cv2.warpAffine(crop, matrix, (width, height), borderMode=cv2.BORDER_REFLECT_101).astype(np.float32)
    gains = np.exp(rng.normal(0, 0.06, 3)) * np.exp(rng.normal(0, 0.2))
    return np.asarray(np.clip(moved * gains, 0, 255).astype(np.uint8))


def mean_average_precision(scores: NDArray[np.floating], action: NDArray[np.integer]) -> float:
    """Mean over the actions that occur of the average precision of ranking all people by that action's score.

    Args:
        scores: (N, actions).
        action: (N,) truth.
    """
    found = np.unique(action)
    return float(np.mean([stepwise(scores[:, index], action == index) for index in found])) if len(found) else 0.0
