"""Half an hour of a room, quicker than it lasts, with one fault after another: no face in any frame, memory has an end.

SOAK_HOURS sets another length; `benchmarks/live_soak.py` does days.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.live_soak import CYCLE, DAMAGED, SLOW_RATE, soak_hours

HOURS = float(os.environ.get("SOAK_HOURS", "0.5"))
GROWTH_MB = 40.0


@pytest.mark.slow
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads memory from /proc")
def test_hours_with_faults_in_bounded_memory(tmp_path: Path) -> None:
    found = soak_hours(tmp_path, HOURS)
    count = round(HOURS * 3600 * SLOW_RATE)
    print(found)
    assert found.unprotected == 0
    assert found.frames_in >= count - len(DAMAGED) * (count // CYCLE + 1) - 1
    assert found.counts["cam1"]["moves"] >= count // CYCLE
    assert found.frames_out > 0.5 * count  # a quick machine loses more while the disk is full for two seconds
    assert found.shown > 0.25 * count
    assert found.memory_mb[1] - found.memory_mb[0] < GROWTH_MB
