"""The first pass over the pixels: persons, keypoints and faces of one segment of one camera.

A frame in which anything fails is flagged and later covered whole; the analysis goes on with the next one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import Detections, Embeddings, FrameFlag, Keypoints
from or_mv_anon.core.schedule import due
from or_mv_anon.core.workers import count_frames
from or_mv_anon.models.detector import FindsPersons, PersonDetector
from or_mv_anon.models.embedder import PersonEmbedder
from or_mv_anon.models.face import FaceDetector
from or_mv_anon.models.pose import PoseEstimator
from or_mv_anon.models.runtime import Device, Precision
from or_mv_anon.pipeline.stages.rotated_detection import head_candidates, still_detectors
from or_mv_anon.pipeline.stages.scene_change import SceneChange
from or_mv_anon.video.frame import Frame

GPU_BATCH = 16  # frames per detector call on a GPU; on a CPU batches gain nothing


@dataclass(frozen=True)
class ModelSettings:
    """Which networks run, and where.

    Attributes:
        detector, pose, face: their files.
        device, precision, threads: where and how they run.
        embedder: None where nobody needs to be compared.
        detector_config: mmengine configuration of a detector that mmdet runs; None for the ones of this package.
    """

    detector: Path
    pose: Path
    face: Path
    device: Device
    precision: Precision
    threads: int
    embedder: Path | None = None
    detector_config: Path | None = None


@dataclass(frozen=True)
class Networks:
    """The loaded networks of one process."""

    persons: FindsPersons
    pose: PoseEstimator
    faces: FaceDetector
    embedder: PersonEmbedder | None = None

    @property
    def providers(self) -> dict[str, str]:
        """The engine, device and precision that each network runs on, by role."""
        used = {"detector": self.persons.provider, "pose": self.pose.provider, "face": self.faces.provider}
        if not isinstance(self.persons, PersonDetector):
            used["detector_config"] = self.persons.provider
        return used if self.embedder is None else used | {"embedder": self.embedder.provider}

    @property
    def batch(self) -> int:
        """Frames that are worth detecting together."""
        return 1 if "CPU" in self.persons.provider else GPU_BATCH


@lru_cache(maxsize=1)
def load_networks(settings: ModelSettings, config: PipelineConfig) -> Networks:
    """The networks, loaded once per process."""
    device, precision, threads = settings.device, settings.precision, settings.threads
    embedder = None
    if settings.embedder is not None:
        embedder = PersonEmbedder(
            settings.embedder, config.appearance, device=device, precision=precision, threads=threads
        )
    return Networks(
        _load_detector(settings, config),
        PoseEstimator(settings.pose, config.pose, device=device, precision=precision, threads=threads),
        FaceDetector(settings.face, config.face, device=device, precision=precision, threads=threads),
        embedder,
    )


def _load_detector(settings: ModelSettings, config: PipelineConfig) -> FindsPersons:
    device, threads = settings.device, settings.threads
    if settings.detector_config is None:
        return PersonDetector(
            settings.detector, config.detection, device=device, precision=settings.precision, threads=threads
        )
    try:
        from or_mv_anon.openmmlab.inference import MmdetDetector
    except ModuleNotFoundError as error:
        raise UserError(
            f"--detector needs PyTorch and mmdet ({error.name} is missing). Install them with: "
            "pip install 'or_mv_anon[adapt]'."
        ) from error
    return MmdetDetector(settings.detector_config, settings.detector, config.detection, device=device, threads=threads)


@dataclass(frozen=True)
class Schedule:
    """Which frames of a recording each network looks at, as masks over all its frames.

    It depends on the recording's timestamps alone, not on how the work is split.
    """

    persons: NDArray[np.bool_]
    pose: NDArray[np.bool_]
    faces: NDArray[np.bool_]
    still: NDArray[np.bool_]
    appearance: NDArray[np.bool_]

    @property
    def any(self) -> NDArray[np.bool_]:
        """Frames that any network looks at."""
        return self.persons | self.faces | self.still  # poses and appearance: only where persons are detected


def plan_schedule(times: NDArray[np.float64], config: PipelineConfig, *, first: int, stop: int) -> Schedule:
    """Frames to look at.

    Args:
        times: seconds of all frames of the recording.
        config: for the intervals.
        first: the first frame that is processed.
        stop: the frame behind the last one.
    """
    part = times[first:stop]
    looked = due(part, config.detection.interval_s)
    posed = looked.copy()
    posed[looked] = due(part[looked], config.pose.interval_s)
    compared = looked.copy()
    compared[looked] = due(part[looked], config.appearance.interval_s)
    turned = due(part, config.still.interval_s) if config.still.interval_s > 0 else np.zeros(len(part), bool)
    masks = np.zeros((5, len(times)), bool)
    masks[:, first:stop] = looked, posed, due(part, config.face.interval_s), turned, compared
    return Schedule(*masks)


@dataclass
class Findings:
    """What the networks found in some frames, in the order of the frames."""

    frames: list[int] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    persons: list[Detections] = field(default_factory=list)
    keypoints: list[Keypoints] = field(default_factory=list)
    embeddings: list[Embeddings] = field(default_factory=list)
    faces: list[Detections] = field(default_factory=list)
    still: list[Detections] = field(default_factory=list)  # what might be a head, in turned pictures too
    problems: list[str] = field(default_factory=list)
    person_count: int = 0  # rows in all of `persons`; keypoints and embeddings refer to them
    moving_s: float = 0.0  # seconds in which something moves

    def add(self, other: Findings) -> None:
        """Append later frames; their keypoints and embeddings are renumbered."""
        self.keypoints += [part.replace(detection=part.detection + self.person_count) for part in other.keypoints]
        self.embeddings += [part.replace(detection=part.detection + self.person_count) for part in other.embeddings]
        self.person_count += other.person_count
        for name in ("frames", "flags", "persons", "faces", "still", "problems"):
            getattr(self, name).extend(getattr(other, name))


def analyse_frames(
    frames: Iterator[Frame], networks: Networks, schedule: Schedule, config: PipelineConfig, *, first: int = 0
) -> Findings:
    """Run the networks over `frames`.

    Args:
        frames: in display order.
        networks: to run.
        schedule: which frames each network looks at, indexed by `Frame.index`.
        config: for the scores that decide which boxes get a pose and an embedding.
        first: index that is counted as frame 0.
    """
    found, change = Findings(), SceneChange(config.verdict.least_change)
    while batch := list(islice(frames, networks.batch)):
        try:
            found.add(_analyse_batch(batch, networks, schedule, config, first, change))
        except Exception as error:  # fail closed: whatever went wrong, these frames are covered whole
            numbers = [frame.index - first for frame in batch]
            problem = f"frame {numbers[0]}: analysis failed, covered whole ({type(error).__name__}: {error})"
            found.add(Findings(numbers, [int(FrameFlag.FAILED)] * len(batch), problems=[problem]))
        count_frames(len(batch))
    change.finish()
    found.moving_s = change.moving_s
    return found


def _analyse_batch(
    batch: list[Frame],
    networks: Networks,
    schedule: Schedule,
    config: PipelineConfig,
    first: int,
    change: SceneChange,
) -> Findings:
    found = Findings()
    flags = {frame.index: damage_flags(frame) for frame in batch}
    looked = [frame for frame in batch if schedule.persons[frame.index]]
    pictures = _pictures(networks.persons, looked)
    for frame, picture in zip(looked, pictures, strict=True):
        if not frame.corrupt:  # damage is no movement
            change.look(picture, frame.time)
    for frame, (boxes, scores) in zip(looked, _detect(networks.persons, looked, pictures), strict=True):
        flags[frame.index] |= FrameFlag.PERSONS
        if schedule.pose[frame.index]:
            flags[frame.index] |= FrameFlag.POSE
            rows = np.flatnonzero(scores >= config.pose.min_detection_score)
            if len(rows):
                points, point_scores = networks.pose.estimate(frame.bgr(), boxes[rows])
                part = Keypoints(detection=rows + found.person_count, points=points, score=point_scores)
                found.keypoints.append(part)
        if networks.embedder is not None and schedule.appearance[frame.index]:
            rows = np.flatnonzero(scores >= config.appearance.min_detection_score)
            if len(rows):
                vectors = networks.embedder.embed(frame.bgr(), boxes[rows])
                found.embeddings.append(Embeddings(detection=rows + found.person_count, vector=vectors))
        found.persons.append(Detections(frame=np.full(len(boxes), frame.index - first), box=boxes, score=scores))
        found.person_count += len(boxes)
    looked = [frame for frame in batch if schedule.faces[frame.index]]
    for frame, (boxes, scores) in zip(
        looked, _detect(networks.faces, looked, _pictures(networks.faces, looked)), strict=True
    ):
        flags[frame.index] |= FrameFlag.FACES
        found.faces.append(Detections(frame=np.full(len(boxes), frame.index - first), box=boxes, score=scores))
    if looked := [frame for frame in batch if schedule.still[frame.index]]:
        detectors = still_detectors(networks.persons, networks.faces, config)
        for frame in looked:
            flags[frame.index] |= FrameFlag.STILL
            boxes, scores = head_candidates(frame.bgr(), *detectors, networks.pose, config)
            found.still.append(Detections(frame=np.full(len(boxes), frame.index - first), box=boxes, score=scores))
    found.frames += [frame.index - first for frame in batch]
    found.flags += [int(flags[frame.index]) for frame in batch]
    return found


def damage_flags(frame: Frame) -> FrameFlag:
    """What is to be noted of a frame's damage."""
    corrupt = FrameFlag.CORRUPT if frame.corrupt else FrameFlag(0)
    return corrupt | (FrameFlag.DOUBTFUL if frame.doubtful else FrameFlag(0))


def _pictures(detector: FindsPersons | FaceDetector, frames: list[Frame]) -> list[NDArray[np.uint8]]:
    """The frames as the detector sees them."""
    if not frames:
        return []
    size = detector.input_size(*frames[0].upright_size)
    return [frame.bgr(*size) for frame in frames]


def _detect(
    detector: FindsPersons | FaceDetector, frames: list[Frame], pictures: list[NDArray[np.uint8]]
) -> list[tuple[NDArray[np.float32], NDArray[np.float32]]]:
    return detector.detect(pictures, size=frames[0].upright_size) if frames else []
