"""Looks at every visible face of a camera and counts how many of its visible pixels are covered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import Column, Columns
from or_mv_anon.core.truth import CameraTruth, FaceMasks, TruthPeople
from or_mv_anon.evaluation.coverage import Coverage, Mask, check_size, frame_duration

Pixels = Literal["face", "bare"]


@dataclass(frozen=True)
class JudgedFaces(Columns):
    """One row per face with a visible pixel: camera, frame and person, and how much of it shows and is covered."""

    camera: Column  # number in the order of the session's cameras
    frame: Column
    instant: Column
    person: Column
    start: Column  # seconds on the camera's clock
    stop: Column  # the next frame's start
    height: Column  # of the face box, pixels
    visible_share: Column  # visible face pixels ÷ face pixels, a worn mask included
    angle: Column  # degrees away from the camera
    mask: Column  # MaskState
    pixels: Column  # visible ones, of the kind asked for
    covered: Column  # how many of these are covered

    columns = {
        "camera": (np.int16, ()),
        "frame": (np.int32, ()),
        "instant": (np.int32, ()),
        "person": (np.int16, ()),
        "start": (np.float64, ()),
        "stop": (np.float64, ()),
        "height": (np.float32, ()),
        "visible_share": (np.float64, ()),
        "angle": (np.float32, ()),
        "mask": (np.uint8, ()),
        "pixels": (np.int64, ()),
        "covered": (np.int64, ()),
    }


@dataclass(frozen=True)
class JudgedFrames(Columns):
    """What covering cost in each frame; areas in pixels. People are where their visible boxes are."""

    camera: Column
    frame: Column
    instant: Column
    start: Column
    stop: Column
    covered: Column
    picture: Column
    covered_outside: Column  # covered where nobody is
    outside: Column  # where nobody is

    columns = {
        "camera": (np.int16, ()),
        "frame": (np.int32, ()),
        "instant": (np.int32, ()),
        "start": (np.float64, ()),
        "stop": (np.float64, ()),
        "covered": (np.int64, ()),
        "picture": (np.int64, ()),
        "covered_outside": (np.int64, ()),
        "outside": (np.int64, ()),
    }


@dataclass(frozen=True)
class Patch:
    """A small mask and the pixel of the picture that its upper left corner is."""

    left: int
    top: int
    mask: Mask

    def count(self, picture: Mask) -> int:
        """How many pixels of the patch are set in the mask of the whole picture (H, W)."""
        height, width = self.mask.shape
        inside = picture[self.top : self.top + height, self.left : self.left + width]
        return int(np.count_nonzero(inside & self.mask))


def decode_patch(runs: NDArray[np.uint32], height: int) -> Patch:
    """The part of a run-length mask that holds its pixels; only these columns are decoded.

    Args:
        runs: as `or_mv_anon.core.truth.encode_runs` makes them.
        height: of the picture in pixels.
    """
    ends = np.cumsum(runs, dtype=np.int64)
    starts, stops = ends[0:-1:2], ends[1::2]
    starts, stops = starts[stops > starts], stops[stops > starts]
    if not len(starts):
        return Patch(0, 0, np.zeros((0, 0), bool))
    first, last = int(starts[0]) // height, int(stops[-1] - 1) // height
    column = np.zeros((last - first + 1) * height + 1, np.int8)
    np.add.at(column, starts - first * height, 1)
    np.add.at(column, stops - first * height, -1)
    mask = (np.cumsum(column[:-1]) > 0).reshape(-1, height).T
    rows = np.flatnonzero(mask.any(axis=1))
    return Patch(first, int(rows[0]), mask[rows[0] : rows[-1] + 1])


def judge_camera(
    name: str, number: int, truth: CameraTruth, coverage: Coverage, *, pixels: Pixels
) -> tuple[JudgedFaces, JudgedFrames]:
    """Compare every frame of a camera with its ground truth.

    Args:
        name: the camera's, for messages.
        number: its place among the session's cameras.
        truth: about the very frames that `coverage` goes through.
        coverage: what is covered.
        pixels: `face` counts a worn mask as face, `bare` only what shows without it.

    Raises:
        UserError: sizes differ, frames are missing, or the ground truth is not whole.
    """
    check_size(name, coverage.size, truth, what="what is evaluated")
    people = truth.people[np.argsort(truth.people.frame, kind="stable")]
    patches = _patches(name, truth, pixels)
    stop = frame_ends(truth)
    faces: list[JudgedFaces] = []
    costs: list[tuple[int, int, int]] = []
    bounds = np.searchsorted(people.frame, np.arange(len(truth.frames) + 1))
    seen = 0
    for frame, covered in coverage.masks():
        if frame != seen:
            raise UserError(f"{name}: frame {seen} is missing from what is evaluated; nothing can be said about it.")
        seen += 1
        present = people[bounds[frame] : bounds[frame + 1]]
        costs.append(_cost(covered, present))
        visible = present[present.face_visible > 0]
        if len(visible):
            faces.append(_judge_faces(name, number, frame, truth, stop, visible, patches, covered))
    if seen != len(truth.frames):
        raise UserError(
            f"{name}: {len(truth.frames) - seen} frames are missing from what is evaluated, from frame {seen} on; "
            "nothing can be said about them."
        )
    area, outside, covered_outside = (np.array(column, np.int64) for column in zip(*costs, strict=True))
    frames = JudgedFrames(
        camera=np.full(seen, number),
        frame=np.arange(seen),
        instant=truth.frames.instant,
        start=truth.frames.time,
        stop=stop,
        covered=area,
        picture=np.full(seen, truth.width * truth.height),
        covered_outside=covered_outside,
        outside=outside,
    )
    return JudgedFaces.concat(faces), frames


def frame_ends(truth: CameraTruth) -> NDArray[np.float64]:
    """Seconds at which each frame (N,) stops being shown: the next one's time, dropped frames in between included."""
    time = truth.frames.time
    return np.append(time[1:], time[-1:] + frame_duration(time, truth.fps))


