#!/usr/bin/env python
"""Make a simulated operating room with exact ground truth; see --help."""

import argparse
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from or_mv_anon.cli import guarded
from or_mv_anon.simulation.cli import add_arguments, run


def main() -> int:
    """Parse, simulate, and turn every failure into a sentence."""
    parser = argparse.ArgumentParser(prog="simulate_site.py")
    add_arguments(parser)
    options = parser.parse_args()
    return guarded(lambda: run(options))


if __name__ == "__main__":
    sys.exit(main())
