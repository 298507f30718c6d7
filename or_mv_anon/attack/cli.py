"""The `attack` command: try to recognize anonymized people, and say how often it works."""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tqdm import tqdm

from or_mv_anon import __version__
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.lock import hold
from or_mv_anon.core.option_types import SEED, whole
from or_mv_anon.core.overlap import refuse_other_json

if TYPE_CHECKING:  # loading them takes a second, which `--help` must not
    from or_mv_anon.attack.anonymizers import Anonymizer
    from or_mv_anon.attack.attack import Attacker
    from or_mv_anon.models.recognizers import Recognizer

METHODS = ("none", "blur", "pixelate", "solid", "learned")
CELLS = (3, 4, 6, 8, 12)
BLUR_CELLS = (6, 10, 16)
ATTACKERS = ("naive", "parrot", "pixels", "vectors")
SESSION_SCHEMA = "or_mv_anon/attack-session/1"
DESCRIPTION = """Try to recognize anonymized people.

With --faces: folders of pictures of known people are covered by each method, and matched with other, clear pictures of
the same people. With --original and --anonymized: the people in an anonymized recording are matched with those in the
original. All pictures stay in memory; only scores are written. How to read the figures: docs/attack.md.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options of the command."""
    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--faces", type=Path, nargs="+", metavar="DIR",
        help="folders of people: one subfolder of pictures each, or files named PERSON_NUMBER.jpg")  # fmt: skip
    add("--original", type=Path, metavar="DIR", help="folder of a recording, with --anonymized")
    add("--anonymized", type=Path, metavar="DIR", help="output folder of one anonymized session of it")
    add("--truth", type=Path, metavar="DIR",
        help="with --anonymized: ground truth that says who is who (default: what the run itself found)")  # fmt: skip
    add("--method", nargs="+", choices=METHODS, default=list(METHODS),
        help="with --faces: methods to attack (default: all)")  # fmt: skip
    add("--cells", type=int, nargs="+", default=list(CELLS), metavar="N",
        help="pixelate: cells along a region's longer side (default: 3 4 6 8 12)")  # fmt: skip
    add("--blur-cells", type=int, nargs="+", default=list(BLUR_CELLS), metavar="N",
        help="blur: samples along a region's longer side (default: 6 10 16)")  # fmt: skip
    add("--modifier", type=Path, metavar="ONNX", help="learned: the network that draws (default: the shipped one)")
    add("--attackers", nargs="+", choices=ATTACKERS, default=list(ATTACKERS),
        help="naive compares with clear pictures, parrot with pictures covered alike; pixels and vectors learn from "
        "pictures covered alike (default: all)")  # fmt: skip
    add("--recognizers", nargs="+", default=["sface", "dlib"], metavar="NAME",
        help="networks that compare faces: sface, dlib (default: both; dlib needs the extra 'attack')")  # fmt: skip
    add("--per-person", type=int, default=0, metavar="N",
        help="with --faces: use at most so many pictures of a person (default: 0, all)")  # fmt: skip
    add("--seed", type=whole(SEED), default=0, metavar="N", help="of the draws (default: 0)")
    add("--out", type=Path, metavar="JSON", help="where to write all figures; finished methods there are kept")
    add("--weights-dir", type=Path, metavar="PATH", help="folder or .tar of weights, looked at before the cache")


def run(args: argparse.Namespace) -> int:
    """Run the command with parsed `args`.

    Raises:
        UserError: the options contradict one another, or the input cannot be attacked.
    """
    on_video = args.original is not None and args.anonymized is not None
    if on_video == bool(args.faces) or (args.original is None) != (args.anonymized is None):
        raise UserError("Give either --faces, or --original together with --anonymized.")
    if args.out is not None and not args.out.absolute().parent.is_dir():
        raise UserError(f"There is no folder {args.out.absolute().parent} for --out; make it first.")
    if args.truth is not None and not on_video:
        raise UserError("--truth goes with --original and --anonymized; with --faces the folders say who is who.")
    if args.out is not None:
        refuse_other_json(args.out, lambda found: found["schema"].startswith("or_mv_anon/attack"), option="--out")
    if not on_video:
        return _attack_faces(args)
    with hold(args.anonymized, make=False):
        return _attack_session(args)


