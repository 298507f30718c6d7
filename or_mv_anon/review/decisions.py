"""What reviewers decided about a run, for the page: read from the record, written only by adding to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from or_mv_anon.audit.cases import Case
from or_mv_anon.core.errors import UserError
from or_mv_anon.corrections.actions import Action, ShowOriginal, parse_action
from or_mv_anon.corrections.log import Line, append, read, standing
from or_mv_anon.corrections.persons import about_camera, told_persons
from or_mv_anon.review.people import box_of, keyframes_of
from or_mv_anon.review.run_folder import ReviewedCamera, ReviewedRun
from or_mv_anon.review.signoff import camera_states, case_states

ORIGINAL_S = 5.0  # seconds around a moment for which one line in the record stands


def decided(run: ReviewedRun, cases: Sequence[Case]) -> dict[str, Any]:
    """All decisions, oldest first, what they make of cases and cameras, and how many the videos do not show yet.

    Args:
        run: as it is now.
        cases: of the run.

    Raises:
        UserError: the record cannot be read, or was changed.
    """
    lines = read(run.out)
    kept = standing(lines)
    ids = {line.id for line in kept}
    cameras = camera_states({camera.name: camera.seal.sha256 for camera in run.cameras}, lines)
    return {
        "lines": [_entry(line, stands=line.id in ids) for line in lines],
        "waiting": len(_unlisted(run, kept).union(*(_waiting(run, camera.name, kept) for camera in run.cameras))),
        "cases": {each.case.id: each.state for each in case_states(cases, lines)},
        "cameras": [
            {
                "camera": each.camera,
                "state": each.state,
                "reviewers": each.reviewers,
                "waiting": len(_waiting(run, each.camera, kept)),
            }
            for each in cameras
        ],
    }


def _waiting(run: ReviewedRun, camera: str, kept: Sequence[Line]) -> set[str]:
    """Decisions that the camera's video should show and does not, or shows although they were withdrawn."""
    wanted = {line.id for line in about_camera(kept, camera)}
    placed = run.store.manifest.stages.get(f"{camera}/place")
    return wanted ^ set(() if placed is None else placed.facts.get("corrections", ()))


def _unlisted(run: ReviewedRun, kept: Sequence[Line]) -> set[str]:
    """Decisions about who is who that the cases do not follow yet, or follow although they were withdrawn."""
    listed = run.store.manifest.stages.get("cases")
    return {line.id for line in told_persons(kept)} ^ set(() if listed is None else listed.facts.get("corrections", ()))


def decide(run: ReviewedRun, content: Mapping[str, Any]) -> dict[str, Any]:
    """Add a decision; when this returns it is on the disk.

    Args:
        run: that it is about.
        content: `action` as the record has it, `author`, and `reason`, which may be empty. A track that is nobody may
            come without its `boxes`, a place of a merger or a split with a `track` instead of its `box`.

    Raises:
        UserError: it cannot be taken; nothing was added.
    """
    values = dict(content["action"])
    if values.get("action") == "not_a_person" and "boxes" not in values:
        camera = run.camera(values["camera"])
        values["boxes"] = keyframes_of(run, camera, int(values["track"]))
        if not values["boxes"]:
            raise UserError(f"Nobody is followed as {values['track']} in {camera.name}.")
    if isinstance(values.get("places"), list):
        values["places"] = [_place(run, dict(each)) for each in values["places"]]
    if "camera" in values:
        run.camera(values["camera"])
    action = parse_action(values)
    return _entry(_append(run, action, content), stands=True)


def _place(run: ReviewedRun, values: dict[str, Any]) -> dict[str, Any]:
    camera = run.camera(values["camera"])
    if "track" not in values:
        return values
    track, time = int(values.pop("track")), float(values["time"])
    box = box_of(run, camera, track, time)
    if box is None:
        raise UserError(f"Nobody is followed as {track} in {camera.name} at {time:.2f} s.")
    return {**values, "box": box}


def note_original(run: ReviewedRun, camera: ReviewedCamera, second: float, content: Mapping[str, Any]) -> None:
    """Note that somebody looks at a recording, unless a line of theirs says so of this moment already.

    Raises:
        UserError: it cannot be noted; nothing may be shown then.
    """
    author = str(content.get("author", ""))
    for line in read(run.out):
        match line.action:
            case ShowOriginal(camera=name, start=start, end=end) if name == camera.name and line.author == author:
                if start <= second <= end:
                    return
    around = ShowOriginal(camera.name, round(second - ORIGINAL_S, 3), round(second + ORIGINAL_S, 3))
    _append(run, around, content)


def _append(run: ReviewedRun, action: Action, content: Mapping[str, Any]) -> Line:
    return append(run.out, action, author=str(content.get("author", "")), reason=str(content.get("reason", "")))


def _entry(line: Line, *, stands: bool) -> dict[str, Any]:
    return {
        "id": line.id,
        "written": line.written,
        "author": line.author,
        "reason": line.reason,
        "stands": stands,
        "action": {"action": line.action.name, **asdict(line.action)},
    }
