#!/usr/bin/env python
"""Train one network that finds people and heads; see --help."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from or_mv_anon.cli import tool

if __name__ == "__main__":
    sys.exit(tool("or_mv_anon.detector_training.cli"))
