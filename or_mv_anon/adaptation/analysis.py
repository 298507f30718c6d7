"""Sees, follows and associates the people of every window: the anonymizer's own stages, without rendering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from or_mv_anon.adaptation.material import Window, keep_hashes, window_plan
from or_mv_anon.adaptation.results import CameraResults, load_results
from or_mv_anon.adaptation.settings import MaterialConfig
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.executor import Executor
from or_mv_anon.core.listening import tell
from or_mv_anon.core.printable import printable
from or_mv_anon.models.detectors.families import kind_of
from or_mv_anon.models.registry import sha256
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.executors import open_executor
from or_mv_anon.pipeline.profiles import new_context, run_session
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.pipeline.weights import Weights
from or_mv_anon.regions.networks import DETECTOR


def labelling_config(config: PipelineConfig, material: MaterialConfig) -> PipelineConfig:
    """The anonymizer's settings, looking less often and at a finer size; still heads are not looked for."""
    detection = replace(config.detection, interval_s=material.detect_every_s, input_long_side=material.input_long_side)
    return replace(
        config,
        detection=detection,
        pose=replace(config.pose, interval_s=material.detect_every_s),
        face=replace(config.face, interval_s=material.face_every_s),
        heads=replace(config.heads, interval_s=0.0),
        static_heads=replace(config.static_heads, interval_s=0.0),
    )


def site_detector(path: Path, *, role: str = DETECTOR) -> list[Weights]:
    """The detector that an iteration began with or trained."""
    return [Weights(role, path.stem, str(path), sha256(path), "the site's own", kind_of(path))]


def analyse_windows(
    windows: Sequence[Window],
    folder: Path,
    *,
    detector: Sequence[Weights],
    original: Path,
    weights: Sequence[Weights],
    spec: RunSpec,
) -> dict[int, list[CameraResults]]:
    """Run the stages over every window; what was finished earlier is kept.

    Args:
        windows: to look at.
        folder: holds one store per window.
        detector: the person detector of this iteration, see `site_detector`.
        original: the `folder` of the first iteration, which the starting detector began.
        weights: of the other networks.
        spec: of the anonymizer's stages, with `labelling_config`.

    Returns:
        By window number, the findings of every camera in which nothing failed.
    """
    used = [*detector, *(entry for entry in weights if entry.role != "detector")]
    spec = replace(spec, weights=tuple(used))
    with open_executor(spec) as executor:  # one after another: the first window of a recording hashes it for the others
        return {window.number: _analyse_window(window, folder, original, spec, executor) for window in windows}


def _analyse_window(
    window: Window, folder: Path, original: Path, spec: RunSpec, executor: Executor | None
) -> list[CameraResults]:
    run = look_at(window, folder, spec, executor)
    for problem in run.problems:
        tell(f"- {printable(problem)}")
    session = window.recording.session.name
    return [load_results(camera, session=session, original=original / window.name) for camera in run.healthy]


def look_at(window: Window, folder: Path, spec: RunSpec, executor: Executor | None) -> RunContext:
    """Run the stages over one window, as far as the regions; what was finished earlier is kept in `folder`."""
    plan = window_plan(window, folder / window.name)
    run = new_context(plan, spec)
    run_session(run, render=False, executor=executor)
    keep_hashes(window, plan)
    return run
