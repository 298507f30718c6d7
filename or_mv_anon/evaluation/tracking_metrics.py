"""How well people are followed within cameras: HOTA, CLEAR MOT and IDF1 together."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from or_mv_anon.core.figures import Figures
from or_mv_anon.core.records import Tracks
from or_mv_anon.core.truth import CameraTruth
from or_mv_anon.evaluation.clear_mot import Clear, clear
from or_mv_anon.evaluation.detection_rules import DetectionRules
from or_mv_anon.evaluation.hota import Hota, hota
from or_mv_anon.evaluation.identity_f1 import IdentityScores, identity_f1
from or_mv_anon.evaluation.tracking_data import TrackedSequence, camera_moments, sequence


@dataclass(frozen=True)
class TrackingScores(Figures):
    """The three families of figures of the same sequences."""

    hota: Hota
    clear: Clear
    identity: IdentityScores


@dataclass(frozen=True)
class TrackingResult(Figures):
    """All cameras together, and each one."""

    overall: TrackingScores
    by_camera: Mapping[str, TrackingScores]


def evaluate_tracking(
    truth: Mapping[str, CameraTruth], tracks: Mapping[str, Tracks], *, rules: DetectionRules | None = None
) -> TrackingResult:
    """Judge the tracks of each camera on its own; people in two cameras are two people here.

    Args:
        truth: by camera.
        tracks: by camera; a camera without any is a camera in which nobody was tracked.
        rules: who counts, and the IoU of a hit for CLEAR MOT and IDF1; by default those of detection.
    """
    rules = rules or DetectionRules()
    sequences = {
        name: sequence(camera_moments(camera, tracks.get(name, Tracks.empty()), rules=rules))
        for name, camera in truth.items()
    }
    return TrackingResult(
        overall=scores(*sequences.values(), iou=rules.iou),
        by_camera={name: scores(part, iou=rules.iou) for name, part in sequences.items()},
    )


def scores(*sequences: TrackedSequence, iou: float = 0.5) -> TrackingScores:
    """HOTA, CLEAR MOT and IDF1 of the same sequences."""
    return TrackingScores(hota(sequences), clear(sequences, iou=iou), identity_f1(sequences, iou=iou))
