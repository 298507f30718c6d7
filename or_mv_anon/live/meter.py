"""Counts and latencies of a live run, in a fixed amount of memory."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from or_mv_anon.core.files import write_atomically

LONGEST = 10_000  # milliseconds; longer latencies count as this
STEP = 1  # millisecond


class Meter:
    """Each count is changed by one thread only."""

    def __init__(self) -> None:
        self.frames_in = 0  # decoded
        self.frames_out = 0  # written, repeats and slates included
        self.covered = 0  # frames of the input that came out covered, the late ones included
        self.late = 0  # of these, those that were not decided about in time
        self.not_judged = 0  # frames that the judge gave up on: damaged, failed or too old
        self.failures = 0  # frames that judging or covering failed on
        self.skipped = 0  # frames of the input that had no place in the output's rate
        self.repeated = 0
        self.slates = 0
        self.unsent = 0  # pictures that the output did not take
        self.reconnects = 0  # of the input
        self.clock_jumps = 0  # of a file's timestamps
        self.output_reconnects = 0
        self.holes = 0  # times that frames were lost before anybody looked at them
        self.moves = 0  # times that the camera was turned elsewhere
        self._late_seen = 0
        self._silent = False
        self._latencies = np.zeros(LONGEST // STEP + 1, np.int64)

    def fresh_late(self) -> bool:
        """Whether frames were late since this was asked last."""
        before, self._late_seen = self._late_seen, self.late
        return self.late > before

    @property
    def silent(self) -> bool:
        """Whether the output shows the slate now."""
        return self._silent

    def note_shown(self, *, slate: bool) -> None:
        """What the output shows now."""
        self._silent = slate

    def note_latency(self, seconds: float) -> None:
        """Count one frame's time from capture to output."""
        self._latencies[min(LONGEST // STEP, max(0, round(seconds * 1000 / STEP)))] += 1

    def latency(self, share: float) -> float | None:
        """The latency in seconds that a share of the frames kept; None when none was measured."""
        total = int(self._latencies.sum())
        if not total:
            return None
        return float(np.searchsorted(np.cumsum(self._latencies), share * total) * STEP / 1000)

    def summary(self) -> dict[str, Any]:
        """All counts, with the latency's percentiles in seconds."""
        counts = {name: value for name, value in vars(self).items() if not name.startswith("_")}
        return {**counts, "latency_p50_s": self.latency(0.5), "latency_p95_s": self.latency(0.95)}

    def line(self) -> str:
        """One line for the terminal."""
        p50, p95 = self.latency(0.5), self.latency(0.95)
        latency = "" if p50 is None or p95 is None else f"latency p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms; "
        return (
            f"{latency}frames in {self.frames_in}, out {self.frames_out}, covered {self.covered}, late {self.late}, "
            f"not judged {self.not_judged}, skipped {self.skipped}, no signal {self.slates}; "
            f"reconnects {self.reconnects}"
        )

    def write(self, path: Path, more: dict[str, Any]) -> None:
        """Write the summary and `more` as JSON.

        Raises:
            UserError: the file cannot be written.
        """
        content = json.dumps({**more, **self.summary()}, indent=2) + "\n"
        write_atomically(path, lambda partial: partial.write_text(content))
