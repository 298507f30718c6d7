"""The command line of `or-mv-anon render`: takes in what reviewers decided since, and renders what that changes."""

from __future__ import annotations

import argparse
from pathlib import Path

from or_mv_anon.core.option_types import WORKERS, whole

DESCRIPTION = """Take in corrections and render what they change.

The same as running the command again that made OUT, with the options that it was given then: only segments in which
something else is covered now are encoded again. Then the outputs are joined and checked like any other.
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.description, parser.formatter_class = DESCRIPTION, argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("out", type=Path, metavar="OUT", help="output folder of or-mv-anon anonymize")
    add("--videos", type=Path, metavar="DIR", help="where the recordings are now, if they were moved")
    add("--workers", type=whole(WORKERS), metavar="N", help="worker processes (default: as in the run before)")
    add("--progress", choices=["auto", "plain", "json"], default="auto",
        help="bars on a terminal, lines in a log (default: auto), always lines, or JSON for a scheduler")  # fmt: skip


def run(parsed: argparse.Namespace) -> int:
    """Render again; returns the exit code."""
    from dataclasses import replace

    from or_mv_anon.pipeline.asked import recall
    from or_mv_anon.pipeline.pipeline import anonymize_site

    options = recall(parsed.out, parsed.videos)
    return anonymize_site(replace(options, workers=parsed.workers or options.workers))
