#!/usr/bin/env python
"""Cover every head in the pictures of a room while its cameras run; see --help."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from or_mv_anon.cli import tool

if __name__ == "__main__":
    sys.exit(tool("or_mv_anon.live.room_cli"))
