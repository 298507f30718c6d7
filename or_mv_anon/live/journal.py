"""What a live room leaves in writing: a status a second in files that take turns, and an audit record of every minute.

Records hold figures and names of cameras and files, no picture and no address. Each names the hash of the one before
it, so that none can be left out or changed unnoticed.
"""

from __future__ import annotations

import hashlib
import json
import os
import threading
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import explained
from or_mv_anon.core.seals import fingerprint
from or_mv_anon.live.status import COUNTS

MOST_BYTES = 8 << 20  # of a status file
FILES = 4  # status files that take turns
MINUTE_S = 60.0
FIRST = "0" * 64  # what the first record of all names as the one before it


class Rotated:
    """A file of lines that is put aside when it is full; the oldest one is given up."""

    def __init__(self, path: Path, *, most_bytes: int = MOST_BYTES, files: int = FILES) -> None:
        self._path, self._most, self._files = path, most_bytes, files

    def write(self, line: str) -> None:
        """Append a line.

        Raises:
            OSError: the disk is full.
        """
        if self._path.exists() and self._path.stat().st_size + len(line) > self._most:
            for number in range(self._files - 1, 0, -1):
                older = self._path.with_suffix(f".{number - 1}.jsonl") if number > 1 else self._path
                if older.exists():
                    older.replace(self._path.with_suffix(f".{number}.jsonl"))
        with self._path.open("a", encoding="utf-8") as file:
            file.write(line + "\n")


class Journal:
    """Writes for one run; a full disk stops nothing, it is told once and tried again."""

    def __init__(self, folder: Path, about: Mapping[str, Any], say: Callable[[str], None]) -> None:
        """`about` the run, for its first record: settings, networks and versions.

        Raises:
            UserError: the folder cannot be written.
        """
        self._folder, self._say = folder, say
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
        self._lines = Rotated(folder / "status.jsonl")
        self._before: dict[str, dict[str, int]] = {}
        self._begun: float | None = None
        self._files: list[dict[str, Any]] = []
        self._lock = threading.Lock()
        self._hashing: list[threading.Thread] = []
        self._failed = False
        self._last = _last_hash(folder)
        self._record({"event": "start", **about}, datetime.now(UTC))

    def note(self, status: dict[str, Any]) -> None:
        """A second has passed."""
        self._tried(lambda: self._lines.write(json.dumps(status)))
        self._begun = status["time"] if self._begun is None else self._begun
        if status["time"] - self._begun >= MINUTE_S:
            self._minute(status)

    def note_file(self, camera: str, path: Path, pictures: int) -> None:
        """A file was ended; it is hashed aside."""
        thread = threading.Thread(target=self._hash, args=(camera, path, pictures), daemon=True)
        self._hashing = [each for each in self._hashing if each.is_alive()]
        self._hashing.append(thread)
        thread.start()

    def close(self, status: dict[str, Any]) -> None:
        """The run ends."""
        for thread in self._hashing:
            thread.join()
        self._minute(status, event="end")

    def _hash(self, camera: str, path: Path, pictures: int) -> None:
        try:
            digest, size = fingerprint(path)
        except (OSError, UserError) as error:
            self._say(f"{camera}: {path.name} could not be read again ({error}).")
            return
        with self._lock:
            self._files.append(
                {"camera": camera, "file": path.name, "pictures": pictures, "bytes": size, "sha256": digest}
            )

    def _minute(self, status: dict[str, Any], event: str = "minute") -> None:
        cameras = {}
        for name, camera in status["cameras"].items():
            before = self._before.get(name, {})
            counts = {count: camera[count] - before.get(count, 0) for count in COUNTS}
            self._before[name] = {count: camera[count] for count in COUNTS}
            more = ("state", "people", "latency_p50_s", "latency_p95_s", "latency_p99_s")
            cameras[name] = {**counts, **{key: camera[key] for key in more}}
        with self._lock:
            files, self._files = self._files, []
        began = datetime.fromtimestamp(self._begun or status["time"], UTC)
        self._begun = status["time"]
        content = {"event": event, "overload": status["overload"], "cameras": cameras, "files": files}
        self._record({**content, "from": f"{began:%Y-%m-%dT%H:%M:%SZ}"}, datetime.fromtimestamp(status["time"], UTC))

    def _record(self, content: dict[str, Any], now: datetime) -> None:
        line = json.dumps({"time": f"{now:%Y-%m-%dT%H:%M:%SZ}", **content, "before": self._last}, sort_keys=True)
        path = self._folder / f"audit-{now:%Y%m%d}.jsonl"

        def append() -> None:
            with path.open("a", encoding="utf-8") as file:
                file.write(line + "\n")
                file.flush()
                os.fsync(file.fileno())

        if self._tried(append):
            self._last = hashlib.sha256(line.encode()).hexdigest()

    def _tried(self, write: Callable[[], None]) -> bool:
        try:
            write()
        except OSError as error:
            if not self._failed:
                self._say(f"The journal in {self._folder} cannot be written ({error.strerror}); trying again.")
            self._failed = True
            return False
        self._failed = False
        return True


def _last_hash(folder: Path) -> str:
    """Of the last whole record that an earlier run left."""
    for path in sorted(folder.glob("audit-*.jsonl"), reverse=True):
        lines = path.read_bytes().split(b"\n")
        whole = [line for line in lines[:-1] if line]
        if lines[-1]:  # cut off in the middle: ended here, so that the next record stands by itself
            with path.open("ab") as file:
                file.write(b"\n")
        if whole:
            return hashlib.sha256(whole[-1]).hexdigest()
    return FIRST


def broken_at(folder: Path) -> str | None:
    """Where the chain of records in `folder` is broken: a file and a line; None where it holds."""
    before = FIRST
    for path in sorted(folder.glob("audit-*.jsonl")):
        for number, line in enumerate(path.read_bytes().splitlines(), 1):
            try:
                found = json.loads(line)
            except ValueError:
                continue  # cut off by a killed run; the next record names the one before it
            if found.get("before") != before:
                return f"{path.name}, line {number}"
            before = hashlib.sha256(line).hexdigest()
    return None
