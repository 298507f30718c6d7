"""What a run knows of one camera when it looks for doubts: everything found and covered, on the session's clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.audit.intervals import Clock
from or_mv_anon.audit.reasons import Reason
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.records import Detections, Disagreements, FrameFlag, Frames, Identities, Regions, Tracks

UPPER_SHARE = 0.5  # of a person box, in which the head is
AROUND_S, LEAST_LOOKS = 6.0, 10  # seconds around a moment in which so many looks tell that no head is there
CORE = 0.25  # of a box's sides, taken off on every side: a head's middle, wherever exactly its outline is

Seconds = NDArray[np.float64]
Frame = NDArray[np.integer]


@dataclass(frozen=True, kw_only=True)
class CameraEvidence:
    """One camera.

    Attributes:
        name: the camera's.
        size: width and height of the upright picture in pixels.
        frames: every frame.
        offset: seconds from the camera's clock to the session's.
        regions: what is covered, ordered by frame.
        tracks: people over time.
        heads: heads that are nobody's in `tracks`, over time.
        identities: of the tracks; empty where cameras were treated one by one.
        persons: detections of people.
        candidates: weak detections of heads, followed or not, in turned pictures.
        upright: detections of heads in upright pictures, followed or not, ordered by frame.
        faces: the same of faces.
        disagreements: people whom other cameras see and this one does not.
    """

    name: str
    size: tuple[int, int]
    frames: Frames
    offset: float
    regions: Regions
    tracks: Tracks = field(default_factory=Tracks.empty)
    heads: Tracks = field(default_factory=Tracks.empty)
    identities: Identities = field(default_factory=Identities.empty)
    persons: Detections = field(default_factory=Detections.empty)
    candidates: Detections = field(default_factory=Detections.empty)
    upright: Detections = field(default_factory=Detections.empty)
    faces: Detections = field(default_factory=Detections.empty)
    disagreements: Disagreements = field(default_factory=Disagreements.empty)

    @cached_property
    def clock(self) -> Clock:
        """When each frame is on screen, seconds of the session."""
        clock = Clock.of(self.frames)
        return Clock(clock.frame, clock.starts + self.offset, clock.ends + self.offset)

    @cached_property
    def _by_frame(self) -> tuple[NDArray[np.intp], NDArray[np.int32]]:
        order = np.argsort(self.tracks.frame, kind="stable")
        return order, self.tracks.frame[order]

    def is_of_followed(self, frame: int, box: NDArray[np.float32], *, track: int = -1) -> bool:
        """Whether a box's middle lies in the upper part of a person followed by another track than `track`."""
        order, frames = self._by_frame
        rows = order[slice(*np.searchsorted(frames, [frame, frame + 1]))]
        rows = rows[self.tracks.track[rows] != track]
        x, y = (box[:2] + box[2:]) / 2
        upper = self.tracks.box[rows].copy()
        upper[:, 3] = upper[:, 1] + UPPER_SHARE * (upper[:, 3] - upper[:, 1])
        return bool(((upper[:, 0] <= x) & (x <= upper[:, 2]) & (upper[:, 1] <= y) & (y <= upper[:, 3])).any())

    def headless(self, box: NDArray[np.float32], start: float, end: float) -> bool:
        """Whether heads were often looked for in upright pictures, and none found with its middle in a box.

        Args:
            box: x1, y1, x2, y2 in pixels.
            start, end: seconds of the session; `AROUND_S` before and after count as well.
        """
        clock = self.clock
        first, last = np.searchsorted(clock.starts, [start - AROUND_S, end + AROUND_S])
        part = self.frames[first:last]
        looked = part.frame[part.has(FrameFlag.HEADS)]
        if len(looked) < LEAST_LOOKS:
            return False
        rows = slice(*np.searchsorted(self.upright.frame, [looked[0], looked[-1] + 1]))
        middle = (self.upright.box[rows, :2] + self.upright.box[rows, 2:]) / 2
        return not ((box[:2] <= middle) & (middle <= box[2:])).all(axis=1).any()

    def person(self, track: int) -> int:
        """The identity of a person's track, -1 where it is not known."""
        row = np.flatnonzero(self.identities.track == track)
        return int(self.identities.identity[row[0]]) if len(row) else -1

    def head_box(self, track: int, frame: int) -> tuple[float, ...] | None:
        """What covers a track in a frame, or its whole box there; None where it has none."""
        if track == -1:
            return None
        rows = slice(*np.searchsorted(self.regions.frame, [frame, frame + 1]))
        placed = self.regions.box[rows][self.regions.track[rows] == track]
        if not len(placed) and track >= 0:
            span = slice(*np.searchsorted(self.tracks.track, [track, track + 1]))
            placed = self.tracks.box[span][self.tracks.frame[span] == frame]
        return tuple(placed[0].tolist()) if len(placed) else None

    def covered(self, frame: Frame, box: Boxes) -> NDArray[np.float32]:
        """Which share of the middle of each box (N, 4) in its frame (N,) the best region covers, (N,) in [0, 1]."""
        width, height = box[:, 2] - box[:, 0], box[:, 3] - box[:, 1]
        margin = CORE * np.stack([width, height, -width, -height], axis=1)
        middle = (box + margin).astype(np.float32)
        area = np.maximum((middle[:, 2] - middle[:, 0]) * (middle[:, 3] - middle[:, 1]), 1e-6)
        share = np.zeros(len(box), np.float32)
        candidate = np.searchsorted(self.regions.frame, frame, side="left")
        stop = np.searchsorted(self.regions.frame, frame, side="right")
        while (rows := np.flatnonzero((candidate < stop) & (share < 1))).size:
            region = self.regions.box[candidate[rows]]
            low, high = np.maximum(region[:, :2], middle[rows, :2]), np.minimum(region[:, 2:], middle[rows, 2:])
            share[rows] = np.maximum(share[rows], np.clip(high - low, 0, None).prod(axis=1) / area[rows])
            candidate[rows] += 1
        return share


@dataclass(frozen=True, kw_only=True)
class Doubt:
    """One reason to look at one place of one camera.

    Attributes:
        camera: its name.
        reason: key into `or_mv_anon.audit.reasons.REASONS`.
        start, end: the moment at which it shows best, seconds of the session.
        until: seconds of the session up to which it may last.
        box: where, x1, y1, x2, y2 in pixels; None for anywhere.
        track: the person's in this camera, or -1.
        identity: the person of the session, or -1.
        severity: expected seconds of exposed faces.
    """

    camera: str
    reason: Reason
    start: float
    end: float
    until: float
    box: Sequence[float] | None
    track: int = -1
    identity: int = -1
    severity: float = 0.0
