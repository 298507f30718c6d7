"""The network that learns from the clock: people matched at one moment must be closer than between two moments.

Imported only where torch is there; see `synchrony.py`.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment
from torch import Tensor, nn
from torch.nn import functional

from or_mv_anon.association.synchrony_people import People

POINTS = 3  # two corners of the box and the head
FREQUENCIES = 64
BANDWIDTH = 1.0  # standard deviation of the frequencies, in cycles over half a picture
WIDTH = 256
TOKEN = 128
LAYERS = 3
MARGIN = 1.0
LEARNING_RATE = 1e-3
SCALE_MOMENTS = 200  # per pair of views
NEAREST = 0.1
BATCH = 32  # pairs of views at a moment
LEAST_MOMENTS = 20  # with people in both views, for a pair of views to be learned from


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


def learnable_pairs(people: Sequence[People]) -> list[tuple[int, int, NDArray[np.int64]]]:
    """Numbers of two views and the moments that show people in both, for pairs with enough of them."""
    pairs = []
    for first in range(len(people)):
        for second in range(first + 1, len(people)):
            both = np.flatnonzero(people[first].present.any(axis=1) & people[second].present.any(axis=1))
            if len(both) >= LEAST_MOMENTS:
                pairs.append((first, second, both))
    return pairs


def train(
    people: Sequence[People],
    *,
    seed: int,
    steps: int,
    seconds_budget: float | None,
    progress: Callable[[int], object] | None,
) -> SynchronyNetwork | None:
    """A network trained on a session; None if no two views show people together often enough.

    Per sample two views and two moments are drawn, the second moment anywhere in the session, so that people have
    moved. With d the mean distance of embeddings over the best one-to-one matching, the loss is the hinge
    d(same moment) − d(other moment) + 1 with either view from the other moment, plus the mean absolute error of the
    points decoded from their own embedding (Self-MVA, CVPR 2025).
    """
    pairs = learnable_pairs(people)
    if not pairs:
        return None
    generator = np.random.default_rng(seed)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = SynchronyNetwork(len(people))
    optimizer = torch.optim.Adam(network.parameters(), LEARNING_RATE)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, LEARNING_RATE, total_steps=steps)
    begin = time.monotonic()
    for _ in range(steps):
        if seconds_budget is not None and time.monotonic() - begin > seconds_budget:
            break
        loss = _loss(network, people, pairs, generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
        if progress is not None:
            progress(1)
    return network.eval()


def distance_scale(network: SynchronyNetwork, people: Sequence[People], *, seed: int) -> tuple[float, float]:
    """Distances of the nearest tenth of people matched at one moment, and of the median pair from two moments."""
    generator = np.random.default_rng(seed)
    near, strange = [], []
    for first, second, both in learnable_pairs(people):
        moments = generator.choice(both, min(len(both), SCALE_MOMENTS), replace=False)
        found = [
            [network.embed(view.points[moment][view.present[moment]], number) for moment in moments]
            for number, view in ((first, people[first]), (second, people[second]))
        ]
        for turn, (left, right) in enumerate(zip(found[0], found[1], strict=True)):
            table = torch.cdist(left, right).numpy()
            near.append(table[linear_sum_assignment(table)])
            strange.append(torch.cdist(left, found[1][turn - 1]).numpy().ravel())
    return float(np.quantile(np.concatenate(near), NEAREST)), float(np.median(np.concatenate(strange)))


def _loss(
    network: SynchronyNetwork,
    people: Sequence[People],
    pairs: Sequence[tuple[int, int, NDArray[np.int64]]],
    generator: np.random.Generator,
) -> Tensor:
    chosen = [pairs[k] for k in generator.integers(len(pairs), size=BATCH)]
    moments = np.array([generator.choice(both, 2, replace=False) for _, _, both in chosen])
    cameras = np.array([[first, second] for first, second, _ in chosen])
    most = max(view.present.shape[1] for view in people)
    points = np.zeros((BATCH, 2, 2, most, 3, 2), np.float32)  # sample, view, moment, person
    present = np.zeros((BATCH, 2, 2, most), bool)
    for sample in range(BATCH):
        for side in range(2):
            view = people[cameras[sample, side]]
            width = view.present.shape[1]
            points[sample, side, :, :width] = view.points[moments[sample]]
            present[sample, side, :, :width] = view.present[moments[sample]]
    inputs = torch.from_numpy(points[present])
    camera = np.broadcast_to(cameras[:, :, None, None], present.shape)[present]
    found = network(inputs, torch.from_numpy(camera))
    embeddings = torch.zeros(*present.shape, found.shape[-1])
    embeddings[torch.from_numpy(present)] = found
    at = [(embeddings[:, side, moment], present[:, side, moment]) for side in range(2) for moment in range(2)]
    left, left_then, right, right_then = at
    same = _matched_distance(left, right)
    hinges = [functional.relu(same - _matched_distance(*other) + MARGIN)
              for other in ((left, right_then), (left_then, right))]  # fmt: skip
    own = functional.l1_loss(network.decode(found), inputs)
    return (hinges[0] + hinges[1]).mean() + own


def _matched_distance(first: tuple[Tensor, NDArray[np.bool_]], second: tuple[Tensor, NDArray[np.bool_]]) -> Tensor:
    """Mean distance (samples,) over the best one-to-one matching of all who are present."""
    distance = torch.cdist(first[0], second[0])
    table = distance.detach().numpy()
    sample, rows, columns, share = [], [], [], []
    for k, (left, right) in enumerate(zip(first[1], second[1], strict=True)):
        here, there = np.flatnonzero(left), np.flatnonzero(right)
        row, column = linear_sum_assignment(table[k][np.ix_(here, there)])
        sample.append(np.full(len(row), k))
        rows.append(here[row])
        columns.append(there[column])
        share.append(np.full(len(row), 1 / len(row), np.float32))
    index, a, b, weight = (torch.from_numpy(np.concatenate(part)) for part in (sample, rows, columns, share))
    return torch.zeros(len(first[1])).index_add(0, index, distance[index, a, b] * weight)
