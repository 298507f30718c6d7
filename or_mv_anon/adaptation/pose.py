"""Adapts the pose model to a site on head keypoints that the site's own recordings confirm."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from or_mv_anon.adaptation.head_augmentation import Example, harder, unchanged
from or_mv_anon.adaptation.head_crops import HeadCrop, choose, cut, held_out
from or_mv_anon.adaptation.head_labels import LABELLED_POINTS, HeadLabels, PosedCamera, ReadFrames, label_heads
from or_mv_anon.adaptation.settings import PoseAdaptationConfig
from or_mv_anon.models import graphs
from or_mv_anon.models.pose import BOX_PADDING, CROP_HEIGHT, decode_simcc
from or_mv_anon.models.runtime import Device, load_model
from or_mv_anon.regions.heads import USUAL_SHARE

__all__ = ["PoseAdaptationConfig", "PosedCamera", "ReadFrames", "adapt_pose"]

HELD_OUT_SHARE = 0.2  # of the examples; they are only looked at
HARD_LOOKS = 2  # harder versions of every held-out example that are judged, beside the example itself
HELD_OUT_STREAM = 1_000_003  # apart from the numbers that training draws with
HEAD_HEIGHT = USUAL_SHARE * CROP_HEIGHT / BOX_PADDING  # px in the crop of a standing person


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """A pose model on held-out people.

    Attributes:
        distance: mean distance of head points from their labels in head heights, cut at 1: farther is just as wrong.
        score: mean score of these points.
    """

    distance: float
    score: float


def adapt_pose(
    *,
    model: Path,
    cameras: Sequence[PosedCamera],
    read: ReadFrames,
    out: Path,
    settings: PoseAdaptationConfig,
    device: Device = "auto",
    seed: int = 0,
    seconds: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Path | None:
    """Fine-tunes the pose model's head; an adapted model that is already in `out` is not made again.

    Args:
        model: an ONNX export of RTMPose-s for Halpe-26.
        cameras: every camera of every session that is learned from.
        read: decodes frames; the pictures stay in memory, as cut-outs of people.
        out: an existing folder for `pose.onnx`.
        settings: all thresholds.
        device: to train on: `auto`, `cpu` or `cuda`.
        seed: of everything drawn.
        seconds: ends the training early when they are over.
        progress: told the steps done and planned.

    Returns:
        The adapted model, or None: too few keypoints are confirmed, or it is not enough better on held-out people.

    Raises:
        UserError: the model is no RTMPose-s, or the OpenMMLab packages are missing.
    """
    path = out / "pose.onnx"
    if path.exists():
        return path
    train, judged = gather(cameras, read, settings, seed=seed)
    if len(train) < settings.least_crops or not judged:
        return None

    from or_mv_anon.openmmlab.pose import build_rtmpose, export_rtmpose, scale_scores
    from or_mv_anon.openmmlab.pose_training import train_pose

    def example(number: int) -> Example:
        rng = np.random.default_rng((seed, number))
        return harder(train[int(rng.integers(len(train)))], rng)

    network = build_rtmpose(model)
    train_pose(
        network,
        example,
        steps=settings.steps,
        batch=settings.batch,
        learning_rate=settings.learning_rate,
        keep_weight=settings.keep_weight,
        device=device,
        seed=seed,
        seconds=seconds,
        progress=progress,
    )
    before = judge(model, judged, seed=seed)
    trial = out / "pose.trial.onnx"
    export_rtmpose(network, trial)
    after = judge(trial, judged, seed=seed)
    if after.distance > (1 - settings.least_gain) * before.distance:
        trial.unlink()
        return None
    scale_scores(network, before.score / after.score)  # thresholds on the score keep their meaning
    export_rtmpose(network, trial)
    trial.replace(path)
    return path


def gather(
    cameras: Sequence[PosedCamera], read: ReadFrames, settings: PoseAdaptationConfig, *, seed: int
) -> tuple[list[HeadCrop], list[HeadCrop]]:
    """Examples to train on, and examples of other stretches of time to judge by."""
    rng = np.random.default_rng(seed)
    labels = {camera.name: label_heads(camera, settings) for camera in cameras}
    apart = {name: held_out(rows, settings) for name, rows in labels.items()}
    train = {name: rows[~apart[name]] for name, rows in labels.items()}
    judged = {name: rows[apart[name]] for name, rows in labels.items()}
    few = round(HELD_OUT_SHARE * settings.most_crops)
    return _cut_all(train, settings.most_crops - few, read, rng), _cut_all(judged, few, read, rng)


def judge(model: Path, crops: Sequence[HeadCrop], *, seed: int) -> Judgement:
    """How near a pose model comes to the labels of `crops`, seen as they are and in harder versions."""
    network = load_model(graphs.rtmpose(model), device="cpu", precision="f32")
    apart: list[NDArray[np.float32]] = []
    weights: list[NDArray[np.float32]] = []
    sure: list[NDArray[np.float32]] = []
    interval = 0.2 if sys.stderr.isatty() else 30.0
    for number, crop in enumerate(tqdm(crops, desc="judging the pose network", unit="person", mininterval=interval)):
        looks = [unchanged(crop)]
        looks += [harder(crop, np.random.default_rng((seed, HELD_OUT_STREAM, number, k))) for k in range(HARD_LOOKS)]
        heads = network.infer(np.stack([picture for picture, _, _ in looks]))
        found, scores = decode_simcc(heads["simcc_x"], heads["simcc_y"])
        wanted = np.stack([points for _, points, _ in looks])
        apart.append(np.minimum(np.linalg.norm(found - wanted, axis=2) / HEAD_HEIGHT, 1.0)[:, LABELLED_POINTS])
        weights.append(np.stack([weight for _, _, weight in looks])[:, LABELLED_POINTS])
        sure.append(scores[:, LABELLED_POINTS])
    weight = np.concatenate(weights)
    return Judgement(
        distance=float(np.average(np.concatenate(apart), weights=weight)),
        score=float(np.average(np.concatenate(sure), weights=weight)),
    )


def _cut_all(labels: dict[str, HeadLabels], count: int, read: ReadFrames, rng: np.random.Generator) -> list[HeadCrop]:
    if not any(len(rows) for rows in labels.values()):
        return []
    chosen = choose(labels, count, rng=rng)
    return [crop for name, rows in labels.items() for crop in cut(name, rows[chosen[name]], read)]
