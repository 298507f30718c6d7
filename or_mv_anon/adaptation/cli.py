"""The command line of `adapt_site.py` and of `or-mv-anon adapt`."""

from __future__ import annotations

import argparse
from pathlib import Path

from or_mv_anon.core.option_types import MINUTES, ROUNDS, SEED, WORKERS, add_executor_arguments, number, whole

DESCRIPTION = """Learn a room from its own unlabelled recordings and write a site model for anonymize_multiview.py.

The person detector that comes with the tool labels the recordings; tracking and the other cameras add the people whom
it missed; it is trained on that, and the next round starts with the better detector. The round that does best on
stretches of time that were never trained on is kept. Give it what a room usually sees: some minutes of every kind of
work, with all cameras. Run the same command again after an interruption: it goes on where it stopped.

Pictures are never written to disk. --out/work holds boxes and networks and can be deleted afterwards.
"""
EXAMPLES = """examples:
  %(prog)s --videos room1/ --out room1_model/                       three rounds, as long as they take
  %(prog)s --videos room1/ --out room1_model/ --budget-minutes 60   the best that an hour gives
  python tools/anonymize_multiview.py --videos room1/ --out anonymous/ --model room1_model/
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the adaptation."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--videos", type=Path, required=True, metavar="DIR", help="site folder, as for anonymize_multiview.py")
    add("--out", type=Path, required=True, metavar="DIR", help="where the site model goes; made if missing")
    add(
        "--iterations", type=whole(ROUNDS), default=3, metavar="N", help="rounds of labelling and training (default: 3)"
    )
    add("--budget-minutes", type=number(MINUTES), metavar="M",
        help="time to keep to: shorter trainings first, then fewer rounds (default: no limit)")  # fmt: skip
    add("--device", choices=["auto", "cpu", "cuda"], default="auto", help="where networks run (default: auto)")
    add("--start", type=Path, metavar="ONNX", help="detector to start from (default: the one the tool comes with)")
    add("--teacher", type=Path, nargs="+", metavar="FILE",
        help="a stronger person detector of your own, whose labels the first round trains the small one on: an ONNX "
        "file (YOLOX, RF-DETR, D-FINE, RT-DETR), or an mmdet configuration and checkpoint (.py and .pth)")  # fmt: skip
    add("--corrections", type=Path, metavar="OUT",
        help="results of anonymize over the same recordings: reviewers' decisions there are trusted")  # fmt: skip
    add("--no-student", dest="student", action="store_false", help="no smaller, faster detector at the end")
    add("--config", type=Path, metavar="TOML", help="changes to configs/adaptation.toml")
    add("--seed", type=whole(SEED), default=0, metavar="N", help="of every random draw (default: 0)")
    add("--weights-dir", type=Path, metavar="DIR", help="network weights for a machine without internet access")
    add("--workers", type=whole(WORKERS), metavar="N", help="worker processes (default: as for anonymize_multiview.py)")
    add_executor_arguments(parser)
    add("--progress", choices=["auto", "plain", "json"], default="auto",
        help="bars on a terminal, lines in a log (default: auto), always lines, or JSON for a scheduler")  # fmt: skip
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--resume", action="store_true", help="go on where an earlier run stopped (this is the default)")
    mode.add_argument("--overwrite", action="store_true", help="discard an earlier adaptation in --out")


def run(parsed: argparse.Namespace) -> int:
    """Adapt to a site; returns the exit code.

    Raises:
        UserError: packages are missing, or nothing could be learned.
    """
    from or_mv_anon.openmmlab.compatibility import prepare

    prepare()
    from or_mv_anon.adaptation.loop import adapt_site
    from or_mv_anon.adaptation.options import AdaptOptions

    values = {**vars(parsed), "teacher": None if parsed.teacher is None else tuple(parsed.teacher)}
    return adapt_site(AdaptOptions(**{name: values[name] for name in AdaptOptions.__dataclass_fields__}))
