"""Something happens at an exact moment of a run: a kill, or a file swapped, at its n-th file operation.

The tool under trial is not touched: Python's own audit events, which `sitecustomize` listens to in the main process and
in every worker, tell of each file that is opened for writing, renamed or removed below a folder.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

SITECUSTOMIZE = """
import os, re, signal, sys

ROOT, LOG = os.environ["HOSTILE_ROOT"], os.environ["HOSTILE_LOG"]
PATTERN, NUMBER = re.compile(os.environ["HOSTILE_PATTERN"]), int(os.environ["HOSTILE_NUMBER"])
AFTER, SWAP = os.environ["HOSTILE_AFTER"] == "1", os.environ["HOSTILE_SWAP"]
WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC


def told(event, arguments):
    if event == "open":
        path, mode, flags = arguments
        writes = bool(set(mode) & set("wax+")) if isinstance(mode, str) else bool((flags or 0) & WRITES)
        return ("write", path) if writes else None
    if event == "os.rename":
        return ("rename", arguments[1])
    if event in ("os.remove", "os.rmdir", "os.mkdir"):
        return (event[3:], arguments[0])
    return None


def act():
    try:
        os.close(os.open(LOG + ".done", os.O_CREAT | os.O_EXCL | os.O_WRONLY))
    except FileExistsError:
        return
    if not SWAP:
        os.killpg(os.getpgrp(), signal.SIGKILL)
    source, target = SWAP.split(os.pathsep)
    before = os.stat(target)
    with open(source, "rb") as new, open(target, "r+b") as old:
        old.write(new.read())
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))


def listen(event, arguments):
    if event not in ("open", "os.rename", "os.remove", "os.rmdir", "os.mkdir"):
        return
    operation = told(event, arguments)
    if operation is None or isinstance(operation[1], int):
        return
    path = os.fsdecode(operation[1])
    if not path.startswith(ROOT):
        return
    with open(LOG, "a+") as log:
        log.write(f"{operation[0]} {os.path.relpath(path, ROOT)}\\n")
        log.seek(0)
        lines = log.read().splitlines()
    matches = [number for number, line in enumerate(lines) if PATTERN.search(line)]
    if NUMBER and len(matches) >= NUMBER and (not AFTER or len(lines) - 1 > matches[NUMBER - 1]):
        act()


sys.addaudithook(listen)
"""


@dataclass(frozen=True)
class Moment:
    """When something happens, and what.

    Attributes:
        number: it happens at the n-th operation that matches, counted from 1; 0 = never, operations are only written
            down.
        pattern: a regular expression for ``write|rename|remove|rmdir|mkdir path``, the path relative to the output.
        after: not right before that operation, but right before the next one of any process.
        swap: files whose bytes are written over one another (source, target), the target's time kept; without it the
            whole process group is killed.
    """

    number: int = 0
    pattern: str = "."
    after: bool = False
    swap: tuple[Path, Path] | None = None

    def environment(self, folder: Path, out: Path) -> dict[str, str]:
        """What must be set for a run that writes to `out`; the hook and its log go to `folder`."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "sitecustomize.py").write_text(SITECUSTOMIZE)
        log = folder / "operations.txt"
        for old in (log, Path(f"{log}.done")):
            old.unlink(missing_ok=True)
        path = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
        return {
            "PYTHONPATH": os.pathsep.join(path),
            "HOSTILE_ROOT": str(out),
            "HOSTILE_LOG": str(log),
            "HOSTILE_PATTERN": self.pattern,
            "HOSTILE_NUMBER": str(self.number),
            "HOSTILE_AFTER": str(int(self.after)),
            "HOSTILE_SWAP": os.pathsep.join(map(str, self.swap)) if self.swap else "",
        }


def operations(folder: Path) -> list[str]:
    """What the last run with a hook in `folder` did to files, in order."""
    log = folder / "operations.txt"
    return log.read_text().splitlines() if log.exists() else []


def happened(folder: Path) -> bool:
    """Whether the moment came."""
    return (folder / "operations.txt.done").exists()


def count_matching(lines: list[str], pattern: str) -> int:
    """How many operations match."""
    return sum(re.search(pattern, line) is not None for line in lines)
