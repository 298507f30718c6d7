"""Every anonymizer under every attack, and what it leaves of the picture: one table, and the choice it asks for.

``python benchmarks/anonymizers.py --faces DIR [DIR ...] --known DIR --site DIR --action-site DIR --work DIR`` writes
`anonymizers.json` and `anonymizers.md` into the work folder. A row that is finished is kept there and not measured
again. The folders after ``--faces`` hold the people under attack, ``--known`` other people (`or-mv-anon attack`
describes the layout). The sites are simulated (`or-mv-anon simulate`): ``--site`` to judge people in, ``--action-site``
to learn actions from, the same room on another day (``--session``) with other people. No picture is written.
"""

from __future__ import annotations

import argparse
import json
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.anonymizer_candidates import candidates_of_table
from benchmarks.anonymizer_report import write_report
from benchmarks.anonymizer_rows import Material, measure_row
from benchmarks.attackers.adaptive_training import DividedSFace, TrainedFurther
from benchmarks.attackers.bodies import describe
from or_mv_anon.attack.adaptive import PixelDiscriminant, VectorDiscriminant
from or_mv_anon.attack.attack import Attacker, Naive, Parrot
from or_mv_anon.attack.cached_recognizer import CachedRecognizer
from or_mv_anon.attack.identities import Face, read_identities, split_enrolment
from or_mv_anon.attack.region_crops import reduced
from or_mv_anon.core.config import load_config
from or_mv_anon.core.files import write_atomically
from or_mv_anon.head_training.action_training import train_actions
from or_mv_anon.head_training.actions import ActionNetwork, read_crops
from or_mv_anon.head_training.simulated import open_simulated
from or_mv_anon.models.embedder import PersonEmbedder
from or_mv_anon.models.recognizers import WEIGHTS, open_recognizers
from or_mv_anon.models.registry import fetch

REGION_SIDE = 160  # px of the covered region at most: what an attacker sees of a head that is near the camera
PER_PERSON = 10  # pictures at most, half of them enrolled
KNOWN_PER_PERSON = 6
STEPS = {"recognizer": 40, "actions": 300}
INTERVAL_S = {"action training": 1.0, "test": 4.0}  # seconds between the frames that are looked at


def main() -> None:
    args = _arguments()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    args.work.mkdir(parents=True, exist_ok=True)
    candidates = [each for each in candidates_of_table() if not args.rows or each.name in args.rows]
    kept = {each.name: args.work / f"{each.name.replace(' ', '_')}.row.json" for each in candidates}
    missing = [each for each in candidates if not kept[each.name].is_file()]
    if missing:
        material = _material(args)
        for candidate in tqdm(missing, desc="anonymizers", unit="row"):
            text = json.dumps({**_about(material), **measure_row(candidate, material)}, indent=1, allow_nan=False)
            write_atomically(kept[candidate.name], lambda part, text=text: part.write_text(text))
            _write_table(args.work, list(kept.values()))
    print(_write_table(args.work, list(kept.values())))


def _write_table(work: Path, kept: Sequence[Path]) -> str:
    """Join the rows that are finished so far; returns the table."""
    rows = [json.loads(path.read_text()) for path in kept if path.is_file()]
    write_atomically(work / "anonymizers.json", lambda part: part.write_text(json.dumps(rows, indent=1)))
    return write_report(work / "anonymizers.md", rows)


def _material(args: argparse.Namespace) -> Material:
    gallery, probes = split_enrolment(_faces(args.faces, PER_PERSON), seed=0)
    model = fetch(WEIGHTS["sface"])
    sface, dlib = (CachedRecognizer(each) for each in open_recognizers())
    attackers: list[Attacker] = [Naive(sface), Naive(dlib), Parrot(sface), VectorDiscriminant(sface)]
    attackers += [PixelDiscriminant("region"), PixelDiscriminant("face")]
    attackers.append(TrainedFurther(DividedSFace(model), steps=STEPS["recognizer"]))
    frames = list(open_simulated(args.site).frames(interval_s=INTERVAL_S["test"]))
    actions, learned_actions = _actions(args)
    embedder = PersonEmbedder(fetch("osnet-x1-msmt17"), load_config().appearance, device="cpu", threads=1)
    return Material(
        gallery=gallery,
        probes=probes,
        known=_faces([args.known], KNOWN_PER_PERSON),
        attackers=attackers,
        frames=frames,
        bodies=describe(frames, embedder),
        embedder=embedder,
        actions=actions,
        learned_actions=learned_actions,
    )


def _faces(folders: Sequence[Path], most: int) -> list[Face]:
    """At most so many pictures of each person, drawn at random, with regions of at most `REGION_SIDE`."""
    drawn: list[Face] = []
    for folder in folders:
        faces = read_identities(folder)
        for person in sorted({face.identity for face in faces}):
            own = [face for face in faces if face.identity == person]
            chosen = np.random.default_rng(0).permutation(len(own))[:most]
            drawn += [reduced(own[row], side=REGION_SIDE) for row in sorted(chosen)]
    return drawn


def _actions(args: argparse.Namespace) -> tuple[ActionNetwork, NDArray[np.intp]]:
    """The action classifier and which actions it was shown, trained once and kept in the work folder."""
    site, path = open_simulated(args.action_site), args.work / "actions.pt"
    if not path.is_file():
        crops = read_crops(site, interval_s=INTERVAL_S["action training"])
        kept = {
            "network": train_actions(crops, steps=STEPS["actions"]).state_dict(),
            "learned": torch.from_numpy(np.unique(crops.action)),
        }
        write_atomically(path, lambda part: torch.save(kept, part))
    kept = torch.load(path, weights_only=True)
    network = ActionNetwork(len(site.truth.actions))
    network.load_state_dict(kept["network"])
    return network.eval(), kept["learned"].numpy()


def _about(material: Material) -> dict[str, Any]:
    return {
        "gallery": len(material.gallery),
        "probes": len(material.probes),
        "known_people": len({face.identity for face in material.known}),
        "known_pictures": len(material.known),
        "frames": len(material.frames),
    }


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--faces", type=Path, nargs="+", required=True, help="folders of people under attack")
    parser.add_argument("--known", type=Path, required=True, help="folder of other people, to learn from")
    parser.add_argument("--site", type=Path, required=True, help="simulated site to judge bodies and actions in")
    parser.add_argument("--action-site", type=Path, required=True, help="another day there, to learn actions from")
    parser.add_argument("--work", type=Path, required=True, help="where rows are kept and the table is written")
    parser.add_argument("--rows", nargs="*", metavar="NAME", help="only these anonymizers, such as 'pixelate 6'")
    return parser.parse_args()


if __name__ == "__main__":
    main()