def _attack_session(args: argparse.Namespace) -> int:
    from or_mv_anon.attack.identities import MIN_SCORE
    from or_mv_anon.attack.session import attack_session
    from or_mv_anon.attack.session_folders import attacked_cameras
    from or_mv_anon.attack.table import session_table
    from or_mv_anon.core.truth import load_truth
    from or_mv_anon.models.landmarks import WEIGHTS, LandmarkFinder
    from or_mv_anon.models.recognizers import open_recognizers
    from or_mv_anon.models.registry import fetch

    recognizers = open_recognizers(args.recognizers, weights_dir=args.weights_dir)
    finder = LandmarkFinder(fetch(WEIGHTS, weights_dir=args.weights_dir), min_score=MIN_SCORE)
    truth = None if args.truth is None else load_truth(args.truth)
    cameras = attacked_cameras(args.original, args.anonymized, truth)
    with tqdm(total=len(cameras), desc="attack", unit="camera", disable=None) as bar:

        def done(camera: str) -> None:
            bar.set_postfix_str(camera, refresh=False)
            bar.update()

        figures = attack_session(cameras, recognizers, finder, seed=args.seed, progress=done).as_dict()
    print(session_table(figures))
    if args.out is not None:
        text = json.dumps({"schema": SESSION_SCHEMA, "tool_version": __version__, **figures}, indent=1, allow_nan=False)
        write_atomically(args.out, lambda part: part.write_text(text))
        print(f"\nFigures: {args.out}")
    return 0


def _attack_faces(args: argparse.Namespace) -> int:
    from or_mv_anon.attack.anonymizers import LearnedAnonymizer
    from or_mv_anon.attack.cached_recognizer import CachedRecognizer
    from or_mv_anon.attack.faces import FacesJob, attack_faces
    from or_mv_anon.attack.identities import read_identity_set
    from or_mv_anon.attack.table import faces_table
    from or_mv_anon.audit.charts import percent
    from or_mv_anon.models.recognizers import open_recognizers
    from or_mv_anon.models.registry import sha256
    from or_mv_anon.operators.drawn.modifier_model import find_modifier

    if len({folder.absolute().name for folder in args.faces}) < len(args.faces):
        raise UserError("Two of the folders after --faces have one name; people are told apart by it: rename one.")
    anonymizers = list(_anonymizers(args))
    recognizers = [CachedRecognizer(one) for one in open_recognizers(args.recognizers, weights_dir=args.weights_dir)]
    job = FacesJob(
        sets=[read_identity_set(folder.absolute(), weights_dir=args.weights_dir) for folder in args.faces],
        attackers=list(_attackers(args.attackers, recognizers)),
        anonymizers=anonymizers,
        per_person=args.per_person,
        seed=args.seed,
        networks={"modifier": sha256(find_modifier(args.modifier))} if "learned" in args.method else {},
        out=args.out,
    )
    print(faces_table(attack_faces(job)))
    for each in anonymizers:
        if isinstance(each, LearnedAnonymizer) and (tried := each.operator.counts.total()):
            print(
                f"\nlearned: a head was drawn in {percent(each.operator.counts['released'] / tried)} of the pictures."
            )
    if args.out is not None:
        print(f"\nFigures: {args.out}")
    return 0


def _attackers(names: Sequence[str], recognizers: Sequence[Recognizer]) -> Iterator[Attacker]:
    from or_mv_anon.attack.adaptive import PixelDiscriminant, VectorDiscriminant
    from or_mv_anon.attack.attack import Naive, Parrot

    kinds: dict[str, Callable[[Recognizer], Attacker]]
    kinds = {"naive": Naive, "parrot": Parrot, "vectors": VectorDiscriminant}
    for name in names:
        if name == "pixels":
            yield from (PixelDiscriminant("region"), PixelDiscriminant("face"))
        else:
            yield from (kinds[name](each) for each in recognizers)


def _anonymizers(args: argparse.Namespace) -> Iterator[Anonymizer]:
    from or_mv_anon.attack.anonymizers import learned, product
    from or_mv_anon.core.config import load_config

    if min([*args.cells, *args.blur_cells]) < 1:
        raise UserError("--cells and --blur-cells count from 1.")
    shipped = load_config().operators
    strengths = {"pixelate": ("cells", args.cells), "blur": ("blur_cells", args.blur_cells)}
    for method in args.method:
        if method == "learned":
            yield learned(args.modifier, weights_dir=args.weights_dir)
            continue
        name, values = strengths.get(method, ("cells", [shipped.cells]))
        for value in values:
            yield product(method, replace(shipped, **{name: value}))
