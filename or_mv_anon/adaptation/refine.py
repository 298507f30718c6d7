"""What else a site's recordings teach: pose and face networks of its own.

Each is kept only if it does better on stretches of time that it did not learn from; otherwise the anonymizer keeps the
built-in one. What was decided is noted, so that a resumed run does not do it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from or_mv_anon.adaptation.configuration import AdaptationConfig
from or_mv_anon.adaptation.decode import read_frames
from or_mv_anon.adaptation.face_labels import FacedCamera
from or_mv_anon.adaptation.faces import adapt_faces
from or_mv_anon.adaptation.findings import CameraFindings
from or_mv_anon.adaptation.head_agreement import RoomGeometry, contradicted_heads
from or_mv_anon.adaptation.head_labels import PosedCamera, ReadFrames
from or_mv_anon.adaptation.pose import adapt_pose
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.pictures import Picture
from or_mv_anon.core.records import Detections, FrameFlag, Frames, Keypoints
from or_mv_anon.models.runtime import Device
from or_mv_anon.pipeline.artifacts import read_joined
from or_mv_anon.pipeline.media import CameraPlan
from or_mv_anon.pipeline.stages.associate import AssociateJob

KEPT, DROPPED = "The pose network was fine-tuned.", "The pose network stays as it is."


@dataclass(frozen=True)
class Refined:
    """A network that is better than the one in use, or None, and a sentence about it."""

    network: Path | None
    note: str


class Refinement:
    """The people and faces of a site, ready to be learned from.

    Args:
        findings: by window, of every camera.
        out: an existing folder for the networks.
        config: the adaptation's settings.
        pipeline: the anonymizer's settings.
        device: to train on.
        seed: of every draw.
    """

    def __init__(
        self,
        findings: Mapping[int, Sequence[CameraFindings]],
        out: Path,
        *,
        config: AdaptationConfig,
        pipeline: PipelineConfig,
        device: Device,
        seed: int,
    ) -> None:
        parts = {f"{camera.name}#{window}": camera for window, cameras in findings.items() for camera in cameras}
        posed = {name: _posed(name, camera) for name, camera in parts.items()}
        posed = _checked(posed, parts, config=config, pipeline=pipeline)
        self._cameras = [_faced(posed[name], camera) for name, camera in parts.items()]
        self._read = frame_reader({name: camera.plan for name, camera in parts.items()})
        self._out = out
        self._config = config
        self._pipeline = pipeline
        self._device: Device = device
        self._seed = seed

    def pose(self, start: Path, *, seconds: float | None) -> Refined:
        """Fine-tune the pose network; see `pose.adapt_pose`."""
        with _steps("pose network", self._config.pose.steps) as told:
            network = adapt_pose(
                model=start,
                cameras=[camera.posed for camera in self._cameras],
                read=self._read,
                out=self._out,
                settings=self._config.pose,
                device=self._device,
                seed=self._seed,
                seconds=seconds,
                progress=lambda done, planned: told(done),
            )
        return Refined(network, DROPPED if network is None else KEPT)

    def face(self, start: Path) -> Refined:
        """Fine-tune the face detector; see `faces.adapt_faces`."""
        with _steps("face detector", self._config.faces.steps) as told:
            adapted = adapt_faces(
                self._cameras,
                self._read,
                start,
                self._out / "face.onnx",
                config=self._config.faces,
                detection=self._pipeline.face,
                trusted_score=self._pipeline.pose.trusted_score,
                device=self._device,
                seed=self._seed,
                progress=told,
            )
        return Refined(adapted.network, adapted.note)


def _posed(name: str, camera: CameraFindings) -> PosedCamera:
    return PosedCamera(
        name=name,
        size=camera.size,
        times=camera.seconds,
        detections=camera.persons,
        keypoints=read_joined(camera.plan, "keypoints", Keypoints),
        tracks=camera.tracks,
    )


def _checked(
    posed: Mapping[str, PosedCamera],
    parts: Mapping[str, CameraFindings],
    *,
    config: AdaptationConfig,
    pipeline: PipelineConfig,
) -> dict[str, PosedCamera]:
    """The cameras with what others of their session contradict, where the session's geometry is known."""
    checked = dict(posed)
    for folder in {camera.plan.store for camera in parts.values()}:
        path = folder / AssociateJob.geometry
        if not path.exists():
            continue
        names = {camera.plan.camera.name: name for name, camera in parts.items() if camera.plan.store == folder}
        wrong = contradicted_heads(
            {view: posed[name] for view, name in names.items()},
            {view: parts[name].identities for view, name in names.items()},
            RoomGeometry.read(path, instant_s=pipeline.association.instant_s),
            least_score=config.pose.least_score,
            most_distance=config.pose.most_epipolar,
        )
        checked |= {name: replace(posed[name], contradicted=wrong[view]) for view, name in names.items()}
    return checked


def _faced(posed: PosedCamera, camera: CameraFindings) -> FacedCamera:
    frames = read_joined(camera.plan, "frames", Frames)
    looked = np.flatnonzero(frames.has(FrameFlag.FACES)).astype(np.int32)
    return FacedCamera(posed=posed, faces=read_joined(camera.plan, "faces", Detections), looked=looked)


def frame_reader(plans: Mapping[str, CameraPlan]) -> ReadFrames:
    """Frames counted over a window, by the names that the parts were given."""

    def read(name: str, frames: Sequence[int]) -> Iterator[tuple[int, Picture]]:
        plan = plans[name]
        for frame in read_frames(plan, [number + plan.first for number in frames]):
            yield frame.index - plan.first, frame.bgr()

    return read


@contextmanager
def _steps(title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A progress bar that is told how many steps are done."""
    with tqdm(total=total, desc=title, unit="step") as bar:

        def told(done: int) -> None:
            bar.update(done - bar.n)

        yield told
