"""One row of the adaptation table: people and faces found by any step of the method, judged by one measure."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Detections, Provenance, Tracks, TransferredHeads
from or_mv_anon.core.store import RunStore
from or_mv_anon.core.truth import Truth
from or_mv_anon.evaluation.detection import evaluate_detection
from or_mv_anon.evaluation.detection_rules import DetectionRules
from or_mv_anon.evaluation.evaluate import Rules, evaluate_regions
from or_mv_anon.evaluation.faceoff import faceoff_table
from or_mv_anon.evaluation.protocol_inputs import faceoff_video
from or_mv_anon.evaluation.run_directory import CameraRun, load_stages
from or_mv_anon.regions.heads import locate_heads
from or_mv_anon.regions.placing import camera_regions
from or_mv_anon.regions.source import CameraScene

EVERY = 0.0  # score from which on every box of a row counts


@dataclass(frozen=True)
class People:
    """What a step says about one camera: boxes of people over time, and heads without any detection."""

    tracks: Tracks
    transferred: TransferredHeads


def cameras_of(stages: Path, truth: Truth) -> dict[str, CameraRun]:
    """The stage outputs of a run for every camera of the ground truth."""
    return load_stages(stages, {name: (camera.width, camera.height) for name, camera in truth.cameras.items()})


def detected(run: CameraRun, *, score: float) -> People:
    """Single detections from `score` on, each by itself."""
    rows = np.flatnonzero(run.persons.score >= score)
    found = run.persons[rows]
    order = np.arange(len(found))
    tracks = Tracks(
        frame=found.frame, track=order, box=found.box, score=found.score,
        provenance=np.zeros(len(found)), detection=rows,
    )  # fmt: skip
    return People(tracks, TransferredHeads.empty())


def tracked(run: CameraRun) -> People:
    """Everything that tracking within the camera covers."""
    return People(run.tracks, TransferredHeads.empty())


def recovered(stages: Path, name: str, *, transfer: bool) -> People:
    """Everything after the cameras were associated."""
    store = RunStore(stages)
    tracks = store.read(f"{name}/recovered.parquet", Tracks)
    heads = store.read(f"{name}/transferred.parquet", TransferredHeads)
    if not transfer:
        return People(tracks[tracks.provenance != Provenance.TRANSFERRED], TransferredHeads.empty())
    return People(tracks, heads)


def measure(
    truth: Truth, runs: Mapping[str, CameraRun], people: Mapping[str, People], config: PipelineConfig
) -> dict[str, Any]:
    """The figures of one row. Faces count as covered by the person path alone, without the face detector."""
    boxes = {
        name: Detections(frame=each.tracks.frame, box=each.tracks.box, score=each.tracks.score)
        for name, each in people.items()
    }
    found = evaluate_detection(truth.cameras, boxes, rules=DetectionRules(scores=(EVERY,)))
    covered = {name: _covered(runs[name], people[name], config) for name in truth.cameras}
    exposure = evaluate_regions(covered, truth)
    return {
        "recall": found.everyone.max_recall,
        "hard_recall": found.hard.max_recall,
        "in_all_views": found.multi_view[0].every_view,
        "precision": found.everyone.at_scores[0].precision,
        "ap50": found.everyone.average_precision,
        "exposed_per_camera_hour": exposure.per_camera_hour.value,
        "exposed": exposure.faces.exposed,
        "faces": exposure.faces.considered,
        "faces_in_all_views": exposure.holistic_recall.value,
        "covered_outside": exposure.covered_outside.value,
    }


def product(truth: Truth, runs: Mapping[str, CameraRun]) -> dict[str, Any]:
    """The figures of what the anonymizer would cover, faces, still heads and all; and of the faces alone (FaceOff)."""
    exposure, rules = evaluate_regions(runs, truth), Rules()
    videos = [faceoff_video(camera, runs[name], rules.exposure) for name, camera in truth.cameras.items()]
    return {
        "exposed_per_camera_hour": exposure.per_camera_hour.value,
        "exposed": exposure.faces.exposed,
        "faces": exposure.faces.considered,
        "faces_in_all_views": exposure.holistic_recall.value,
        "covered_outside": exposure.covered_outside.value,
        "faceoff": [row.as_dict() for row in faceoff_table(videos, rules.faceoff)],
    }


def _covered(run: CameraRun, people: People, config: PipelineConfig) -> CameraRun:
    heads = locate_heads(run.keypoints, run.persons, trusted_score=config.pose.trusted_score)
    scene = CameraScene(run.frames, run.size, heads, people.tracks, Tracks.empty(), people.transferred)
    regions = camera_regions(scene, config)
    return dataclasses.replace(run, regions=regions)
