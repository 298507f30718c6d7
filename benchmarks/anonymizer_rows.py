"""One row of `anonymizers.py`: everything that is measured of one anonymizer."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.anonymizer_candidates import Candidate
from benchmarks.attackers.bodies import Bodies, covered_frames, describe, match_bodies
from benchmarks.attackers.structural_similarity import structural_similarity
from or_mv_anon.attack.adaptive import TrackDiscriminant
from or_mv_anon.attack.anonymizers import Anonymizer, LearnedAnonymizer, anonymized
from or_mv_anon.attack.attack import ADAPTIVE, NAIVE, Attacker
from or_mv_anon.attack.chance import chance_of_best
from or_mv_anon.attack.identities import Face
from or_mv_anon.attack.matching import measure
from or_mv_anon.attack.region_crops import RegionAlone
from or_mv_anon.head_training.action_training import mean_average_precision
from or_mv_anon.head_training.actions import ActionNetwork, judged, scores
from or_mv_anon.head_training.simulated import SimulatedFrame
from or_mv_anon.models.embedder import PersonEmbedder

TIMED = 60  # faces


@dataclass(frozen=True, eq=False)
class Material:
    """What every anonymizer is measured on.

    Attributes:
        gallery, probes: clear pictures of the people under attack.
        known: of other people.
        attackers: naive and adaptive, who see one picture each.
        frames: of a simulated room.
        bodies: the people in them, in the clear.
        embedder: who described them.
        actions: trained on clear frames of another day.
        learned_actions: that were to be seen on that day; people who do something else are not judged.
    """

    gallery: Sequence[Face]
    probes: Sequence[Face]
    known: Sequence[Face]
    attackers: Sequence[Attacker]
    frames: Sequence[SimulatedFrame]
    bodies: Bodies
    embedder: PersonEmbedder
    actions: ActionNetwork
    learned_actions: NDArray[np.intp]


def measure_row(candidate: Candidate, material: Material) -> dict[str, Any]:
    """All figures of one anonymizer, as plain values."""
    anonymizer = candidate.attacked
    started = time.perf_counter()
    alone = RegionAlone(anonymizer)
    hidden = anonymized(material.probes, alone)
    found: dict[str, dict[str, NDArray[np.float32]]] = {NAIVE: {}, ADAPTIVE: {}}
    for attacker in material.attackers:
        attacker.fit(material.known, alone)
        similarity = attacker.similarity(hidden, material.gallery)
        for kind in {attacker.kind, ADAPTIVE}:  # whoever adapts may also do what the naive do
            found[kind][attacker.name] = similarity
    tracks = TrackDiscriminant()
    tracks.fit(material.known, anonymizer)
    found["several frames"] = tracks.similarities(material.probes, material.gallery)
    row = {
        "name": candidate.name,
        "attack": _attack(found, material),
        "ssim": statistics.fmean(
            structural_similarity(clear.picture, seen.picture, clear.region)
            for clear, seen in zip(material.probes, anonymized(material.probes, anonymizer), strict=True)
        ),
        "ms_per_face": _milliseconds(candidate.shipped, material.probes),
        "outcomes": _outcomes(candidate.shipped),
        **_room(anonymizer, material),
    }
    return {**row, "seconds": round(time.perf_counter() - started, 1)}


def _attack(found: dict[str, dict[str, NDArray[np.float32]]], material: Material) -> dict[str, Any]:
    """Set of people -> kind of attack -> every attacker's figures, the best one's name, and chance for the best."""
    probe_ids = np.array([face.identity for face in material.probes])
    gallery_ids = np.array([face.identity for face in material.gallery])
    of_probe, of_gallery = (np.array([name.partition("/")[0] for name in ids]) for ids in (probe_ids, gallery_ids))
    figures: dict[str, Any] = {}
    for people in np.unique(of_probe):
        rows, columns = np.flatnonzero(of_probe == people), np.flatnonzero(of_gallery == people)
        kinds = figures[str(people)] = {}
        for kind, attackers in found.items():
            own = {name: similarity[np.ix_(rows, columns)] for name, similarity in attackers.items()}
            measured = {name: measure(each, probe_ids[rows], gallery_ids[columns]) for name, each in own.items()}
            kinds[kind] = {
                "best": max(measured, key=lambda name: measured[name].rank1.value or 0.0),
                "chance": chance_of_best([*own.values()], probe_ids[rows], gallery_ids[columns]).as_dict(),
                "attackers": {name: each.as_dict() for name, each in measured.items()},
            }
    return figures


def _room(anonymizer: Anonymizer, material: Material) -> dict[str, Any]:
    """Bodies and actions in the simulated room."""
    covered = list(covered_frames(material.frames, anonymizer))
    scored, action = [], []
    for frame in covered:
        people = frame.people[judged(frame.people) & np.isin(frame.people.action, material.learned_actions)]
        scored.append(scores(material.actions, frame.picture, people.visible_box))
        action.append(people.action)
    return {
        "bodies": match_bodies(describe(covered, material.embedder), material.bodies).as_dict(),
        "action_map": mean_average_precision(np.concatenate(scored), np.concatenate(action)),
        "people_judged": int(sum(len(each) for each in action)),
    }


def _milliseconds(anonymizer: Anonymizer, faces: Sequence[Face]) -> float:
    """Median processor time of covering one face, a picture in and a picture out; waiting for others does not count."""
    taken = []
    for face in faces[:TIMED]:
        started = time.process_time()
        anonymizer(face.picture, face.region)
        taken.append(1000 * (time.process_time() - started))
    return statistics.median(taken)


def _outcomes(anonymizer: Anonymizer) -> dict[str, int]:
    """What became of the timed faces, if the learned method drew them."""
    return dict(anonymizer.operator.counts) if isinstance(anonymizer, LearnedAnonymizer) else {}
