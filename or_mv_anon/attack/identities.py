"""Pictures of known people for attacking and training: read into memory, never written anywhere.

A folder holds one subfolder per person, or files named `PERSON_NUMBER.jpg`. Each picture must show exactly one face
that the detector is sure of, small ones in the background apart; where it is covered follows from the pipeline's rule.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import RegionConfig, load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.printable import printable
from or_mv_anon.models.detectors.dense import fitted_size
from or_mv_anon.models.detectors.protocol import Picture
from or_mv_anon.models.landmarks import WEIGHTS, LandmarkFinder
from or_mv_anon.models.registry import fetch
from or_mv_anon.regions.source import head_around_face

SUFFIXES = {".jpg", ".jpeg", ".png", ".bmp", ".ppm", ".pgm", ".tif", ".tiff", ".webp"}
MIN_SCORE = 0.6  # of the face: new faces start tracks from this score on in the pipeline too
LONGEST_SIDE = 640  # px; larger pictures are reduced, since recognizers look at 112 to 150 px of a face
BACKGROUND_SHARE = 0.5  # faces lower than this share of the highest are passers-by
LEAST_EYE_DISTANCE = 8.0  # px; faces with less between the eyes are of no use to a recognizer

NO_PICTURE, NO_FACE, SEVERAL_FACES, SMALL_FACE = "unreadable", "no face", "several faces", "small face"


@dataclass(frozen=True, eq=False)
class Face:
    """One picture of one person.

    Attributes:
        identity: the set's name and the person's, such as `caltech_faces/id01`; unique over sets.
        picture: upright BGR ``(H, W, 3)``, the whole picture.
        region: ``(1, 4)`` pixels that the pipeline would cover if it knew nothing but this face.
        landmarks: ``(5, 2)`` pixels, in the order of `FoundFaces.landmarks`.
    """

    identity: str
    picture: Picture
    region: Boxes
    landmarks: NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class IdentitySet:
    """What a folder of identities holds.

    Attributes:
        name: the folder's.
        faces: the usable pictures, by file name.
        left_out: reason -> how many pictures were left out for it.
    """

    name: str
    faces: Sequence[Face]
    left_out: Mapping[str, int]


def read_identities(folder: Path, *, weights_dir: Path | None = None) -> list[Face]:
    """The usable pictures in `folder`; how many were left out is logged. See `read_identity_set`."""
    found = read_identity_set(folder, weights_dir=weights_dir)
    if found.left_out:
        reasons = ", ".join(f"{count} {reason}" for reason, count in found.left_out.items())
        logging.getLogger(__name__).warning("%s: pictures left out: %s", folder, reasons)
    return list(found.faces)


def read_identity_set(folder: Path, *, weights_dir: Path | None = None) -> IdentitySet:
    """Read a folder of identities.

    Args:
        folder: one subfolder of pictures per person, or pictures named `PERSON_NUMBER`.
        weights_dir: see `or_mv_anon.models.registry.fetch`.

    Raises:
        UserError: the folder holds no pictures, or none of them shows one face.
    """
    named = list(_named_pictures(folder))
    if not named:
        raise UserError(
            f"{folder} holds no pictures of known people; expected one subfolder per person, or files named "
            "PERSON_NUMBER.jpg."
        )
    finder = LandmarkFinder(fetch(WEIGHTS, weights_dir=weights_dir), min_score=MIN_SCORE)
    config = load_config().regions
    faces, left_out = [], Counter[str]()
    for person, path in tqdm(
        named, desc=printable(f"faces of {folder.name}"), unit="picture", disable=None, leave=False
    ):
        face = _read_face(f"{folder.name}/{person}", path, finder, config)
        if isinstance(face, Face):
            faces.append(face)
        else:
            left_out[face] += 1
    if not faces:
        raise UserError(f"None of the {len(named)} pictures in {folder} shows exactly one clear face.")
    return IdentitySet(folder.name, faces, dict(left_out))


def split_enrolment(faces: Sequence[Face], *, seed: int, share: float = 0.5) -> tuple[list[Face], list[Face]]:
    """Each person's pictures as enrolment (gallery) and probes; people with a single picture are left out.

    Args:
        faces: of any people.
        seed: of the draw.
        share: of a person's pictures that are enrolled, at least one of them and not all.
    """
    generator = np.random.default_rng(seed)
    gallery, probes = [], []
    for person in sorted({face.identity for face in faces}):
        rows = [row for row, face in enumerate(faces) if face.identity == person]
        if len(rows) < 2:
            continue
        enrolled = min(max(1, round(share * len(rows))), len(rows) - 1)
        drawn = generator.permutation(rows)
        gallery += [faces[row] for row in sorted(drawn[:enrolled])]
        probes += [faces[row] for row in sorted(drawn[enrolled:])]
    return gallery, probes


def split_identities(faces: Sequence[Face], *, share: float, seed: int) -> tuple[list[Face], list[Face]]:
    """Pictures of people to learn from (`share` of all people) and of others to attack; nobody is in both."""
    people = sorted({face.identity for face in faces})
    drawn = np.random.default_rng(seed).permutation(len(people))
    learned = {people[row] for row in drawn[: round(share * len(people))]}
    return [face for face in faces if face.identity in learned], [
        face for face in faces if face.identity not in learned
    ]


def _named_pictures(folder: Path) -> Iterator[tuple[str, Path]]:
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder; expected one subfolder of pictures per person.")
    for path in sorted(folder.iterdir()):
        if path.is_dir():
            yield from ((path.name, each) for each in sorted(path.iterdir()) if each.suffix.lower() in SUFFIXES)
        elif path.suffix.lower() in SUFFIXES:
            yield path.stem.rpartition("_")[0] or path.stem, path


def _read_face(identity: str, path: Path, finder: LandmarkFinder, config: RegionConfig) -> Face | str:
    """The face in the picture, or the reason why it is of no use."""
    decoded = cv2.imread(str(path), cv2.IMREAD_COLOR)
    if decoded is None:
        return NO_PICTURE
    picture = decoded.astype(np.uint8, copy=False)
    if max(picture.shape) > LONGEST_SIDE:
        size = fitted_size(picture.shape[1], picture.shape[0], long_side=LONGEST_SIDE)
        picture = cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    found = finder.find(picture)
    height = found.box[:, 3] - found.box[:, 1]
    (rows,) = np.nonzero(height >= BACKGROUND_SHARE * height.max(initial=0))
    if len(rows) != 1:
        return SEVERAL_FACES if len(rows) else NO_FACE
    landmarks = found.landmarks[rows[0]]
    if np.linalg.norm(landmarks[1] - landmarks[0]) < LEAST_EYE_DISTANCE:
        return SMALL_FACE
    return Face(identity, picture, face_region(picture, found.box[rows], config), landmarks)


def face_region(picture: Picture, face: Boxes, config: RegionConfig) -> Boxes:
    """What the pipeline covers, ``(1, 4)``, where a face ``(1, 4)`` is all that it found: its smallest region."""
    return bx.clip(head_around_face(face), width=picture.shape[1], height=picture.shape[0])
