"""What real-photo detectors see in simulated sites: the check that simulated people look like people to a network.

The judges are the product's own person and face detector, trained on photographs alone. They look at every nth frame of
each camera, as the pipeline shows it to them, one picture at a time. Told are the shares of people and faces that they
find at several scores, by how much shows, role, size, mask and angle; false alarms; deciles of sizes, visible fractions
and scores. With `--real`, real pictures or clips are looked at in the same way, to set their deciles beside; without
ground truth there is no more to say about them.

A person counts from 15 % visible and 8 px on, a face as it does for exposure (docs/evaluation.md); finding the others
is neither right nor wrong. People are found from IoU 0.5 with the box of what shows, faces from IoU 0.3 with the box
from forehead to chin. Patients, of whom drapes leave little, have a row of their own and are in no other.

Example, some minutes on two cores:
  python benchmarks/simulated_realism.py --sites sites/site101 --every 10 --out simulated_realism.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from or_mv_anon import boxes as geometry
from or_mv_anon.anonymization.analyse import ModelSettings, Networks, load_networks
from or_mv_anon.anonymization.plan import BUILT_IN
from or_mv_anon.config import load_config
from or_mv_anon.errors import UserError
from or_mv_anon.evaluation.box_matching import NOBODY, Candidates, Subjects, match
from or_mv_anon.evaluation.detection_rules import DetectionRules, counts
from or_mv_anon.evaluation.exposure import MASK_NAMES, ExposureOptions
from or_mv_anon.evaluation.truth import TruthPeople, load_truth
from or_mv_anon.models.dense import DenseDetector
from or_mv_anon.models.registry import fetch
from or_mv_anon.records import Column, Columns, Detections
from or_mv_anon.site.layout import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import Source, open_source

PATIENT = "patient"
SCORES = {"persons": (0.1, 0.3, 0.5), "faces": (0.2, 0.5)}
IOU = {"persons": 0.5, "faces": 0.3}
FRACTIONS, ANGLES = (0.15, 0.4, 0.7, 1.0), (0.0, 30.0, 60.0, 90.0)
HEIGHTS = {"persons": (8.0, 60.0, 120.0, 200.0, np.inf), "faces": (10.0, 14.0, 20.0, 30.0, np.inf)}
OVER_SOMEBODY = 0.3  # share of a false alarm's box that lies in the box of a person of whom anything shows
SURE = 0.3  # score of the detections whose sizes are told
DECILES = np.arange(0, 101, 10)
PEOPLE_RULES = DetectionRules(min_visible_fraction=FRACTIONS[0])
FACE_RULES = ExposureOptions()


@dataclass(frozen=True)
class Judged(Columns):
    """People or faces that count."""

    score: Column  # of the detection that found it, 0 for none
    height: Column  # px, of what shows of the person, or of the face
    fraction: Column  # visible share of the person
    angle: Column  # degrees, of the face
    mask: Column  # MaskState
    role: Column  # number in the benchmark's list of roles

    columns = {
        "score": (np.float64, ()), "height": (np.float64, ()), "fraction": (np.float64, ()),
        "angle": (np.float64, ()), "mask": (np.uint8, ()), "role": (np.int16, ()),
    }  # fmt: skip


@dataclass(frozen=True)
class Found(Columns):
    """Detections: false alarms found nobody; some of these still lie on a person, in the wrong place or size."""

    score: Column
    height_share: Column  # of the picture's height
    false_alarm: Column
    over_somebody: Column

    columns = {
        "score": (np.float64, ()), "height_share": (np.float64, ()),
        "false_alarm": (np.bool_, ()), "over_somebody": (np.bool_, ()),
    }  # fmt: skip


@dataclass
class Tally:
    """What one detector's looks came to; without ground truth every detection stays a false alarm."""

    detector: DenseDetector
    pictures: int = 0
    judged: list[Judged] = field(default_factory=list)
    found: list[Found] = field(default_factory=list)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--sites", type=Path, nargs="+", required=True, metavar="DIR", help="folders with recording/ and truth/")
    add("--every", type=int, default=10, metavar="N", help="look at every Nth frame (default: 10)")
    add("--real", type=Path, nargs="*", default=[], metavar="DIR", help="folders of pictures or clips to set beside")
    add("--out", type=Path, required=True, metavar="JSON", help="where the figures go; tables go beside it as .md")
    options = parser.parse_args()
    try:
        results = measure(options.sites, options.real, every=max(1, options.every))
    except UserError as error:
        sys.exit(str(error))
    options.out.write_text(json.dumps(results, indent=1) + "\n")
    options.out.with_suffix(".md").write_text(markdown(results) + "\n")
    print(markdown(results))


