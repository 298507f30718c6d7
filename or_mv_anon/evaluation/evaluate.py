"""Judges one session: whatever the run or the videos and the ground truth allow, in one result."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from or_mv_anon import __version__
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.figures import Figures
from or_mv_anon.core.records import FrameFlag
from or_mv_anon.core.truth import Truth
from or_mv_anon.evaluation.coverage import Coverage, RegionCoverage, match_run
from or_mv_anon.evaluation.detection import DetectionResult, evaluate_detection
from or_mv_anon.evaluation.exposure import Exposure, ExposureOptions, measure_exposure
from or_mv_anon.evaluation.faceoff import FaceOffRow, faceoff_table
from or_mv_anon.evaluation.faceoff_rules import FaceOffOptions
from or_mv_anon.evaluation.identities import IdentityResult, evaluate_identities
from or_mv_anon.evaluation.judging import JudgedFaces, JudgedFrames, judge_camera
from or_mv_anon.evaluation.pixel_coverage import FillOptions, PixelCoverage, find_video
from or_mv_anon.evaluation.protocol_inputs import faceoff_video, squares_pictures
from or_mv_anon.evaluation.reference_protocol import SquaresOptions, SquaresResult, evaluate_squares
from or_mv_anon.evaluation.run_directory import CameraRun, Run, load_run
from or_mv_anon.evaluation.stretches import Stretch, exposed_stretches
from or_mv_anon.evaluation.tracking_metrics import TrackingResult, evaluate_tracking
from or_mv_anon.evaluation.worklist import WorklistResult, judge_worklist

SCHEMA = "or_mv_anon/evaluation/1"
FEW_BLOCKS = 10  # below which percentile intervals are known to be too narrow
Progress = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class Rules(Figures):
    """The options of all parts."""

    exposure: ExposureOptions = field(default_factory=ExposureOptions)
    faceoff: FaceOffOptions = field(default_factory=FaceOffOptions)
    squares: SquaresOptions = field(default_factory=SquaresOptions)
    fill: FillOptions = field(default_factory=FillOptions)


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """Everything measured; what the input does not allow is None.

    Attributes:
        source: what was judged.
        rules: by which options.
        faces, frames: every judgement that `exposure` sums up.
        stretches: every exposed one, the longest first.
        worklist: how far the list of cases leads a person who reviews.
        notes: whole sentences that a reader of the figures must know.
    """

    source: Mapping[str, Any]
    rules: Rules
    exposure: Exposure
    faces: JudgedFaces
    frames: JudgedFrames
    stretches: list[Stretch]
    worklist: WorklistResult | None = None
    faceoff: list[FaceOffRow] | None = None
    faceoff_with_heads: list[FaceOffRow] | None = None
    squares: SquaresResult | None = None
    detection: DetectionResult | None = None
    tracking: TrackingResult | None = None
    identities: IdentityResult | None = None
    notes: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        parts: dict[str, Any] = {
            name: None if (part := getattr(self, name)) is None else part.as_dict()
            for name in ("exposure", "worklist", "squares", "detection", "tracking", "identities")
        }
        return {
            "schema": SCHEMA,
            "tool_version": __version__,
            "source": dict(self.source),
            "rules": asdict(self.rules),
            "notes": list(self.notes),
            **parts,
            "stretches": [stretch.as_dict() for stretch in self.stretches],
            **{
                name: None if (rows := getattr(self, name)) is None else [row.as_dict() for row in rows]
                for name in ("faceoff", "faceoff_with_heads")
            },
        }


def evaluate_run(
    path: Path, truth: Truth, rules: Rules | None = None, *, progress: Progress | None = None
) -> Evaluation:
    """Judge the output folder of one session: exposure by its regions, and everything that models found.

    Args:
        path: of the run.
        truth: about the same recording.
        rules: options.
        progress: told each camera before it is judged.

    Raises:
        UserError: the folder is no finished run, or not one over the recording that the truth is about.
    """
    rules = rules or Rules()
    run = load_run(path)
    runs = {name: run.cameras[name] for name in _common(truth, list(run.cameras), what=f"the run {path.name}")}
    for name, camera in runs.items():
        match_run(camera, truth.cameras[name])
    coverages: Mapping[str, Callable[[], Coverage]] = {
        name: partial(RegionCoverage, camera) for name, camera in runs.items()
    }
    exposure, faces, frames = _judge(truth, coverages, rules, progress)
    stretches = exposed_stretches(faces, truth, rules.exposure, offsets=run.offsets, runs=runs)

    def faceoff(heads: FaceOffOptions | None) -> list[FaceOffRow]:
        videos = [
            faceoff_video(truth.cameras[name], camera, rules.exposure, heads=heads) for name, camera in runs.items()
        ]
        return faceoff_table(videos, rules.faceoff)

    looked = {name: camera.frames.frame[camera.frames.has(FrameFlag.PERSONS)] for name, camera in runs.items()}
    return Evaluation(
        source={"run": path.name, "method": run.method, "coverage": "regions", "truth": truth.source},
        rules=rules,
        exposure=exposure,
        faces=faces,
        frames=frames,
        stretches=stretches,
        worklist=None
        if run.cases is None
        else judge_worklist(run.cases, stretches, camera_hours=exposure.camera_hours),
        faceoff=faceoff(None),
        faceoff_with_heads=faceoff(rules.faceoff) if any(len(camera.heads) for camera in runs.values()) else None,
        squares=evaluate_squares(squares_pictures(truth.cameras, runs, rules.squares), rules.squares),
        detection=evaluate_detection(
            truth.cameras, {name: camera.persons for name, camera in runs.items()}, analysed=looked
        ),
        tracking=evaluate_tracking(truth.cameras, {name: camera.tracks for name, camera in runs.items()}),
        identities=evaluate_identities(truth.cameras, runs),
        notes=tuple(_notes(exposure, run, truth)),
    )


def evaluate_regions(cameras: Mapping[str, CameraRun], truth: Truth, rules: Rules | None = None) -> Exposure:
    """What the regions of `cameras` leave exposed; the cameras of the ground truth must all be there."""
    rules = rules or Rules()
    coverages = {name: partial(RegionCoverage, cameras[name]) for name in truth.cameras}
    return _judge(truth, coverages, rules, None)[0]


def evaluate_videos(
    original: Path, output: Path, truth: Truth, rules: Rules | None = None, *, progress: Progress | None = None
) -> Evaluation:
    """Judge anonymized videos of any tool that paints solid shapes, by their pixels; only exposure can be told.

    Args:
        original: folder of the recording, one video per camera.
        output: folder of the anonymized videos, named like the cameras.
        truth: about the recording.
        rules: options.
        progress: told each camera before it is judged.

    Raises:
        UserError: a video is missing, lacks frames, or is of another size.
    """
    rules = rules or Rules()

    def open_pair(name: str) -> Coverage:
        pair = find_video(original, name), find_video(output, name)
        return PixelCoverage(name, *pair, truth.cameras[name], rules.fill)

    coverages = {name: partial(open_pair, name) for name in truth.cameras}
    exposure, faces, frames = _judge(truth, coverages, rules, progress)
    return Evaluation(
        source={"videos": output.name, "coverage": "pixels", "truth": truth.source},
        rules=rules,
        exposure=exposure,
        faces=faces,
        frames=frames,
        stretches=exposed_stretches(faces, truth, rules.exposure, offsets={}),
        notes=tuple(_notes(exposure)),
    )


def _judge(
    truth: Truth, coverages: Mapping[str, Callable[[], Coverage]], rules: Rules, progress: Progress | None
) -> tuple[Exposure, JudgedFaces, JudgedFrames]:
    judged = []
    for number, (name, camera) in enumerate(truth.cameras.items()):
        if progress is not None:
            progress(name)
        judged.append(judge_camera(name, number, camera, coverages[name](), pixels=rules.exposure.pixels))
    faces = JudgedFaces.concat([each for each, _ in judged])
    frames = JudgedFrames.concat([each for _, each in judged])
    return measure_exposure(faces, frames, list(truth.cameras), rules.exposure), faces, frames


def _common(truth: Truth, names: list[str], *, what: str) -> list[str]:
    missing = [name for name in truth.cameras if name not in names]
    if missing or not truth.cameras:
        raise UserError(
            f"{what} lacks {', '.join(missing) or 'cameras'}, which the ground truth is about (it has "
            f"{', '.join(names) or 'none'}); evaluate a run over the whole session."
        )
    return list(truth.cameras)


def _notes(exposure: Exposure, run: Run | None = None, truth: Truth | None = None) -> list[str]:
    notes = []
    if exposure.blocks < FEW_BLOCKS:
        notes.append(
            f"The recording is short (stretches of time to draw from: {exposure.blocks}): the intervals are rough, and "
            "too narrow rather than too wide."
        )
    if not exposure.faces.considered:
        notes.append("No face counts in this session, so nothing can be said about exposure.")
    if run is not None and run.cases is None:
        notes.append("The run has no list of cases, so nothing can be said about reviewing it; run it again.")
    if run is not None and run.method == "none":
        notes.append("The run used --method none: nothing is covered in its videos.")
    if run is not None and truth is not None and (extra := [name for name in run.cameras if name not in truth.cameras]):
        notes.append(f"Not evaluated, because there is no ground truth: {', '.join(extra)}.")
    return notes
