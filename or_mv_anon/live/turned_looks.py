"""Looks for heads in turned pictures, one turn at a time in the moments in which the judge has nothing else to do."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Detections
from or_mv_anon.live.judged_camera import JudgedCamera
from or_mv_anon.live.moments import Searched
from or_mv_anon.live.settings import LiveConfig
from or_mv_anon.models.detectors.protocol import Found, Picture
from or_mv_anon.models.turning import TURNS
from or_mv_anon.regions.networks import DETECTOR, Networks
from or_mv_anon.regions.rotated_detection import candidates_turned, rotated_detectors

OFTEN = 6  # looks after the first ones at a camera, which are as frequent as offline: enough to believe in a place


@dataclass
class _Turned:
    camera: JudgedCamera
    picture: Picture
    time: float
    found: list[Found] = field(default_factory=list)


class TurnedLooks:
    """Goes round the cameras; `work` does the next turn of a picture."""

    def __init__(self, cameras: Sequence[JudgedCamera], config: PipelineConfig, live: LiveConfig) -> None:
        """Nothing is looked at yet."""
        self._cameras, self._config = cameras, config
        self._lock = threading.Lock()  # of whoever looks: one at a time
        self._interval_s, self._learn_s = live.looking.still_interval_s, live.memory.learn_interval_s
        self._searched: dict[str, float] = {}
        self._often = live.memory.learn_looks + OFTEN
        self._current: _Turned | None = None

    @property
    def learning(self) -> bool:
        """Whether a camera waits for its first looks: nothing of it is shown until then."""
        return any(camera.frames.learning and not camera.fault for camera in self._cameras)

    def work(self, networks: Networks) -> int:
        """Look at one turn of one picture; whether there was anything to do that nobody else does now."""
        if not self._lock.acquire(blocking=False):
            return 0
        try:
            return self._work(networks)
        finally:
            self._lock.release()

    def _work(self, networks: Networks) -> int:
        if self._current is None:
            self._current = self._next()
        current = self._current
        if current is None:
            return 0
        self._current = None  # should this fail, the look is given up
        config = self._config
        detectors = rotated_detectors(networks[DETECTOR], networks["face"], config)
        turn = len(current.found)
        current.found.append(candidates_turned(current.picture, turn, *detectors, networks["pose"], config))
        if turn + 1 < TURNS:
            self._current = current
            return 1
        boxes = np.concatenate([boxes for boxes, _ in current.found])
        scores = np.concatenate([scores for _, scores in current.found])
        found = Detections(frame=np.zeros(len(boxes)), box=boxes, score=scores)
        current.camera.found.append(Searched(found, current.time))
        return 1

    def _next(self) -> _Turned | None:
        """The newest frame of the camera whose turn it is, if any is due."""
        if self._interval_s <= 0:
            return None
        for camera in sorted(self._cameras, key=lambda each: self._searched.get(each.name, -np.inf)):
            held = camera.shown
            if held is None or held.frame.corrupt or camera.fault:
                continue
            if held.time - self._searched.get(camera.name, -np.inf) >= self._interval(camera):
                self._searched[camera.name] = held.time
                return _Turned(camera, held.frame.bgr(), held.time)
        return None

    def _interval(self, camera: JudgedCamera) -> float:
        """Seconds from one look at a camera to the next."""
        if camera.frames.learning:
            return self._learn_s
        often = min(self._config.static_heads.interval_s or self._interval_s, self._interval_s)
        return often if camera.frames.searches < self._often else self._interval_s
