"""Heads cut out of pictures, each with its surroundings, so that its region can be laid out anew.

Pictures stay in memory; a head is kept at the size at which it is learned from, never at the size it was seen at.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.attack.identities import Face
from or_mv_anon.core import boxes as bx
from or_mv_anon.core.boxes import longer_side
from or_mv_anon.core.truth import TruthPeople
from or_mv_anon.head_training.actions import crop_boxes, cut, judged
from or_mv_anon.head_training.directions import facing_of
from or_mv_anon.head_training.settings import MaterialConfig
from or_mv_anon.head_training.simulated import SimulatedFrame, SimulatedSite
from or_mv_anon.head_training.turntable import Look, turned_heads
from or_mv_anon.models.pose import Halpe26
from or_mv_anon.regions.heads import HEAD_POINTS
from or_mv_anon.simulation.scene import MaskState

SURROUNDINGS = 1.5  # side of what is kept of a head's picture ÷ side of its region
NOBODY = ""
SEEN = 2  # visibility of a keypoint of the truth that nothing hides
FACING = 50.0  # degrees away from the camera up to which a simulated face can be recognized
PITCHES = (-10.0, 55.0)  # degrees from above that turned heads are looked at: from a stand to below the ceiling
LYING = 0.15  # share of the turned heads that lie on their side in the picture
EYES_AND_NOSE = [Halpe26.RIGHT_EYE, Halpe26.LEFT_EYE, Halpe26.NOSE]  # the landmarks that the truth knows


@dataclass(frozen=True, eq=False)
class Head:
    """One head, square with its surroundings. All boxes and points are in pixels of `picture`.

    Attributes:
        source: the folder it came from.
        picture: (P, P, 3) uint8 RGB; P is 1.5 times the modifier's side.
        region: (4,) what the main job would cover.
        inside: (4,) the part of `picture` that lies inside of the original picture; a region is cut to it.
        identity: who it is; `NOBODY` where that is not known.
        landmarks: (5, 2) in the order of `landmarks.FoundFaces`, NaN for those that are not known; None if all are.
        person: (128, 96, 3) uint8 RGB crop of the person, or None.
        person_box: (4,) where that crop lies.
        action: index into the actions, -1 where there is no person crop.
        facing: (3,) where the face looks, see `directions`; None where that is not known.
    """

    source: str
    picture: NDArray[np.uint8]
    region: NDArray[np.float32]
    inside: NDArray[np.float32]
    identity: str = NOBODY
    landmarks: NDArray[np.float32] | None = None
    person: NDArray[np.uint8] | None = None
    person_box: NDArray[np.float32] | None = None
    action: int = -1
    facing: NDArray[np.float32] | None = None


def head_of(face: Face, *, side: int, known: bool = True) -> Head:
    """The head in a picture of one person; without identity if that is not `known`."""
    picture, inside, scale, corner = _surroundings(face.picture, face.region[0], side)
    moved = np.tile(corner, 2)
    return Head(
        source=face.identity.split("/")[0],
        picture=picture,
        region=((face.region[0] - moved) * scale).astype(np.float32),
        inside=inside,
        identity=face.identity if known else NOBODY,
        landmarks=((face.landmarks - corner) * scale).astype(np.float32),
    )


def heads_of(site: SimulatedSite, *, side: int, config: MaterialConfig) -> Iterator[Head]:
    """The heads in a simulated site that are large enough, with their people's actions."""
    for frame in site.frames(interval_s=config.interval_s):
        for _, head in heads_in(frame, source=site.folder.name, side=side, config=config):
            yield head


def heads_in(
    frame: SimulatedFrame, *, source: str, side: int, config: MaterialConfig
) -> Iterator[tuple[NDArray[np.float32], Head]]:
    """The regions (4,) in a simulated frame's pixels and the heads in them."""
    height, width = frame.picture.shape[:2]
    longer = longer_side(frame.people.head_box)
    shown = (frame.people.keypoints[:, HEAD_POINTS, 2] == SEEN).any(axis=1)
    people = frame.people[judged(frame.people) & shown & (longer >= config.least_head_px)]
    facing = facing_of(people)
    persons = cut(frame.picture, people.visible_box)[..., ::-1]
    crops = crop_boxes(people.visible_box, width=width, height=height)
    for row in range(len(people)):
        region = bx.clip(_square(people.head_box[row], 1 + config.head_margin)[None], width=width, height=height)[0]
        picture, inside, scale, corner = _surroundings(frame.picture, region, side)
        moved = np.tile(corner, 2)
        landmarks = _landmarks(people, row)
        yield (
            region,
            Head(
                source=source,
                picture=picture,
                region=((region - moved) * scale).astype(np.float32),
                inside=inside,
                identity=NOBODY if landmarks is None else f"{source}/{people.person[row]}",
                landmarks=None if landmarks is None else ((landmarks - corner) * scale).astype(np.float32),
                person=np.ascontiguousarray(persons[row]),
                person_box=((crops[row] - moved) * scale).astype(np.float32),
                action=int(people.action[row]),
                facing=facing[row] if np.isfinite(facing[row]).all() else None,
            ),
        )


