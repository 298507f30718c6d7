"""Which settings a site model may change, and how far: only what adaptation chooses, within what it may choose.

A bundle comes from elsewhere and is used without being read by anybody; one that set any threshold it likes could turn
detection off. The limits are tighter than those of a user's own file (`core/config.py`).
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.ranges import Range, checked

Thresholds = Mapping[str, Mapping[str, Any]]  # section -> key -> value of configs/pipeline.toml
THRESHOLDS = "thresholds"
ADJUSTED = ("high_score", "new_track_score", "lone_score")
"""Keys of [tracking] that adaptation lowers for the room; it never raises one."""
STUDENT_SIDE = Range(224, 1280, "px; people in a smaller picture are too few pixels, a larger one needs memory")
"""Of the pictures that a site's smaller detector runs on."""
_LOWEST_SHARE = 0.2  # of the shipped threshold, the least that [thresholds] of configs/adaptation.toml may be told
_LOWERED = "adaptation only lowers it: above it, people are lost; far below it, everything is a person"


def checked_thresholds(found: Any, role: str, listing: Path) -> Thresholds:
    """What a site model says about the settings that go with its network `role`, if it may say so.

    Args:
        found: section -> key -> value, as in the file.
        role: of the network.
        listing: the file, for errors.

    Raises:
        UserError: it sets what no adaptation sets, or farther than one would.
    """
    may = _changeable().get(role, {})
    if not isinstance(found, dict) or not all(isinstance(entries, dict) for entries in found.values()):
        raise UserError(f"[{role}.{THRESHOLDS}] in {listing} must hold sections of configs/pipeline.toml.")
    for section, entries in found.items():
        for key, value in entries.items():
            name = f"{section}.{key}"
            if name not in may:
                raise UserError(
                    f"{listing} sets {name} for its {role}, which no site model may; "
                    f"it may set {', '.join(may) if may else 'nothing'}. Put it into a --config file if you mean it."
                )
            checked(value, may[name], f"{name} of the {role} in the site model's {listing}")
    return {section: dict(entries) for section, entries in found.items() if entries}


@functools.cache
def _changeable() -> Mapping[str, Mapping[str, Any]]:
    """By role, the settings that may change with their types and limits."""
    shipped = load_config().tracking
    tracking = {}
    for key in ADJUSTED:
        usual = getattr(shipped, key)
        lowest = round(max(_LOWEST_SHARE * usual, shipped.low_score), 3)
        tracking[f"tracking.{key}"] = Annotated[float, Range(lowest, usual, _LOWERED)]
    return {"detector": tracking, "student": {"detection.input_long_side": Annotated[int, STUDENT_SIDE], **tracking}}
