"""Renders a run again in a process of its own, the way it is documented for everybody, and hears how far it is."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

PATIENCE_S = 20.0  # that a run has to end when it is asked to
MOST_SENTENCES = 20


@dataclass(frozen=True)
class RenderState:
    """How a run is going.

    Attributes:
        running: whether it is on.
        code: how it ended; None before it has.
        title, done, total: of the work it is at, in frames.
        said: what it told that somebody has to look at, the last sentences.
        error: what stopped it.
    """

    running: bool = False
    code: int | None = None
    title: str = ""
    done: int = 0
    total: int = 0
    said: tuple[str, ...] = ()
    error: str = ""


class Rendering:
    """Starts runs, one at a time.

    Args:
        command: of the run.
        ended: called when a run has ended, from a thread of its own.
    """

    def __init__(self, command: Sequence[str], ended: Callable[[], None]) -> None:
        self._command = list(command)
        self._ended = ended
        self._lock = threading.Lock()
        self._process: subprocess.Popen[str] | None = None
        self._thread: threading.Thread | None = None
        self.state = RenderState()

    def start(self) -> bool:
        """Begin a run; False while one is on.

        Raises:
            OSError: it cannot be started.
        """
        with self._lock:
            if self.state.running:
                return False
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
            self.state = RenderState(running=True, title="begins")
            self._thread = threading.Thread(target=self._listen, args=(self._process,), name="rendering", daemon=True)
            self._thread.start()
        return True

    def stop(self) -> None:
        """End a run that is on; what it has finished is kept."""
        process = self._process
        if process is None or process.poll() is not None:
            return
        process.terminate()
        try:
            process.wait(PATIENCE_S)
        except subprocess.TimeoutExpired:
            process.kill()

    def plain(self) -> dict[str, Any]:
        """The state for the page."""
        return asdict(self.state)

    def _listen(self, process: subprocess.Popen[str]) -> None:
        assert process.stdout is not None
        assert process.stderr is not None
        errors: list[str] = []
        reader = threading.Thread(target=lambda: errors.extend(process.stderr or ()), daemon=True)
        reader.start()
        for line in process.stdout:
            try:
                self._hear(json.loads(line))
            except (ValueError, KeyError, TypeError):
                continue
        code = process.wait()
        reader.join(timeout=1)
        told = [line.strip().removeprefix("error: ") for line in errors if line.strip()]
        self.state = replace(self.state, code=code, error=told[-1] if told and code not in (0, 1) else "")
        try:
            self._ended()
        finally:
            self.state = replace(self.state, running=False)

    def _hear(self, event: dict[str, Any]) -> None:
        if event["event"] == "progress":
            self.state = replace(
                self.state, title=str(event["title"]), done=int(event["done"]), total=int(event["total"])
            )
        elif event["problem"]:
            said = (*self.state.said, str(event["text"]))[-MOST_SENTENCES:]
            self.state = replace(self.state, said=said)


def render_command(out: Path, videos: Path | None) -> list[str]:
    """The command that takes what was corrected into the videos in `out`."""
    where = [] if videos is None else ["--videos", str(videos)]
    return [sys.executable, "-m", "or_mv_anon", "render", str(out), *where, "--progress", "json"]
