"""What cameras say against each other: somebody seen by others who should be here too and is not covered."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from or_mv_anon.audit.intervals import Clock, RiskInterval, group_runs
from or_mv_anon.audit.reasons import REASONS
from or_mv_anon.core.config import RiskConfig
from or_mv_anon.core.records import Disagreements, Frames

HIDDEN_S = 1.0  # seconds after which somebody is more likely hidden here than missed, so severity no longer adds up


def disagreement_risks(frames: Frames, disagreements: Disagreements, config: RiskConfig) -> Iterator[RiskInterval]:
    """One interval per stretch in which somebody whom other cameras see is not covered here.

    Most of them stand behind equipment, and the longer they do, the surer that is: severity falls with the stretch's
    length, so that priority, which is severity × seconds, does not grow beyond that of `HIDDEN_S`.

    Args:
        frames: every decoded frame.
        disagreements: in any order.
        config: thresholds.
    """
    if not len(frames):
        return
    clock = Clock.of(frames)
    known = disagreements[np.isin(disagreements.frame, clock.frame)]
    for run in group_runs(known.frame, known.identity, known.uncertainty, clock, gap_s=config.min_s):
        start_s, end_s = clock.span(run.first_frame, run.last_frame)
        severity = REASONS["seen_elsewhere"].weight * min(1.0, HIDDEN_S / max(end_s - start_s, 1e-6))
        detail = f"Person {run.key} of the session; the place is known to {run.mean:.1f} head heights."
        yield RiskInterval(start_s, end_s, run.first_frame, run.last_frame, "seen_elsewhere", -1, severity, detail)
