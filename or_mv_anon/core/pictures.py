"""Training pictures that exist in memory alone: frames are decoded from the recording and never written to disk."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]  # (height, width, 3) BGR, upright


@dataclass(frozen=True)
class PictureBank:
    """Pictures by image id; all boxes that refer to them are in their pixels."""

    pictures: Mapping[int, Picture] = field(repr=False)

    def __getitem__(self, image: int) -> Picture:
        return self.pictures[image]

    def __len__(self) -> int:
        return len(self.pictures)
