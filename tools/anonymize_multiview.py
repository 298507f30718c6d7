#!/usr/bin/env python
"""Anonymize a multi-camera recording; see --help."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from or_mv_anon.cli import tool

if __name__ == "__main__":
    sys.exit(tool("or_mv_anon.pipeline.cli"))
