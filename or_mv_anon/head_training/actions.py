"""What a person is doing, told from one crop: the action classifier that a modified face must leave right.

A small network that a CPU trains in minutes. Ren, Lee and Ryoo (ECCV 2018) have Faster R-CNN on whole frames instead,
see `action_judges.py`.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from or_mv_anon.core.boxes import Boxes, clip, expand
from or_mv_anon.core.truth import TruthPeople
from or_mv_anon.head_training.simulated import SimulatedSite

CROP_HEIGHT, CROP_WIDTH = 128, 96  # pixels of a person crop
SURROUNDINGS = 0.15  # share of the person box that is shown beyond each of its sides: who stands at the table operates
LEAST_VISIBLE = 0.3  # share of a person that must show to judge what it does
LEAST_HEIGHT = 24.0  # pixels of a person box; smaller people are left out
CHANNELS = (24, 48, 96, 160)
BATCH = 128  # crops at once when scoring


@dataclass(frozen=True, eq=False)
class ActionCrops:
    """People cut out of pictures.

    Attributes:
        picture: (N, 128, 96, 3) uint8 BGR.
        action: (N,) int, index into the names.
        names: of the actions.
    """

    picture: NDArray[np.uint8]
    action: NDArray[np.int64]
    names: tuple[str, ...]


class ActionNetwork(nn.Module):
    """Person crops (N, 3, H, W), RGB 0-1, to logits (N, actions)."""

    def __init__(self, actions: int) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for inputs, outputs in zip((3, *CHANNELS), CHANNELS, strict=False):
            layers += [
                nn.Conv2d(inputs, outputs, 3, 2, 1, bias=False),
                nn.GroupNorm(8, outputs),
                nn.ReLU(),
                nn.Conv2d(outputs, outputs, 3, 1, 1, groups=outputs, bias=False),
                nn.Conv2d(outputs, outputs, 1, bias=False),
                nn.GroupNorm(8, outputs),
                nn.ReLU(),
            ]
        self.features = nn.Sequential(*layers)
        self.classifier = nn.Linear(2 * CHANNELS[-1], actions)

    def forward(self, crops: Tensor) -> Tensor:
        """Mean and maximum over the crop, then one linear layer."""
        seen = self.features(2 * crops - 1)
        logits: Tensor = self.classifier(torch.cat([seen.mean(dim=(2, 3)), seen.amax(dim=(2, 3))], dim=1))
        return logits


def crop_boxes(boxes: Boxes, *, width: int, height: int) -> Boxes:
    """Where the crops of person boxes lie: with their surroundings, cut to the picture."""
    return clip(expand(boxes, ratio=SURROUNDINGS), width=width, height=height)


def cut(picture: NDArray[np.uint8], boxes: Boxes) -> NDArray[np.uint8]:
    """Person crops (N, 128, 96, 3) BGR, stretched to one size.

    Args:
        picture: (H, W, 3) BGR.
        boxes: (N, 4) pixels, people without their surroundings.
    """
    height, width = picture.shape[:2]
    crops = np.zeros((len(boxes), CROP_HEIGHT, CROP_WIDTH, 3), np.uint8)
    for crop, (x1, y1, x2, y2) in zip(crops, crop_boxes(boxes, width=width, height=height).tolist(), strict=True):
        left, top = min(round(x1), width - 1), min(round(y1), height - 1)
        part = picture[top : max(round(y2), top + 1), left : max(round(x2), left + 1)]
        crop[...] = cv2.resize(part, (CROP_WIDTH, CROP_HEIGHT), interpolation=cv2.INTER_AREA)
    return crops


def judged(people: TruthPeople) -> NDArray[np.bool_]:
    """Mask (N,) of the people of whom enough shows to tell what they do."""
    tall = people.visible_box[:, 3] - people.visible_box[:, 1] >= LEAST_HEIGHT
    return (people.visible_fraction >= LEAST_VISIBLE) & tall


def read_crops(site: SimulatedSite, *, interval_s: float) -> ActionCrops:
    """Crops of all people of a simulated site of whom enough shows, one look each `interval_s` seconds."""
    pictures, actions = [np.zeros((0, CROP_HEIGHT, CROP_WIDTH, 3), np.uint8)], [np.zeros(0, np.int64)]
    for frame in site.frames(interval_s=interval_s):
        people = frame.people[judged(frame.people)]
        pictures.append(cut(frame.picture, people.visible_box))
        actions.append(people.action.astype(np.int64))
    return ActionCrops(np.concatenate(pictures), np.concatenate(actions), tuple(site.truth.actions))


def as_tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """Pictures (N, H, W, 3) uint8 BGR as (N, 3, H, W) float32 RGB, 0-1."""
    return torch.from_numpy(np.ascontiguousarray(pictures[..., ::-1].transpose(0, 3, 1, 2))).float() / 255


@torch.no_grad()
def scores(network: ActionNetwork, picture: NDArray[np.uint8], boxes: Boxes) -> NDArray[np.float32]:
    """Probabilities (N, actions) of what the people in `boxes` (N, 4) do in `picture`, (H, W, 3) BGR."""
    return crop_scores(network, cut(picture, boxes))


@torch.no_grad()
def crop_scores(network: ActionNetwork, crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    """Probabilities (N, actions) for crops as `cut` makes them."""
    network.eval()
    parts: list[Tensor] = [network(as_tensor(crops[i : i + BATCH])).softmax(dim=1) for i in range(0, len(crops), BATCH)]
    return torch.cat(parts).numpy() if parts else np.zeros((0, network.classifier.out_features), np.float32)
