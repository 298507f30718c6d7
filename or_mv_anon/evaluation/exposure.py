"""The headline: how often a face that could be recognized is not covered.

A face counts in a frame when it is tall enough, enough of it shows, and it is turned towards the camera; it is exposed
when too few of its visible pixels are covered. All figures are sums over such face-frames; intervals come from
resampling stretches of time.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.bootstrap import Blocks, Estimate, exact_share
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.figures import Figures
from or_mv_anon.evaluation.exposure_tally import HOUR, Counted, Tally, instant_seconds
from or_mv_anon.evaluation.judging import JudgedFaces, JudgedFrames, Pixels

HEIGHT_BANDS = (16.0, 24.0, 40.0, 80.0)  # px; the first band begins at the least height that counts
ANGLE_BANDS = (30.0, 60.0)  # degrees
VISIBLE_BANDS = (0.5, 0.7, 0.9)
ROUNDING = 1e-6  # px; so that 0.9 of 10 pixels is 9
MASK_NAMES = ("no mask", "mask worn", "mask pulled down")


@dataclass(frozen=True, kw_only=True)
class ExposureOptions:
    """Which faces count, when one is exposed, and how intervals are made.

    Attributes:
        min_height: pixels from forehead to chin. Below about 10 hardly a colleague can tell who it is.
        min_visible_share: of the face's pixels, a worn mask included.
        max_angle: degrees between where the face looks and the camera. Ceiling cameras see bent people from far off
            their gaze, and a profile (90) is still recognized; beyond it the back of the head takes over.
        covered_share: of the visible pixels, below which a face is exposed.
        pixels: `face` asks for the whole face with its mask to be covered, `bare` for what the mask leaves free.
        block_s: seconds that are drawn together.
        resamples: how often.
        seed: of the draws.
    """

    min_height: float = 10.0
    min_visible_share: float = 0.3
    max_angle: float = 90.0
    covered_share: float = 0.9
    pixels: Pixels = "face"
    block_s: float = 5.0
    resamples: int = 1000
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("min_visible_share", "covered_share"):
            if not 0 <= getattr(self, name) <= 1:
                raise UserError(f"{name} is {getattr(self, name)}; expected a share from 0 to 1.")
        if self.block_s <= 0 or self.resamples < 1:
            raise UserError("Blocks must last longer than 0 s, and at least one resample is needed.")


@dataclass(frozen=True, kw_only=True)
class Exposure(Figures):
    """The exposure of one session.

    Attributes:
        cameras: their names, in order.
        blocks: stretches of time that intervals are drawn from.
        camera_hours: recorded, all cameras together.
        faces: face-frames.
        turned_away: face-frames that would count but for their angle; in no other figure.
        per_camera_hour: exposed face-frames.
        persons: people in one camera who ever count, and those exposed at least once.
        longest_s: the longest unbroken exposure of one person in one camera.
        exposed_blocks: share of the stretches of time with any exposure, with its exact interval.
        holistic_recall: share of the moments of a person that are covered in every camera where the face counts.
        covered_outside: share of the area where nobody is that is covered.
        covered: share of all pictures that is covered.
        groups: face-frames by camera, height, angle, mask and visible share.
        per_camera: the figures of single cameras.
    """

    cameras: Sequence[str]
    blocks: int
    camera_hours: float
    faces: Counted
    turned_away: Counted
    per_camera_hour: Estimate
    persons: Counted
    longest_s: Estimate
    exposed_blocks: Estimate
    holistic_recall: Estimate
    covered_outside: Estimate
    covered: Estimate
    groups: Mapping[str, Mapping[str, Counted]]
    per_camera: Mapping[str, Mapping[str, Estimate]]


def counts(faces: JudgedFaces, options: ExposureOptions) -> NDArray[np.bool_]:
    """Which faces count (N,): tall, visible and turned enough, with at least one pixel of the kind asked for."""
    return (
        (faces.height >= options.min_height)
        & (faces.visible_share >= options.min_visible_share)
        & (faces.angle <= options.max_angle)
        & (faces.pixels > 0)
    )


def is_exposed(faces: JudgedFaces, options: ExposureOptions) -> NDArray[np.bool_]:
    """Which faces (N,) are covered too little, whether they count or not."""
    return faces.covered < options.covered_share * faces.pixels - ROUNDING


def measure_exposure(
    faces: JudgedFaces, frames: JudgedFrames, cameras: Sequence[str], options: ExposureOptions
) -> Exposure:
    """The exposure of a session.

    Args:
        faces: of all cameras.
        frames: of all cameras.
        cameras: names, in the order in which both count cameras.
        options: see `ExposureOptions`.

    Raises:
        UserError: there is no frame.
    """
    if not len(frames):
        raise UserError("There is no frame to evaluate.")
    first = frames.instant.min()
    per_block = max(1, round(options.block_s / instant_seconds(frames)))
    frame_block = (frames.instant - first) // per_block
    blocks = Blocks.drawn(int(frame_block.max()) + 1, resamples=options.resamples, seed=options.seed)

    def tally_of(chosen: JudgedFaces) -> Tally:
        face_block = (chosen.instant - first) // per_block
        return Tally(chosen, is_exposed(chosen, options), face_block, frames, frame_block, blocks)

    chosen = counts(faces, options)
    turned_away = tally_of(faces[counts(faces, replace(options, max_angle=math.inf)) & ~chosen])
    faces = faces[chosen]
    tally = tally_of(faces)
    per_camera = {name: tally.of_frames(frames.camera == i, faces.camera == i) for i, name in enumerate(cameras)}
    everything = tally.of_frames(np.ones(len(frames), bool), np.ones(len(faces), bool))
    seconds = frames.stop - frames.start
    hit = np.zeros(blocks.number, bool)
    hit[tally.face_block[tally.exposed]] = True
    return Exposure(
        cameras=tuple(cameras),
        blocks=blocks.number,
        camera_hours=float(seconds.sum() / HOUR),
        faces=tally.everything(),
        turned_away=turned_away.everything(),
        persons=tally.persons(),
        longest_s=tally.longest(),
        exposed_blocks=exact_share(int(hit.sum()), len(np.unique(frame_block))),
        holistic_recall=tally.holistic(),
        groups=_groups(faces, cameras, options, tally),
        per_camera=per_camera,
        **everything,
    )


def _groups(
    faces: JudgedFaces, cameras: Sequence[str], options: ExposureOptions, tally: Tally
) -> dict[str, dict[str, Counted]]:
    heights = [options.min_height, *(edge for edge in HEIGHT_BANDS if edge > options.min_height), np.inf]
    shares = [options.min_visible_share, *(edge for edge in VISIBLE_BANDS if edge > options.min_visible_share), np.inf]
    angles = [0.0, *(edge for edge in ANGLE_BANDS if edge < options.max_angle), np.inf]
    return {
        "camera": {name: tally.counted(faces.camera == i) for i, name in enumerate(cameras)},
        "height": _bands(faces.height, heights, tally, unit=" px"),
        "angle": _bands(faces.angle, angles, tally, unit="°"),
        "mask": {name: tally.counted(faces.mask == i) for i, name in enumerate(MASK_NAMES)},
        "visible_share": _bands(faces.visible_share, shares, tally),
    }


def _bands(values: NDArray[Any], edges: Sequence[float], tally: Tally, *, unit: str = "") -> dict[str, Counted]:
    bands = {}
    for low, high in pairwise(edges):
        name = f"{low:g}{unit} and more" if high == np.inf else f"{low:g} to {high:g}{unit}"
        bands[name] = tally.counted((values >= low) & (values < high))
    return bands