def measure(sites: list[Path], real: list[Path], *, every: int) -> dict[str, Any]:
    """All figures, as plain values."""
    weights = {role: fetch(name) for role, name in BUILT_IN.items()}
    networks = load_networks(ModelSettings(**weights, device="cpu", precision="auto", threads=0), load_config(None))
    tallies, roles = start(networks), [PATIENT]
    for site in sites:
        truth = load_truth(site / "truth")
        roles += sorted({str(entry["role"]) for entry in truth.people} - set(roles))
        role_of = {int(entry["person"]): roles.index(str(entry["role"])) for entry in truth.people}
        for name, camera in truth.cameras.items():
            people = camera.people[camera.people.frame % every == 0]
            source = open_source(site / "recording" / f"{name}.mp4")
            for kind, found in look(source, tallies, every=every, told=f"{site.name} {name}").items():
                judge(tallies[kind], kind, people, found, role_of, picture_height=camera.height)
    judged = {kind: Judged.concat(tally.judged) for kind, tally in tallies.items()}
    team = judged["persons"][judged["persons"].role > 0]
    return {
        "sites": [site.name for site in sites],
        "every": every,
        "pictures": tallies["persons"].pictures,
        "hits": {kind: hits(kind, judged[kind], roles) for kind in judged},
        "false_alarms": {kind: false_alarms(kind, tally) for kind, tally in tallies.items()},
        "truth_deciles": {
            "visible height of people, px": deciles(team.height),
            "visible fraction of people": deciles(team.fraction),
            "score of people, 0 if not found": deciles(team.score),
            "score of people at least 70 % visible": deciles(team.score[team.fraction >= FRACTIONS[2]]),
            "height of faces, px": deciles(judged["faces"].height[judged["faces"].role > 0]),
            "score of faces, 0 if not found": deciles(judged["faces"].score[judged["faces"].role > 0]),
        },
        "detection_deciles": {"simulated": distributions(tallies)}
        | {folder.name: distributions(look_around(folder, networks, every=every)) for folder in real},
    }


def start(networks: Networks) -> dict[str, Tally]:
    """Nothing seen yet."""
    return {"persons": Tally(networks.persons), "faces": Tally(networks.faces)}


def look(source: Source, tallies: Mapping[str, Tally], *, every: int, told: str) -> dict[str, Detections]:
    """Both detectors on every nth frame of a source."""
    wanted = np.arange(source.n_frames) % every == 0
    parts: dict[str, list[Detections]] = {kind: [] for kind in tallies}
    frames = source.frames(Segment(0, 0, source.n_frames), wanted=wanted)
    for frame in tqdm(frames, desc=told, total=int(wanted.sum()), unit="picture", leave=False):
        for kind, tally in tallies.items():
            tally.pictures += 1
            parts[kind].append(detect(tally.detector, frame))
    return {kind: Detections.concat(rows) for kind, rows in parts.items()}


def detect(detector: DenseDetector, frame: Frame) -> Detections:
    """One detector on one picture."""
    size = frame.upright_size
    boxes, scores = detector.detect([frame.bgr(*detector.input_size(*size))], size=size)[0]
    return Detections(frame=np.full(len(boxes), frame.index), box=boxes, score=scores)


