"""Heads that a person detector finds in the same pass, if it is one that knows them; they need no person and no pose.

They are followed like faces. A person to whom one of them clearly belongs is covered there, instead of wherever in the
box a head might be.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import HeadConfig, PipelineConfig
from or_mv_anon.core.records import Detections, FrameFlag, RegionKind, Tracks
from or_mv_anon.core.rows import ranges
from or_mv_anon.core.run_layout import HEADS
from or_mv_anon.regions.source import FACE_SCALE, Batch, CameraScene, Mask, Observed, Proposal, RegionSource
from or_mv_anon.tracking.offline import track_detections
from or_mv_anon.video.frame import Frame

INSIDE = 0.6  # share of a head's box that lies in the box of its person, for boxes cut off at the hair


class HeadSource(RegionSource):
    """Notes the heads of the person detector's pass, follows them, and proposes them for their people."""

    name = "heads"
    table = HEADS
    flag = FrameFlag.HEADS
    observes_by = ("detection",)
    follows_by = ("face_tracking", "heads")
    places_by = ("heads",)

    def due(self, times: NDArray[np.float64], detected: Mask, config: PipelineConfig) -> Mask:
        return detected

    def observe(self, batch: Batch, due: Sequence[Frame], networks: Any, config: PipelineConfig) -> Detections | None:
        return batch.heads

    def follow(self, observed: Observed, config: PipelineConfig) -> Tracks:
        heads = observed.read(HEADS)
        as_faces = heads.replace(box=bx.expand(heads.box, ratio=(config.heads.scale / FACE_SCALE - 1) / 2))
        return track_detections(as_faces, observed.frames, self.flag, config.face_tracking, observed.size)

    def propose(self, scene: CameraScene, people: Tracks, config: PipelineConfig) -> Proposal | None:
        if scene.read is None:
            return None
        heads = scene.read(HEADS)
        heads = heads[heads.score >= config.heads.sure_score]
        head = own_heads(people, heads, config.heads)
        known = head >= 0
        box = people.box.copy()
        uncertainty = np.ones(len(people), np.float32)
        if known.any():
            box[known] = bx.expand(heads.box[head[known]], ratio=(config.heads.scale - 1) / 2)
            uncertainty[known] = 1 - heads.score[head[known]]
        return Proposal(box, uncertainty, np.full(len(people), RegionKind.HEAD, np.uint8))


def own_heads(people: Tracks, heads: Detections, config: HeadConfig) -> NDArray[np.intp]:
    """The row of the one head that can be a person's, ``(P,)``; -1 where there is none, or more than one.

    Args:
        people: boxes of persons.
        heads: sure ones, ordered by frame.
        config: how large a head can be.
    """
    first = np.searchsorted(heads.frame, people.frame, side="left")
    counts = np.searchsorted(heads.frame, people.frame, side="right") - first
    person, head = np.repeat(np.arange(len(people)), counts), ranges(first, counts)
    fits = _can_belong(heads.box[head], people.box[person], config)
    person, head = person[fits], head[fits]
    own = np.full(len(people), -1, np.intp)
    own[person] = head
    own[np.bincount(person, minlength=len(people)) != 1] = -1
    return own


def _can_belong(head: Boxes, person: Boxes, config: HeadConfig) -> NDArray[np.bool_]:
    """Whether each head lies in the box of the person beside it and is not too large for it."""
    overlap = np.minimum(head[:, 2:], person[:, 2:]) - np.maximum(head[:, :2], person[:, :2])
    inside = overlap.clip(0).prod(axis=1) >= INSIDE * bx.area(head)
    longer = (person[:, 2:] - person[:, :2]).max(axis=1)
    return np.asarray(inside & ((head[:, 2:] - head[:, :2]).max(axis=1) <= config.largest_share * longer))
