"""What real-photo detectors see in simulated sites: the check that simulated people look like people to a network.

The judges are the product's own person and face detector, trained on photographs alone. They look at every nth frame of
each camera, as the pipeline shows it to them, one picture at a time. Told are the shares of people and faces that they
find at several scores, by how much shows, role, size, mask and angle; false alarms; deciles of sizes, visible fractions
and scores. With `--real`, real pictures or clips are looked at in the same way, to set their deciles beside; without
ground truth there is no more to say about them.

A person counts from 15 % visible and 8 px on, a face as it does for exposure (docs/evaluation.md); finding the others
is neither right nor wrong. People are found from IoU 0.5 with the box of what shows, faces from IoU 0.3 with the box
from forehead to chin. Clear of others and of edges are people of whom at least 70 % show, whose box overlaps no other
by more than IoU 0.1 and touches no border. Patients, of whom drapes leave little, are in no row but their own.

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

from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.box_matching import NOBODY, Candidates, Subjects, match
from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import Column, Columns, Detections
from or_mv_anon.core.truth import CameraTruth, TruthPeople, load_truth
from or_mv_anon.evaluation.detection_rules import DetectionRules, counts
from or_mv_anon.evaluation.exposure import MASK_NAMES, ExposureOptions
from or_mv_anon.pipeline.weights import built_in_networks
from or_mv_anon.regions.networks import Networks, load_networks
from or_mv_anon.site.layout import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import Source, open_source

PATIENT = "patient"
SCORES = {"persons": (0.1, 0.3, 0.5), "faces": (0.2, 0.5)}
IOU = {"persons": 0.5, "faces": 0.3}
FRACTIONS, ANGLES = (0.15, 0.4, 0.7, 1.0), (0.0, 30.0, 60.0, 90.0)
HEIGHTS = {"persons": (8.0, 60.0, 120.0, 200.0, np.inf), "faces": (10.0, 14.0, 20.0, 30.0, np.inf)}
OVER_SOMEBODY = 0.3  # share of a false alarm's box that lies in somebody's visible box, or head
CLEAR_FRACTION, CLEAR_IOU = 0.7, 0.1
SURE = 0.3  # score of the detections whose sizes are told
DECILES = np.arange(0, 101, 10)
PEOPLE_RULES, FACE_RULES = DetectionRules(min_visible_fraction=FRACTIONS[0]), ExposureOptions()


@dataclass(frozen=True)
class Judged(Columns):
    """People or faces that count."""

    score: Column  # of the detection that found it, 0 for none
    height: Column  # px, of what shows of the person, or of the face
    fraction: Column  # visible share of the person
    clear: Column  # of others and of the picture's edges
    angle: Column  # degrees, of the face
    mask: Column  # MaskState
    role: Column  # number in the benchmark's list of roles; 0 is the patient

    columns = {
        "score": (np.float64, ()), "height": (np.float64, ()), "fraction": (np.float64, ()), "clear": (np.bool_, ()),
        "angle": (np.float64, ()), "mask": (np.uint8, ()), "role": (np.int16, ()),
    }  # fmt: skip


@dataclass
class Tally:
    """What one detector's looks came to: who was to be found, and per detection what it was."""

    pictures: int = 0
    judged: list[Judged] = field(default_factory=list)
    score: list[NDArray[Any]] = field(default_factory=list)
    height: list[NDArray[Any]] = field(default_factory=list)  # share of the picture's
    false_alarm: list[NDArray[Any]] = field(default_factory=list)  # it found nobody
    over_somebody: list[NDArray[Any]] = field(default_factory=list)  # but lies on somebody

    def add(self, found: Detections, picture_height: int) -> None:
        """Detections of one camera or picture."""
        self.score.append(found.score)
        self.height.append((found.box[:, 3] - found.box[:, 1]) / picture_height)


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
    networks = load_networks(built_in_networks(), load_config(None))
    tallies, roles = {kind: Tally() for kind in SCORES}, [PATIENT]
    for site in sites:
        truth = load_truth(site / "truth")
        roles += sorted({str(entry["role"]) for entry in truth.people} - set(roles))
        role_of = {int(entry["person"]): roles.index(str(entry["role"])) for entry in truth.people}
        for name, camera in truth.cameras.items():
            source = open_source(site / "recording" / f"{name}.mp4")
            people = camera.people[(camera.people.frame % every == 0) & (camera.people.visible_fraction > 0)]
            for kind, found in look(source, networks, tallies, every=every).items():
                judge(tallies[kind], kind, camera, people, found, role_of)
    persons, faces = (Judged.concat(tallies[kind].judged) for kind in SCORES)
    team, team_faces = persons[persons.role > 0], faces[faces.role > 0]
    return {
        "sites": [site.name for site in sites],
        "every": every,
        "pictures": tallies["persons"].pictures,
        "hits": {"persons": hits("persons", persons, roles), "faces": hits("faces", faces, roles)},
        "false_alarms": {kind: false_alarms(kind, tally) for kind, tally in tallies.items()},
        "deciles": {
            "visible height of people, px": deciles(team.height),
            "visible fraction of people": deciles(team.fraction),
            "score of people, 0 if not found": deciles(team.score),
            "score of people clear of others and edges": deciles(team.score[team.clear]),
            "height of faces, px": deciles(team_faces.height),
            "score of faces, 0 if not found": deciles(team_faces.score),
            **detection_deciles("simulated", tallies),
        }
        | {name: row for folder in real for name, row in look_around(folder, networks, every=every).items()},
    }


