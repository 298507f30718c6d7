"""Judges the waiting frames in a thread of its own; what it cannot judge in time, or at all, counts as outside."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.records import RegionKind, Regions
from or_mv_anon.endoscopy.borders import Area, BorderFinder, prepare
from or_mv_anon.endoscopy.classifier import OutOfBodyClassifier
from or_mv_anon.endoscopy.judging import picture_size
from or_mv_anon.endoscopy.settings import EndoscopyConfig
from or_mv_anon.endoscopy.smoothing import Decision, OnlineSmoother
from or_mv_anon.live.line import DelayLine, Held
from or_mv_anon.live.meter import Meter
from or_mv_anon.regions.source import Zone
from or_mv_anon.regions.whole_rows import same_box

BATCH = 8  # pictures for the network at once, where so many wait
BORDER_S = 30.0  # seconds of picture that the border is found from, at least, once so many are there
BORDER_STEP_S = 0.2  # seconds between looks at the border
NOT_JUDGED = float("nan")


class RunningBorder:
    """The lit rectangle over the last half minute or more: a new estimate takes over when it is old enough."""

    def __init__(self) -> None:
        self._size: tuple[int, ...] = ()
        self._finders: list[tuple[float, BorderFinder]] = []
        self._area: Area = (0, 0, 0, 0)
        self._looked = -math.inf

    def area(self, picture: NDArray[np.uint8], time: float) -> Area:
        """The rectangle for a picture (H, W, 3) taken at `time` seconds, itself taken into account."""
        if picture.shape != self._size:
            self._size, self._finders, self._looked = picture.shape, [], -math.inf
        if time - self._looked < BORDER_STEP_S:
            return self._area
        self._looked = time
        if not self._finders or time - self._finders[-1][0] >= BORDER_S:
            self._finders.append((time, BorderFinder()))
            self._finders = self._finders[-2:]
        for _, finder in self._finders:
            finder.add(picture)
        self._area = self._finders[0][1].area()
        return self._area


class Judge(threading.Thread):
    """Decides about the line's frames, each by what follows it within the look-ahead.

    Args:
        line: the frames.
        classifier: the network.
        config: thresholds.
        lookahead: seconds.
        oldest: a frame that has waited longer than so many seconds is not looked at, so that those after it are;
            None where time does not matter.
        meter: counts.
        say: tells the user of the first failure.
        always: zones that are covered in every frame, in pixels of the upright picture.
    """

    def __init__(
        self, line: DelayLine, classifier: OutOfBodyClassifier, config: EndoscopyConfig, *, lookahead: float,
        oldest: float | None, meter: Meter, say: Callable[[str], None], always: Sequence[Zone] = (),
    ) -> None:  # fmt: skip
        super().__init__(name="judge", daemon=True)
        self._line, self._classifier, self._config, self._meter, self._say = line, classifier, config, meter, say
        self._oldest = oldest
        self._zones = Regions.concat([same_box(np.zeros(1, np.int32), zone, RegionKind.ZONE, 0.0) for zone in always])
        self._smoother = OnlineSmoother(config.smoothing, delay=lookahead)
        self._waiting: deque[Held | None] = deque()  # as in the smoother; None stands for frames that were lost
        self._border = RunningBorder()

    def run(self) -> None:
        """Judge until the line ends. Whatever fails, the frames concerned stay undecided and leave covered."""
        try:
            while (taken := self._line.take_unjudged(BATCH)) is not None:
                batch, hole = taken
                if hole:
                    self._push(None, batch[0].time, NOT_JUDGED)
                for held, probability in zip(batch, self._probabilities(batch), strict=True):
                    self._push(held, held.time, probability)
                self._line.tell_decided()
            self._decide(self._smoother.flush())
        except Exception as error:
            self._note(error, len(self._waiting))
        finally:
            self._line.tell_decided(final=True)

    def _push(self, held: Held | None, time: float, probability: float) -> None:
        self._meter.not_judged += held is not None and math.isnan(probability)
        self._waiting.append(held)
        self._decide(self._smoother.push(time, probability))

    def _decide(self, decisions: Sequence[Decision]) -> None:
        for decision in decisions:
            held = self._waiting.popleft()
            if held is not None:
                held.decide(None if decision.covered else self._zones)

    def _probabilities(self, batch: Sequence[Held]) -> list[float]:
        found = [NOT_JUDGED] * len(batch)
        try:
            now = time.monotonic()
            rows = [row for row, held in enumerate(batch) if not held.frame.corrupt and not self._too_old(held, now)]
            if rows:
                prepared = np.stack([self._prepared(batch[row]) for row in rows])
                for row, probability in zip(rows, self._classifier.probabilities(prepared).tolist(), strict=True):
                    found[row] = probability
        except Exception as error:  # fail closed: these frames are covered
            self._note(error, len(batch))
            return [NOT_JUDGED] * len(batch)
        return found

    def _too_old(self, held: Held, now: float) -> bool:
        return self._oldest is not None and now - held.time > self._oldest

    def _prepared(self, held: Held) -> NDArray[np.float32]:
        picture = held.frame.bgr(*picture_size(held.frame.upright_size, self._config.judging))
        return prepare(picture, self._border.area(picture, held.time))

    def _note(self, error: Exception, count: int) -> None:
        if not self._meter.failures:
            self._say(f"Judging failed, the frames concerned are covered ({type(error).__name__}: {error}).")
        self._meter.failures += count
