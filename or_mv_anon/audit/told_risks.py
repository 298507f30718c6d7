"""What each camera doubts by itself, its risk intervals, as doubts of the session: when to look, and for how much."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from or_mv_anon.audit.evidence import CameraEvidence, Doubt
from or_mv_anon.audit.intervals import RiskInterval
from or_mv_anon.audit.looks import looks
from or_mv_anon.audit.reasons import Reason

APART_S = 4.0  # seconds of an interval that one look stands for

EXPECTED: dict[Reason, float] = {
    "not_covered": 0.5,
    "not_analysed": 0.3,
    "maybe_out_of_body": 0.3,
    "lone_detection": 0.1,
    "filled_gap": 0.03,
    "seen_elsewhere": 0.03,
    "missed_by_detector": 0.01,
    "uncertain_head": 0.01,
    "low_score": 0.005,
    "missing_frames": 0.05,
}
"""Seconds of exposed faces that are to be expected in a second of an interval, per unit of its severity. What ends and
begins in mid-picture is judged by `cover_ends`; where the whole picture is covered, nothing can be exposed."""


def told_risks(evidence: CameraEvidence, risks: Iterable[RiskInterval]) -> Iterator[Doubt]:
    """One doubt for every `APART_S` of every interval that may expose anybody.

    Args:
        evidence: of the same camera.
        risks: seconds of the camera's own timestamps.
    """
    clock = evidence.clock
    for risk in risks:
        worth = EXPECTED.get(risk.reason, 0.0) * risk.severity
        if not worth:
            continue
        start, stop = risk.start_s + evidence.offset, risk.end_s + evidence.offset
        for (low, high), (begin, end) in looks(start, stop, apart_s=APART_S):
            middle = (low + high) / 2
            frame = int(clock.frame[max(int(np.searchsorted(clock.starts, middle, side="right")) - 1, 0)])
            yield Doubt(
                camera=evidence.name,
                reason=risk.reason,
                start=begin,
                end=end,
                until=high,
                box=evidence.head_box(risk.track, frame),
                track=risk.track,
                identity=evidence.person(risk.track),
                severity=worth * (high - low),
            )
