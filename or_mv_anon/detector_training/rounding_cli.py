"""The tool that rounds the detector of people and heads to 8 bits."""

from __future__ import annotations

import argparse
from pathlib import Path

from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.resources import resource
from or_mv_anon.detector_training.folders import Use, read_folder, read_uses
from or_mv_anon.detector_training.rooms import room_examples
from or_mv_anon.detector_training.train import SimulatedRoom, room_of
from or_mv_anon.models.detectors.eight_bits import in_eight_bits, some_of
from or_mv_anon.models.registry import fetch

NETWORK = "people-and-heads"
DESCRIPTION = """Round a detector of people and heads to 8-bit integers, which many processors compute faster.

The ranges of what flows between its layers are measured on pictures that it may have been trained on; their labels are
not looked at. What is lost has to be measured afterwards, with benchmarks/people_found.py. Needs onnxruntime, and the
extra `sim` for rooms that are not rendered yet.
"""
EXAMPLE = """example:
  %(prog)s --data people/offices people/helmets --sim 5001 5002 --out people_and_heads_8bit.onnx
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The tool's options."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="ONNX", help="the file to write")
    add("--network", type=Path, metavar="ONNX", help=f"what is rounded (default: {NETWORK})")
    add("--data", type=Path, nargs="+", default=[], metavar="DIR", help="folders of labelled pictures")
    add("--sim", type=SimulatedRoom.parse, nargs="+", default=[], metavar="ROOM",
        help="simulated rooms: a seed, or a seed and its cameras, such as 5001-infrared")  # fmt: skip
    add("--rooms", type=Path, default=Path("rooms"), metavar="DIR", help="of rendered rooms (default: rooms)")
    add("--uses", type=Path, default=resource("configs/detector_training.toml"), metavar="TOML",
        help="what is held out of the folders")  # fmt: skip
    add("--pictures", type=int, default=40, metavar="N", help="of each folder and of all rooms (default: 40)")
    add("--seed", type=int, default=0, metavar="N", help="of their choice (default: 0)")


def run(options: argparse.Namespace) -> int:
    """Round it as the options say.

    Raises:
        UserError: there are no pictures, a folder cannot be read, or the network is no YOLOX.
    """
    uses = read_uses(options.uses)
    sets = [
        [example.picture for example, _ in read_folder(folder, uses.get(folder.name, Use()))] for folder in options.data
    ]
    if options.sim:
        options.rooms.mkdir(parents=True, exist_ok=True)
    rooms = [room_of(options.rooms, wanted) for wanted in options.sim]
    sets.append([example.picture for room in rooms for example in room_examples(room)])
    chosen = [picture for pictures in sets for picture in some_of(pictures, options.pictures, seed=options.seed)]
    if not chosen:
        raise UserError("There is nothing to measure ranges on: name folders with --data or rooms with --sim.")
    data = in_eight_bits(options.network or fetch(NETWORK), chosen, long_side=load_config().detection.input_long_side)
    write_atomically(options.out, lambda part: part.write_bytes(data))
    print(f"Measured on {len(chosen)} pictures: {options.out}")
    return 0
