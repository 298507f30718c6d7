#!/usr/bin/env python
"""Cover the live picture of an endoscope while the scope is outside the body; see --help."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from or_mv_anon.cli import tool

if __name__ == "__main__":
    sys.exit(tool("or_mv_anon.live.cli"))
