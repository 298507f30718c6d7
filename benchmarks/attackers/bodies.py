"""Who a person is, told from the whole body: the risk that covering heads does not touch.

Gait, build, clogs and the way a gown is tied stay in the picture. OSNet (Zhou et al. 2019) describes whole people in
anonymized frames and looks for them among clear pictures: of the same camera at another time, and of other cameras.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.attack.anonymizers import Anonymizer
from or_mv_anon.attack.matching import RESAMPLES, chance, rank
from or_mv_anon.core.bootstrap import Blocks, Estimate
from or_mv_anon.core.boxes import Boxes, clip, expand
from or_mv_anon.core.figures import Figures
from or_mv_anon.core.truth import TruthPeople
from or_mv_anon.head_training.actions import judged
from or_mv_anon.head_training.simulated import SimulatedFrame
from or_mv_anon.models.embedder import PersonEmbedder

HEAD_GROWTH = 0.175  # of a head box on every side: the pipeline's region is 1.35 heads high and wide
ANOTHER_TIME_S = 5.0  # seconds from which on the same camera's picture counts as another time


@dataclass(frozen=True, eq=False)
class Bodies:
    """People as OSNet describes them, one row each.

    Attributes:
        vector: ``(N, 512)`` unit vectors.
        person, camera: ``(N,)`` who, and in which camera's picture.
        time: ``(N,)`` seconds.
    """

    vector: NDArray[np.float32]
    person: NDArray[np.int64]
    camera: NDArray[np.str_]
    time: NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class BodyMatching(Figures):
    """Rank-1 of anonymized people among clear ones, with intervals over people.

    Attributes:
        people, probes: how many.
        same_camera: against the same camera's pictures of another time.
        other_cameras: against other cameras' pictures.
        chance: what guessing reaches.
    """

    people: int
    probes: int
    same_camera: Estimate
    other_cameras: Estimate
    chance: float


def covered_frames(frames: Sequence[SimulatedFrame], anonymizer: Anonymizer) -> Iterator[SimulatedFrame]:
    """The frames with every head covered where it truly is, whatever a detector would find."""
    for frame in frames:
        height, width = frame.picture.shape[:2]
        heads = clip(head_regions(frame.people), width=width, height=height)
        heads = heads[(heads[:, 2:] > heads[:, :2]).all(axis=1)]
        yield SimulatedFrame(frame.camera, anonymizer(frame.picture, heads), frame.people, frame.time)


def head_regions(people: TruthPeople) -> Boxes:
    """Regions ``(N, 4)`` as the pipeline would place them if it knew the heads exactly."""
    return expand(people.head_box, ratio=HEAD_GROWTH)


def describe(frames: Sequence[SimulatedFrame], embedder: PersonEmbedder) -> Bodies:
    """Everybody of whom enough shows."""
    vector, person, camera, time = [], [], [], []
    for frame in frames:
        people = frame.people[judged(frame.people)]
        vector.append(embedder.embed(frame.picture, people.visible_box))
        person.append(people.person)
        camera += [frame.camera] * len(people)
        time += [frame.time] * len(people)
    return Bodies(np.concatenate(vector), np.concatenate(person).astype(np.int64), np.array(camera), np.array(time))


def match_bodies(probes: Bodies, gallery: Bodies, *, seed: int = 0) -> BodyMatching:
    """How often the clear picture most like an anonymized person is of that person.

    Args:
        probes: anonymized people.
        gallery: the same recording in the clear.
        seed: of the intervals' resampling.
    """
    similarity = probes.vector @ gallery.vector.T
    same = probes.camera[:, None] == gallery.camera[None]
    apart = np.abs(probes.time[:, None] - gallery.time[None]) >= ANOTHER_TIME_S
    people, who = np.unique(probes.person, return_inverse=True)
    blocks = Blocks.drawn(len(people), resamples=RESAMPLES, seed=seed)

    def rank1(allowed: NDArray[np.bool_]) -> Estimate:
        hits = rank(np.where(allowed, similarity, -2.0), probes.person.astype(str), gallery.person.astype(str), 1)
        # Only people who are in the gallery of this probe can be found.
        present = ((probes.person[:, None] == gallery.person[None]) & allowed).any(axis=1)
        return blocks.ratio(blocks.total(who, hits * present), blocks.total(who, present))

    return BodyMatching(
        people=len(people),
        probes=len(probes.person),
        same_camera=rank1(same & apart),
        other_cameras=rank1(~same),
        chance=chance(len(np.unique(gallery.person)), 1),
    )
