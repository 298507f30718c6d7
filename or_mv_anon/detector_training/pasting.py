"""Puts cut-out parts of pictures over others, so that the cut itself tells nothing."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.random import Generator
from numpy.typing import NDArray

from or_mv_anon.detector_training.simulated_rooms import Room

Picture = NDArray[np.uint8]
EDGE = 0.8  # px, softness of a cut
DECOY_SIDE = (0.08, 0.35)  # of the picture's height
LIGHT = (0.6, 1.6)  # change of the pasted part's brightness towards the background's, at most


def paste_piece(canvas: Picture, room: Room, rng: Generator) -> None:
    """Puts a roundish piece of a room, without people in it, anywhere on `canvas` (H, W, 3)."""
    height, width = canvas.shape[:2]
    number = int(rng.integers(len(room.pictures)))
    source = cv2.resize(room.pictures[number], (width, height), interpolation=cv2.INTER_AREA)
    outline = cv2.resize(room.outlines[number], (width, height), interpolation=cv2.INTER_NEAREST)
    half = (rng.uniform(*DECOY_SIDE, size=2) * height / 2).astype(int) + 1
    centre = rng.integers(half, np.array([width, height]) - half)
    piece = np.zeros((height, width), np.uint8)
    turn = float(rng.uniform(0, 180))
    cv2.ellipse(piece, centre.tolist(), half.tolist(), turn, 0, 360, 1, -1)
    shift = rng.integers(-centre, np.array([width, height]) - centre)
    moved = np.array([[1, 0, shift[0]], [0, 1, shift[1]]], np.float32)
    taken = cv2.warpAffine(piece * (outline == 0), moved, (width, height), flags=cv2.INTER_NEAREST)
    blend(canvas, np.asarray(cv2.warpAffine(source, moved, (width, height)), np.uint8), taken > 0)


def blend(canvas: Picture, picture: Picture, mask: NDArray[np.bool_]) -> None:
    """Puts the masked part of `picture` over `canvas`, in the canvas's light and with soft edges."""
    if not mask.any():
        return
    towards = np.sqrt((canvas.mean() + 1) / (picture[mask].mean() + 1))
    lit = picture.astype(np.float32) * np.clip(towards, *LIGHT)
    alpha = cv2.GaussianBlur(mask.astype(np.float32), (0, 0), EDGE)[..., None]
    canvas[:] = np.clip(alpha * lit + (1 - alpha) * canvas, 0, 255).astype(np.uint8)
