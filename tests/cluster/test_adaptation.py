"""The stages with which adaptation looks at its material, on a cluster: the same findings as on this machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("ray", reason="could not import 'ray'")

from or_mv_anon.adaptation.analysis import analyse_windows, labelling_config
from or_mv_anon.adaptation.material import plan_recordings, plan_windows
from or_mv_anon.adaptation.results import CameraResults
from or_mv_anon.adaptation.settings import load_adaptation_config
from or_mv_anon.core.config import load_config
from or_mv_anon.core.resources import resource
from or_mv_anon.endoscopy.settings import load_endoscopy_config
from or_mv_anon.pipeline.options import ExecutorName
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.pipeline.weights import NetworkChoice, find_weights
from or_mv_anon.site import discover

pytestmark = [pytest.mark.slow, pytest.mark.sample]


def test_windows_analysed_on_a_cluster_are_those_analysed_here(tmp_path: Path) -> None:
    config = labelling_config(load_config(), load_adaptation_config().material)
    spec = RunSpec(config=config, endoscopy=load_endoscopy_config(), workers=2, device="cpu")
    recordings = plan_recordings(discover(resource("data/simulated_session/recording")), tmp_path / "plans", spec)
    windows = plan_windows(recordings, window_s=1.0, most_s=2.0)
    weights = find_weights(NetworkChoice(), {"room"})
    detector = [entry for entry in weights if entry.role == "detector"]

    def analysed(executor: ExecutorName) -> dict[int, list[CameraResults]]:
        folder = tmp_path / executor
        return analyse_windows(
            windows, folder, detector=detector, original=folder, weights=weights,
            spec=replace(spec, executor=executor),
        )  # fmt: skip

    here, there = analysed("local"), analysed("ray")
    assert sum(len(camera.tracks) for found in here.values() for camera in found) > 0
    for number, found in here.items():
        assert [camera.name for camera in found] == [camera.name for camera in there[number]]
        for mine, theirs in zip(found, there[number], strict=True):
            for name in mine.tracks.columns:
                np.testing.assert_array_equal(getattr(mine.tracks, name), getattr(theirs.tracks, name))