def heads_around(seed: int, backgrounds: Sequence[Head], *, side: int, config: MaterialConfig) -> Iterator[Head]:
    """One simulated person's head from all sides, before pieces of other heads' pictures."""
    rng = np.random.default_rng((config.seed, seed))
    picture_side = round(SURROUNDINGS * side)
    lights = rng.uniform(-180, 180, len(MaskState))
    masks = sorted(int(mask) for mask in rng.integers(len(MaskState), size=config.looks))
    looks = [
        Look(
            yaw=rng.uniform(-180, 180),
            pitch=rng.uniform(*PITCHES),
            roll=rng.normal(0, 12) + (rng.choice([-90, 90]) if rng.random() < LYING else 0),
            light=lights[mask],
            exposure=float(np.exp(rng.normal(0, 0.3))),
            mask=MaskState(mask),
        )
        for mask in masks
    ]
    shown = SURROUNDINGS * (1 + config.head_margin)
    for head in turned_heads(seed, looks, side=picture_side, shown=shown):
        behind = np.full_like(head.picture, rng.integers(40, 220, 3))
        if backgrounds:
            behind = np.rot90(backgrounds[int(rng.integers(len(backgrounds)))].picture, int(rng.integers(4)))
        reach = head.head_px * (1 + config.head_margin)
        middle = picture_side / 2
        points = np.concatenate([head.keypoints[EYES_AND_NOSE], np.full((2, 2), np.nan, np.float32)])
        yield Head(
            source="turntable",
            picture=np.ascontiguousarray(np.where(head.present[..., None], head.picture, behind)),
            region=np.array([middle - reach, middle - reach, middle + reach, middle + reach], np.float32),
            inside=np.array([0, 0, picture_side, picture_side], np.float32),
            identity=head.identity if head.facing[2] > np.cos(np.radians(FACING)) else NOBODY,
            landmarks=points if head.facing[2] > np.cos(np.radians(FACING)) else None,
            facing=head.facing,
        )


def _landmarks(people: TruthPeople, row: int) -> NDArray[np.float32] | None:
    """Eyes and nose (5, 2) of a simulated face that can be recognized, the corners of its mouth NaN."""
    points = people.keypoints[row, EYES_AND_NOSE]
    if people.face_angle[row] > FACING or (points[:, 2] != SEEN).any():
        return None
    return np.concatenate([points[:, :2], np.full((2, 2), np.nan, np.float32)])


def _square(box: NDArray[np.float32], growth: float) -> NDArray[np.float32]:
    """The square about the box's middle with its longer side, grown."""
    reach = max(box[2] - box[0], box[3] - box[1]) * growth / 2
    middle = (box[:2] + box[2:]) / 2
    return np.concatenate([middle - reach, middle + reach]).astype(np.float32)


def _surroundings(
    picture: NDArray[np.uint8], region: NDArray[np.float32], side: int
) -> tuple[NDArray[np.uint8], NDArray[np.float32], float, NDArray[np.float32]]:
    """The square (P, P, 3) RGB around a region of a BGR picture, where the picture lies in it, scale and corner."""
    window = _square(region, SURROUNDINGS)
    wanted = round(SURROUNDINGS * side)
    scale = wanted / float(window[2] - window[0])
    height, width = picture.shape[:2]
    left, top, right, bottom = (int(v) for v in (*np.floor(window[:2]), *np.ceil(window[2:])))
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(right, width), min(bottom, height)
    part = picture[y0:y1, x0:x1]
    if scale < 1:  # area averaging first: sampling alone would leave out pixels
        size = (max(1, round((x1 - x0) * scale)), max(1, round((y1 - y0) * scale)))
        part = np.asarray(cv2.resize(part, size, interpolation=cv2.INTER_AREA), np.uint8)
    fit = np.array([part.shape[1] / (x1 - x0), part.shape[0] / (y1 - y0)])
    shift = ((x0, y0) - window[:2].astype(np.float64)) * scale
    matrix = np.array([[scale / fit[0], 0, shift[0]], [0, scale / fit[1], shift[1]]])
    square = cv2.warpAffine(part, matrix, (wanted, wanted), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    bounds = (np.array([0, 0, width, height]) - np.tile(window[:2], 2)) * scale
    inside = np.clip(bounds, 0, wanted).astype(np.float32)
    return np.ascontiguousarray(square[..., ::-1]), inside, scale, window[:2]
