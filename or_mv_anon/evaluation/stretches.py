"""Every stretch of time in which one person's face is exposed in one camera, and what the run made of that person then.

A share of exposed faces does not say what to repair. A stretch has a place, a moment and a reason.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes
from or_mv_anon.core.figures import Figures
from or_mv_anon.core.truth import Truth
from or_mv_anon.evaluation.exposure import ExposureOptions, counts, is_exposed
from or_mv_anon.evaluation.judging import JudgedFaces
from or_mv_anon.evaluation.run_directory import CameraRun

Why = Literal[
    "covered_in_part",
    "cover_ended",
    "cover_came_late",
    "cover_paused",
    "followed_but_covered_elsewhere",
    "detected_but_not_followed",
    "not_found",
    "never_covered",
]
WHY: dict[Why, str] = {
    "covered_in_part": "covered in part",
    "cover_ended": "covered before, not after",
    "cover_came_late": "covered after, not before",
    "cover_paused": "covered before and after",
    "followed_but_covered_elsewhere": "followed, covered elsewhere",
    "detected_but_not_followed": "detected, not followed",
    "not_found": "not found",
    "never_covered": "not covered",
}
PART = 0.25  # of a face's visible pixels, from which on it is covered in part
NEAR_S = 1.0  # seconds before and after a stretch in which its cover is looked for
SAME_IOU = 0.3  # with the visible body, from which on a box is that person's


@dataclass(frozen=True, kw_only=True)
class Stretch(Figures):
    """One person's face, exposed without a break in one camera.

    Attributes:
        camera: its name.
        person: of the ground truth.
        role: what the ground truth says of the person, "" if nothing.
        start, end: seconds on the camera's own clock.
        session_start, session_end: the same on the session's clock.
        first_frame, last_frame: of the camera.
        face_frames: exposed ones.
        face: box of the face in the middle of the stretch, x1, y1, x2, y2 in pixels.
        why: see `WHY`.
    """

    camera: str
    person: int
    role: str
    start: float
    end: float
    session_start: float
    session_end: float
    first_frame: int
    last_frame: int
    face_frames: int
    face: tuple[float, float, float, float]
    why: Why

    @property
    def seconds(self) -> float:
        """How long it lasts."""
        return self.end - self.start


def exposed_stretches(
    faces: JudgedFaces,
    truth: Truth,
    options: ExposureOptions,
    *,
    offsets: Mapping[str, float],
    runs: Mapping[str, CameraRun] | None = None,
) -> list[Stretch]:
    """All stretches of a session, the longest first.

    Args:
        faces: as judged, cameras counted in the order of the ground truth.
        truth: of the session.
        options: which faces count, and when one is exposed.
        offsets: by camera, seconds from its clock to the session's.
        runs: by camera, what the run found there; without it only the cover before and after tells why.
    """
    roles = {int(entry["person"]): str(entry.get("role", "")) for entry in truth.people}
    counted = faces[counts(faces, options)]
    found = []
    for number, name in enumerate(truth.cameras):
        here = counted[counted.camera == number]
        here = here[np.lexsort([here.frame, here.person])]
        bare = is_exposed(here, options)
        for rows in _runs(here, bare):
            chosen = here[rows]
            person = int(chosen.person[0])
            start, end = float(chosen.start[0]), float(chosen.stop[-1])
            offset = offsets.get(name, 0.0)
            middle = int(chosen.frame[len(rows) // 2])
            found.append(
                Stretch(
                    camera=name,
                    person=person,
                    role=roles.get(person, ""),
                    start=start,
                    end=end,
                    session_start=start + offset,
                    session_end=end + offset,
                    first_frame=int(chosen.frame[0]),
                    last_frame=int(chosen.frame[-1]),
                    face_frames=len(rows),
                    face=_box(truth, name, middle, person, "face_box"),
                    why=_why(here, bare, rows, truth, name, None if runs is None else runs[name]),
                )
            )
    return sorted(found, key=lambda stretch: (-stretch.seconds, stretch.start, stretch.camera))


def _runs(here: JudgedFaces, bare: NDArray[np.bool_]) -> Sequence[NDArray[np.intp]]:
    """Rows of every unbroken run of exposed frames of one person; `here` is ordered by person, then frame."""
    rows = np.flatnonzero(bare)
    if not len(rows):
        return []
    apart = (np.diff(here.frame[rows]) != 1) | (np.diff(here.person[rows]) != 0)
    return np.split(rows, np.flatnonzero(apart) + 1)


def _box(truth: Truth, camera: str, frame: int, person: int, column: str) -> tuple[float, float, float, float]:
    people = truth.cameras[camera].people
    row = int(np.flatnonzero((people.frame == frame) & (people.person == person))[0])
    x1, y1, x2, y2 = getattr(people, column)[row].tolist()
    return x1, y1, x2, y2


def _why(
    here: JudgedFaces,
    bare: NDArray[np.bool_],
    rows: NDArray[np.intp],
    truth: Truth,
    camera: str,
    run: CameraRun | None,
) -> Why:
    chosen = here[rows]
    if chosen.covered.sum() >= PART * chosen.pixels.sum():
        return "covered_in_part"
    same = (here.person == chosen.person[0]) & ~bare
    before = (same & (here.stop > chosen.start[0] - NEAR_S) & (here.frame < chosen.frame[0])).any()
    after = (same & (here.start < chosen.stop[-1] + NEAR_S) & (here.frame > chosen.frame[-1])).any()
    if before or after:
        return "cover_paused" if before and after else "cover_ended" if before else "cover_came_late"
    if run is None:
        return "never_covered"
    middle, person = int(chosen.frame[len(rows) // 2]), int(chosen.person[0])
    body = np.array([_box(truth, camera, middle, person, "visible_box")], np.float32)
    if boxes.iou(run.tracks.box[run.tracks.frame == middle], body).max(initial=0) >= SAME_IOU:
        return "followed_but_covered_elsewhere"
    if boxes.iou(run.persons.box[run.persons.frame == middle], body).max(initial=0) >= SAME_IOU:
        return "detected_but_not_followed"
    return "not_found"
