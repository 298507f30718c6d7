"""Nothing phones home: once the weights are here no command opens a socket that leads out of the machine.

Every process is watched, which also sees what libraries in C and C++ do. `adapt` has its test beside its others.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.clips import write_clip
from tests.watching import CONSOLE, told, watched

pytestmark = pytest.mark.sample


@watched
def test_the_watch_sees_what_a_child_of_a_child_does(tmp_path: Path) -> None:
    """Otherwise the others would prove nothing."""
    inner = "import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM)"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    assert len(told(tmp_path, sys.executable, "-c", outer)) == 1


@watched
def test_anonymize_and_attack_stay_silent(tmp_path: Path, site: Callable[..., Path]) -> None:
    """Two cameras, so that people are compared; with every network that the main job knows."""
    videos, out = site("cam1.mp4", "cam2.mp4", frames=6), tmp_path / "out"
    arguments = ("--videos", videos, "--out", out, "--method", "learned", "--attack", "--workers", "2")
    assert told(tmp_path, CONSOLE, "anonymize", *arguments, codes=(0, 1)) == []
    attack = ("--original", videos, "--anonymized", out, "--recognizers", "sface")
    assert told(tmp_path, CONSOLE, "attack", *attack, codes=(0, 2)) == []  # 2: six frames are too few to attack


@watched
def test_endoscopy_stays_silent(tmp_path: Path) -> None:
    clip = write_clip(tmp_path / "scope.mp4", frames=10, size=(128, 96))
    assert told(tmp_path, CONSOLE, "endoscopy", clip, tmp_path / "out", "--save-video", "--workers", "1") == []
    live = ("--input", clip, "--output", tmp_path / "live.mkv", "--pace", "fast")
    assert told(tmp_path, CONSOLE, "endoscopy-live", *live) == []


@watched
def test_an_engine_that_reports_its_use_is_kept_silent(tmp_path: Path) -> None:
    """ONNX Runtime contacts its maker while it is imported, whoever imports it, unless told before."""
    pytest.importorskip("onnxruntime")
    program = "import or_mv_anon, time, onnxruntime; time.sleep(1)"
    assert told(tmp_path, sys.executable, "-c", program) == []
    doctor = "from or_mv_anon.models import runtime; import sys; runtime.describe_devices(); "
    assert told(tmp_path, sys.executable, "-c", doctor + "sys.exit('onnxruntime' in sys.modules)") == []
