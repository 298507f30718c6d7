"""The tool under trial as a process: bounded in time, and judged by how it ends. Nothing of it is imported."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ALLOWED = (0, 1, 2)  # done; done with problems that are listed; not done, something to put right


@dataclass(frozen=True)
class Ran:
    """How a process ended; `code` is None where it was still running when its time was over."""

    code: int | None
    out: str
    err: str

    @property
    def complaint(self) -> str:
        """What is wrong with how it ended; "" if it ended as the tool's documentation says."""
        if self.code is None:
            return "hangs"
        if "Traceback" in self.out + self.err:
            return "traceback"
        if "Internal error" in self.err:
            return "internal error: " + self.said
        return "" if self.code in ALLOWED else f"exit code {self.code}: {self.said}"

    @property
    def said(self) -> str:
        """The last line on stderr."""
        lines = [line for line in self.err.replace("\r", "\n").splitlines() if line.strip()]
        return lines[-1][:200] if lines else ""


@dataclass(frozen=True)
class Verdict:
    """What became of one attempt: `why` is empty where the tool survived it."""

    why: str = ""
    exposed: int = 0  # faces shown that an undisturbed run covers, summed over frames
    applies: bool = True  # False: this machine or this version cannot be tried in this way


@dataclass(frozen=True)
class Case:
    """One attempt on the tool, made in an empty folder of its own."""

    kind: str
    name: str
    attempt: Callable[[Path], Verdict]


@dataclass(frozen=True)
class Tool:
    """The command under trial.

    Attributes:
        command: such as ``(".venv/bin/or-mv-anon",)``.
        patience: seconds after which a run counts as hanging.
        config: settings that every run gets unless it brings its own.
    """

    command: Sequence[str]
    patience: float
    config: Path

    def anonymize(self, videos: Path, out: Path, *options: object, **how: Any) -> Ran:
        """One run of the main job on one worker."""
        return self.run(*self.job(videos, out, *options), **how)

    def job(self, videos: Path, out: Path, *options: object) -> list[str]:
        """The arguments of such a run."""
        config = [] if "--config" in options else ["--config", self.config]
        workers = [] if "--workers" in options else ["--workers", 1]
        return ["anonymize", *map(str, ["--videos", videos, "--out", out, *config, *workers, *options])]

    def run(self, *arguments: str, **how: Any) -> Ran:
        """Run a command of the tool to its end, or for as long as patience lasts."""
        return self.wait(self.start(*arguments, **how))

    def start(
        self, *arguments: str, environment: Mapping[str, str] | None = None, before: Sequence[str] = ()
    ) -> subprocess.Popen[str]:
        """Start a command as the leader of a process group of its own; `before` goes in front of the command."""
        return subprocess.Popen(
            [*before, *self.command, *arguments],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, errors="replace",
            start_new_session=True, env=dict(os.environ) | dict(environment or {}),
        )  # fmt: skip

    def wait(self, process: subprocess.Popen[str], patience: float | None = None) -> Ran:
        """Its end; a process that does not end in time is killed with all that it started."""
        try:
            out, err = process.communicate(timeout=self.patience if patience is None else patience)
            code: int | None = process.returncode
        except subprocess.TimeoutExpired:
            kill(process)
            out, err = process.communicate()
            code = None
        return Ran(code, out, err)


def kill(process: subprocess.Popen[str]) -> None:
    """End a process and all that it started, at once."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
