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
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from or_mv_anon import boxes as geometry
from or_mv_anon.anonymization.analyse import ModelSettings, Networks, load_networks
from or_mv_anon.anonymization.plan import BUILT_IN
from or_mv_anon.boxes import Boxes
from or_mv_anon.config import load_config
from or_mv_anon.errors import UserError
from or_mv_anon.evaluation.box_matching import NOBODY, Candidates, Subjects, match
from or_mv_anon.evaluation.detection_rules import DetectionRules, counts
from or_mv_anon.evaluation.exposure import ExposureOptions
from or_mv_anon.evaluation.figures import share
from or_mv_anon.evaluation.truth import CameraTruth, TruthPeople, load_truth
from or_mv_anon.models.dense import DenseDetector
from or_mv_anon.models.registry import fetch
from or_mv_anon.records import Column, Columns, Detections
from or_mv_anon.site.layout import PICTURE_SUFFIXES, VIDEO_SUFFIXES
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import Source, open_source

PATIENT = "patient"
MASKS = ("bare", "mask worn", "mask pulled down")  # by MaskState
PERSON_SCORES, FACE_SCORES = (0.1, 0.3, 0.5), (0.2, 0.5)
FRACTIONS, PERSON_HEIGHTS = (0.15, 0.4, 0.7, 1.0), (0.0, 60.0, 120.0, 200.0, np.inf)
ANGLES, FACE_HEIGHTS = (0.0, 30.0, 60.0, 90.0), (10.0, 14.0, 20.0, 30.0, np.inf)
FACE_IOU = 0.3
OVER_SOMEBODY = 0.3  # share of a false alarm's box that lies in the box of a person of whom anything shows
DECILES = np.arange(0, 101, 10)
PEOPLE = DetectionRules(min_visible_fraction=FRACTIONS[0])
FACES = ExposureOptions(min_height=FACE_HEIGHTS[0], max_angle=ANGLES[-1])


@dataclass(frozen=True)
class Judged(Columns):
    """People or faces that count, and the score of the detection that found each, 0 for none."""

    score: Column
    height: Column  # px, of the visible person or the face
    fraction: Column  # visible share of the person
    angle: Column  # degrees, of the face
    mask: Column  # MaskState
    role: Column  # number in the benchmark's list of roles

    columns = {
        "score": (np.float64, ()), "height": (np.float64, ()), "fraction": (np.float64, ()),
        "angle": (np.float64, ()), "mask": (np.uint8, ()), "role": (np.int16, ()),
    }  # fmt: skip


@dataclass(frozen=True)
class Alarms(Columns):
    """Detections that found nobody."""

    score: Column
    over_somebody: Column  # in the wrong place or of the wrong size, but on a person

    columns = {"score": (np.float64, ()), "over_somebody": (np.bool_, ())}


@dataclass
class Tally:
    """Everything that one detector's row of pictures came to."""

    judged: list[Judged]
    alarms: list[Alarms]
    found: list[Detections]
    shares: list[NDArray[np.float64]]  # heights of the found boxes ÷ the picture's


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--sites", type=Path, nargs="+", required=True, metavar="DIR", help="folders with recording/ and truth/")
    add("--every", type=int, default=10, metavar="N", help="look at every Nth frame (default: 10)")
    add("--real", type=Path, nargs="*", default=[], metavar="DIR", help="pictures or clips to set beside")
    add("--out", type=Path, required=True, metavar="JSON", help="where the figures go; a table goes to OUT.md")
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
    config = load_config(None)
    weights = {role: fetch(name) for role, name in BUILT_IN.items()}
    networks = load_networks(ModelSettings(**weights, device="cpu", precision="auto", threads=0), config)
    persons, faces, roles = Tally([], [], [], []), Tally([], [], [], []), [PATIENT]
    for site in sites:
        truth = load_truth(site / "truth")
        roles += sorted({str(entry["role"]) for entry in truth.people} - set(roles))
        role_of = {int(entry["person"]): roles.index(str(entry["role"])) for entry in truth.people}
        for name, camera in truth.cameras.items():
            looked = range(0, len(camera.frames), every)
            source = open_source(site / "recording" / f"{name}.mp4")
            here = look(source, networks, persons, faces, every=every, told=f"{site.name} {name}")
            people = camera.people[np.isin(camera.people.frame, looked)]
            judge_persons(persons, people, here[0], role_of)
            judge_faces(faces, people, here[1], role_of)
    beside = {folder.name: distributions(*look_around(folder, networks, every=every)) for folder in real}
    return {
        "sites": [site.name for site in sites],
        "every": every,
        "pictures": len(persons.found),
        "detector_sides": [config.detection.input_long_side, config.face.input_long_side],
        "persons": hits(Judged.concat(persons.judged), roles, PERSON_SCORES, person_groups),
        "faces": hits(Judged.concat(faces.judged), roles, FACE_SCORES, face_groups),
        "false_persons": false_alarms(persons, PERSON_SCORES),
        "false_faces": false_alarms(faces, FACE_SCORES),
        "deciles": truth_distributions(persons, faces) | {"simulated": distributions(persons, faces), **beside},
    }
