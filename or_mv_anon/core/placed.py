"""Which segments of a camera hold its regions: the ones that its last placing wrote."""

from __future__ import annotations

from collections.abc import Mapping

from or_mv_anon.core.manifest import Entry
from or_mv_anon.core.run_layout import REGIONS


def placed_segments(stages: Mapping[str, Entry], camera: str) -> list[int]:
    """The segments that a camera's regions were placed in, in order of time; tables of older cuts are left alone.

    Args:
        stages: finished ones by their key.
        camera: its name.
    """
    placed = stages.get(f"{camera}/place")
    found = (REGIONS.segment_of(name, camera) for name in (() if placed is None else placed.files))
    return sorted(number for number in found if number is not None)
