#!/usr/bin/env python
"""Round the detector of people and heads to 8-bit integers; see --help."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from or_mv_anon.cli import tool

if __name__ == "__main__":
    sys.exit(tool("or_mv_anon.detector_training.rounding_cli"))
