"""Times as people type them into a video player."""

import math


def clock_time(seconds: float) -> str:
    """``h:mm:ss.s``, rounded down so that seeking there lands before the event; ``-`` in front of negative times."""
    if not math.isfinite(seconds):
        return "unknown"
    tenths = math.floor(abs(seconds) * 10 + 1e-6)
    sign = "-" if seconds < 0 and tenths else ""
    return f"{sign}{tenths // 36000}:{tenths // 600 % 60:02d}:{tenths // 10 % 60:02d}.{tenths % 10}"


def span_of_time(seconds: float) -> str:
    """A length in words, such as ``40 s``, ``7 min`` or ``2 h 05 min``, rounded up."""
    if seconds < 60:
        return f"{math.ceil(seconds)} s"
    minutes = math.ceil(seconds / 60)
    return f"{minutes} min" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02d} min"
