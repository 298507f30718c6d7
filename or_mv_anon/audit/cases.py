"""What a person should look at, one case after another: a moment of one person, or of one place, over all cameras.

A run stores its cases, ranked, in `cases.json`; the report shows them, the review page goes through them, `evaluate`
judges them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.run_layout import CASES, STORE_FOLDER
from or_mv_anon.core.stage_files import StageFiles

SCHEMA = "or_mv_anon/cases/1"
ID_LENGTH = 10  # hexadecimal digits

Box = tuple[float, float, float, float]


@dataclass(frozen=True, kw_only=True)
class Case:
    """One thing that a reviewer should look at.

    Attributes:
        id: of what the case is made of; the same in every run in which nothing of that changes.
        start, end: seconds on the session's clock.
        cameras: in which to look, by name, the one to look at first first.
        identity: the person of the session, where that is known.
        tracks: (camera, track) that the case is about.
        boxes: by camera, where to look: x1, y1, x2, y2 in pixels of the upright frame. A camera without one is to be
            looked at as a whole.
        reasons: keys of `or_mv_anon.audit.reasons.REASONS`, the weightiest first.
        what: what to look at and why, for a reader who knows operating rooms, not networks.
        severity: expected seconds of exposed faces, all cameras together.
        review_s: seconds that looking at it takes.
    """

    id: str
    start: float
    end: float
    cameras: tuple[str, ...]
    identity: int | None
    tracks: tuple[tuple[str, int], ...]
    boxes: Mapping[str, Box]
    reasons: tuple[str, ...]
    what: str
    severity: float
    review_s: float

    @property
    def priority(self) -> float:
        """What cases are ranked by: expected exposed seconds per second of review."""
        return self.severity / max(self.review_s, 1e-9)


def case_id(
    start: float, end: float, cameras: Sequence[str], tracks: Sequence[tuple[str, int]], reasons: Sequence[str]
) -> str:
    """The `id` of a case over such a moment, to the millisecond."""
    made_of = [round(start, 3), round(end, 3), sorted(cameras), sorted(tracks), sorted(reasons)]
    return hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:ID_LENGTH]


def ranked(cases: Iterable[Case]) -> list[Case]:
    """The same, those first that a second of review is worth most for."""
    return sorted(cases, key=lambda case: (-case.priority, case.start, case.id))


def cases_json(cases: Sequence[Case]) -> str:
    """The text of `cases.json`."""
    return json.dumps({"schema": SCHEMA, "cases": [asdict(case) for case in cases]}, allow_nan=False)


def read_cases(run: StageFiles | Path) -> list[Case]:
    """The cases of a run, ranked.

    Args:
        run: its store, or the folder of its results.

    Raises:
        UserError: it has none, or they are damaged or were changed.
    """
    store = run if isinstance(run, StageFiles) else StageFiles(run / STORE_FOLDER)
    name = CASES.file()
    if store.manifest.noted(name) is None:
        raise UserError(
            f"{store.root} holds no finished {name}, the list of what to review; run the anonymizer on it again."
        )
    content = store.read_json(name)
    try:
        if content["schema"] != SCHEMA:
            raise UserError(
                f"{store.place(name)}: expected {SCHEMA}, found {content['schema']}; run the anonymizer again."
            )
        return [_case(entry) for entry in content["cases"]]
    except (KeyError, TypeError, ValueError) as error:
        raise UserError(f"{store.place(name)} is no list of cases ({error}); run the anonymizer again.") from error


def _case(entry: Mapping[str, Any]) -> Case:
    listed = {
        "cameras": tuple(entry["cameras"]),
        "tracks": tuple((str(camera), int(track)) for camera, track in entry["tracks"]),
        "boxes": {str(camera): tuple(map(float, box)) for camera, box in entry["boxes"].items()},
        "reasons": tuple(entry["reasons"]),
    }
    return Case(**{**entry, **listed})
