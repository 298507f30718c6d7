"""Combining several frames of one track, whose cells lie differently on the face: super-resolution against mosaics.

Iterative back-projection (Irani & Peleg 1991, "Improving Resolution by Image Registration"): the attacker guesses the
face, runs the method over his guess as it was run over each frame, and corrects the guess by what differs. He needs
the method and its settings, nothing else, so this works against every operator that always answers alike.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from or_mv_anon.attack.anonymizers import Anonymizer
from or_mv_anon.attack.identities import Face
from or_mv_anon.attack.region_crops import RegionCrops, face_crop, reduced, region_crop, shifted
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.models.detectors.protocol import Picture

REGION_SIDE = 64  # px of the reduced region: a head in a room is rarely larger
ROUNDS = 2  # of correction; the mean of the frames comes first


def restored(face: Face, anonymizer: Anonymizer, draw: np.random.Generator, *, frames: int) -> tuple[Picture, Boxes]:
    """The attacker's guess of a clear picture from anonymized ones whose regions lie a little aside of each other.

    Args:
        face: clear; only its anonymized pictures are used for the guess.
        anonymizer: the method under attack.
        draw: of the regions.
        frames: how many anonymized pictures he has.

    Returns:
        The guess, and the box ``(1, 4)`` that was covered in all frames: beyond it the guess holds what one of them
        showed in the clear, which is no merit of the restoration.
    """
    regions = [shifted(face, draw) for _ in range(frames)]
    seen = np.stack([anonymizer(face.picture, region) for region in regions]).astype(np.float32)
    guess = seen.mean(axis=0)
    for _ in range(ROUNDS):
        again = np.stack([anonymizer(_as_picture(guess), region) for region in regions]).astype(np.float32)
        guess = guess + (seen - again).mean(axis=0)
    covered = np.concatenate(regions)
    always = np.concatenate([covered[:, :2].max(axis=0), covered[:, 2:].min(axis=0)])
    return _as_picture(guess), always[None].astype(np.float32)


def take_restored(faces: Sequence[Face], anonymizer: Anonymizer, *, frames: int, seed: int) -> RegionCrops:
    """Crops of faces restored from `frames` pictures each; see `looks.take_looks`."""
    region, face_only = [], []
    for row, face in enumerate(tqdm(faces, desc=f"{anonymizer.name}: tracks", unit="face", disable=None, leave=False)):
        small, draw = reduced(face, side=REGION_SIDE), np.random.default_rng((seed, row))
        guess, covered = restored(small, anonymizer, draw, frames=frames)
        region.append([region_crop(guess, covered)])
        face_only.append([face_crop(guess, small, covered)])
    return RegionCrops(np.asarray(region, np.float32), np.asarray(face_only, np.float32))


def _as_picture(guess: NDArray[np.float32]) -> Picture:
    return np.clip(np.rint(guess), 0, 255).astype(np.uint8)
