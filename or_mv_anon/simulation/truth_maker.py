"""Turns one rendered picture and the people in it into ground truth rows.

What is seen is counted in the id pixels of the picture as recorded; what would be seen with nothing in front is counted
in a second rendering of each person alone, on the very same pixel grid but only where that person can be.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.truth import FaceMasks, TruthPeople, encode_runs
from or_mv_anon.simulation.cameras.lens import Optics
from or_mv_anon.simulation.keypoint_sight import keypoint_rows
from or_mv_anon.simulation.scene import MaskState, Surface, View

Alone = Callable[[View, int], NDArray[np.uint8]]  # surfaces (H, W) of a person with nothing else there
Window = tuple[slice, slice]  # rows and columns of the recorded picture

_NEAREST = 0.05  # metres; what is closer to the camera's plane has no place in the picture
_MARGIN_SHARE, _MARGIN_PIXELS = 0.06, 8.0  # the sampled points of a body lie a little inside its outline
_ROUNDED = ("amodal_box", "visible_box", "head_box", "face_box", "face_angle", "keypoints")
_FRACTIONS = np.float32(1 << 8)
_STEP = 64  # pixels; few different sizes let the renderer keep its targets


@dataclass(frozen=True, eq=False)
class Subject:
    """A person at one moment, in world metres.

    Attributes:
        person: identity, from 1.
        keypoints: (26, 3), Halpe-26.
        body_points, head_points, face_points: (N, 3) on the surface, clothes included for the body.
        face_centre, face_forward: (3,) place and unit direction of the face.
        action: index into the session's actions.
        mask: how the face mask is worn.
    """

    person: int
    keypoints: NDArray[Any]
    body_points: NDArray[Any]
    head_points: NDArray[Any]
    face_points: NDArray[Any]
    face_centre: NDArray[Any]
    face_forward: NDArray[Any]
    action: int
    mask: MaskState


@dataclass(frozen=True, eq=False)
class Seen:
    """A picture's ground truth pixels as recorded, after the lens: person, surface and depth in metres, all (H, W)."""

    person: NDArray[np.uint8]
    surface: NDArray[np.uint8]
    depth: NDArray[np.float32]


@dataclass
class TruthCollector:
    """Gathers the rows of one camera, frame by frame."""

    _people: dict[str, list[Any]] = field(default_factory=lambda: {name: [] for name in TruthPeople.columns})
    _faces: list[tuple[int, int, NDArray[np.uint32], NDArray[np.uint32]]] = field(default_factory=list)

    def add(self, frame: int, optics: Optics, seen: Seen, subjects: Sequence[Subject], alone: Alone) -> None:
        """Add what `frame` shows of `subjects`; people of whom nothing could be in the picture get no row."""
        for subject in subjects:
            window = _window(optics, subject.body_points)
            if window is None:
                continue
            whole = _surfaces_alone(optics, window, subject.person, alone)
            shown = np.where(seen.person[window] == subject.person, seen.surface[window], 0)
            if not whole.any() and not shown.any():
                continue
            row = _describe(optics, window, whole, shown, subject) | {
                "frame": frame,
                "keypoints": keypoint_rows(optics, subject.keypoints, seen.person == subject.person, seen.depth),
            }
            for name in TruthPeople.columns:
                self._people[name].append(_kept(row[name]) if name in _ROUNDED else row[name])
            self._add_face(frame, subject.person, window, shown, seen.person.shape)

    def people(self) -> TruthPeople:
        """The rows so far."""
        if not self._people["frame"]:
            return TruthPeople.empty()
        return TruthPeople(**{name: np.asarray(values) for name, values in self._people.items()})

    def faces(self) -> FaceMasks:
        """The face pixels so far."""
        return FaceMasks(
            np.array([row[0] for row in self._faces], np.int32),
            np.array([row[1] for row in self._faces], np.int16),
            [row[2] for row in self._faces],
            [row[3] for row in self._faces],
        )

    def _add_face(self, frame: int, person: int, window: Window, shown: NDArray[Any], size: tuple[int, ...]) -> None:
        face = np.zeros(size, bool)
        face[window] = _is_face(shown)
        if face.any():
            bare = np.zeros(size, bool)
            bare[window] = shown == Surface.FACE
            self._faces.append((frame, person, encode_runs(face), encode_runs(bare)))


