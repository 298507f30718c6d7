"""What is given up when the machine is too slow, in a fixed order: cadence, size, whole frames.

Each step is taken when looks come more rarely than they must, or a frame was late; frames are covered whole when looks
come so rarely that hardly any of them could be judged. A step is taken back when judging has had time to spare for a
while. The state is shown wherever the run tells of itself.
"""

from __future__ import annotations

from collections import deque
from enum import IntEnum

from or_mv_anon.live.settings import OverloadConfig

HOPELESS = 0.9  # of the longest gap between two looks, from which on hardly any frame could be judged


class Step(IntEnum):
    """How much is given up."""

    NOTHING = 0
    CADENCE = 1  # faces and keypoints are looked for more rarely, still heads not at all
    SIZE = 2  # networks see smaller pictures
    COVERED = 3  # frames are covered whole; looks only measure whether there is time again

    @property
    def word(self) -> str:
        """For people."""
        return ("full", "cadence", "size", "covered")[self]


class Ladder:
    """Decides about the step from how long rounds of looks take.

    Attributes:
        step: taken now.
    """

    def __init__(self, config: OverloadConfig, *, longest_interval_s: float, longest_gap_s: float) -> None:
        """Looks are to come so often, and between looks that are farther apart than the gap no frame can be judged."""
        self.step = Step.NOTHING
        self._config, self._longest = config, longest_interval_s
        self._hopeless = HOPELESS * longest_gap_s
        self._rounds: deque[tuple[float, float]] = deque()  # end, seconds that one took
        self._since = 0.0  # when the step was taken
        self._calm: float | None = None  # since when there is time to spare

    def note(self, end: float, seconds: float, *, late: bool = False) -> Step:
        """Looks and decisions have ended once more.

        Args:
            end: now, in seconds.
            seconds: of work that looking at every camera once would have taken.
            late: a frame had to leave before it was decided about, or looks came too rarely.

        Returns:
            The step to take.
        """
        self._rounds.append((end, seconds))
        while self._rounds[0][0] < end - self._config.watch_s:
            self._rounds.popleft()
        if end - self._since < self._config.watch_s:
            return self.step
        mean = sum(took for _, took in self._rounds) / len(self._rounds)
        late = late and self.step < Step.SIZE  # a late frame leaves covered by itself, and takes no others with it
        if self.step < Step.COVERED and (late or mean > self._limit(self.step)):
            return self._take(Step(self.step + 1), end)
        if self.step == Step.NOTHING or mean > self._config.low * self._limit(Step(self.step - 1)):
            self._calm = None
            return self.step
        self._calm = end if self._calm is None else self._calm
        if end - self._calm >= self._config.calm_s:
            return self._take(Step(self.step - 1), end)
        return self.step

    def _limit(self, step: Step) -> float:
        """Seconds that looking at every camera once may take at a step."""
        return self._config.high * self._longest if step < Step.SIZE else self._hopeless

    def _take(self, step: Step, now: float) -> Step:
        self.step, self._since, self._calm = step, now, None
        self._rounds.clear()
        return step
