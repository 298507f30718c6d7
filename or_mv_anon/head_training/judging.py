"""What a trained modifier does to heads that it has not learned from; the figures of its model card."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from or_mv_anon.head_training.action_training import mean_average_precision
from or_mv_anon.head_training.actions import ActionNetwork
from or_mv_anon.head_training.batches import Batch, make_batch
from or_mv_anon.head_training.codebook_modifier import CodedModifier
from or_mv_anon.head_training.directions import nearest_direction
from or_mv_anon.head_training.head_pictures import Head
from or_mv_anon.head_training.layout import whole_pixels
from or_mv_anon.head_training.losses import flicker, pasted, sampled
from or_mv_anon.head_training.material import Material
from or_mv_anon.head_training.modifier import Modifier
from or_mv_anon.head_training.settings import LearnedTrainingConfig, Sees
from or_mv_anon.models.landmarks import LandmarkFinder
from or_mv_anon.models.recognizers import Recognizer

BATCH = 32  # heads at once


@dataclass(frozen=True)
class Kind:
    """Figures of one way to show heads: as they are, as mosaics, or modified.

    Attributes:
        difference: mean absolute difference from the picture, 0-1.
        flicker: mean absolute difference between two drawings of one head whose region moved by a twelfth, 0-1.
        face_found: share of the heads with a detectable face in which one is still found.
        recognized: share of the real faces that the recognizer takes for the person they were.
        taken_for_known: share of them that it takes for somebody who was learned from.
        action: mean average precision of the action detector.
        direction: share of the heads of known direction that are drawn facing it; NaN for what is not drawn.
    """

    difference: float
    flicker: float
    face_found: float
    recognized: float
    taken_for_known: float
    action: float
    direction: float


@dataclass(frozen=True)
class Judgement:
    """Clear heads, mosaics and modified heads side by side; figures that could not be had are NaN."""

    real_heads: int
    real_people: int
    simulated_heads: int
    clear: Kind
    mosaic: Kind
    modified: Kind


@dataclass(frozen=True, eq=False)
class _Shown:
    """The judged heads in one way of showing them; all arrays of one length."""

    pictures: Tensor
    displaced: Tensor


def judge(
    modifier: Modifier | CodedModifier,
    action: ActionNetwork | None,
    material: Material,
    *,
    config: LearnedTrainingConfig,
    recognizer: Recognizer,
    finder: LandmarkFinder,
) -> Judgement:
    """Judge on the held-out people and on the sites that were not learned from.

    Args:
        modifier: trained.
        action: the action detector, or None.
        material: with the heads to judge by.
        config: settings.
        recognizer: who tries to recognize, with the landmarks of the clear face.
        finder: of faces; a head counts as a face where it finds one.
    """
    heads = [*material.held_out, *material.elsewhere]
    if not heads:
        nothing = Kind(*[float("nan")] * 7)
        return Judgement(0, 0, 0, nothing, nothing, nothing)
    batches = _batches(heads, config, config.modifier.sees)
    judges = _Judges(heads, material.real, recognizer, finder, action)
    with torch.no_grad():
        modified = _Shown(
            torch.cat([modifier(batch.seen) for batch in batches]),
            torch.cat([modifier(batch.seen_displaced) for batch in batches]),
        )
    cells = _batches(heads, config, "cells")
    mosaic = _Shown(torch.cat([batch.seen for batch in cells]), torch.cat([batch.seen_displaced for batch in cells]))
    pictures = torch.cat([batch.picture for batch in batches])
    moved = torch.cat([sampled(b.picture, b.to_displaced, height=b.picture.shape[2], width=b.picture.shape[3])[0]
                       for b in batches])  # fmt: skip
    return Judgement(
        real_heads=len(material.held_out),
        real_people=len({head.identity for head in material.held_out}),
        simulated_heads=len(material.elsewhere),
        clear=judges.figures(_Shown(pictures, moved), batches),
        mosaic=judges.figures(mosaic, batches),
        modified=replace(judges.figures(modified, batches), direction=_direction(modifier, batches)),
    )


def _batches(heads: Sequence[Head], config: LearnedTrainingConfig, sees: Sees) -> list[Batch]:
    """The heads with nothing left to chance, `seen` being their pictures or their mosaics."""
    modifier = replace(config.modifier, sees=sees)
    return [
        make_batch(heads[i : i + BATCH], identities=(), material=config.material, modifier=modifier, rng=None)
        for i in range(0, len(heads), BATCH)
    ]


def _direction(modifier: Modifier | CodedModifier, batches: Sequence[Batch]) -> float:
    """Share of the heads of known direction for which the right drawing is chosen."""
    if not isinstance(modifier, CodedModifier):
        return float("nan")
    right: list[bool] = []
    for batch in batches:
        with torch.no_grad():
            chosen = modifier.read(batch.seen[batch.turned]).argmax(dim=1).numpy()
        wanted = nearest_direction(batch.facing.numpy(), len(modifier.drawings))
        right += (chosen == wanted).tolist()
    return _mean(right)


class _Judges:
    """Those who look at the heads, and what they saw of the clear ones."""

    def __init__(
        self,
        heads: Sequence[Head],
        learned: Sequence[Head],
        recognizer: Recognizer,
        finder: LandmarkFinder,
        action: ActionNetwork | None,
    ) -> None:
        self._heads, self._recognizer, self._finder, self._action = heads, recognizer, finder, action
        self._findable = [len(finder.find(_bgr(head.picture)).box) > 0 for head in heads]
        self._real = [row for row, head in enumerate(heads) if _recognizable(head)]
        self._clear = self._vectors([heads[row].picture for row in self._real], [heads[row] for row in self._real])
        known = [head for head in learned if _recognizable(head)]
        self._known = self._vectors([head.picture for head in known], known)

    def figures(self, shown: _Shown, batches: Sequence[Batch]) -> Kind:
        """All figures of one way of showing the heads."""
        whole = [_placed(head, picture) for head, picture in zip(self._heads, shown.pictures, strict=True)]
        found = [len(self._finder.find(_bgr(whole[row])).box) > 0 for row in np.flatnonzero(self._findable)]
        vectors = self._vectors([whole[row] for row in self._real], [self._heads[row] for row in self._real])
        alike = (vectors * self._clear).sum(axis=1) >= self._recognizer.same_person
        nearest = (vectors @ self._known.T).max(axis=1) if len(self._known) else np.zeros(0)
        pictures = torch.cat([batch.picture for batch in batches])
        to_displaced = torch.cat([batch.to_displaced for batch in batches])
        return Kind(
            difference=float((shown.pictures - pictures).abs().mean()),
            flicker=float(flicker(shown.pictures, shown.displaced, to_displaced)),
            face_found=_mean(found),
            recognized=_mean(alike),
            taken_for_known=_mean(nearest >= self._recognizer.same_person),
            action=self._action_precision(shown.pictures, batches),
            direction=float("nan"),
        )

    def _action_precision(self, pictures: Tensor, batches: Sequence[Batch]) -> float:
        if self._action is None:
            return float("nan")
        scores, actions = [], []
        for number, batch in enumerate(batches):
            if len(batch.acting):
                heads = pictures[number * BATCH :][: len(batch.seen)][batch.acting]
                with torch.no_grad():
                    logits = self._action.eval()(pasted(batch.person, heads, batch.to_region))
                scores.append(logits.softmax(dim=1).numpy())
                actions.append(batch.action.numpy())
        if not scores:
            return float("nan")
        return mean_average_precision(np.concatenate(scores), np.concatenate(actions))

    def _vectors(self, pictures: Sequence[NDArray[np.uint8]], heads: Sequence[Head]) -> NDArray[np.float32]:
        landmarks = [head.landmarks for head in heads if head.landmarks is not None]
        points = np.stack(landmarks) if landmarks else np.zeros((0, 5, 2), np.float32)
        return self._recognizer.embed([_bgr(picture) for picture in pictures], points)


def _recognizable(head: Head) -> bool:
    return head.landmarks is not None and bool(np.isfinite(head.landmarks).all())


def _placed(head: Head, drawn: Tensor) -> NDArray[np.uint8]:
    """The head's picture (P, P, 3) RGB with its region drawn anew from (3, S, S), 0-1."""
    x1, y1, x2, y2 = whole_pixels(head.region, head.picture.shape[0])
    picture = head.picture.copy()
    shown = (255 * drawn.permute(1, 2, 0).numpy()).round().astype(np.uint8)
    picture[y1:y2, x1:x2] = cv2.resize(shown, (x2 - x1, y2 - y1), interpolation=cv2.INTER_LINEAR)
    return picture


def _bgr(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(picture[..., ::-1])


def _mean(values: Sequence[bool] | NDArray[np.bool_]) -> float:
    return float(np.mean(values)) if len(values) else float("nan")
