"""The `evaluate` command: judge a run, or any tool's videos, against exact ground truth."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.lock import hold
from or_mv_anon.core.overlap import refuse_other_json
from or_mv_anon.core.printable import printable

DESCRIPTION = """Judge anonymized videos against exact ground truth.

Either --run (the output folder of one session), or --original and --video-only: a recording and any tool's videos of
it in which faces are painted over in one colour. Prints a table; --out writes all figures as JSON.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options of the command."""
    from or_mv_anon.evaluation.exposure import ExposureOptions

    parser.description = DESCRIPTION
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    default = ExposureOptions()
    add = parser.add_argument
    add("--run", type=Path, metavar="DIR", help="output folder of one anonymized session")
    add("--original", type=Path, metavar="DIR", help="folder of the recording, with --video-only")
    add("--video-only", type=Path, metavar="DIR", help="folder of any tool's anonymized videos, named like the cameras")
    add("--truth", type=Path, required=True, metavar="DIR", help="folder of the ground truth")
    add("--out", type=Path, metavar="JSON", help="where to write all figures")
    add("--plots", type=Path, metavar="DIR", help="where to write plots as PNG (needs matplotlib)")
    add("--pixels", choices=["face", "bare"], default=default.pixels,
        help="what must be covered: the face with its mask, or what a mask leaves bare (default: face)")  # fmt: skip
    add("--min-height", type=float, default=default.min_height, metavar="PX",
        help="faces lower than this do not count (default: %(default)g)")  # fmt: skip
    add("--min-visible", type=float, default=default.min_visible_share, metavar="SHARE",
        help="faces of which less shows do not count (default: %(default)g)")  # fmt: skip
    add("--max-angle", type=float, default=default.max_angle, metavar="DEG",
        help="faces turned farther away do not count (default: %(default)g)")  # fmt: skip
    add("--covered-share", type=float, default=default.covered_share, metavar="SHARE",
        help="a face is exposed when less of its visible pixels is covered (default: %(default)g)")  # fmt: skip
    add("--block-s", type=float, default=default.block_s, metavar="S",
        help="length of the stretches that intervals are drawn from (default: %(default)g)")  # fmt: skip
    add("--seed", type=int, default=default.seed, metavar="N", help="of the draws (default: %(default)d)")
    add("--squares", choices=["v1", "v2"], default="v2", help="rules of the fixed-squares protocol (default: v2)")
    add("--fill-brightness", type=float, default=0.0, metavar="0-255",
        help="with --video-only: brightness of the colour that covers (default: 0, black)")  # fmt: skip
    add("--allow-resized", action="store_true",
        help="with --video-only: the videos may have another size; they are stretched back")  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Run the command with parsed `args`.

    Raises:
        UserError: the options contradict one another, or the input cannot be judged.
    """
    from or_mv_anon.core.truth import load_truth
    from or_mv_anon.evaluation.evaluate import Rules, evaluate_run, evaluate_videos
    from or_mv_anon.evaluation.exposure import ExposureOptions
    from or_mv_anon.evaluation.pixel_coverage import FillOptions
    from or_mv_anon.evaluation.reference_protocol import SquaresOptions
    from or_mv_anon.evaluation.report_plots import write_plots
    from or_mv_anon.evaluation.report_table import table

    by_pixels = args.original is not None and args.video_only is not None
    if by_pixels == (args.run is not None) or (args.original is None) != (args.video_only is None):
        raise UserError("Give either --run, or --original together with --video-only.")
    rules = Rules(
        exposure=ExposureOptions(
            min_height=args.min_height,
            min_visible_share=args.min_visible,
            max_angle=args.max_angle,
            covered_share=args.covered_share,
            pixels=args.pixels,
            block_s=args.block_s,
            seed=args.seed,
        ),
        squares=SquaresOptions(version=args.squares),
        fill=FillOptions(brightness=args.fill_brightness, resized=args.allow_resized),
    )
    if args.out is not None:
        refuse_other_json(args.out, lambda found: found["schema"].startswith("or_mv_anon/evaluation/"), option="--out")
    truth = load_truth(args.truth)
    if by_pixels:
        result = evaluate_videos(args.original, args.video_only, truth, rules, progress=_say)
    else:
        with hold(args.run, make=False):
            result = evaluate_run(args.run, truth, rules, progress=_say)
    print(table(result))
    if args.out is not None:
        text = json.dumps(result.as_dict(), indent=1, allow_nan=False)
        write_atomically(args.out, lambda part: part.write_text(text))
        print(f"\nFigures: {args.out}")
    if args.plots is not None:
        print(f"Plots: {', '.join(str(path) for path in write_plots(result, args.plots))}")
    return 0


def _say(camera: str) -> None:
    if sys.stderr.isatty():
        print(f"judging {printable(camera)} ...", file=sys.stderr)
