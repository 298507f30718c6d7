"""Labels without a labeller: which tracked boxes are trusted, how far, and what is left undecided.

The detector is taught what tracking and the other cameras know. Boxes are trusted by where they come from, and as far
as witnesses that training cannot change confirm them (`evidence`). Whatever may be a person without being trusted
becomes an ignored region, so that nobody is trained as background because the evidence was thin.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.adaptation.label_evidence import (
    clear_tracks,
    evidence_of_detections,
    evidence_of_tracks,
    label_weights,
    occluded_places,
    scores_at,
)
from or_mv_anon.adaptation.results import CameraResults
from or_mv_anon.adaptation.settings import LabelConfig
from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.records import Column, Columns, Detections, Provenance, Tracks

NOBODY = -1


@dataclass(frozen=True)
class PseudoLabels(Columns):
    """Boxes of one camera in frames that were looked at, ordered by frame."""

    frame: Column
    box: Column  # pixels of the upright frame
    weight: Column  # [0, 1] in the loss; 0 for an ignored region
    evidence: Column  # [0, 1] how far it is confirmed independently; 0 where a person is denied, 1 where nobody looked
    score: Column
    provenance: Column  # Provenance
    track: Column  # -1 for a detection that no track claimed
    identity: Column  # -1 where it is not known

    columns = {
        "frame": (np.int32, ()),
        "box": (np.float32, (4,)),
        "weight": (np.float32, ()),
        "evidence": (np.float32, ()),
        "score": (np.float32, ()),
        "provenance": (np.uint8, ()),
        "track": (np.int32, ()),
        "identity": (np.int32, ()),
    }

    @property
    def trusted(self) -> NDArray[np.bool_]:
        """Mask of the people; the others are ignored regions."""
        trusted: NDArray[np.bool_] = self.weight > 0
        return trusted


def label_camera(findings: CameraResults, config: LabelConfig) -> PseudoLabels:
    """Trusted boxes and ignored regions in every frame that was looked at."""
    tracks = findings.tracks
    evidence = evidence_of_tracks(findings, config)
    weight = label_weights(findings, config) * np.nan_to_num(evidence, nan=0.0)
    undecided = [
        _unclaimed(findings, config),
        _remembered(findings, evidence, config),
        _forgotten(findings, config),
    ]
    here = findings.looked[tracks.frame] & (geometry.area(tracks.box) > 0)
    tracks, weight, evidence = tracks[here], weight[here], evidence[here]
    found = PseudoLabels(
        frame=tracks.frame,
        box=tracks.box,
        weight=weight,
        evidence=_undenied(evidence),
        score=tracks.score,
        provenance=tracks.provenance,
        track=tracks.track,
        identity=_identities(findings, tracks),
    )
    labels = PseudoLabels.concat([found, *undecided])
    labels = labels[np.lexsort((-labels.weight, labels.frame))]
    return labels[~_repeated(labels, config.duplicate_iou)]


def _identities(findings: CameraResults, tracks: Tracks) -> NDArray[np.int32]:
    who = findings.identities
    table = np.full(int(max(tracks.track.max(initial=-1), who.track.max(initial=-1))) + 1, NOBODY, np.int32)
    table[who.track] = who.identity
    return table[tracks.track]


def _unclaimed(findings: CameraResults, config: LabelConfig) -> PseudoLabels:
    """Detections that no track took: undecided."""
    persons: Detections = findings.persons
    free = np.ones(len(persons), bool)
    free[findings.tracks.detection[findings.tracks.detection >= 0]] = False
    free &= (persons.score >= config.candidate_score) & findings.looked[persons.frame]
    free &= geometry.area(persons.box) > 0
    return _loose(persons[free], evidence_of_detections(findings, config)[free], config)


def _forgotten(findings: CameraResults, config: LabelConfig) -> PseudoLabels:
    """What only the starting detector finds: undecided, because a later one may have unlearned a person."""
    original = findings.original
    original = original[(original.score >= config.candidate_score) & findings.looked[original.frame]]
    original = original[geometry.area(original.box) > 0]
    again = scores_at(findings.persons, original.frame, original.box, least_iou=config.original_iou) > 0
    lost = original[~again]
    return _loose(lost, np.ones(len(lost), np.float32), config)


def _loose(found: Detections, evidence: NDArray[np.float32], config: LabelConfig) -> PseudoLabels:
    """Detections without a track as ignored regions."""
    nobody = np.full(len(found), NOBODY)
    return PseudoLabels(
        frame=found.frame,
        box=found.box,
        weight=np.zeros(len(found)),
        evidence=_undenied(evidence),
        score=found.score,
        provenance=np.where(found.score >= config.clear_score, Provenance.DETECTED, Provenance.TRACKED),
        track=nobody,
        identity=nobody,
    )


def _remembered(findings: CameraResults, evidence: NDArray[np.float32], config: LabelConfig) -> PseudoLabels:
    """Places of people who are not seen at this moment, but shortly before or after: undecided."""
    tracks = findings.tracks
    frames, boxes, rows = occluded_places(
        tracks, findings.seconds, clear_tracks(tracks, config), remember_s=config.remember_s
    )
    here = findings.looked[frames]
    source = tracks[rows[here]]
    return PseudoLabels(
        frame=frames[here],
        box=boxes[here],
        weight=np.zeros(len(source)),
        evidence=_undenied(evidence[rows[here]]),
        score=source.score,
        provenance=np.full(len(source), Provenance.INTERPOLATED),
        track=source.track,
        identity=_identities(findings, source),
    )


def _undenied(evidence: NDArray[np.float32]) -> NDArray[np.float32]:
    """Where no witness looked, nobody was denied."""
    return np.nan_to_num(evidence, nan=1.0)


def _repeated(labels: PseudoLabels, duplicate_iou: float) -> NDArray[np.bool_]:
    """Rows that say again what a more trusted box of the same frame says; rows come by frame, then by trust."""
    repeated = np.zeros(len(labels), bool)
    bounds = np.flatnonzero(np.diff(labels.frame, prepend=-1, append=-1))
    for first, stop in pairwise(bounds.tolist()):
        trusted = labels.weight[first:stop] > 0
        if not trusted.any():
            continue
        overlap = geometry.iou(labels.box[first:stop], labels.box[first:stop]) > duplicate_iou
        dropped = repeated[first:stop]
        for row in range(stop - first):
            if trusted[row] and not dropped[row]:
                dropped[row + 1 :] |= overlap[row, row + 1 :]
    return repeated
