"""The training tool of the face modifier: from heads to an ONNX file with a card that says what it can do."""

from __future__ import annotations

import argparse
import dataclasses
from pathlib import Path
from typing import Any

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.lock import hold
from or_mv_anon.head_training.settings import load_training_config

MODIFIER_FILE, CARD_FILE = "learned_modifier.onnx", "card.md"
FIRST_PERSON, FIRST_JUDGED = 1000, 9000  # seeds of the simulated people
DESCRIPTION = """Train the modifier of --method learned against an identity adversary and an action detector.

By default it learns to answer every head with one of a few drawings of a simulated person that face the same way;
[modifier] codes = 0 trains a free image-to-image network as Ren, Lee and Ryoo (ECCV 2018) do. Heads come from folders
of real people's pictures, from simulated sites (see simulate_site.py) and from simulated people who are looked at from
all sides; any of them will do. Writes to --out: learned_modifier.onnx, card.md with the measured figures, log.jsonl,
and a checkpoint that a stopped run goes on from when the same command is given again. Pictures stay in memory.
"""
EXAMPLE = """examples:
  %(prog)s --people 40 --judge-people 6 --out trained/
  %(prog)s --people 40 --sites site1/ site2/ --judge-sites site3/ --budget-minutes 20 --out trained/
  anonymize_multiview.py --videos site/ --out out/ --method learned --modifier trained/learned_modifier.onnx
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The tool's options."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLE
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    folders: dict[str, Any] = {"type": Path, "nargs": "+", "default": (), "metavar": "DIR"}
    add("--out", type=Path, required=True, metavar="DIR", help="where the modifier goes; made if missing")
    add("--faces", **folders, help="real people: a folder per person, or pictures named PERSON_NUMBER; a share of the "
        "people is held out to judge by")  # fmt: skip
    add("--strangers", **folders, help="pictures of one real face each, whose it is unknown")
    add("--sites", **folders, help="simulated sites, with recording/ and truth/")
    add("--people", type=int, default=0, metavar="N", help="simulated people looked at from all sides; extra: sim")
    add("--judge-faces", **folders, help="real people only to judge by")
    add("--judge-sites", **folders, help="simulated sites only to judge by")
    add("--judge-people", type=int, default=0, metavar="N", help="simulated people only to judge by")
    add("--config", type=Path, metavar="TOML", help="changes to configs/learned.toml")
    add("--budget-minutes", type=float, metavar="N", help="stop training after so long; the steps made count")
    add("--device", choices=["auto", "cpu", "cuda"], default="auto", help="where to train (default: auto)")
    add("--weights-dir", type=Path, metavar="DIR", help="network weights for a machine without internet access")


def run(options: argparse.Namespace) -> int:
    """Read the heads, train, judge, export, write the card."""
    try:
        from or_mv_anon.head_training.material import Folders
        from or_mv_anon.head_training.train import train
        from or_mv_anon.models.torch_device import torch_device
    except ImportError as error:
        raise UserError(
            f"Training needs torch ({error.name} is missing). Install it with: pip install 'or_mv_anon[train]'."
        ) from error
    device = torch_device(options.device)
    print(f"training on {device}", flush=True)
    folders = Folders(
        faces=options.faces,
        strangers=options.strangers,
        sites=options.sites,
        people=range(FIRST_PERSON, FIRST_PERSON + options.people),
        judge_faces=options.judge_faces,
        judge_sites=options.judge_sites,
        judge_people=range(FIRST_JUDGED, FIRST_JUDGED + options.judge_people),
    )
    with hold(options.out):
        trained = train(
            folders,
            options.out / MODIFIER_FILE,
            card=options.out / CARD_FILE,
            config=load_training_config(options.config),
            device=device,
            minutes=options.budget_minutes,
            weights_dir=options.weights_dir,
        )
    print(f"wrote {options.out / MODIFIER_FILE} and {CARD_FILE} after {trained.steps} steps")
    for name, value in dataclasses.asdict(trained.judgement.modified).items():
        print(f"  {name.replace('_', ' ')}: {value:.3f}")
    return 0
