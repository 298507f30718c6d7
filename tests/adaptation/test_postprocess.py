"""Frames for the pose and face networks: numbered as in the findings, read from the right place of the recording."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from or_mv_anon.adaptation.decode import read_frames
from or_mv_anon.adaptation.material import Window, plan_recordings, window_plan
from or_mv_anon.adaptation.postprocess import frame_reader
from or_mv_anon.core.config import load_config
from or_mv_anon.endoscopy.settings import load_endoscopy_config
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.site import discover
from tests.clips import write_clip


def test_frames_of_a_window_are_read_by_their_number_in_the_window(tmp_path: Path) -> None:
    (tmp_path / "site").mkdir()
    write_clip(tmp_path / "site" / "cam1.mp4", frames=60, rate=10)
    (recording,) = plan_recordings(
        discover(tmp_path / "site"), tmp_path / "out", RunSpec(config=load_config(), endoscopy=load_endoscopy_config())
    )
    (camera,) = window_plan(Window(recording, 0, 2.0, 5.0), tmp_path / "store").cameras
    found = dict(frame_reader({"cam1#0": camera})("cam1#0", [1, 7, 20]))
    assert list(found) == [1, 7, 20]
    (expected,) = (frame.bgr() for frame in read_frames(recording.cameras[0], [27]))
    np.testing.assert_array_equal(found[7], expected)
