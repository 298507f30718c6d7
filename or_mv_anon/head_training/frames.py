"""Whole frames with people, their actions and their heads: what a detector of actions learns from."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from or_mv_anon.head_training.actions import judged
from or_mv_anon.head_training.head_pictures import Head, heads_in
from or_mv_anon.head_training.losses import FEATHER
from or_mv_anon.head_training.settings import MaterialConfig
from or_mv_anon.head_training.simulated import SimulatedSite

SHORT_SIDE = 340  # pixels; attributed to the paper by its reproduction


@dataclass(frozen=True, eq=False)
class ActionFrame:
    """One frame; boxes in its pixels.

    Attributes:
        picture: (H, W, 3) uint8 RGB, its shorter side at most 340 pixels.
        person_box: (n, 4) of the people of whom enough shows.
        action: (n,) what they do.
        heads: m heads that are large enough to be drawn.
        head_region: (m, 4) where they are.
    """

    picture: NDArray[np.uint8]
    person_box: NDArray[np.float32]
    action: NDArray[np.int64]
    heads: tuple[Head, ...]
    head_region: NDArray[np.float32]


def read_frames(site: SimulatedSite, *, side: int, config: MaterialConfig) -> Iterator[ActionFrame]:
    """All frames of a simulated site in which somebody does something, one each `interval_s` seconds."""
    for frame in site.frames(interval_s=config.interval_s):
        people = frame.people[judged(frame.people)]
        if not len(people):
            continue
        height, width = frame.picture.shape[:2]
        scale = min(1.0, SHORT_SIDE / min(height, width))
        size = (round(width * scale), round(height * scale))
        found = list(heads_in(frame, source=site.folder.name, side=side, config=config))
        regions = [region for region, _ in found]
        yield ActionFrame(
            picture=np.ascontiguousarray(cv2.resize(frame.picture, size, interpolation=cv2.INTER_AREA)[..., ::-1]),
            person_box=people.visible_box * scale,
            action=people.action.astype(np.int64),
            heads=tuple(head for _, head in found),
            head_region=np.stack(regions) * np.float32(scale) if regions else np.zeros((0, 4), np.float32),
        )


def frame_tensor(frame: ActionFrame) -> Tensor:
    """The picture as (3, H, W) float32, 0-1."""
    return torch.from_numpy(frame.picture.transpose(2, 0, 1).astype(np.float32) / 255)


def pasted_in_frame(picture: Tensor, drawn: Tensor, regions: NDArray[np.float32]) -> Tensor:
    """The picture (3, H, W) with heads (m, 3, S, S) in their regions (m, 4) px, seams inside; gradients reach both."""
    height, width = picture.shape[1:]
    for head, (x1, y1, x2, y2) in zip(drawn, np.round(regions).astype(int).tolist(), strict=True):
        left, top, right, bottom = max(x1, 0), max(y1, 0), min(x2, width), min(y2, height)
        if right <= left or bottom <= top:
            continue
        shown = functional.interpolate(
            head[None], size=(bottom - top, right - left), mode="bilinear", antialias=True, align_corners=False
        )[0]
        across = _inside(right - left, picture)[None, :].minimum(_inside(bottom - top, picture)[:, None])
        around = (left, width - right, top, height - bottom)
        share = functional.pad(across, around)
        picture = picture * (1 - share) + functional.pad(shown * across, around)
    return picture


def _inside(length: int, like: Tensor) -> Tensor:
    """How far inside each of `length` pixels lies: 0 at the ends, 1 beyond `FEATHER` of half the length."""
    place = (torch.arange(length, device=like.device) + 0.5) / length * 2 - 1
    return ((1 - place.abs()) / FEATHER).clamp(0, 1)
