"""Whether a site's heads are better covered with some networks than with others: tried out, and judged without labels.

The anonymizer looks at stretches of time that were never trained on, once with each choice of networks and otherwise at
its own settings, as far as the regions. Heads count there that the labels of any iteration trust (`head_boxes.py`):
found by tracking over time and confirmed by networks that stay as they are, they are known also where single pictures
do not show them. What is measured is what matters at the end, heads that stay open and how much is covered, and not how
many people a detector finds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from or_mv_anon.adaptation.analysis import look_at
from or_mv_anon.adaptation.coco import LabelledImage
from or_mv_anon.adaptation.material import Window
from or_mv_anon.adaptation.results import camera_name
from or_mv_anon.adaptation.selection import merge_reference_heads
from or_mv_anon.adaptation.settings import ReleaseConfig
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.records import Column
from or_mv_anon.core.run_layout import REGIONS
from or_mv_anon.pipeline.artifacts import read_joined
from or_mv_anon.pipeline.executors import open_executor
from or_mv_anon.pipeline.spec import RunSpec

GRID = 12  # points to a side of a head's box at which it is asked whether they are covered
ANY_WEIGHT = float(np.finfo(np.float32).tiny)  # of a head that any iteration trusts
PICTURE_GRID = 64  # and to a side of a picture


@dataclass(frozen=True)
class ReferenceHeads:
    """Heads in one held-out picture: `box` (N, 4) in pixels of the upright frame, `weight` (N,)."""

    camera: str
    frame: int
    box: Boxes
    weight: Column


@dataclass(frozen=True)
class Cover:
    """What one choice of networks covers in one held-out picture.

    Attributes:
        open: weight of the reference heads that stay open.
        heads: weight of all.
        area: share of the picture that is covered.
    """

    open: float
    heads: float
    area: float


Trial = Mapping[int, Cover]
"""By picture."""


@dataclass(frozen=True)
class Covered:
    """The sums over several pictures; see `Cover`. `area` is a mean."""

    open: float
    heads: float
    area: float

    def in_words(self) -> str:
        """For the card."""
        return f"{self.open:.1f} of {self.heads:.1f} heads open, {self.area:.1%} of the pictures covered"


def reference_heads(
    iterations: Sequence[Sequence[LabelledImage]], sizes: Mapping[str, tuple[int, int]], *, least_iou: float
) -> dict[int, ReferenceHeads]:
    """The trusted heads of all iterations by picture, each head once.

    Args:
        iterations: the held-out pictures as every iteration labelled them.
        sizes: width and height of every camera's upright frames.
        least_iou: overlap from which a head is one that an earlier iteration named.
    """
    images = {image.number: image for labelled in iterations for image in labelled}
    found = {}
    for number, heads in merge_reference_heads(iterations, least_weight=ANY_WEIGHT, match_iou=least_iou).items():
        image = images[number]
        scale = np.tile(np.array(sizes[image.camera]) / image.size, 2).astype(np.float32)
        found[number] = ReferenceHeads(image.camera, image.frame, heads.people * scale, heads.weight)
    return found


def try_networks(
    spec: RunSpec, windows: Sequence[Window], heads: Mapping[int, ReferenceHeads], folder: Path, config: ReleaseConfig
) -> Trial:
    """Run the anonymizer with `spec` over `windows`; what was finished earlier is kept in `folder`.

    Returns:
        What it covers in every picture of `heads` that a camera without failures shows.
    """
    found: dict[int, Cover] = {}
    with open_executor(spec) as executor:
        for window in windows:
            run = look_at(window, folder, spec, executor)
            facts = {camera.camera.name: each for camera, each in zip(run.plan.cameras, run.plan.facts, strict=True)}
            for camera in run.healthy:
                name = camera_name(window.recording.session.name, camera)
                regions, size = read_joined(camera, REGIONS), facts[camera.camera.name].upright_size
                for number, there in heads.items():
                    if there.camera == name and camera.first <= there.frame < camera.stop:
                        span = np.searchsorted(
                            regions.frame, [there.frame - camera.first, there.frame - camera.first + 1]
                        )
                        found[number] = _cover(there, regions.box[slice(*span)], size, config)
    return found


def compare(trials: Mapping[str, Trial]) -> dict[str, Covered]:
    """The sums of several trials over the pictures that all of them have."""
    pictures = sorted(set.intersection(*(set(trial) for trial in trials.values())))
    return {
        name: Covered(
            open=sum(trial[number].open for number in pictures),
            heads=sum(trial[number].heads for number in pictures),
            area=float(np.mean([trial[number].area for number in pictures])) if pictures else 0.0,
        )
        for name, trial in trials.items()
    }


def covers_more_heads(found: Covered, usual: Covered, config: ReleaseConfig) -> bool:
    """Whether fewer heads stay open."""
    return found.heads >= config.least_heads and found.open <= usual.open - config.least_heads_gained


def is_better(found: Covered, usual: Covered, config: ReleaseConfig) -> bool:
    """Whether fewer heads stay open, or as many while clearly less is covered; never with more open heads."""
    less = found.open <= usual.open and found.area <= usual.area * (1 - config.least_area_gained)
    return covers_more_heads(found, usual, config) or (found.heads >= config.least_heads and less)


def is_no_worse(found: Covered, usual: Covered, config: ReleaseConfig) -> bool:
    """Whether neither more heads stay open nor more is covered."""
    return found.heads >= config.least_heads and found.open <= usual.open and found.area <= usual.area


def is_as_good(found: Covered, usual: Covered, config: ReleaseConfig) -> bool:
    """Whether a faster choice leaves hardly more heads open."""
    return found.heads >= config.least_heads_for_student and found.open <= max(
        usual.open * config.most_open_by_student, config.least_heads_gained
    )


def _cover(there: ReferenceHeads, regions: Boxes, size: tuple[int, int], config: ReleaseConfig) -> Cover:
    steps = (np.arange(GRID) + 0.5) / GRID
    across, down = np.meshgrid(steps, steps)
    corner, sides = there.box[:, :2], there.box[:, 2:] - there.box[:, :2]
    points = corner[:, None] + sides[:, None] * np.stack([across, down], axis=-1).reshape(1, -1, 2)
    inside = _inside(points.reshape(-1, 2), regions).reshape(len(there.box), GRID * GRID)
    is_open = inside.mean(axis=1) < config.covered_share if len(there.box) else np.zeros(0, bool)
    steps = (np.arange(PICTURE_GRID) + 0.5) / PICTURE_GRID
    everywhere = np.stack(np.meshgrid(steps * size[0], steps * size[1]), axis=-1).reshape(-1, 2)
    return Cover(
        open=float(there.weight[is_open].sum()),
        heads=float(there.weight.sum()),
        area=float(_inside(everywhere, regions).mean()),
    )


def _inside(points: np.ndarray, regions: Boxes) -> np.ndarray:
    """Which points ``(P, 2)`` lie in any of the regions ``(N, 4)``."""
    x, y = points[:, :1], points[:, 1:]
    inside = (x >= regions[:, 0]) & (x < regions[:, 2]) & (y >= regions[:, 1]) & (y < regions[:, 3])
    return np.asarray(inside.any(axis=1))
