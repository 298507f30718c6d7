"""The command line of `or-mv-anon release`."""

from __future__ import annotations

import argparse
from pathlib import Path

DESCRIPTION = """Copy the results of one session that may leave the hospital, or say what stands against it.

Every camera must have a verified output that somebody accepted as it is now, every case above --severity must be
closed, and every correction must have been rendered and seen. DEST then holds the outputs, the decisions
(corrections.jsonl) and release.json with the SHA-256 of every file.
"""
EXAMPLES = """examples:
  %(prog)s anonymous/ release/
  %(prog)s anonymous/ release/ --reviewers 2 --key hospital.pem
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("out", type=Path, metavar="OUT", help="output folder of one session")
    add("destination", type=Path, metavar="DEST", help="a new folder")
    add("--severity", type=float, default=0.0, metavar="S",
        help="cases may stay open up to so many expected seconds of exposed faces (default: 0, none)")  # fmt: skip
    add("--reviewers", type=int, choices=[1, 2], default=1, help="people who must have accepted every camera")
    add("--key", type=Path, metavar="PEM", help="sign release.json with this Ed25519 key (extra `release`)")


def run(parsed: argparse.Namespace) -> int:
    """Release; returns the exit code."""
    from or_mv_anon.core.printable import printable
    from or_mv_anon.review.release import release

    done = release(parsed.out, parsed.destination, severity=parsed.severity, reviewers=parsed.reviewers, key=parsed.key)
    people = printable(", ".join(done.reviewers))
    print(f"Released {len(done.files)} files to {printable(done.folder)}, accepted by {people}.")
    return 0
