"""Watches every process of a command by strace, in a network namespace without routes: what would leave the machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

CONSOLE = str(Path(sys.executable).with_name("or-mv-anon"))
PATIENCE = 1800  # seconds
WATCH = ("unshare", "-rn", "strace", "-f", "--seccomp-bpf", "-qq", "-e", "trace=socket,openat", "-e", "signal=none")
OUTWARD = re.compile(r"socket\((AF_INET6?|AF_NETLINK|AF_PACKET)[,)]")  # netlink: how a name is looked up
REPORTS = re.compile(r"openat\(.*(deviceid|\.onnxruntime|intel/openvino_ga|openvino_telemetry/main)")


def _can_watch() -> bool:
    if shutil.which("strace") is None or shutil.which("unshare") is None:
        return False
    return subprocess.run([*WATCH, "-o", os.devnull, "true"], capture_output=True, check=False).returncode == 0


CAN_WATCH = _can_watch()
watched = pytest.mark.skipif(not CAN_WATCH, reason="needs strace and the right to make a network namespace")


def told(folder: Path, *command: object, codes: tuple[int, ...] = (0,)) -> list[str]:
    """Run a command under watch; the calls by which it, or a child of it, could tell somebody something."""
    trace = folder / "trace"
    done = subprocess.run(
        [*WATCH, "-o", str(trace), *map(str, command)], capture_output=True, text=True, timeout=PATIENCE, check=False
    )
    assert done.returncode in codes, done.stdout + done.stderr
    with trace.open(errors="replace") as lines:
        return [line for line in lines if OUTWARD.search(line) or REPORTS.search(line)]
