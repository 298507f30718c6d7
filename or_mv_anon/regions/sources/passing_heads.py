"""Heads that are too weak to count alone, but pass through the picture.

A head that the picture's edge cuts off, that is blurred or far away gets scores at which networks see heads everywhere.
What is kept of these candidates are those that go somewhere together, and they are followed like faces. Hands and feet
go somewhere, too: in the box of somebody whose head is known nothing weak is looked at.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Detections, Tracks
from or_mv_anon.core.rows import equal_pairs
from or_mv_anon.core.run_layout import PASSING_HEADS
from or_mv_anon.regions.own_heads import known_heads
from or_mv_anon.regions.source import Batch, Mask, Observed, Reader, as_faces
from or_mv_anon.regions.sources.weak_heads import WeakHeadSource
from or_mv_anon.tracking.passing import passing, passing_tracks

KNOWN = 0.3  # score of a person and of a head from which on both are sure
AROUND = 0.05  # sides of a person's box by which hands may reach out of it
AT_EDGE = 2.0  # px from the picture's edge within which a box is cut off by it


class PassingHeadSource(WeakHeadSource):
    """Keeps weak heads that pass, of those that the detector of heads sees, and follows them."""

    name = "passing_heads"
    table = PASSING_HEADS
    follows_by = ("weak_heads", "heads")

    def worth(self, heads: Detections, batch: Batch, size: tuple[int, int], config: PipelineConfig) -> Mask:
        cut = bx.to_edge(heads.box, width=size[0], height=size[1]) <= AT_EDGE
        lowest = np.where(cut, config.weak_heads.lowest_passing_at_edge, config.weak_heads.lowest_passing)
        return (heads.score >= lowest) & ~_of_known_people(heads, batch, config)

    def settle(self, read: Reader, times: Mapping[int, float], config: PipelineConfig) -> Detections:
        noted = read(PASSING_HEADS)
        seconds = np.array([times[frame] for frame in noted.frame.tolist()], np.float64)
        return noted[passing(noted, np.maximum.accumulate(seconds)) >= 0]

    def follow(self, observed: Observed, config: PipelineConfig) -> Tracks:
        tracks = passing_tracks(observed.read(PASSING_HEADS), np.maximum.accumulate(observed.frames.time))
        return tracks.replace(box=as_faces(tracks.box, scale=config.heads.scale))


def _of_known_people(heads: Detections, batch: Batch, config: PipelineConfig) -> NDArray[np.bool_]:
    """Which `heads` do not count alone and lie with their middle in the box of a person whose own head is sure."""
    sure = batch.persons.score >= KNOWN
    people = batch.persons[sure & known_heads(batch.persons, batch.heads, config, least_score=KNOWN)]
    weak, person = equal_pairs(heads.frame, people.frame)
    middle, box = (heads.box[weak, :2] + heads.box[weak, 2:]) / 2, bx.expand(people.box, ratio=AROUND)[person]
    inside = (middle >= box[:, :2]).all(axis=1) & (middle <= box[:, 2:]).all(axis=1)
    held = np.zeros(len(heads), bool)
    held[weak[inside]] = True
    return held & (heads.score < config.detection.min_score)
