"""How far a review has come: the state of every case and every camera, and what still stands against a release.

A camera counts as accepted only by the very bytes that somebody accepted, and only if nobody has decided anything about
it since; a case is closed by whoever accepts it. Withdrawing takes either back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from or_mv_anon.audit.cases import Case
from or_mv_anon.corrections.actions import Accept, AcceptCamera, Action, Cover, NotAPerson, Open, Seen
from or_mv_anon.corrections.log import Line, standing

State = Literal["open", "seen", "corrected", "accepted"]
_CHANGES = (Cover, NotAPerson)  # who is who covers nothing


@dataclass(frozen=True)
class CaseState:
    """One case and how far it is.

    Attributes:
        case: what is to be looked at.
        state: accepted needs nothing more.
        reviewers: who accepted it, in order.
    """

    case: Case
    state: State
    reviewers: tuple[str, ...] = ()


@dataclass(frozen=True)
class CameraState:
    """One camera's output and how far it is.

    Attributes:
        camera: its name.
        state: accepted needs nothing more.
        reviewers: who accepted these bytes after the last decision about the camera, in order.
        unseen: decisions about the camera that nobody has accepted its output after.
    """

    camera: str
    state: State
    reviewers: tuple[str, ...] = ()
    unseen: tuple[Line, ...] = ()


def case_states(cases: Sequence[Case], lines: Sequence[Line]) -> list[CaseState]:
    """The state of every case after all decisions `lines` of a session."""
    states: dict[str, State] = {}
    reviewers: dict[str, list[str]] = {}
    known = {case.id for case in cases}
    for line in standing(lines):
        action = line.action
        if isinstance(action, Accept):
            states[action.case] = "accepted"
            reviewers.setdefault(action.case, []).append(line.author)
        elif isinstance(action, Seen) and states.get(action.case) is None:
            states[action.case] = "seen"
        elif isinstance(action, Open):
            states.pop(action.case, None)
            reviewers.pop(action.case, None)
        elif isinstance(action, _CHANGES) and (case := _case_in(line.reason)) in known:
            states[case] = "corrected"
            reviewers.pop(case, None)
    return [CaseState(case, states.get(case.id, "open"), _distinct(reviewers.get(case.id, ()))) for case in cases]


def camera_states(outputs: Mapping[str, str], lines: Sequence[Line]) -> list[CameraState]:
    """The state of every camera after all decisions `lines` of a session.

    Args:
        outputs: camera -> SHA-256 of its output as it is now.
        lines: all decisions; those that were withdrawn, and the withdrawals, are decisions too.
    """
    found = []
    for camera, digest in outputs.items():
        kept = {line.id for line in standing(lines)}
        changes = [line for line in lines if camera in changed_cameras(line.action, lines[: line.number], outputs)]
        last = changes[-1].number if changes else -1
        signed = [
            line
            for line in lines
            if line.id in kept
            and isinstance(line.action, AcceptCamera)
            and (line.action.camera, line.action.output) == (camera, digest)
        ]
        after = [line for line in signed if line.number > last]
        newest = max((line.number for line in signed), default=-1)
        unseen = tuple(line for line in changes if line.number > newest)
        state: State = "accepted" if after else "corrected" if changes else "seen" if signed else "open"
        found.append(CameraState(camera, state, _distinct(line.author for line in after), unseen))
    return found


def changed_cameras(action: Action, lines: Sequence[Line], cameras: Iterable[str]) -> set[str]:
    """The cameras whose output a decision, or the one that it withdraws, may change."""
    line = getattr(action, "line", None)
    if line is not None:
        earlier = next((each for each in lines if each.id == line), None)
        return set() if earlier is None else changed_cameras(earlier.action, lines[: earlier.number], cameras)
    if isinstance(action, Cover) and action.all_cameras:
        return set(cameras)
    return {action.camera} if isinstance(action, Cover | NotAPerson) else set()


def _case_in(reason: str) -> str | None:
    """The case that a decision was taken in: its reason begins with ``case ID: ``."""
    head, colon, _ = reason.partition(":")
    return head.removeprefix("case ").strip() if colon and head.startswith("case ") else None


def _distinct(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))
