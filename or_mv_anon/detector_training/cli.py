"""The training tool of the detector of people and heads: from labelled pictures and simulated rooms to an ONNX file."""

from __future__ import annotations

import argparse
from pathlib import Path

from or_mv_anon.core.resources import resource
from or_mv_anon.detector_training.train import Options, SimulatedRoom, train
from or_mv_anon.models.registry import fetch

START = "yolox-tiny-humanart"
NO_TEACHER = "none"
DESCRIPTION = """Train one network that finds people and heads, on labelled pictures and simulated rooms.

Writes to --out: people_and_heads.onnx, the labels that were learned, and a checkpoint that a stopped run goes on from
when the same command is given again. Needs the extra `adapt`, and `sim` for rooms that are not rendered yet. A folder
of pictures holds images/ and labels.json; docs/training.md tells the form.
"""
EXAMPLE = """examples:
  %(prog)s --data people/ward people/offices --sim 5001 5002 5003 --out trained/
  %(prog)s --data people/ward --sim 5001 --start trained/people_and_heads.onnx --budget-minutes 60 --out further/
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The tool's options."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="checkpoint and network; made if missing")
    add("--data", type=Path, nargs="+", default=[], metavar="DIR", help="folders of labelled pictures")
    add("--sim", type=SimulatedRoom.parse, nargs="+", default=[], metavar="ROOM",
        help="simulated rooms: a seed, or a seed and its cameras, such as 5001-infrared or 5001-old")  # fmt: skip
    add("--rooms", type=Path, metavar="DIR", help="where rendered rooms are kept (default: OUT/rooms)")
    add("--room-repeat", type=int, default=1, metavar="N", help="how often a room's picture counts (default: 1)")
    add("--composed", type=int, default=300, metavar="N",
        help="simulated people, most of them lying, in pictures of nobody (default: 300)")  # fmt: skip
    add("--uses", type=Path, default=resource("configs/detector_training.toml"), metavar="TOML",
        help="what is held out of the folders, how often they count")  # fmt: skip
    add("--config", type=Path, default=resource("configs/detector/people_and_heads.py"), metavar="PY", help="the model")
    add("--start", type=Path, metavar="ONNX", help=f"weights to begin with (default: {START})")
    add("--teacher", metavar="ONNX", help=f"to go on agreeing with, or '{NO_TEACHER}' (default: {START})")
    add("--teacher-weight", type=float, default=0.3, metavar="W", help="against the labels (default: 0.3)")
    add("--steps", type=int, default=4000, metavar="N", help="of the training (default: 4000)")
    add("--budget-minutes", type=float, metavar="M", help="after which it ends early (default: no limit)")
    add("--batch", type=int, default=8, metavar="N", help="pictures per step (default: 8)")
    add("--long-side", type=int, default=416, metavar="PX", help="of the pictures (default: 416)")
    add("--learning-rate", type=float, default=5e-4, metavar="R", help="the highest (default: 5e-4)")
    add("--frozen-stages", type=int, default=0, metavar="N", help="of the backbone (default: 0)")
    add("--share", type=float, default=1.0, metavar="S",
        help="of what was trained in the network that is written, the rest is the start (default: 1)")  # fmt: skip
    add("--seed", type=int, default=0, metavar="N", help="of every draw (default: 0)")
    add("--device", choices=("auto", "cpu", "cuda"), default="auto", help="where to train (default: auto)")


def run(options: argparse.Namespace) -> int:
    """Train as the options say.

    Raises:
        UserError: as `detector_training.train.train`; the start weights are not to be had.
    """
    trained, network = train(
        Options(
            out=options.out,
            config=options.config,
            start=options.start or fetch(START),
            data=tuple(options.data),
            uses=options.uses,
            sim=tuple(options.sim),
            rooms=options.rooms or options.out / "rooms",
            room_repeat=options.room_repeat,
            composed=options.composed,
            share=options.share,
            steps=options.steps,
            batch=options.batch,
            long_side=options.long_side,
            learning_rate=options.learning_rate,
            teacher=None if options.teacher == NO_TEACHER else Path(options.teacher or fetch(START)),
            teacher_weight=options.teacher_weight,
            frozen_stages=options.frozen_stages,
            seed=options.seed,
            device=options.device,
            minutes=options.budget_minutes,
        )
    )
    print(f"{trained.steps} steps in {trained.seconds / 60:.0f} minutes, ended by {trained.stopped_by}: {network}")
    return 0
