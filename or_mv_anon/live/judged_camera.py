"""One room camera as the judge knows it: its frames, its last seconds, and which looks it waits for."""

from __future__ import annotations

import math
import threading
from collections import deque
from dataclasses import dataclass, field

from or_mv_anon.core.run_layout import FACES, KEYPOINTS, PERSONS
from or_mv_anon.core.schedule import Cadence
from or_mv_anon.live.deciding import CameraFrames
from or_mv_anon.live.line import DelayLine, Held
from or_mv_anon.live.looking import Look
from or_mv_anon.live.meter import Meter
from or_mv_anon.live.moments import Searched
from or_mv_anon.live.settings import LiveConfig
from or_mv_anon.live.watch import Fault, PictureWatch


@dataclass(frozen=True)
class Seen:
    """A finished look: what it found, what is wrong with its picture, and whether the camera was turned before it."""

    look: Look
    fault: Fault
    turned: bool


@dataclass
class JudgedCamera:
    """One camera as the judge knows it.

    Who decides keeps the frames and says what waits for a look; who looks keeps the watch and leaves what came of it in
    `found`. So neither waits for the other.

    Attributes:
        name: the camera's.
        line: its frames.
        meter: its counts.
        frames: those that wait to be decided about.
        watch: of its pictures.
        cadence: by source, how often it looks.
        waiting: frames that are due for a look, with the sources that are; changed under `lock`.
        found: what came of looks and is not told yet, in order.
        shown: the newest frame.
        fault: of the last picture.
        colourless: whether that was told of its last pictures.
        people: regions in the frame that was decided about last.
        looks: so far.
        looking: whether somebody looks at one of its frames now: looks at one camera come in order.
    """

    name: str
    line: DelayLine
    meter: Meter
    frames: CameraFrames
    watch: PictureWatch
    cadence: dict[str, Cadence]
    waiting: deque[Look] = field(default_factory=deque)
    found: deque[Seen | Searched] = field(default_factory=deque)
    shown: Held | None = None
    owed: set[str] = field(default_factory=set)  # sources that wait for a frame that can be looked at
    fault: Fault = Fault.NONE
    colourless: bool = False
    people: int = 0
    looks: int = 0
    looking: bool = False
    looked: float = -math.inf  # time of the frame that was looked at last
    newest: float = -math.inf  # time of the newest frame
    lock: threading.Lock = field(default_factory=threading.Lock)
    ended: bool = False


def cadences(live: LiveConfig, interval: float) -> dict[str, Cadence]:
    """How often each source looks at a camera, at first."""
    looking = live.looking
    return {
        PERSONS.name: Cadence(interval),
        KEYPOINTS.name: Cadence(looking.pose_interval_s),
        FACES.name: Cadence(looking.face_interval_s),
    }


def set_cadence(camera: JudgedCamera, interval: float, slower: float, live: LiveConfig) -> None:
    """Let a camera be looked at so often from now on."""
    camera.cadence[PERSONS.name].interval = interval
    camera.cadence[KEYPOINTS.name].interval = live.looking.pose_interval_s * slower
    camera.cadence[FACES.name].interval = live.looking.face_interval_s * slower
