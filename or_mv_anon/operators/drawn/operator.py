"""The operator behind ``--method learned``: a drawn head where one may be shown, the strict operator everywhere else.

The strict operator covers every region first. A head is drawn over its region only after it was judged in memory; if
drawing or judging fails, what the strict operator did stands.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.config import LearnedConfig, OperatorConfig
from or_mv_anon.core.records import Regions
from or_mv_anon.models.detectors.protocol import Picture
from or_mv_anon.models.landmarks import WEIGHTS, LandmarkFinder
from or_mv_anon.models.recognizers import open_recognizers
from or_mv_anon.models.registry import fetch
from or_mv_anon.models.runtime import Device, Precision
from or_mv_anon.operators.cells import Covered, cover, detail_kept, drawn_on, snap, view_of
from or_mv_anon.operators.drawn.drawing import Colours, as_plane, blended
from or_mv_anon.operators.drawn.eligibility import Candidates
from or_mv_anon.operators.drawn.inputs import Head, Seen
from or_mv_anon.operators.drawn.modifier_model import ModifierModel
from or_mv_anon.operators.drawn.release_check import Outcome, ReleaseCheck, chosen
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.pixels import Plane

Patch = list[NDArray]  # what is drawn over one region, per plane
LEAST_FACE_SCORE = 0.5  # of what counts as a face in the original


@dataclass(frozen=True)
class LearnedSettings:
    """Which networks draw and judge, and where they run."""

    modifier: Path
    weights_dir: Path | None
    device: Device
    precision: Precision


@dataclass(frozen=True)
class LearnedNetworks:
    """The loaded networks of one process."""

    modifier: ModifierModel
    check: ReleaseCheck


@lru_cache(maxsize=1)
def load_learned(settings: LearnedSettings, config: LearnedConfig) -> LearnedNetworks:
    """The networks, loaded once per process; on one CPU thread, so that the result is the same for every `--workers`.

    Raises:
        UserError: they cannot be had.
    """
    modifier = ModifierModel(settings.modifier, device=settings.device, precision=settings.precision, threads=1)
    check = ReleaseCheck(
        LandmarkFinder(fetch(WEIGHTS, weights_dir=settings.weights_dir), min_score=LEAST_FACE_SCORE),
        open_recognizers(chosen(config.recognizers), weights_dir=settings.weights_dir, threads=1),
        least_distance=config.least_distance,
    )
    return LearnedNetworks(modifier, check)


class LearnedOperator:
    """Covers the frames of one segment in order; it remembers tracks from frame to frame, and nothing beyond that.

    Attributes:
        counts: what became of the regions, by `Outcome`.
        errors: what went wrong, one sentence for each kind.
    """

    def __init__(self, networks: LearnedNetworks, operators: OperatorConfig, config: LearnedConfig) -> None:
        self._modifier, self._check = networks.modifier, networks.check
        self._operators, self._config = operators, config
        facts = self._modifier.facts
        self._cells = min(operators.cells, facts.cells) if facts.sees == "cells" else operators.cells
        self._candidates = Candidates(config)
        self._seen = Seen(facts, cells=self._cells, smooth_s=config.smooth_s)
        self.counts: Counter[Outcome] = Counter()
        self.errors: dict[str, None] = {}

    def cover(self, frame: Frame, regions: Regions) -> list[Covered]:
        """Cover `regions` in the planes of `frame`; returns what was drawn, in drawing order."""
        outcomes: list[Outcome] = ["failed"] * len(regions)
        heads: list[Head] = []
        try:
            outcomes = self._candidates.consider(regions, frame.time)
            heads = self._heads(frame, regions, outcomes)
        except Exception as error:  # fail closed: without heads to draw the strict operator covers everything
            self._note(error)
            outcomes = ["failed" if outcome == "released" else outcome for outcome in outcomes]
        covered = cover(frame.planes(), frame.to_coded(regions.box), self._config.strict, self._operators)
        patches: list[Patch | None] = [None] * len(heads)
        try:
            patches = self._drawn(frame, heads, outcomes)
        except Exception as error:  # fail closed, the same
            self._note(error)
            for head in heads:
                outcomes[head.row] = "failed"
        self.counts.update(outcomes)
        self._candidates.remember(regions, frame.time, outcomes)
        return self._painted(frame.planes(), heads, patches, covered)

    def _heads(self, frame: Frame, regions: Regions, outcomes: list[Outcome]) -> list[Head]:
        planes = frame.planes()
        height, width = planes[0].pixels.shape
        boxes = frame.to_coded(regions.box)
        heads = []
        for row, outcome in enumerate(outcomes):
            if outcome == "released":
                for box in snap(boxes[row : row + 1], width=width, height=height):
                    source = [view_of(plane, box).copy() for plane in planes]
                    heads.append(Head(row, int(regions.track[row]), box, source))
        return heads

    def _drawn(self, frame: Frame, heads: list[Head], outcomes: list[Outcome]) -> list[Patch | None]:
        """For each head its samples per plane as they may be shown, or None; `outcomes` are brought up to date."""
        if not heads:
            return []
        planes = frame.planes()
        colours = Colours.of_matrix(frame.colour_matrix)
        drawn = self._modifier.draw(self._seen.of(frame, heads, colours))
        patches: list[Patch | None] = []
        originals, results = [], []
        for head, picture in zip(heads, drawn, strict=True):
            rgb = frame.orientation.coded(picture.transpose(1, 2, 0))
            strict = [view_of(plane, head.box) for plane in planes]
            patch = blended(
                colours.samples(rgb, planes, like=head.source),
                strict,
                planes,
                ring=self._config.ring,
                seam=self._config.seam,
            )
            patches.append(patch)
            originals.append(_upright_bgr(frame, colours, head.source))
            results.append(_upright_bgr(frame, colours, patch))
        for place, outcome in enumerate(self._check.judge(originals, results)):
            head, patch_or_none = heads[place], patches[place]
            if outcome == "faceless" and self._modifier.facts.bounded:
                outcome = "released"  # nothing to compare, and hardly anything in it
            if patch_or_none is not None and outcome == "released":
                before, after = (as_plane(samples[0], planes[0]) for samples in (head.source, patch_or_none))
                if detail_kept(before, after, max(1, self._cells)) > self._config.most_detail:
                    outcome = "detailed"
            outcomes[head.row] = outcome
            if outcome != "released":
                patches[place] = None
        return patches

    def _painted(
        self,
        planes: list[Plane],
        heads: list[Head],
        patches: list[Patch | None],
        covered: list[Covered],
    ) -> list[Covered]:
        for head, patch in zip(heads, patches, strict=True):
            if patch is None:
                continue
            for plane, samples in zip(planes, patch, strict=True):
                view_of(plane, head.box)[...] = samples
            # It lies over what the strict operator drew there, and on top of everything drawn so far.
            covered = [entry for entry in covered if entry.box != head.box]
            covered.append(drawn_on(planes[0], head.box, head.source[0]))
        return covered

    def _note(self, error: Exception) -> None:
        self.errors[f"{type(error).__name__}: {error}"] = None


def _upright_bgr(frame: Frame, colours: Colours, samples: list[NDArray]) -> Picture:
    rgb = np.rint(255 * frame.orientation.upright(colours.rgb(samples, frame.planes())))
    return np.ascontiguousarray(rgb[..., ::-1].astype(np.uint8))