def look(source: Source, networks: Networks, tallies: Mapping[str, Tally], *, every: int) -> dict[str, Detections]:
    """Both detectors on every nth frame of a source."""
    wanted, (width, height) = np.arange(source.n_frames) % every == 0, source.upright_size
    parts: dict[str, list[Detections]] = {kind: [] for kind in tallies}
    frames = source.frames(Segment(0, 0, source.n_frames), wanted=wanted)
    for frame in tqdm(frames, desc=source.path.name, total=int(wanted.sum()), unit="picture", leave=False):
        for kind, detector in (("persons", networks["detector"]), ("faces", networks["face"])):
            picture = frame.bgr(*detector.input_size(width, height))
            boxes, scores = detector.detect([picture], size=(width, height))[0]
            parts[kind].append(Detections(frame=np.full(len(boxes), frame.index), box=boxes, score=scores))
            tallies[kind].pictures += 1
    found = {kind: Detections.concat(rows) for kind, rows in parts.items()}
    for kind, tally in tallies.items():
        tally.add(found[kind], height)
    return found


def look_around(folder: Path, networks: Networks, *, every: int) -> dict[str, Any]:
    """Deciles of all real pictures in `folder`, which may differ in size, and of every nth frame of its clips."""
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURE_SUFFIXES | VIDEO_SUFFIXES)
    if not files:
        raise UserError(f"{folder} holds neither pictures nor clips.")
    tallies = {kind: Tally() for kind in SCORES}
    for file in files:
        alone = file.suffix.lower() in PICTURE_SUFFIXES
        look(open_source([file] if alone else file), networks, tallies, every=1 if alone else every)
    return detection_deciles(folder.name, tallies)


def judge(
    tally: Tally, kind: str, camera: CameraTruth, everyone: TruthPeople, found: Detections, role_of: Mapping[int, int]
) -> None:
    """Add what a detector found in one camera; `everyone` is seen in the frames that it looked at."""
    people, body = everyone, everyone.visible_box
    box, other, counted = body, people.amodal_box, counts(people, PEOPLE_RULES)
    if kind == "faces":
        people, body = everyone[everyone.face_visible > 0], everyone.head_box
        box, other, counted = people.face_box, people.head_box, face_counts(people)
    subjects = Subjects(  # whoever is ignored may be boxed either way
        picture=np.r_[people.frame, people.frame[~counted]],
        box=np.concatenate([box, other[~counted]]),
        counted=np.r_[counted, np.zeros((~counted).sum(), bool)],
    )
    matched = match(subjects, Candidates(found.frame, found.box, found.score), iou=IOU[kind])
    score = np.zeros(len(subjects))
    score[matched[matched != NOBODY]] = found.score[matched != NOBODY]
    judged = Judged(
        score=score[: len(people)],
        height=box[:, 3] - box[:, 1],
        fraction=people.visible_fraction,
        clear=is_clear(people, camera),
        angle=people.face_angle,
        mask=people.mask,
        role=np.array([role_of[person] for person in people.person.tolist()], np.int16),
    )
    tally.judged.append(judged[counted])
    tally.false_alarm.append(matched == NOBODY)
    inside = geometry.containment(found.box, body) * (found.frame[:, None] == everyone.frame)
    tally.over_somebody.append((inside >= OVER_SOMEBODY).any(axis=1))


def face_counts(people: TruthPeople) -> NDArray[np.bool_]:
    """Which faces (N,) count, as for exposure."""
    height, visible = people.face_box[:, 3] - people.face_box[:, 1], people.face_visible / people.face_pixels
    tall, shows = height >= FACE_RULES.min_height, visible >= FACE_RULES.min_visible_share
    return np.asarray(tall & shows & (people.face_angle <= FACE_RULES.max_angle))


