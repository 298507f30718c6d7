"""Fine-tunes the face detector on faces that the recording itself confirms, and keeps it only if it finds more.

What it is judged on are stretches of time that it never learned from, and the labels there are as good as those that
it learned from: the comparison is about finding again what people's heads show, not about ground truth.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import numpy_helper

from or_mv_anon.adaptation.face_labels import FacedCamera, FaceLabels, FacePlacer, borne, label_faces
from or_mv_anon.adaptation.head_labels import ReadFrames
from or_mv_anon.adaptation.settings import FaceAdaptationConfig
from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import FaceConfig
from or_mv_anon.core.pictures import Picture
from or_mv_anon.models.detectors.yunet import FaceDetector
from or_mv_anon.models.runtime import Device
from or_mv_anon.openmmlab.compatibility import prepare

HELD_OUT_EVERY = 5  # stretches of time
MATCH_IOU = 0.3
JUDGED_SCORE = 0.3
JUDGED_PICTURES = 60
SHIFTS = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0)  # of logits
OBJECTNESS = re.compile(r"multi_level_obj\.\d\.conv2\.weight$")


@dataclass(frozen=True, kw_only=True)
class FoundAgain:
    """How a face detector does on held-out frames.

    Attributes:
        recall: share of the labelled faces that it finds.
        extra: detections per frame that no label, no undecided region and nobody's upper part explains.
    """

    recall: float
    extra: float


@dataclass(frozen=True, kw_only=True)
class AdaptedFaces:
    """The outcome.

    Attributes:
        network: the fine-tuned network, or None when the one in use is no worse.
        labels: faces to learn from.
        before, after: on held-out frames; None when nothing was trained.
        note: a sentence for the report.
    """

    network: Path | None
    labels: int
    before: FoundAgain | None = None
    after: FoundAgain | None = None
    note: str = ""


@dataclass(frozen=True)
class _Labelled:
    """A picture with its labels and the people found in it, all in its pixels."""

    picture: Picture
    labels: FaceLabels
    people: Boxes


def adapt_faces(
    cameras: Sequence[FacedCamera],
    read_frames: ReadFrames,
    start: Path,
    out: Path,
    *,
    config: FaceAdaptationConfig,
    detection: FaceConfig,
    trusted_score: float,
    device: Device = "cpu",
    seed: int = 0,
    progress: Callable[[int], Any] | None = None,
) -> AdaptedFaces:
    """Learn the site's faces.

    Args:
        cameras: what an analysis of the site found.
        read_frames: gives their frames; pictures are held in memory and never written.
        start: the face detector in use.
        out: where the fine-tuned one goes, an ONNX file.
        config: how to learn.
        detection: how faces are detected when both networks are compared.
        trusted_score: least score of a keypoint that places a head.
        device: where to train.
        seed: of the choice of frames and of the training.
        progress: told every step.

    Raises:
        UserError: the training packages are missing, or `out` cannot be written.
    """
    prepare()
    from or_mv_anon.openmmlab.face_training import FacePicture, train_faces

    placer = FacePlacer.learn(cameras, config, trusted_score=trusted_score)
    labels = [label_faces(camera, placer, config, trusted_score=trusted_score) for camera in cameras]
    total = int(sum((each.weight > 0).sum() for each in labels))
    if total < config.least_faces:
        return AdaptedFaces(
            network=None, labels=total,
            note=f"The face detector stays as it is: {total} faces are too few to learn from.",
        )  # fmt: skip
    learned, judged = _choose(cameras, labels, config, seed=seed)
    material = list(_pictures(cameras, labels, learned, read_frames, long_side=config.long_side))
    losses = train_faces(
        start,
        [FacePicture(picture=each.picture, box=each.labels.box, weight=each.labels.weight) for each in material],
        out,
        steps=config.steps, batch=config.batch, crop=config.crop, learning_rate=config.learning_rate,
        device=device, seed=seed, progress=progress,
    )  # fmt: skip
    del material
    held_out = list(_pictures(cameras, labels, judged, read_frames, long_side=config.long_side))
    before = _find_again(FaceDetector(start, detection), held_out)
    after = _restore_scores(out, held_out, detection, most_extra=before.extra + config.most_extra)
    better = after is not None and after.recall >= before.recall + config.least_gain and bool(np.isfinite(losses).all())
    if after is None or not better:
        out.unlink()
        return AdaptedFaces(
            network=None, labels=total, before=before, after=after,
            note="The fine-tuned face detector was not better than the built-in one and was dropped.",
        )  # fmt: skip
    return AdaptedFaces(
        network=out, labels=total, before=before, after=after,
        note=f"The face detector was fine-tuned: recall of held-out faces {before.recall:.2f} -> {after.recall:.2f}.",
    )  # fmt: skip


def _restore_scores(
    network: Path, held_out: Sequence[_Labelled], detection: FaceConfig, *, most_extra: float
) -> FoundAgain | None:
    """Makes the network less sure until it finds no more than `most_extra`; None if that takes too much.

    Labels from heads make a network that is sure of everything like a head. The thresholds of configs/pipeline.toml
    keep their meaning if a constant is taken off the logits of objectness.
    """
    surest = network.read_bytes()
    for shift in SHIFTS:
        network.write_bytes(_less_sure(surest, shift))
        found = _find_again(FaceDetector(network, detection), held_out)
        if found.extra <= most_extra:
            return found
    return None


def _less_sure(network: bytes, shift: float) -> bytes:
    """YuNet with `shift` taken off every logit of objectness."""
    model = onnx.load_from_string(network)
    heads = [node for node in model.graph.node if node.op_type == "Conv" and OBJECTNESS.search(node.input[1])]
    biases = {node.input[2] for node in heads}
    for tensor in model.graph.initializer:
        if tensor.name in biases:
            moved = numpy_helper.to_array(tensor) - np.float32(shift)
            tensor.CopyFrom(numpy_helper.from_array(moved, tensor.name))
    return bytes(model.SerializeToString())


def _choose(
    cameras: Sequence[FacedCamera], labels: Sequence[FaceLabels], config: FaceAdaptationConfig, *, seed: int
) -> tuple[list[NDArray[np.int32]], list[NDArray[np.int32]]]:
    """Frames to learn from and frames to judge by, for every camera; evenly over time among those with a face."""
    draw = np.random.default_rng(seed)
    learned, judged = [], []
    for camera, label in zip(cameras, labels, strict=True):
        frames = np.unique(label.frame[label.weight > 0])
        held_out = (camera.posed.times[frames] // config.block_s).astype(int) % HELD_OUT_EVERY == HELD_OUT_EVERY - 1
        learned.append(_spread(frames[~held_out], config.pictures // len(cameras), draw))
        judged.append(_spread(frames[held_out], JUDGED_PICTURES // len(cameras), draw))
    return learned, judged


def _spread(frames: NDArray[np.int32], count: int, draw: np.random.Generator) -> NDArray[np.int32]:
    """One of each of `count` equal stretches."""
    if len(frames) <= count:
        return frames
    return np.array([draw.choice(part) for part in np.array_split(frames, max(count, 1))], np.int32)


def _pictures(
    cameras: Sequence[FacedCamera],
    labels: Sequence[FaceLabels],
    chosen: Sequence[NDArray[np.int32]],
    read_frames: ReadFrames,
    *,
    long_side: int,
) -> Iterator[_Labelled]:
    for camera, label, frames in zip(cameras, labels, chosen, strict=True):
        factor = long_side / max(camera.posed.size)
        for frame, picture in read_frames(camera.posed.name, frames.tolist()):
            shrinking = cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR
            resized = cv2.resize(picture, None, fx=factor, fy=factor, interpolation=shrinking)
            here = label[label.frame == frame]
            found = camera.posed.detections
            yield _Labelled(
                resized.astype(np.uint8, copy=False),
                here.replace(box=here.box * np.float32(factor)),
                found.box[found.frame == frame] * np.float32(factor),
            )


def _find_again(detector: FaceDetector, pictures: Sequence[_Labelled]) -> FoundAgain:
    hits = faces = extra = 0
    for each in pictures:
        height, width = each.picture.shape[:2]
        size = detector.input_size(width, height)
        resized = cv2.resize(each.picture, size).astype(np.uint8, copy=False)
        boxes, scores = detector.detect([resized], size=(width, height))[0]
        boxes = boxes[scores >= JUDGED_SCORE]
        overlap = geometry.iou(each.labels.box, boxes)
        known = each.labels.weight > 0
        hits += int((overlap[known] >= MATCH_IOU).any(axis=1).sum()) if len(boxes) else 0
        faces += int(known.sum())
        inside = geometry.containment(boxes, each.labels.box)
        explained = ((overlap.T >= MATCH_IOU) | (inside >= 0.5)).any(axis=1) | borne(boxes, each.people)
        extra += int((~explained).sum())
    return FoundAgain(recall=hits / max(faces, 1), extra=extra / max(len(pictures), 1))