def look_around(folder: Path, networks: Networks, *, every: int) -> dict[str, Tally]:
    """Both detectors on all real pictures, which may differ in size, and every nth frame of all clips in `folder`."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES | VIDEO_SUFFIXES)
    if not files:
        raise UserError(f"{folder} holds neither pictures nor clips.")
    tallies = start(networks)
    for file in files:
        picture = file.suffix.lower() in PICTURE_SUFFIXES
        source = open_source([file] if picture else file)
        for kind, found in look(source, tallies, every=1 if picture else every, told=file.name).items():
            nobody = np.ones(len(found), bool)
            tallies[kind].found.append(_found(found, nobody, ~nobody, source.upright_size[1]))
    return tallies


def judge(
    tally: Tally, kind: str, people: TruthPeople, found: Detections, role_of: Mapping[int, int], *, picture_height: int
) -> None:
    """Add what a detector found in one camera; `people` holds everyone in the frames that it looked at."""
    if kind == "faces":
        people = people[people.face_visible > 0]
        box, other, counted = people.face_box, people.head_box, _face_counts(people)
    else:
        box, other, counted = people.visible_box, people.amodal_box, counts(people, PEOPLE_RULES)
    subjects = Subjects(  # whoever is ignored may be boxed either way
        picture=np.r_[people.frame, people.frame[~counted]],
        box=np.concatenate([box, other[~counted]]),
        counted=np.r_[counted, np.zeros((~counted).sum(), bool)],
    )
    match_rows = match(subjects, Candidates(found.frame, found.box, found.score), iou=IOU[kind])
    score = np.zeros(len(subjects))
    score[match_rows[match_rows != NOBODY]] = found.score[match_rows != NOBODY]
    tally.judged.append(
        Judged(
            score=score[: len(people)],
            height=box[:, 3] - box[:, 1],
            fraction=people.visible_fraction,
            angle=people.face_angle,
            mask=people.mask,
            role=np.array([role_of[person] for person in people.person.tolist()], np.int16),
        )[counted]
    )
    over = np.zeros(len(found), bool)
    for frame in np.unique(found.frame):
        here, there = found.frame == frame, people.frame == frame
        inside = geometry.containment(found.box[here], (other if kind == "faces" else box)[there])
        over[here] = (inside >= OVER_SOMEBODY).any(axis=1)
    tally.found.append(_found(found, match_rows == NOBODY, over, picture_height))


def _face_counts(people: TruthPeople) -> NDArray[np.bool_]:
    height, visible = people.face_box[:, 3] - people.face_box[:, 1], people.face_visible / people.face_pixels
    tall, shows = height >= FACE_RULES.min_height, visible >= FACE_RULES.min_visible_share
    return np.asarray(tall & shows & (people.face_angle <= FACE_RULES.max_angle))


def _found(found: Detections, alarm: NDArray[np.bool_], over: NDArray[np.bool_], picture_height: int) -> Found:
    return Found(found.score, (found.box[:, 3] - found.box[:, 1]) / picture_height, alarm, over)


def hits(kind: str, judged: Judged, roles: list[str]) -> list[dict[str, Any]]:
    """One row per group: how many there are, and the share found at each score."""
    team = judged.role > 0
    groups = {"all but patients": team}
    if kind == "faces":
        named = list(zip(MASK_NAMES, [judged.mask == state for state in range(len(MASK_NAMES))], strict=True))
        turned = list(_bands(judged.angle, ANGLES, "{}-{}°"))
        groups |= {name: team & mask for name, mask in (*named, *turned)}
        groups |= {f"{name}, {angle}": team & mask & turn for name, mask in named[:2] for angle, turn in turned}
    else:
        groups |= {f"{name} visible": team & band for name, band in _bands(judged.fraction, FRACTIONS, "{}-{}")}
        groups |= {role.replace("_", " "): judged.role == number for number, role in enumerate(roles) if number}
    groups |= {name: team & band for name, band in _bands(judged.height, HEIGHTS[kind], "{}-{} px")}
    groups[PATIENT] = ~team
    return [
        {"group": name, "count": int(rows.sum())}
        | {f"{least:g}": _mean(judged.score[rows] >= least) for least in SCORES[kind]}
        for name, rows in groups.items()
    ]


def _bands(values: NDArray[Any], edges: tuple[float, ...], name: str) -> list[tuple[str, NDArray[np.bool_]]]:
    """Each band holds its lower edge, the last one both."""
    bands = []
    for low, high in pairwise(edges):
        inside = (values >= low) & ((values < high) | (high == edges[-1]))
        bands.append((name.format(f"{low:g}", f"{high:g}").replace("-inf", " up to any"), inside))
    return bands


def false_alarms(kind: str, tally: Tally) -> list[dict[str, float | None]]:
    """Per picture, at each score: detections that found nobody, and those of them that lie on nobody either."""
    found = Found.concat(tally.found)
    rows = []
    for least in SCORES[kind]:
        wrong = found.false_alarm & (found.score >= least)
        nowhere = int((wrong & ~found.over_somebody).sum())
        rows.append({"score": least, "all": int(wrong.sum()) / tally.pictures, "on nobody": nowhere / tally.pictures})
    return rows


def distributions(tallies: Mapping[str, Tally]) -> dict[str, Any]:
    """What can be told of detections without ground truth."""
    told: dict[str, Any] = {}
    for kind, tally in tallies.items():
        found = Found.concat(tally.found)
        told[f"{kind} per picture"] = len(found) / tally.pictures
        told[f"score of {kind}"] = deciles(found.score)
        told[f"height of {kind} from score {SURE:g}, share of the picture's"] = deciles(
            found.height_share[found.score >= SURE]
        )
    return told


def deciles(values: NDArray[Any]) -> list[float] | None:
    """Least, every tenth per cent, greatest."""
    return [round(float(value), 3) for value in np.percentile(values, DECILES)] if len(values) else None


def _mean(values: NDArray[Any]) -> float | None:
    return float(values.mean()) if len(values) else None


def markdown(results: Mapping[str, Any]) -> str:
    """The figures as tables."""
    lines = [f"{', '.join(results['sites'])}: {results['pictures']} pictures, every {results['every']}th frame."]
    for kind, rows in results["hits"].items():
        head = [kind, "number", *(f"found at {least:g}" for least in SCORES[kind])]
        body = [[row["group"], row["count"], *(_percent(row[f"{least:g}"]) for least in SCORES[kind])] for row in rows]
        alarms = [f"{row['all']:.2f} ({row['on nobody']:.2f})" for row in results["false_alarms"][kind]]
        lines += ["", *_table(head, [*body, ["false alarms per picture (on nobody)", "", *alarms]])]
    head = ["deciles", *(f"{decile} %" for decile in DECILES)]
    body = [[name, *(values or [])] for name, values in results["truth_deciles"].items()]
    for source, told in results["detection_deciles"].items():
        body += [[f"{source}: {name}", *v] for name, v in told.items() if isinstance(v, list)]
    lines += ["", *_table(head, body)]
    return "\n".join(lines)


def _table(head: list[Any], body: list[list[Any]]) -> list[str]:
    return [f"| {' | '.join(map(str, row))} |" for row in (head, ["---"] * len(head), *body)]


def _percent(value: float | None) -> str:
    return "-" if value is None else f"{value:.0%}"


if __name__ == "__main__":
    main()
