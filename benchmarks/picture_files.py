"""Pictures in folders that a benchmark is given."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.video.images import SUFFIXES


def picture_files(folder: Path) -> list[Path]:
    """The pictures in a folder and those below, in the order of their names.

    Raises:
        UserError: there are none.
    """
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    if not files:
        raise UserError(f"{folder} holds no pictures (looked for {', '.join(SUFFIXES)}).")
    return files


def read_picture(path: Path) -> NDArray[np.uint8]:
    """The picture ``(h, w, 3)`` BGR.

    Raises:
        UserError: it is none.
    """
    picture = cv2.imread(str(path))
    if picture is None:
        raise UserError(f"{path} cannot be read; expected a picture.")
    return np.asarray(picture, np.uint8)
