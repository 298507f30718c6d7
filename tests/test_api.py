"""The functions from Python: what the page about them shows works, in a script without any guard."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest

import or_mv_anon as oma
from or_mv_anon.api import Anonymizer
from or_mv_anon.core.config import load_config
from or_mv_anon.core.truth import FaceMasks, Truth, load_truth, save_truth

ROOT = Path(__file__).parent.parent
SESSION = ROOT / "data" / "simulated_session"
QUICK = 'from pathlib import Path\nPath("s.toml").write_text("[static_heads]\\ninterval_s = 0.0")\n'


def truth_of(run: Path) -> Truth:
    """The session's ground truth of the frames that a run over its beginning has."""
    truth, cameras = load_truth(SESSION / "truth"), {}
    for name, camera in truth.cameras.items():
        frames = sum(pq.read_metadata(path).num_rows for path in (run / "stages" / name).glob("frames-*.parquet"))
        faces = camera.faces
        rows = np.flatnonzero(faces.frame < frames)
        cameras[name] = replace(
            camera,
            frames=camera.frames[camera.frames.frame < frames],
            people=camera.people[camera.people.frame < frames],
            faces=FaceMasks(
                faces.frame[rows], faces.person[rows], [faces.face[n] for n in rows], [faces.bare[n] for n in rows]
            ),
        )
    return replace(truth, cameras=cameras)


@pytest.mark.sample
def test_every_block_of_the_page_runs_as_a_script(tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "python.md").read_text(), re.DOTALL)
    assert len(blocks) == 3
    (tmp_path / "recordings").symlink_to(SESSION / "recording")
    blocks[0] = QUICK + blocks[0].replace("end=0.6", 'end=0.6, config="s.toml"')
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    said = []
    for number, block in enumerate(blocks):
        script = tmp_path / f"block{number}.py"
        script.write_text(block)
        done = subprocess.run(
            [sys.executable, script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
        if number == 0:  # what the next block judges it by
            save_truth(tmp_path / "truth", truth_of(tmp_path / "anonymous"))
    assert [line.split()[0] for line in said[0].splitlines()[:4]] == ["cam1", "cam2", "cam3", "cam4"], "nothing else"


def test_what_is_impossible_is_raised_and_nothing_is_printed(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(oma.UserError, match="does not exist"):
        oma.anonymize(tmp_path / "nowhere", tmp_path / "out")
    with pytest.raises(TypeError, match="colour"):
        oma.anonymize(str(tmp_path), tmp_path / "out", colour="red")
    assert capfd.readouterr() == ("", "")


class Nets:
    """A person detector that finds one person in the pictures that are bright, or fails."""

    def __init__(self, *, fails: bool = False) -> None:
        self.fails = fails

    def __contains__(self, role: str) -> bool:
        return role in ("detector", "pose", "face")

    def __getitem__(self, role: str) -> Any:
        return self

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        return width, height

    def detect(self, pictures: list[Any], *, size: tuple[int, int]) -> list[Any]:
        if self.fails:
            raise RuntimeError("out of memory")
        found = [[20, 10, 40, 50]] if pictures[0].mean() > 100 else np.zeros((0, 4))
        return [(np.array(found, np.float32), np.full(len(found), 0.9, np.float32))]

    def estimate(self, picture: Any, boxes: Any) -> tuple[Any, Any]:
        return np.zeros((len(boxes), 26, 2), np.float32), np.zeros((len(boxes), 26), np.float32)


def anonymizer(monkeypatch: pytest.MonkeyPatch, **options: Any) -> Anonymizer:
    monkeypatch.setattr("or_mv_anon.pipeline.weights.built_in_networks", lambda **_: None)
    monkeypatch.setattr("or_mv_anon.regions.networks.load_networks", lambda *_: Nets(**options))
    return Anonymizer(config=load_config())


def test_places_stay_covered_for_a_while_and_the_input_stays_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    frames = [np.full((64, 96, 3), 200, np.uint8), *[np.full((64, 96, 3), 50, np.uint8) for _ in range(14)]]
    covered = list(anonymizer(monkeypatch).cover(frames))
    assert (frames[0] == 200).all()
    assert [bool((picture == 0).any()) for picture in covered] == [True] * 13 + [False] * 2


def test_a_picture_that_fails_comes_back_black(monkeypatch: pytest.MonkeyPatch) -> None:
    tool = anonymizer(monkeypatch, fails=True)
    (covered,) = tool.cover([np.full((64, 96, 3), 200, np.uint8)])
    assert not covered.any()
    assert "out of memory" in tool.problems[0]


def test_none_is_no_method_here() -> None:
    with pytest.raises(ValueError, match="covers nothing"):
        Anonymizer(method="none")
