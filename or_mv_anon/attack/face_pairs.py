"""Faces of a recording before and after it was anonymized, cut out alike: what an attack on a session compares.

Of every track some looks are taken, evenly over its time. The original shows where the face and its landmarks are; the
anonymized picture is cut out at the same place. Pictures stay in memory, and only a few of them at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.records import Regions
from or_mv_anon.models.detectors.protocol import Picture
from or_mv_anon.models.landmarks import LandmarkFinder
from or_mv_anon.video.frame import Frame

SURROUNDINGS = 0.5  # region sides around a region that are cut out with it, so that a face at its edge is seen whole
CROP_SIDE = 320  # px; cuts are brought to this size: faces are then 60 to 160 px high, which the detector likes best
LEAST_EYE_DISTANCE = 5.0  # px in the recording's own picture; below, recognizers hardly tell clear faces apart
NumberedFrames = Iterator[tuple[int, Frame]]
TrackName = tuple[str, int]  # camera and track


@dataclass(frozen=True, eq=False)
class AttackedCamera:
    """One camera of a session, before and after.

    Attributes:
        name: the camera's.
        original, anonymized: give the frames of the asked numbers (ascending), each with its number; frames that
            cannot be decoded may be left out.
        regions: what was covered; `track` is the person's.
        identities: track -> who it is, over all cameras; tracks that are not in it are not attacked.
    """

    name: str
    original: Callable[[NDArray[np.intp]], NumberedFrames]
    anonymized: Callable[[NDArray[np.intp]], NumberedFrames]
    regions: Regions
    identities: Mapping[int, int]

    @property
    def followed(self) -> list[int]:
        """The tracks that are attacked."""
        return sorted(set(self.regions.track.tolist()) & set(self.identities))


@dataclass(frozen=True, eq=False)
class FacePair:
    """A face of one track in one frame.

    Attributes:
        track: whose it is.
        number: of the frame.
        before, after: the same cut of the original and of the anonymized picture.
        landmarks: ``(5, 2)`` pixels of the cuts, in the order of `FoundFaces.landmarks`.
    """

    track: TrackName
    number: int
    before: Picture
    after: Picture
    landmarks: NDArray[np.float32]


def face_pairs(camera: AttackedCamera, finder: LandmarkFinder, per_track: int) -> Iterator[FacePair]:
    """The looks of one camera in which the original shows a face, frame by frame.

    Args:
        camera: before and after.
        finder: finds the faces in the original.
        per_track: how often a track is looked at, at most.
    """
    wanted = _wanted(camera, per_track)
    numbers = np.unique(wanted.frame).astype(np.intp)
    for number, original, hidden in _pairs(camera.original(numbers), camera.anonymized(numbers)):
        before, after = original.bgr(), hidden.bgr()
        for row in np.flatnonzero(wanted.frame == number):
            face = _face(before, after, wanted.box[row], finder)
            if face is not None:
                yield FacePair((camera.name, int(wanted.track[row])), number, *face)


def _wanted(camera: AttackedCamera, per_track: int) -> Regions:
    """Of every followed track up to `per_track` regions, evenly over its time."""
    rows = []
    for track in camera.followed:
        theirs = np.flatnonzero(camera.regions.track == track)
        rows.append(theirs[np.unique(np.linspace(0, len(theirs) - 1, per_track).round().astype(int))])
    return camera.regions[np.sort(np.concatenate(rows))] if rows else Regions.empty()


def _pairs(original: NumberedFrames, anonymized: NumberedFrames) -> Iterator[tuple[int, Frame, Frame]]:
    """Frames that both give."""
    shown = next(anonymized, None)
    for number, frame in original:
        while shown is not None and shown[0] < number:
            shown = next(anonymized, None)
        if shown is not None and shown[0] == number:
            yield number, frame, shown[1]


def _face(
    before: Picture, after: Picture, region: NDArray[np.float32], finder: LandmarkFinder
) -> tuple[Picture, Picture, NDArray[np.float32]] | None:
    """The surest face of the original whose middle lies in the region ``(4,)``: both cuts and its landmarks."""
    height, width = before.shape[:2]
    around: Boxes = bx.clip(bx.expand(region[None], ratio=SURROUNDINGS), width=width, height=height)
    x1, y1, x2, y2 = around[0].round().astype(int).tolist()
    if min(x2 - x1, y2 - y1) < 2 * LEAST_EYE_DISTANCE:
        return None
    scale = CROP_SIDE / max(x2 - x1, y2 - y1)
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    cut, hidden = (
        cv2.resize(picture[y1:y2, x1:x2], None, fx=scale, fy=scale, interpolation=how).astype(np.uint8, copy=False)
        for picture in (before, after)
    )
    found = finder.find(cut)
    middle = (found.box[:, :2] + found.box[:, 2:]) / 2 / scale + [x1, y1]
    inside = ((middle >= region[:2]) & (middle <= region[2:])).all(axis=1)
    eyes = np.linalg.norm(found.landmarks[:, 1] - found.landmarks[:, 0], axis=1) / scale
    rows = np.flatnonzero(inside & (eyes >= LEAST_EYE_DISTANCE))
    if not len(rows):
        return None
    return cut, hidden, found.landmarks[rows[0]]