def _patches(name: str, truth: CameraTruth, pixels: Pixels) -> dict[tuple[int, int], NDArray[np.uint32]]:
    faces: FaceMasks = truth.faces
    runs: Sequence[NDArray[np.uint32]] = faces.face if pixels == "face" else faces.bare
    whole = truth.width * truth.height
    for row in (*runs[:1], *runs[-1:]):
        if int(np.sum(row, dtype=np.int64)) != whole:
            raise UserError(
                f"{name}: the face masks of the ground truth are not of {truth.width}x{truth.height} pixels; "
                "its files do not belong together."
            )
    keys = zip(faces.frame.tolist(), faces.person.tolist(), strict=True)
    return dict(zip(keys, runs, strict=True))


def _judge_faces(
    name: str,
    number: int,
    frame: int,
    truth: CameraTruth,
    stop: NDArray[np.float64],
    visible: TruthPeople,
    patches: dict[tuple[int, int], NDArray[np.uint32]],
    covered: Mask,
) -> JudgedFaces:
    counts = []
    for person in visible.person.tolist():
        if (frame, person) not in patches:
            raise UserError(f"{name}: the ground truth has no face mask of person {person} in frame {frame}.")
        patch = decode_patch(patches[frame, person], truth.height)
        counts.append((int(np.count_nonzero(patch.mask)), patch.count(covered)))
    rows = len(visible)
    return JudgedFaces(
        camera=np.full(rows, number),
        frame=visible.frame,
        instant=np.full(rows, truth.frames.instant[frame]),
        person=visible.person,
        start=np.full(rows, truth.frames.time[frame]),
        stop=np.full(rows, stop[frame]),
        height=visible.face_box[:, 3] - visible.face_box[:, 1],
        visible_share=visible.face_visible / np.maximum(visible.face_pixels, 1),
        angle=visible.face_angle,
        mask=visible.mask,
        pixels=np.array(counts)[:, 0],
        covered=np.array(counts)[:, 1],
    )


def _cost(covered: Mask, people: TruthPeople) -> tuple[int, int, int]:
    """Covered area, area where nobody is, and covered area where nobody is, in pixels."""
    height, width = covered.shape
    nobody = np.ones(covered.shape, bool)
    corner = np.clip(np.floor(people.visible_box[:, :2]), 0, None).astype(int)
    far = np.clip(np.ceil(people.visible_box[:, 2:]), 0, [width, height]).astype(int)
    for (x1, y1), (x2, y2) in zip(corner.tolist(), far.tolist(), strict=True):
        nobody[y1:y2, x1:x2] = False
    return int(np.count_nonzero(covered)), int(np.count_nonzero(nobody)), int(np.count_nonzero(nobody & covered))