def is_clear(people: TruthPeople, camera: CameraTruth) -> NDArray[np.bool_]:
    """Who (N,) is seen nearly whole, apart from others and from the picture's edges."""
    box, size = people.visible_box, np.array([camera.width, camera.height])
    inside = (box[:, :2] >= 1).all(axis=1) & (box[:, 2:] <= size - 1).all(axis=1)
    overlaps = geometry.iou(box, box) * (people.frame[:, None] == people.frame) * ~np.eye(len(people), dtype=bool)
    return np.asarray((people.visible_fraction >= CLEAR_FRACTION) & inside & (overlaps <= CLEAR_IOU).all(axis=1))


def hits(kind: str, judged: Judged, roles: list[str]) -> list[dict[str, Any]]:
    """One row per group: how many there are, and the share found at each score."""
    team = judged.role > 0
    groups = {"all but patients": team}
    if kind == "faces":
        masks = {name: judged.mask == state for state, name in enumerate(MASK_NAMES)}
        turned = bands(judged.angle, ANGLES, "{}-{}°")
        groups |= masks | turned
        groups |= {f"{name}, {angle}": mask & turn for name, mask in masks.items() for angle, turn in turned.items()}
    else:
        groups |= bands(judged.fraction, FRACTIONS, "{}-{} visible") | {"clear of others and edges": judged.clear}
        groups |= {role.replace("_", " "): judged.role == number for number, role in enumerate(roles) if number}
    groups = {name: team & rows for name, rows in (groups | bands(judged.height, HEIGHTS[kind], "{}-{} px")).items()}
    return [
        {"group": name, "number": int(rows.sum())}
        | {f"{least:g}": float((judged.score[rows] >= least).mean()) for least in SCORES[kind]}
        for name, rows in [*groups.items(), (PATIENT, ~team)]
        if rows.any()
    ]


def bands(values: NDArray[Any], edges: tuple[float, ...], name: str) -> dict[str, NDArray[np.bool_]]:
    """Masks by name; each band holds its lower edge, the last one both."""
    pairs = [(low, high, (values >= low) & ((values < high) | (high == edges[-1]))) for low, high in pairwise(edges)]
    return {name.format(f"{low:g}", f"{high:g}").replace("-inf", " and more"): rows for low, high, rows in pairs}


def false_alarms(kind: str, tally: Tally) -> list[dict[str, float]]:
    """Per picture, at each score: detections that found nobody, and those of them that lie on nobody either."""
    score, wrong, over = (np.concatenate(part) for part in (tally.score, tally.false_alarm, tally.over_somebody))
    rates = [(least, wrong & (score >= least)) for least in SCORES[kind]]
    return [
        {"score": least, "all": rows.sum() / tally.pictures, "on nobody": (rows & ~over).sum() / tally.pictures}
        for least, rows in rates
    ]


def detection_deciles(name: str, tallies: Mapping[str, Tally]) -> dict[str, list[float] | None]:
    """What can be told of detections without ground truth."""
    rows = {}
    for kind, tally in tallies.items():
        score, height = np.concatenate(tally.score), np.concatenate(tally.height)
        rows[f"{name}, {kind} detected: score"] = deciles(score)
        rows[f"{name}, {kind} from score {SURE:g}: share of the picture's height"] = deciles(height[score >= SURE])
    return rows


def deciles(values: NDArray[Any]) -> list[float] | None:
    """Least, every tenth per cent, greatest."""
    return [round(float(value), 3) for value in np.percentile(values, DECILES)] if len(values) else None


def markdown(results: Mapping[str, Any]) -> str:
    """The figures as tables."""
    lines = [f"{', '.join(results['sites'])}: {results['pictures']} pictures, every {results['every']}th frame."]
    for kind, rows in results["hits"].items():
        body = [[row["group"], row["number"], *(f"{row[f'{at:g}']:.0%}" for at in SCORES[kind])] for row in rows]
        alarms = [f"{row['all']:.2f} ({row['on nobody']:.2f})" for row in results["false_alarms"][kind]]
        body.append(["false alarms per picture (on nobody)", "", *alarms])
        lines += ["", *table([kind, "number", *(f"found at {at:g}" for at in SCORES[kind])], body)]
    body = [[name, *row] for name, row in results["deciles"].items() if row]
    return "\n".join([*lines, "", *table(["deciles", *(f"{decile} %" for decile in DECILES)], body)])


def table(head: list[Any], body: list[list[Any]]) -> list[str]:
    """Lines of Markdown."""
    return [f"| {' | '.join(map(str, row))} |" for row in (head, ["---"] * len(head), *body)]


if __name__ == "__main__":
    main()
