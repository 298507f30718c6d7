"""Attackers who adapt to the method: they run it over the pictures that they have, and learn from what comes out.

All know the method and its settings, and where region and landmarks are. Those that learn the enrolled people's own
anonymized pictures are the strongest, and the most realistic: whoever can name the candidates has pictures of them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.attack.anonymizers import anonymized
from or_mv_anon.attack.attack import Repeating, embed
from or_mv_anon.attack.discriminant import Discriminant, fit_discriminant
from or_mv_anon.attack.identities import Face
from or_mv_anon.attack.region_crops import RegionCrops, crops, take_crops
from or_mv_anon.attack.several_frames import take_restored
from or_mv_anon.models.recognizers import Recognizer

Part = Literal["region", "face"]
SHIFTS = 6  # further looks at each enrolled picture, with the region a little aside
FRAMES = 8  # of one track, with the region a little aside in each


class PixelDiscriminant(Repeating):
    """Learns the enrolled people's anonymized pixels; no recognizer, hardly any computation.

    Args:
        part: `region` looks at all that was covered, hair and a rim of background too; `face` at eyes to chin alone.
    """

    def __init__(self, part: Part) -> None:
        self.name = f"pixels of the {part}"
        self._part = part

    def similarity(self, probes: Sequence[Face], gallery: Sequence[Face]) -> NDArray[np.float32]:
        learned, person = _learned(take_crops(gallery, self.method, shifts=SHIFTS), self._part, gallery)
        return learned.scores(getattr(crops(probes), self._part)[:, 0])[:, person]


class VectorDiscriminant(Repeating):
    """Learns the enrolled people's anonymized pictures as a recognizer describes them."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.name = f"vectors of {recognizer.name}"
        self._recognizer = recognizer

    def similarity(self, probes: Sequence[Face], gallery: Sequence[Face]) -> NDArray[np.float32]:
        person = enrolled(gallery)
        learned = fit_discriminant(embed(self._recognizer, anonymized(gallery, self.method)), person)
        return learned.scores(embed(self._recognizer, probes))[:, person]


class TrackDiscriminant(Repeating):
    """Combines several frames of one track before it compares pixels; see `several_frames.py`.

    The other attackers are given one anonymized picture; this one takes its frames from clear probes.
    """

    name = f"pixels of {FRAMES} frames"

    def __init__(self, *, seed: int = 0) -> None:
        self._seed = seed

    def similarities(self, probes: Sequence[Face], gallery: Sequence[Face]) -> dict[str, NDArray[np.float32]]:
        """How alike clear `probes`, filmed for some frames through the method, and clear `gallery` pictures are.

        Returns:
            Way of combining and part of the picture -> ``(P, G)``.
        """
        single = take_crops(gallery, self.method, shifts=SHIFTS)
        frames = take_crops(probes, self.method, shifts=FRAMES, seed=self._seed + 2)
        repeated = take_restored(gallery, self.method, frames=FRAMES, seed=self._seed)
        restored = take_restored(probes, self.method, frames=FRAMES, seed=self._seed + 1)
        found = {}
        for part in ("region", "face"):
            learned, person = _learned(single, part, gallery)
            looks = getattr(frames, part)[:, 1:]  # the first has the region where the pipeline puts it
            votes = np.mean([learned.scores(looks[:, look]) for look in range(FRAMES)], axis=0)
            found[f"votes, {part}"] = votes[:, person]
            learned, person = _learned(repeated, part, gallery)
            found[f"restored, {part}"] = learned.scores(getattr(restored, part)[:, 0])[:, person]
        return found


def enrolled(gallery: Sequence[Face]) -> NDArray[np.intp]:
    """Whose picture each is, ``(G,)``, counting the people from 0 in alphabetical order."""
    return np.unique([face.identity for face in gallery], return_inverse=True)[1]


def _learned(looks: RegionCrops, part: str, gallery: Sequence[Face]) -> tuple[Discriminant, NDArray[np.intp]]:
    samples, person = getattr(looks, part), enrolled(gallery)
    count = samples.shape[1]
    return fit_discriminant(samples.reshape(len(samples) * count, -1), np.repeat(person, count)), person
