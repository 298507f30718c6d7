"""What an attacker who knows the method cuts out of anonymized pictures: small crops of region and face.

He runs the method over clear pictures himself, with the region shifted a little each time, because he does not know
how the cells of the picture under attack lie on the face. Nothing outside the region is looked at: gown, hair beyond
it and background are the matter of `bodies.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from or_mv_anon.attack.anonymizers import Anonymizer
from or_mv_anon.attack.identities import Face
from or_mv_anon.core.boxes import Boxes, clip
from or_mv_anon.models.detectors.protocol import Picture
from or_mv_anon.models.recognizers import align

CROP = 16  # samples per side of what the attacker compares: more than the cells of any mosaic that may hide a face
SHIFT = 0.06  # shares of the region's sides by which it is shifted and, half of that, grown, at most
INSET = 1  # px inside the region, so that no colour of its surroundings is interpolated in


class RegionAlone:
    """What a method makes of the regions, black around them.

    A recognizer's crop of a turned head reaches beyond its region; an attack must not live on what lies there.
    """

    def __init__(self, anonymizer: Anonymizer) -> None:
        self.name = anonymizer.name
        self._anonymizer = anonymizer

    def __call__(self, picture: Picture, regions: Boxes) -> Picture:
        covered = self._anonymizer(picture, regions)
        alone = np.zeros_like(covered)
        for row in range(len(regions)):
            inside = _inside(regions[row : row + 1])
            alone[inside] = covered[inside]
        return alone


@dataclass(frozen=True, eq=False)
class RegionCrops:
    """Crops of anonymized faces, as samples of 0 to 1.

    Attributes:
        region: ``(N, looks, CROP * CROP * 3)``: all of the region, squared up.
        face: the same of the face alone, eyes to chin, aligned by the landmarks of the clear face.
    """

    region: NDArray[np.float32]
    face: NDArray[np.float32]


def reduced(face: Face, *, side: float) -> Face:
    """The face in a picture whose region is at most `side` pixels long: cells are counted per region, not in pixels."""
    factor = side / float((face.region[0, 2:] - face.region[0, :2]).max())
    if factor >= 1:
        return face
    height, width = face.picture.shape[:2]
    size = (max(1, round(width * factor)), max(1, round(height * factor)))
    scale = np.array([size[0] / width, size[1] / height], np.float32)
    picture = np.asarray(cv2.resize(face.picture, size, interpolation=cv2.INTER_AREA), np.uint8)
    return replace(face, picture=picture, region=face.region * np.tile(scale, 2), landmarks=face.landmarks * scale)


def shifted(face: Face, draw: np.random.Generator) -> Boxes:
    """The region ``(1, 4)`` a little aside and larger or smaller, as it lies in another frame of a track."""
    width, height = face.region[0, 2:] - face.region[0, :2]
    aside, grown = draw.uniform(-SHIFT, SHIFT, 2), draw.uniform(-SHIFT / 2, SHIFT / 2)
    move = np.concatenate([aside - grown, aside + grown]) * (width, height, width, height)
    rows, columns = face.picture.shape[:2]
    return clip((face.region + move).astype(np.float32), width=columns, height=rows)


def crops(faces: Sequence[Face]) -> RegionCrops:
    """Crops of faces whose pictures are anonymized already, one look at each."""
    region = [[region_crop(face.picture, face.region)] for face in faces]
    return RegionCrops(np.array(region), np.array([[face_crop(face.picture, face, face.region)] for face in faces]))


def take_crops(faces: Sequence[Face], anonymizer: Anonymizer, *, shifts: int, seed: int = 0) -> RegionCrops:
    """Cover each face, once where the pipeline would and `shifts` times a little aside, and cut out the crops.

    Args:
        faces: clear.
        anonymizer: the method under attack.
        shifts: further looks at each face.
        seed: of the shifts.
    """
    region = np.zeros((len(faces), 1 + shifts, CROP * CROP * 3), np.float32)
    face_only = np.zeros_like(region)
    for row, face in enumerate(tqdm(faces, desc=f"{anonymizer.name}: looks", unit="face", disable=None, leave=False)):
        draw = np.random.default_rng((seed, row))
        for look in range(1 + shifts):
            box = shifted(face, draw) if look else face.region
            seen = anonymizer(face.picture, box)
            region[row, look] = region_crop(seen, box)
            face_only[row, look] = face_crop(seen, face, box)
    return RegionCrops(region, face_only)


def region_crop(picture: Picture, region: Boxes) -> NDArray[np.float32]:
    """The inside of a region ``(1, 4)`` squared up, as ``(CROP * CROP * 3,)`` samples."""
    return _samples(picture[_inside(region)])


def face_crop(picture: Picture, face: Face, region: Boxes) -> NDArray[np.float32]:
    """The face alone by its landmarks, as ``(CROP * CROP * 3,)`` samples; what is beyond the region is black."""
    covered = np.zeros_like(picture)
    covered[_inside(region)] = picture[_inside(region)]
    return _samples(align(covered, face.landmarks, side=4 * CROP))


def _inside(region: Boxes) -> tuple[slice, slice]:
    left, top = np.ceil(region[0, :2]).astype(int) + INSET
    right, bottom = np.floor(region[0, 2:]).astype(int) - INSET
    return slice(top, max(bottom, top + 1)), slice(left, max(right, left + 1))


def _samples(crop: Picture) -> NDArray[np.float32]:
    small = cv2.resize(crop, (CROP, CROP), interpolation=cv2.INTER_AREA)
    return (small.astype(np.float32) / np.float32(255)).reshape(-1)
