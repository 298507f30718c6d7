"""What an adaptation looks at: windows of the recordings, each analysed by the anonymizer's own stages.

A long recording is not looked at whole. Windows are as long as the cameras' geometry needs to be learned, spread evenly
over all sessions; short recordings are one window each. Every window of every iteration has a store of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.listening import tell
from or_mv_anon.core.printable import printable
from or_mv_anon.core.store import RunStore
from or_mv_anon.pipeline.media import CameraPlan
from or_mv_anon.pipeline.plan import SessionPlan, plan_session
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.site import Session, Site, StreamFacts, session_window
from or_mv_anon.video.segments import plan_segments

MINUTE = 60.0
SEGMENTS = 4  # per camera and window, so that every core has something to do


@dataclass(frozen=True)
class Window:
    """A stretch of a session, in seconds of session time."""

    recording: SessionPlan
    number: int  # over all sessions
    start: float
    end: float

    @property
    def name(self) -> str:
        """Names its store."""
        return f"{self.recording.session.name}-{self.number:03d}"


def plan_recordings(site: Site, folder: Path, spec: RunSpec) -> list[SessionPlan]:
    """Every session of the site with the cameras that show the room, indexed once.

    Raises:
        UserError: there is none.
    """
    plans = []
    for session in site.sessions:
        rooms = tuple(camera for camera in session.cameras if camera.kind == "room")
        if not rooms:
            continue
        plan = plan_session(replace(session, cameras=rooms), folder, spec, store=folder / session.name)
        if plan.cameras:
            plans.append(plan)
        for problem in plan.problems:
            tell(f"- {printable(problem)}")
    if not plans:
        raise UserError(f"{site.path} holds no camera of a room that can be read; see --videos.")
    return plans


def plan_windows(recordings: Sequence[SessionPlan], *, window_s: float, most_s: float) -> list[Window]:
    """Windows of at most `window_s` seconds, together at most `most_s`, evenly over the time in which cameras ran."""
    spans = [_span(plan.usable, plan.facts) for plan in recordings]
    total = sum(end - start for start, end in spans)
    windows: list[Window] = []
    for plan, (start, end) in zip(recordings, spans, strict=True):
        allowed = min(end - start, most_s * (end - start) / total)
        count = max(1, round(allowed / window_s))
        length = min(window_s, allowed / count)
        slot = (end - start) / count
        for position in range(count):
            middle = start + (position + 0.5) * slot
            whole = count * length > (end - start) - 1e-6
            first = start if whole and count == 1 else middle - length / 2
            windows.append(Window(plan, len(windows), first, first + length if count > 1 or not whole else end))
    return windows


def window_plan(window: Window, store: Path) -> SessionPlan:
    """The window as a session of its own, whose stage outputs lie in `store`; the recording is not read again.

    Raises:
        UserError: `store` cannot be written.
    """
    whole = window.recording
    plan = SessionPlan(Session(name=window.name, cameras=()), store, RunStore.open(store))
    for camera, facts in zip(whole.cameras, whole.facts, strict=True):
        part = _cut(camera, facts, window, store)
        if part is None:
            continue
        for stage in ("index", "hash"):
            plan.store.adopt(part.stage(stage), whole.store)
        plan.cameras.append(part)
        plan.facts.append(facts)
    plan.session = Session(name=window.name, cameras=tuple(part.camera for part in plan.cameras))
    return plan


def keep_hashes(window: Window, analysed: SessionPlan) -> None:
    """Note the recordings' hashes for the windows that follow: hours of video are read once for them."""
    for camera in analysed.cameras:
        window.recording.store.adopt(camera.stage("hash"), analysed.store)


def _span(session: Session, facts: Sequence[StreamFacts]) -> tuple[float, float]:
    """When all cameras ran together, or any of them if there is no such time."""
    found = session_window(session, facts)
    return found.overlap or (found.start, found.end)


def _cut(camera: CameraPlan, facts: StreamFacts, window: Window, store: Path) -> CameraPlan | None:
    times = np.array([window.start, window.end]) - camera.camera.offset
    length = (window.end - window.start) / SEGMENTS
    try:
        segments = plan_segments(facts, seconds=length, start=float(times[0]), end=float(times[1]))  # type: ignore[arg-type]
    except UserError:  # this camera did not run then
        return None
    return replace(camera, store=store, segments=tuple(segments))
