"""Looks at the whole picture of a camera whose networks miss people without a doubt of their own.

No doubt points at whom no network sees at all. Where the pictures are unlike those that the networks have learned, a
person therefore looks at everything now and then: who lies or sits there for long shows in any of these moments.
"""

from __future__ import annotations

from collections.abc import Iterator

from or_mv_anon.audit.evidence import CameraEvidence, Doubt
from or_mv_anon.audit.looks import looks

APART_S = 600.0  # seconds that one look stands for; there are ...
LEAST_LOOKS = 2  # ... so many in any recording: somebody may stand before who lies
EXPECTED = 0.1  # seconds of exposed faces in a second; in simulated rooms with infrared cameras between 0 and 0.3


def whole_looks(evidence: CameraEvidence) -> Iterator[Doubt]:
    """Doubts about any place of the picture, evenly over the recording."""
    clock = evidence.clock
    if not len(clock.starts):
        return
    start, stop = float(clock.starts[0]), float(clock.ends[-1])
    for (low, high), (begin, end) in looks(start, stop, apart_s=APART_S, least=LEAST_LOOKS):
        yield Doubt(
            camera=evidence.name,
            reason="no_colour",
            start=begin,
            end=end,
            until=high,
            box=None,
            severity=EXPECTED * (high - low),
        )
