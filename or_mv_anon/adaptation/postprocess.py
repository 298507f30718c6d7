"""After the iterations: a smaller detector for real time, and pose and face networks of the site.

Every one is optional, kept only if it does well enough on held-out material, and made once: what was decided is noted
in the work folder, so that a resumed run does not do it again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from tqdm import tqdm

from or_mv_anon.adaptation.decode import read_frames
from or_mv_anon.adaptation.distill import distill
from or_mv_anon.adaptation.face_labels import FacedCamera
from or_mv_anon.adaptation.faces import adapt_faces
from or_mv_anon.adaptation.head_agreement import RoomGeometry, contradicted_heads
from or_mv_anon.adaptation.head_labels import PosedCamera, ReadFrames
from or_mv_anon.adaptation.iterations import Iterations
from or_mv_anon.adaptation.pose import adapt_pose
from or_mv_anon.adaptation.quantize import quantize
from or_mv_anon.adaptation.results import CameraResults
from or_mv_anon.adaptation.selection import DetectorCurves, room_thresholds
from or_mv_anon.adaptation.settings import AdaptationConfig
from or_mv_anon.adaptation.work import WorkFolder
from or_mv_anon.core.budget import Budget
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.files import explained
from or_mv_anon.core.pictures import Picture
from or_mv_anon.core.records import FrameFlag
from or_mv_anon.core.run_layout import FACES, FRAMES, GEOMETRY, KEYPOINTS
from or_mv_anon.models.detectors.families import kind_of
from or_mv_anon.models.network_file import NetworkFile
from or_mv_anon.models.runtime import Device
from or_mv_anon.models.site_thresholds import Thresholds
from or_mv_anon.pipeline.artifacts import read_joined
from or_mv_anon.pipeline.media import CameraPlan

STUDENT, QUANTIZED = "student", "quantized"
LEAST_SECONDS = 60.0  # less time than this is not worth beginning with a student or a pose network
FACE_SECONDS = 180.0  # what a face detector takes at most on two cores; its training has no limit of its own
KEPT, DROPPED = "The pose network was fine-tuned.", "The pose network stays as it is."


@dataclass
class Extras:
    """What is added to the bundle: networks with kinds and thresholds by role, and sentences for the card."""

    files: dict[str, Path] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)
    thresholds: dict[str, Thresholds] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)


class Afterwards:
    """What is made once the best iteration is known.

    Args:
        iterations: that were made.
        networks: built-in networks by role.
        config: the adaptation's settings.
        pipeline: the anonymizer's settings.
        work: where everything is kept.
        budget: the user's time.
        device: to train on.
        seed: of every draw.
    """

    def __init__(
        self,
        iterations: Iterations,
        networks: Mapping[str, Path],
        *,
        config: AdaptationConfig,
        pipeline: PipelineConfig,
        work: WorkFolder,
        budget: Budget,
        device: Device,
        seed: int,
    ) -> None:
        self._iterations = iterations
        self._networks = networks
        self._config = config
        self._pipeline = pipeline
        self._work = work
        self._budget = budget
        self._device: Device = device
        self._seed = seed

    def make_student(self, best: int, last: int, start: DetectorCurves, extras: Extras) -> None:
        """Add a smaller detector that learned from the best one.

        Args:
            best: iteration that teaches it.
            last: iteration whose labels it learns from, besides.
            start: figures of the starting detector, for the thresholds.
            extras: what is added to.
        """
        if not self._enough(LEAST_SECONDS, "a faster detector", extras):
            return
        config = self._config
        pictures = self._iterations.images(last)[1]
        folder = self._folder(STUDENT)
        student = distill(
            teacher=self._iterations.detector(best),
            labels=self._work.labels(last),
            pictures=pictures,
            out=folder,
            settings=config.student,
            device=self._device,
            seed=self._seed,
            seconds=self._budget.limit,
        )
        detection = replace(self._pipeline.detection, input_long_side=config.student.long_side)
        comparison = self._iterations.comparison(last)
        rounded = quantize(
            model=student,
            pictures=pictures,
            held_out=comparison.pictures,
            labels=self._work.held_out(last),
            out=folder / f"{QUANTIZED}.onnx",
            detection=detection,
            settings=config.quantization,
            criterion=config.criterion,
            seed=self._seed,
        )
        kind = kind_of(student)
        comparison.add_detector(STUDENT, NetworkFile(kind, rounded or student), detection)
        every = comparison.curves()
        curves, taught_by = every[STUDENT], every[str(best)]
        if curves.criterion < taught_by.criterion - config.criterion.most_lost_by_student:
            extras.notes.append(
                f"The student was left out: its criterion is {curves.criterion:.4f}, its teacher's "
                f"{taught_by.criterion:.4f}; more [student] steps may help."
            )
            return
        tracking = room_thresholds(start, curves, self._pipeline.tracking, config.thresholds)
        extras.files[STUDENT], extras.kinds[STUDENT] = rounded or student, kind
        extras.thresholds[STUDENT] = {"detection": {"input_long_side": config.student.long_side}, "tracking": tracking}
        precision = "8-bit" if rounded else "32-bit"
        extras.notes.append(f"student: {precision}, {config.student.long_side} px, criterion {curves.criterion:.4f}")

    def refine(self, last: int, extras: Extras) -> None:
        """Add pose and face networks that do better here than the built-in ones."""
        missing = [role for role in ("pose", "face") if self._work.get("refined", role) is None]
        if missing:
            refinement = Refinement(
                self._iterations.findings(last),
                self._folder("refined"),
                config=self._config,
                pipeline=self._pipeline,
                device=self._device,
                seed=self._seed,
            )
            if "pose" in missing and self._enough(LEAST_SECONDS, "a pose network", extras):
                self._note("pose", refinement.pose(self._networks["pose"], seconds=self._budget.limit))
            if "face" in missing and self._enough(FACE_SECONDS, "a face detector", extras):
                self._note("face", refinement.face(self._networks["face"]))
        for role in ("pose", "face"):
            if (noted := self._work.get("refined", role)) is not None:
                extras.notes.append(noted["note"])
                if noted["network"] is not None:
                    extras.files[role] = self._work.root / noted["network"]

    def _enough(self, seconds: float, what: str, extras: Extras) -> bool:
        if self._budget.left >= seconds:
            return True
        extras.notes.append(f"No time was left for {what} of this site.")
        return False

    def _note(self, role: str, refined: Refined) -> None:
        network = None if refined.network is None else str(refined.network.relative_to(self._work.root))
        self._work.note("refined", {role: {"network": network, "note": refined.note}})

    def _folder(self, name: str) -> Path:
        folder = self._work.root / name
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder


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
        findings: Mapping[int, Sequence[CameraResults]],
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


def _posed(name: str, camera: CameraResults) -> PosedCamera:
    return PosedCamera(
        name=name,
        size=camera.size,
        times=camera.seconds,
        detections=camera.persons,
        keypoints=read_joined(camera.plan, KEYPOINTS),
        tracks=camera.tracks,
    )


def _checked(
    posed: Mapping[str, PosedCamera],
    parts: Mapping[str, CameraResults],
    *,
    config: AdaptationConfig,
    pipeline: PipelineConfig,
) -> dict[str, PosedCamera]:
    """The cameras with what others of their session contradict, where the session's geometry is known."""
    checked = dict(posed)
    for folder in {camera.plan.store for camera in parts.values()}:
        path = folder / GEOMETRY.file()
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


def _faced(posed: PosedCamera, camera: CameraResults) -> FacedCamera:
    frames = read_joined(camera.plan, FRAMES)
    looked = np.flatnonzero(frames.has(FrameFlag.FACES)).astype(np.int32)
    return FacedCamera(posed=posed, faces=read_joined(camera.plan, FACES), looked=looked)


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
