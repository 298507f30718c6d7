"""How a person detector does where nothing was trained: real photographs, real empty rooms, unseen simulated rooms.

The people in the photographs were marked by eye (`room_prior_people.json`) in pictures too coarse to know a face, among
the starting detector's candidates at three picture sizes; so their boxes lean a little to that detector's side. What
may be a person, or is a part or a picture of one, is unsure: finding it is neither right nor wrong. In pictures of
crowds not everybody could be marked; whatever is found there beside those who are does not count.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.empty_rooms import look
from benchmarks.negatives import false_alarms
from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.box_matching import NOBODY, Candidates, Subjects, match
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.errors import UserError
from or_mv_anon.detector_training.simulated_rooms import Room
from or_mv_anon.evaluation import average_precision as ap
from or_mv_anon.evaluation.detection_rules import DetectionRules
from or_mv_anon.models.detectors.protocol import Found
from or_mv_anon.models.detectors.yolox import PersonDetector
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.images import ImageFolderSource
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import open_source

SCORES = (0.1, 0.3, 0.5)
RULES = DetectionRules()
MARKED = Path(__file__).parent / "room_prior_people.json"
FRAME_MARK = "#"  # between a clip's name and the number of its frame
Picture = NDArray[np.uint8]
Marked = Mapping[str, Mapping[str, Any]]


def read_marked() -> Marked:
    """Boxes of people, and unsure ones, by the name of the photograph or of the clip and its frame."""
    content: Marked = json.loads(MARKED.read_text())
    return content


def judge_photographs(detector: PersonDetector, folder: Path) -> dict[str, Any]:
    """Recall and precision on the marked photographs under `folder`, together and by the folder they lie in.

    Raises:
        UserError: a photograph is missing.
    """
    sets: dict[str, list[tuple[Boxes, Boxes, Found]]] = {}
    for name, marks in tqdm(read_marked().items(), desc="photographs", unit="picture", leave=False):
        found = look(detector, _frame(folder, name))
        boxes = [np.array(marks[kind], np.float32).reshape(-1, 4) for kind in ("people", "unsure")]
        source = Path(name).parts[1]
        crowd = marks.get("crowd", False)
        on_marked = (geometry.iou(found.boxes, np.concatenate(boxes)) >= RULES.iou).any(axis=1) | (not crowd)
        sets.setdefault(source, []).append((*boxes, (found.boxes[on_marked], found.scores[on_marked])))
    everything = [row for rows in sets.values() for row in rows]
    return {name: figures(rows) for name, rows in sets.items()} | {"all photographs": figures(everything)}


def judge_empty(detector: PersonDetector, files: Sequence[Path]) -> list[dict[str, Any]]:
    """False alarms on pictures of rooms without people."""
    found = [look(detector, _picture(path)) for path in tqdm(files, desc="empty rooms", unit="picture", leave=False)]
    return [row.as_dict() for row in false_alarms(found, scores=SCORES)]


def judge_rooms(detector: PersonDetector, rooms: Iterable[Room]) -> dict[str, Any]:
    """Recall and precision in simulated rooms; who counts is as for all detection (`DetectionRules`)."""
    rows = []
    for room in rooms:
        for number, picture in enumerate(room.pictures):
            here = room.picture == number
            box, shown = room.box[here], room.shown[here]
            counted = (shown >= RULES.min_visible_fraction) & ((box[:, 2:] - box[:, :2]).min(axis=1) >= RULES.min_side)
            rows.append((box[counted], box[~counted], detect(detector, picture)))
    return figures(rows)


def detect(detector: PersonDetector, picture: Picture) -> Found:
    """Boxes and scores in the pixels of a picture (H, W, 3) BGR of any size."""
    size = (picture.shape[1], picture.shape[0])
    fitted = cv2.resize(picture, detector.input_size(*size), interpolation=cv2.INTER_AREA)
    return detector.detect([np.asarray(fitted, np.uint8)], size=size)[0]


def figures(rows: Sequence[tuple[Boxes, Boxes, Found]]) -> dict[str, Any]:
    """Recall, precision and average precision of people (N, 4), unsure boxes (M, 4) and detections per picture."""
    people, hits, scores = 0, [], []
    for counted, unsure, (boxes, score) in rows:
        subjects = Subjects(
            picture=np.zeros(len(counted) + len(unsure)),
            box=np.concatenate([counted, unsure]),
            counted=np.arange(len(counted) + len(unsure)) < len(counted),
        )
        found = match(subjects, Candidates(np.zeros(len(boxes)), boxes, score), iou=RULES.iou)
        judged = (found == NOBODY) | (found < len(counted))
        people += len(counted)
        hits.append(found[judged] != NOBODY)
        scores.append(score[judged])
    hit, score = np.concatenate(hits), np.concatenate(scores)
    return {
        "pictures": len(rows),
        "people": people,
        "average_precision": ap.interpolated(ap.curve(score, hit, positives=people)),
        "at": [ap.at_score(score, hit, positives=people, score=least).as_dict() for least in SCORES],
    }


def _frame(folder: Path, name: str) -> Frame:
    path, mark, number = name.partition(FRAME_MARK)
    if not (folder / path).is_file():
        raise UserError(f"{folder} lacks {path}; expected the folder that {MARKED.name} was made in.")
    if not mark:
        return _picture(folder / path)
    source = open_source(folder / path)
    wanted = np.arange(source.n_frames) == int(number)
    return next(source.frames(Segment(0, 0, source.n_frames), wanted=wanted))


def _picture(path: Path) -> Frame:
    return next(iter(_pictures([path])))


def _pictures(files: Sequence[Path]) -> Iterator[Frame]:
    return ImageFolderSource(list(files), fps=1).frames(Segment(0, 0, len(files)))
