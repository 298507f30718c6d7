"""Runs of the live tool for tests: as a process, or within, and what the pictures that came out show."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from or_mv_anon.live.pictures import GREY

TOOL = Path(__file__).resolve().parents[2] / "tools" / "anonymize_endoscopy_live.py"
START_S = 240.0  # seconds that a busy machine may take to load everything


class Tool:
    """The tool as a process of its own."""

    def __init__(self, *, source: str | Path, target: str | Path, network: Path, more: tuple[str, ...] = ()) -> None:
        self.target = target
        self.stats = network.with_name("stats.json")
        self.stats.unlink(missing_ok=True)
        arguments = ["--input", str(source), "--output", str(target), "--weights", str(network), *more]
        self.process = subprocess.Popen(
            [sys.executable, str(TOOL), *arguments, "--stats", str(self.stats)],
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
        self.said = ""

    def stop(self, how: int = signal.SIGTERM) -> int:
        """End it and return its exit code."""
        self.process.send_signal(how)
        return self.end()

    def end(self) -> int:
        """Wait for its end."""
        try:
            self.said, _ = self.process.communicate(timeout=START_S)
        finally:
            self.process.kill()
        return self.process.returncode

    def counts(self) -> dict[str, float]:
        """What it wrote with --stats."""
        return json.loads(self.stats.read_text())


def wait_for(what: Callable[[], object], seconds: float = START_S) -> None:
    """Wait until `what` is true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.05)


def pictures(path: str | Path) -> list[NDArray[np.uint8]]:
    """All frames that decode, BGR; a file that was cut off ends where it was cut."""
    found = []
    with av.open(str(path)) as container:
        try:
            found.extend(frame.to_ndarray(format="bgr24") for frame in container.decode(video=0))
        except FFmpegError:
            return found
    return found


def playable(path: Path) -> int:
    """How many frames of a file that is still being written play by now."""
    try:
        return len(pictures(path))
    except (FFmpegError, OSError, IndexError):  # not even its beginning is there
        return 0


def shows_room(picture: NDArray[np.uint8]) -> bool:
    """Whether a picture shows the outside, uncovered: blue, and with the fine detail that covering destroys."""
    return bool(_is_blue(picture) and _detail(picture) > 8)


def shows_scope(picture: NDArray[np.uint8]) -> bool:
    """Whether a picture shows the inside, uncovered."""
    middle = _middle(picture)
    return bool(middle[..., 2].mean() > middle[..., 0].mean() + 40 and _detail(picture) > 8)


def shows_slate(picture: NDArray[np.uint8]) -> bool:
    """Whether a picture is the slate."""
    return bool(abs(np.median(picture) - (GREY - 16) * 255 / 219) < 6 and np.ptp(picture.mean((0, 1))) < 6)


def _middle(picture: NDArray[np.uint8]) -> NDArray[np.float64]:
    height, width = picture.shape[:2]
    return picture[height // 4 : -height // 4, width // 3 : -width // 3].astype(float)


def _is_blue(picture: NDArray[np.uint8]) -> bool:
    middle = _middle(picture)
    return bool(middle[..., 0].mean() > middle[..., 2].mean() + 20)


def _detail(picture: NDArray[np.uint8]) -> float:
    """How much neighbouring pixels differ, on average."""
    grey = _middle(picture).mean(axis=2)
    return float(np.abs(np.diff(grey, axis=1)).mean())
