"""A recognizer that remembers vectors: several attackers look at the same pictures, and networks are slow."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.models.detectors.protocol import Picture
from or_mv_anon.models.recognizers import Recognizer


class CachedRecognizer:
    """Asks `recognizer` about every face once. It keeps digests and vectors, and no pictures."""

    def __init__(self, recognizer: Recognizer) -> None:
        self.name = recognizer.name
        self.same_person = recognizer.same_person
        self._recognizer = recognizer
        self._known: dict[bytes, NDArray[np.float32]] = {}

    def embed(self, pictures: Sequence[Picture], landmarks: NDArray[np.float32]) -> NDArray[np.float32]:
        keys = [_key(picture, points) for picture, points in zip(pictures, landmarks, strict=True)]
        new = {key: row for row, key in enumerate(keys) if key not in self._known}
        rows = list(new.values())
        vectors = self._recognizer.embed([pictures[row] for row in rows], landmarks[rows])
        self._known.update(zip(new, vectors, strict=True))
        return np.array([self._known[key] for key in keys], np.float32).reshape(len(keys), vectors.shape[1])


def _key(picture: Picture, landmarks: NDArray[np.float32]) -> bytes:
    digest = hashlib.blake2b(np.ascontiguousarray(picture).data, digest_size=16)
    digest.update(np.array(picture.shape).tobytes() + landmarks.astype(np.float32).tobytes())
    return digest.digest()