def _kept(values: Any) -> NDArray[np.float32]:
    """Numbers to a fraction of a pixel or degree that nobody misses, so that files stay small."""
    return (np.round(np.asarray(values, np.float32) * _FRACTIONS) / _FRACTIONS).astype(np.float32)


def _describe(
    optics: Optics, window: Window, whole: NDArray[Any], shown: NDArray[Any], subject: Subject
) -> dict[str, Any]:
    visible, outline = int((shown > 0).sum()), int((whole > 0).sum())
    return {
        "person": subject.person,
        "amodal_box": _pixel_box((whole > 0) | (shown > 0), window),
        "visible_box": _pixel_box(shown > 0, window),
        "visible_fraction": visible / max(outline, visible),
        "head_box": _point_box(optics, subject.head_points),
        "face_box": _point_box(optics, subject.face_points),
        "face_angle": _face_angle(optics, subject),
        "face_pixels": max(int(_is_face(whole).sum()), int(_is_face(shown).sum())),
        "face_visible": int(_is_face(shown).sum()),
        "bare_visible": int((shown == Surface.FACE).sum()),
        "action": subject.action,
        "mask": int(subject.mask),
    }


def _is_face(surfaces: NDArray[Any]) -> NDArray[np.bool_]:
    return np.asarray((surfaces == Surface.FACE) | (surfaces == Surface.MASK))


def _window(optics: Optics, points: NDArray[Any]) -> Window | None:
    """The part of the picture that holds everything of the body; None when that is nothing."""
    pixels, depth = optics.project(points)
    ahead = depth > _NEAREST
    if not ahead.any():
        return None
    if not ahead.all():  # close to the camera's plane nothing bounds the outline
        return slice(0, optics.height), slice(0, optics.width)
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    margin = _MARGIN_PIXELS + _MARGIN_SHARE * (high - low).max()
    size = np.array([optics.width, optics.height])
    first = np.clip(np.floor(low - margin), 0, size).astype(int)
    last = np.clip(np.ceil(high + margin), 0, size).astype(int)
    if (last <= first).any():
        return None
    return slice(int(first[1]), int(last[1])), slice(int(first[0]), int(last[0]))


def _surfaces_alone(optics: Optics, window: Window, person: int, alone: Alone) -> NDArray[np.uint8]:
    """The person's surfaces in the window, with nothing in front: the same rays as the recorded picture's pixels."""
    rows, columns = (numbers[window] for numbers in optics.nearest)
    top, left = int(rows.min()), int(columns.min())
    height, width = (-(-(int(n.max()) + 1 - start) // _STEP) * _STEP for n, start in ((rows, top), (columns, left)))
    whole = optics.pinhole
    matrix = whole.matrix - np.array([[0, 0, left], [0, 0, top], [0, 0, 0]])
    part = View(width, height, matrix, whole.rotation, whole.translation)
    return np.asarray(alone(part, person)[rows - top, columns - left])


def _pixel_box(mask: NDArray[np.bool_], window: Window) -> NDArray[np.float32]:
    """Box of the true pixels of a window, in pixels of the picture; zeros when there are none."""
    if not mask.any():
        return np.zeros(4, np.float32)
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left = window[0].start, window[1].start
    return np.array([left + columns[0], top + rows[0], left + columns[-1] + 1, top + rows[-1] + 1], np.float32)


def _point_box(optics: Optics, points: NDArray[Any]) -> NDArray[np.float32]:
    """Box of projected points, clipped to the picture; zeros when it lies outside."""
    pixels, depth = optics.project(points)
    pixels = pixels[depth > _NEAREST]
    if not len(pixels):
        return np.zeros(4, np.float32)
    size = np.array([optics.width, optics.height])
    low, high = np.clip(pixels.min(axis=0), 0, size), np.clip(pixels.max(axis=0), 0, size)
    return np.concatenate([low, high]).astype(np.float32) if (high > low).all() else np.zeros(4, np.float32)


def _face_angle(optics: Optics, subject: Subject) -> float:
    """Degrees between where the face looks and the direction to the camera."""
    towards = optics.centre - subject.face_centre
    cosine = float(subject.face_forward @ towards / max(float(np.linalg.norm(towards)), 1e-9))
    return float(np.degrees(np.arccos(np.clip(cosine, -1, 1))))
