"""How far a tracked box is trusted by where it comes from, and by how clear its track is elsewhere."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.adaptation.findings import CameraFindings
from or_mv_anon.adaptation.settings import LabelConfig
from or_mv_anon.core.records import Provenance, Tracks


def trust(findings: CameraFindings, config: LabelConfig) -> NDArray[np.float32]:
    """The weight in [0, 1] of every row of the tracks, whoever else confirms it or not."""
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
    weight[~clear_tracks(tracks, config)[tracks.track] & (kind <= Provenance.INTERPOLATED)] = 0
    return weight


def clear_tracks(tracks: Tracks, config: LabelConfig) -> NDArray[np.bool_]:
    """For every track id whether the person was ever seen beyond doubt, (largest id + 1,)."""
    size = int(tracks.track.max(initial=-1)) + 1
    best = np.zeros(size, np.float32)
    np.maximum.at(best, tracks.track, tracks.score)
    detections = np.bincount(tracks.track[tracks.detection >= 0], minlength=size)
    return (best >= config.clear_score) & (detections >= config.clear_detections)


def _gap_seconds(findings: CameraFindings) -> NDArray[np.float64]:
    """For every row the time between the track's detections on either side; infinite beyond its first and last."""
    tracks, seconds = findings.tracks, findings.seconds[findings.tracks.frame]
    before, after = rows_around(tracks.detection >= 0)
    inside = (before >= 0) & (after < len(tracks))
    before, after = np.maximum(before, 0), np.minimum(after, len(tracks) - 1)
    inside &= (tracks.track[before] == tracks.track) & (tracks.track[after] == tracks.track)
    return np.where(inside, seconds[after] - seconds[before], np.inf)


def rows_around(known: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For every row the nearest `known` one up to it, -1 for none, and from it on, one beyond the last for none."""
    rows = np.arange(len(known))
    before = np.maximum.accumulate(np.where(known, rows, -1))
    after = np.minimum.accumulate(np.where(known, rows, len(known))[::-1])[::-1]
    return before, after
