"""Sees, follows and associates the people of every window: the anonymizer's own stages, without rendering."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from or_mv_anon.adaptation.findings import CameraFindings, load_findings
from or_mv_anon.adaptation.material import Window, keep_hashes, window_plan
from or_mv_anon.adaptation.settings import MaterialConfig
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.printable import printable
from or_mv_anon.endoscopy.settings import load_endoscopy_config
from or_mv_anon.models.registry import sha256
from or_mv_anon.pipeline.options import Options
from or_mv_anon.pipeline.plan import Weights, weights_for_session
from or_mv_anon.pipeline.runner import SessionRun


def labelling_config(config: PipelineConfig, material: MaterialConfig) -> PipelineConfig:
    """The anonymizer's settings, looking less often and at a finer size; heads without bodies teach nothing here."""
    detection = replace(config.detection, interval_s=material.detect_every_s, input_long_side=material.input_long_side)
    return replace(
        config,
        detection=detection,
        pose=replace(config.pose, interval_s=material.detect_every_s),
        face=replace(config.face, interval_s=material.face_every_s),
        still=replace(config.still, interval_s=0.0),
    )


def analyse_windows(
    windows: Sequence[Window],
    folder: Path,
    *,
    detector: Path,
    original: Path,
    weights: Sequence[Weights],
    options: Options,
    config: PipelineConfig,
) -> dict[int, list[CameraFindings]]:
    """Run the stages over every window; what was finished earlier is kept.

    Args:
        windows: to look at.
        folder: holds one store per window.
        detector: the person detector of this iteration.
        original: the `folder` of the first iteration, which the starting detector began.
        weights: of the other networks.
        options: of the anonymizer.
        config: see `labelling_config`.

    Returns:
        By window number, the findings of every camera in which nothing failed.
    """
    own = Weights("detector", detector.stem, str(detector), sha256(detector), "the site's own")
    used = [own, *(entry for entry in weights if entry.role != "detector")]
    found = {}
    for window in windows:
        plan = window_plan(window, folder / window.name)
        here = weights_for_session(used, plan.session)
        run = SessionRun(plan, options, config, here, load_endoscopy_config(None))
        run.run(render=False)
        keep_hashes(window, plan)
        for problem in run.problems:
            print(f"- {printable(problem)}", flush=True)
        session = window.recording.session.name
        found[window.number] = [
            load_findings(camera, session=session, original=original / window.name) for camera in run.healthy
        ]
    return found
