"""The audit of one session as data: what `audit.json` holds and `report.html` shows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from or_mv_anon.audit.association import AssociationAudit
from or_mv_anon.audit.attack import AttackAudit
from or_mv_anon.audit.cases import Case
from or_mv_anon.audit.intervals import RiskInterval
from or_mv_anon.audit.learned import LearnedAudit
from or_mv_anon.audit.summary import CameraSummary


@dataclass(frozen=True, kw_only=True)
class InputVideo:
    """A source as it was found. `rotation` is in degrees; `width` and `height` are of the upright frame."""

    camera: str
    name: str
    sha256: str
    bytes: int
    frames: int
    duration_s: float
    width: int
    height: int
    codec: str
    rotation: int = 0


@dataclass(frozen=True, kw_only=True)
class OutputVideo:
    """An anonymized video as it was written, and what the verification found.

    `verification` is one sentence; `notes` tell deviations from the source, such as another codec.
    """

    camera: str
    name: str
    sha256: str
    bytes: int
    codec: str
    encoder: str
    verified: bool
    verification: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ModelUsed:
    """A model's weights and how they were run."""

    role: str
    name: str
    sha256: str
    licence: str
    provider: str
    precision: str


@dataclass(frozen=True, kw_only=True)
class StageTiming:
    """Wall time of a stage; `camera` is empty for a stage over all cameras, `skipped` means taken from a former run."""

    stage: str
    frames: int
    seconds: float
    camera: str = ""
    skipped: bool = False

    @property
    def frames_per_s(self) -> float | None:
        """Frames per second, or None where nothing was measured."""
        return self.frames / self.seconds if self.seconds > 0 and self.frames else None

    @property
    def ms_per_frame(self) -> float | None:
        """Milliseconds per frame, or None where nothing was measured."""
        return 1000 * self.seconds / self.frames if self.seconds > 0 and self.frames else None


@dataclass(frozen=True, kw_only=True)
class CameraAudit:
    """One camera: its place on the session's clock, what was found, what a reviewer should look at (ranked).

    `offset_s` was added to the camera's own timestamps; it then starts at `start_s` and lasts `duration_s`.
    """

    camera: str
    offset_s: float
    start_s: float
    duration_s: float
    summary: CameraSummary
    risks: tuple[RiskInterval, ...]


@dataclass(frozen=True, kw_only=True)
class Audit:
    """The whole audit of one session.

    Attributes:
        session: the session's name.
        tool_version: version of or_mv_anon.
        created: when the run ended, ISO 8601 with time zone.
        settings: the whole configuration, section to key to value.
        options: the command line's options.
        inputs: one per camera.
        outputs: one per camera that was written.
        models: every model that ran.
        versions: see `or_mv_anon.audit.versions`.
        timings: in the order in which stages ran.
        cameras: one per camera.
        problems: whole sentences; empty when everything went well.
        notes: whole sentences about the recordings: what was joined, fitted, spliced or ignored.
        alarms: whole sentences about the run as a whole, told before anything else: people may be in the open although
            nothing failed.
        association: the cameras together; None for a single camera.
        learned: what became of drawn heads; None where none were to be drawn.
        cases: what a person should look at, ranked; None where the list could not be made.
        attack: how far recognizers got with the output; None where they did not try.
    """

    session: str
    tool_version: str
    created: str
    settings: Mapping[str, Any]
    options: Mapping[str, Any]
    inputs: tuple[InputVideo, ...]
    outputs: tuple[OutputVideo, ...]
    models: tuple[ModelUsed, ...]
    versions: Mapping[str, str]
    timings: tuple[StageTiming, ...]
    cameras: tuple[CameraAudit, ...]
    problems: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    association: AssociationAudit | None = None
    learned: LearnedAudit | None = None
    attack: AttackAudit | None = None
    alarms: tuple[str, ...] = ()
    cases: tuple[Case, ...] | None = None


@dataclass(frozen=True)
class Verdict:
    """The first line of the report: whether all is well, and one sentence that says so."""

    well: bool
    sentence: str


def verdict(audit: Audit) -> Verdict:
    """Judges the run by its problems, its outputs and their verification; never by the number of risks.

    A run is well only when every input has a verified output, no frame's processing failed and nothing was noted.
    Alarms come first.
    """
    frames = sum(camera.summary.frames for camera in audit.cameras)
    written = {output.camera for output in audit.outputs}
    faults = []
    if not audit.inputs:
        faults.append("no input was found")
    if without := [video.camera for video in audit.inputs if video.camera not in written]:
        faults.append(f"no output for {_listed(without)}")
    if unverified := [output.camera for output in audit.outputs if not output.verified]:
        faults.append(f"not verified: {_listed(unverified)}")
    if failed := sum(camera.summary.failed_frames for camera in audit.cameras):
        faults.append(f"processing failed in {_number(failed, 'frame')}, covered whole")
    if corrupt := sum(camera.summary.corrupt_frames for camera in audit.cameras):
        faults.append(f"{_number(corrupt, 'damaged frame')}, covered whole")
    if audit.problems:
        faults.append(f"{_number(len(audit.problems), 'problem')} listed below")
    work = f"{_number(len(audit.inputs), 'camera')}, {_number(frames, 'frame')}"
    alarms = "".join(f"{sentence} " for sentence in audit.alarms)
    if faults:
        return Verdict(False, f"{alarms}Finished with problems: {'; '.join(faults)} ({work}).")
    if alarms:
        return Verdict(False, f"{alarms}Finished: {work}.")
    return Verdict(True, f"Finished: {work}, all verified.")


def _number(count: int, noun: str) -> str:
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def _listed(names: list[str]) -> str:
    return ", ".join(names)
