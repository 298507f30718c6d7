"""Places where a head was found and the picture has not changed since: whoever is lost there is there still.

Networks lose people who keep still and find them again, and live nobody knows yet that they will. But a head that has
gone shows what was behind it. So a small picture of every place where a head was found is kept, and as long as the
place looks like it, it stays covered. Somebody who passes before it changes it for a moment; after that it is known
again.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as geometry
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.live.settings import MemoryConfig

SIDE = 16  # samples along each side of a place
LEAST_CONTRAST = 2.0  # levels: the standard deviation of a place that can be told from others
PASSED_S = 3.0  # seconds for which a place is remembered that a head may only have passed
MOST_PLACES = 256
Grey = NDArray[np.uint8]
Patches = NDArray[np.float32]  # (N, SIDE * SIDE), each of mean 0 and standard deviation 1, or of zeros: like nothing


class UnchangedPlaces:
    """Of one camera."""

    def __init__(self, config: MemoryConfig) -> None:
        self._config = config
        self._last = -np.inf
        self.forget()

    def forget(self) -> None:
        """The camera looks elsewhere."""
        self._box: Boxes = np.zeros((0, 4), np.float32)  # px of the upright frame
        self._patch: Patches = np.zeros((0, SIDE * SIDE), np.float32)  # as it looked when a head was found in it last
        self._seen = np.zeros(0)  # time in seconds at which a head was found there last
        self._alike = np.zeros(0)  # time at which it looked so last
        self._times = np.zeros(0, int)  # that a head was found there

    def see(self, picture: Grey, size: tuple[int, int], heads: Boxes, time: float) -> None:
        """What was found in a frame that was looked at; frames come in order.

        Args:
            picture: the frame, small and grey ``(h, w)``.
            size: width and height of the upright frame.
            heads: regions of the heads that were found in it, ``(N, 4)``, in its pixels.
            time: in seconds.
        """
        self._alike[self._unchanged_in(picture, size)] = time
        patches = _patches(picture, heads, size)
        overlap = geometry.iou(heads, self._box)
        best = overlap.argmax(axis=1) if len(self._box) else np.zeros(len(heads), np.intp)
        known = overlap.max(axis=1, initial=0) >= self._config.same_place_iou
        place = best[known]
        self._box[place], self._patch[place] = heads[known], patches[known]
        self._seen[place] = self._alike[place] = time
        self._times[place] += 1
        fresh = np.full(np.count_nonzero(~known), time)
        self._box = np.concatenate([self._box, heads[~known]])
        self._patch = np.concatenate([self._patch, patches[~known]])
        self._seen, self._alike = np.append(self._seen, fresh), np.append(self._alike, fresh)
        self._times = np.append(self._times, np.ones(len(fresh), int))
        self._keep(time)
        self._last = time

    def _keep(self, time: float) -> None:
        """Forget places that a head only passed soon after they look otherwise, others later; and all in the end.

        What was taken for a head once and never again is forgotten sooner: chairs do not change either.
        """
        config = self._config
        hidden = np.where(self._times < config.unchanged_sights, min(PASSED_S, config.hidden_s), config.hidden_s)
        lasting = config.unchanged_s * np.minimum(1, self._times / config.unchanged_sights)
        kept = (time - self._seen <= lasting) & (time - self._alike <= hidden)
        rows = np.flatnonzero(kept)
        rows = rows[np.argsort(-self._seen[rows], kind="stable")][:MOST_PLACES]
        self._box, self._patch, self._times = self._box[rows], self._patch[rows], self._times[rows]
        self._seen, self._alike = self._seen[rows], self._alike[rows]

    def boxes(self) -> Boxes:
        """Places that looked unchanged in the frame that came last, and in which no head was found."""
        return self._box[(self._seen < self._last) & (self._last <= self._alike)]

    def boxes_in(self, picture: Grey, size: tuple[int, int]) -> Boxes:
        """Places that look unchanged in a frame that is still to come."""
        return self._box[self._unchanged_in(picture, size)]

    def _unchanged_in(self, picture: Grey, size: tuple[int, int]) -> NDArray[np.bool_]:
        likeness = (self._patch * _patches(picture, self._box, size)).mean(axis=1)
        return np.asarray(likeness >= self._config.unchanged_likeness)


def _patches(picture: Grey, boxes: Boxes, size: tuple[int, int]) -> Patches:
    """How places look: at the same points, whenever it is asked."""
    height, width = picture.shape
    smooth = cv2.blur(picture, (3, 3))  # of the noise
    step = (np.arange(SIDE) + 0.5) / SIDE
    columns = (boxes[:, :1] + step * (boxes[:, 2:3] - boxes[:, :1])) * (width / size[0])
    rows = (boxes[:, 1:2] + step * (boxes[:, 3:] - boxes[:, 1:2])) * (height / size[1])
    column, row = columns.astype(int).clip(0, width - 1), rows.astype(int).clip(0, height - 1)
    found = smooth[row[:, :, None], column[:, None, :]].reshape(len(boxes), SIDE * SIDE).astype(np.float32)
    found -= found.mean(axis=1, keepdims=True)
    spread = found.std(axis=1, keepdims=True)
    return np.where(spread < LEAST_CONTRAST, 0, found / np.maximum(spread, LEAST_CONTRAST)).astype(np.float32)
