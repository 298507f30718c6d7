"""A reviewer who is a script: what is left in the open after N minutes of review per camera-hour, and what it costs.

The script takes the cases of a finished run in their order until the minutes are used up, by the cases' own count of
what looking takes. Wherever a case shows a face in the open, by the ground truth, it does what a person would: plays on
until the face is covered or gone, and draws boxes around the head on the way; where the head keeps to one place for the
whole session it draws one box, "this place, always". Then the run is rendered again and judged again.

The run's folder is changed: give a copy. Example:
  python benchmarks/scripted_review.py --run out/ --truth site/truth/ --minutes 5 --out review.json
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.exposure_figures import figures
from or_mv_anon.audit.cases import Case, read_cases
from or_mv_anon.core.truth import Truth, load_truth
from or_mv_anon.corrections.actions import Cover, Keyframe
from or_mv_anon.corrections.log import append
from or_mv_anon.evaluation.evaluate import Evaluation, evaluate_run
from or_mv_anon.evaluation.run_directory import load_run
from or_mv_anon.evaluation.stretches import Stretch
from or_mv_anon.pipeline.asked import recall
from or_mv_anon.pipeline.pipeline import run_site

KEYFRAME_S = 0.4  # seconds between the boxes that are drawn around a head that moves
STILL = 0.5  # of the head's height, within which it must stay to be one place
LYING = 0.9  # share of the session's frames in which a head must be in the picture to be covered for all of it
AROUND = 0.2  # share of the head's box that is drawn around it


def looked_at(cases: Sequence[Case], *, seconds: float) -> list[Case]:
    """The cases that fit into so many seconds of review, from the first on."""
    used = np.cumsum([case.review_s for case in cases])
    return list(cases[: int(np.searchsorted(used, seconds + 1e-9, side="right"))])


def drawn(truth: Truth, stretch: Stretch, offset: float) -> Cover:
    """What a person draws who sees a stretch."""
    camera = truth.cameras[stretch.camera]
    people = camera.people[camera.people.person == stretch.person]
    time_of = camera.frames.time[np.searchsorted(camera.frames.frame, people.frame)] + offset
    boxes = around(people.head_box)
    inside = np.flatnonzero((people.frame >= stretch.first_frame) & (people.frame <= stretch.last_frame))
    middle = (boxes[:, :2] + boxes[:, 2:]) / 2
    height = float(np.median(boxes[inside, 3] - boxes[inside, 1]))
    still = np.abs(middle - np.median(middle, axis=0)).max() <= STILL * height
    if still and len(people) >= LYING * len(camera.frames):
        low, high = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        keyframes = [Keyframe(float(time_of[inside[0]]), box_of(np.concatenate([low, high])))]
        return Cover(stretch.camera, tuple(keyframes), hold="always")
    chosen = [int(inside[0])]
    for row in inside[1:]:
        if time_of[row] - time_of[chosen[-1]] >= KEYFRAME_S or row == inside[-1]:
            chosen.append(int(row))
    keyframes = [Keyframe(float(time_of[row]), box_of(boxes[row])) for row in chosen]
    return Cover(stretch.camera, tuple(keyframes), hold="span", start=stretch.session_start, end=stretch.session_end)


def around(head: NDArray[Any]) -> NDArray[np.float64]:
    """Boxes ``(N, 4)`` as drawn by hand around heads ``(N, 4)``."""
    margin = AROUND * (head[:, 2:] - head[:, :2])
    return np.concatenate([head[:, :2] - margin, head[:, 2:] + margin], axis=1).astype(np.float64)


def box_of(box: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """As an action has it."""
    x1, y1, x2, y2 = (float(value) for value in box)
    return x1, y1, x2, y2


def corrections(
    truth: Truth, judged: Evaluation, cases: int, offsets: dict[str, float]
) -> Iterator[tuple[Stretch, Cover]]:
    """What is drawn by whoever has looked at the first so many cases."""
    assert judged.worklist is not None
    for stretch, rank in zip(judged.stretches, judged.worklist.found_by, strict=True):
        if rank is not None and rank <= cases:
            yield stretch, drawn(truth, stretch, offsets[stretch.camera])


def review(run: Path, truth: Truth, *, minutes: float, videos: Path | None, rounds: int) -> dict[str, Any]:
    """Review, render and judge, as often as there are rounds; the minutes are for all of them together."""
    before = evaluate_run(run, truth)
    assert before.worklist is not None
    left = 60 * minutes * before.worklist.camera_hours
    result: dict[str, Any] = {"minutes": minutes, "before": figures(before), "rounds": []}
    judged, seen = before, set[str]()
    for _ in range(rounds):
        cases = read_cases(run)
        looked = looked_at([case for case in cases if case.id not in seen], seconds=left)
        left -= sum(case.review_s for case in looked)
        seen |= {case.id for case in looked}
        ranks = max((cases.index(case) + 1 for case in looked), default=0)
        offsets = dict(load_run(run).offsets)
        drawings = list(corrections(truth, judged, ranks, offsets))
        for _, cover in drawings:
            append(run, cover, author="script")
        started = time.perf_counter()
        options = recall(run, videos)
        run_site(replace(options, attack=False))
        seconds = time.perf_counter() - started
        judged = evaluate_run(run, truth)
        always = sum(cover.hold == "always" for _, cover in drawings)
        result["rounds"].append(
            {"cases": len(looked), "drawn": len(drawings), "always": always, "render_s": seconds, **figures(judged)}
        )
        if not judged.stretches or left <= 0:
            break
    return result


def main() -> None:
    """Print and write the figures of one session."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="folder of a finished run; it is changed")
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--videos", type=Path, help="where the recordings are, if they were moved")
    parser.add_argument("--minutes", type=float, default=5.0, help="of review per camera-hour")
    parser.add_argument("--rounds", type=int, default=1, help="a second one looks at what the first has left")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    truth = load_truth(options.truth)
    result = review(options.run, truth, minutes=options.minutes, videos=options.videos, rounds=options.rounds)
    options.out.write_text(json.dumps(result, indent=1))
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
