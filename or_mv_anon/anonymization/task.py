"""One step of a run, as the manifest knows it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

ALL_CAMERAS = ""  # the camera of a step that is about the whole session


@dataclass(frozen=True)
class Task:
    """A job with what the manifest needs to know of it."""

    stage: str
    fingerprint: str
    files: list[str]
    job: Any
    camera: str
    frames: int
    facts: dict[str, Any] = field(default_factory=dict)  # noted beside what the job reports
