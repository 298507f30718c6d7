"""The simulator's command line: options that teach, and a summary of what was made."""

from __future__ import annotations

import argparse
from pathlib import Path

from or_mv_anon.core.option_types import WORKERS, whole

DESCRIPTION = """Make a simulated operating room: a recording to try things on, and exact ground truth.

Writes OUT/recording/ (cam1.mp4, cam2.mp4, ..., site.toml), as a hospital would have it, and OUT/truth/ (boxes, face
pixels, keypoints, identities; see docs/simulation.md). Nobody in it exists. Equal options make equal sites. Stopped
with Ctrl-C, the same command goes on where it was. Needs the extra: pip install "or_mv_anon[sim]"
"""
EXAMPLES = """examples:
  %(prog)s --out site/                                    4 cameras, 30 seconds, 6 people
  %(prog)s --out site/ --seconds 2 --fps 5                a quick look
  %(prog)s --out other/ --seed 7 --cameras 6 --people 8   another hospital: room, clothes, cameras, people
  %(prog)s --out later/ --seed 7 --cameras 6 --session 1  the same hospital on another day
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the simulator's options on `parser`."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--out", type=Path, required=True, metavar="DIR", help="where the site goes; made if missing")
    add("--seed", type=int, default=0, metavar="N", help="which hospital: room, cameras, clothes, people (default: 0)")
    add("--session", type=int, default=0, metavar="N",
        help="another day at the same hospital: other people and events (default: 0)")  # fmt: skip
    add("--cameras", type=int, default=4, metavar="N", help="1 to 8 (default: 4)")
    add("--people", type=int, default=6, metavar="N", help="in all, the patient among them, 1 to 9 (default: 6)")
    add("--seconds", type=float, default=30.0, metavar="S", help="length of the recording (default: 30)")
    add("--fps", type=int, default=10, metavar="N", help="pictures per second and camera (default: 10)")
    add(
        "--size", type=_size, default=(640, 360), metavar="WxH", help="of the pictures, even numbers (default: 640x360)"
    )
    add("--crf", type=int, default=24, metavar="N", help="quality of the videos, 0 best to 51 worst (default: 24)")
    add("--nudge", action="store_true", help="somebody bumps into a camera halfway: it turns by 1 to 4 degrees")
    add("--mixed", action="store_true", help="cameras differ in frame rate and picture size")
    add("--position", default="supine", metavar="HOW",
        help="the patient: supine, prone, lateral, lithotomy, or any, by the seed (default: supine)")  # fmt: skip
    add("--sensor", default="usual", metavar="HOW",
        help="the cameras: usual, old (dull, grainy, unsharp) or infrared (grey, grainy) (default: usual)")  # fmt: skip
    add("--workers", type=whole(WORKERS), metavar="N", help="processes (default: one per core)")
    add("--overwrite", action="store_true", help="replace an earlier simulated site in --out")


def run(parsed: argparse.Namespace) -> int:
    """Make the site that the parsed options describe, and say what was made; returns the exit code."""
    from or_mv_anon.simulation.simulate import simulate_site
    from or_mv_anon.simulation.simulation_options import SimulationOptions
    from or_mv_anon.simulation.summary import summarize

    values = {**vars(parsed), "width": parsed.size[0], "height": parsed.size[1]}
    options = SimulationOptions(**{name: values[name] for name in SimulationOptions.__dataclass_fields__})
    print(summarize(options.out, simulate_site(options)))
    return 0


def _size(text: str) -> tuple[int, int]:
    width, cross, height = text.lower().partition("x")
    if not (cross and width.isdigit() and height.isdigit()):
        raise argparse.ArgumentTypeError(f"expected WIDTHxHEIGHT such as 640x360, found '{text}'")
    return int(width), int(height)
