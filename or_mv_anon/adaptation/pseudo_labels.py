"""Labels without a labeller: which tracked boxes are trusted, how far, and what is left undecided.

The detector is taught what tracking and the other cameras know. Boxes are trusted by where they come from; whatever
may be a person without being trusted becomes an ignored region, so that nobody is trained as background because the
evidence was thin.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from or_mv_anon import boxes as geometry
from or_mv_anon.adaptation.findings import CameraFindings
from or_mv_anon.adaptation.remembered import remembered_places
from or_mv_anon.adaptation.settings import LabelConfig
from or_mv_anon.records import Column, Columns, Detections, Provenance, Tracks

NOBODY = -1


@dataclass(frozen=True)
class PseudoLabels(Columns):
    """Boxes of one camera in frames that were looked at, ordered by frame."""

    frame: Column
    box: Column  # pixels of the upright frame
    weight: Column  # [0, 1] in the loss; 0 for an ignored region
    score: Column
    provenance: Column  # Provenance
    track: Column  # -1 for a detection that no track claimed
    identity: Column  # -1 where it is not known

    columns = {
        "frame": (np.int32, ()),
        "box": (np.float32, (4,)),
        "weight": (np.float32, ()),
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


def label_camera(findings: CameraFindings, config: LabelConfig) -> PseudoLabels:
    """Trusted boxes and ignored regions in every frame that was looked at."""
    tracks = findings.tracks
    weight = _weights(findings, config)
    here = findings.looked[tracks.frame] & (geometry.area(tracks.box) > 0)
    tracks, weight = tracks[here], weight[here]
    found = PseudoLabels(
        frame=tracks.frame,
        box=tracks.box,
        weight=weight,
        score=tracks.score,
        provenance=tracks.provenance,
        track=tracks.track,
        identity=_identities(findings, tracks),
    )
    labels = PseudoLabels.concat([found, _unclaimed(findings, config), _remembered(findings, config)])
    labels = labels[np.lexsort((-labels.weight, labels.frame))]
    return labels[~_repeated(labels, config.duplicate_iou)]


def _weights(findings: CameraFindings, config: LabelConfig) -> NDArray[np.float32]:
    tracks = findings.tracks
    by_provenance = np.zeros(len(Provenance), np.float32)
    for provenance in Provenance:
        by_provenance[provenance] = getattr(config, provenance.name.lower())
    weight = by_provenance[tracks.provenance]
    kind = tracks.provenance
    sure = kind == Provenance.DETECTED
    weight[sure] *= np.minimum(1, tracks.score[sure] / max(config.uncertain_score, 1e-6))
    weak = (kind == Provenance.TRACKED) | (kind == Provenance.CROSS_VIEW)
    weight[weak & (tracks.score < config.least_score)] = 0
    weight[(kind == Provenance.INTERPOLATED) & (_gap_seconds(findings) > config.most_gap_s)] = 0
    weight[~_clear(tracks, config)[tracks.track] & (kind <= Provenance.INTERPOLATED)] = 0
    return weight


def _clear(tracks: Tracks, config: LabelConfig) -> NDArray[np.bool_]:
    """For every track id whether the person was ever seen beyond doubt."""
    size = int(tracks.track.max(initial=-1)) + 1
    best = np.zeros(size, np.float32)
    np.maximum.at(best, tracks.track, tracks.score)
    detections = np.bincount(tracks.track[tracks.detection >= 0], minlength=size)
    return (best >= config.clear_score) & (detections >= config.clear_detections)


def _gap_seconds(findings: CameraFindings) -> NDArray[np.float64]:
    """For every row the time between the track's detections on either side; infinite beyond its first and last."""
    tracks, seconds = findings.tracks, findings.seconds[findings.tracks.frame]
    rows = np.arange(len(tracks))
    seen = tracks.detection >= 0
    before = np.maximum.accumulate(np.where(seen, rows, -1))
    after = np.minimum.accumulate(np.where(seen, rows, len(tracks))[::-1])[::-1]
    inside = (before >= 0) & (after < len(tracks))
    before, after = np.maximum(before, 0), np.minimum(after, len(tracks) - 1)
    inside &= (tracks.track[before] == tracks.track) & (tracks.track[after] == tracks.track)
    return np.where(inside, seconds[after] - seconds[before], np.inf)


def _identities(findings: CameraFindings, tracks: Tracks) -> NDArray[np.int32]:
    who = findings.identities
    table = np.full(int(max(tracks.track.max(initial=-1), who.track.max(initial=-1))) + 1, NOBODY, np.int32)
    table[who.track] = who.identity
    return table[tracks.track]


def _unclaimed(findings: CameraFindings, config: LabelConfig) -> PseudoLabels:
    """Detections that no track took: undecided."""
    persons: Detections = findings.persons
    free = np.ones(len(persons), bool)
    free[findings.tracks.detection[findings.tracks.detection >= 0]] = False
    free &= (persons.score >= config.candidate_score) & findings.looked[persons.frame]
    persons = persons[free & (geometry.area(persons.box) > 0)]
    count = len(persons)
    return PseudoLabels(
        frame=persons.frame,
        box=persons.box,
        weight=np.zeros(count),
        score=persons.score,
        provenance=np.where(persons.score >= config.clear_score, Provenance.DETECTED, Provenance.TRACKED),
        track=np.full(count, NOBODY),
        identity=np.full(count, NOBODY),
    )


def _remembered(findings: CameraFindings, config: LabelConfig) -> PseudoLabels:
    """Places of people who are not seen at this moment, but shortly before or after: undecided."""
    tracks = findings.tracks
    frames, boxes, rows = remembered_places(
        tracks, findings.seconds, _clear(tracks, config), remember_s=config.remember_s
    )
    here = findings.looked[frames]
    source = tracks[rows[here]]
    return PseudoLabels(
        frame=frames[here],
        box=boxes[here],
        weight=np.zeros(len(source)),
        score=source.score,
        provenance=np.full(len(source), Provenance.INTERPOLATED),
        track=source.track,
        identity=_identities(findings, source),
    )


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
