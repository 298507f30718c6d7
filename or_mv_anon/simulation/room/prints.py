"""Printed things and views: notices, clocks, cartons, the corridor behind a window."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.room.grain import Picture
from or_mv_anon.simulation.room.screens import WHITE, blank, write


def corridor(rng: np.random.Generator) -> Picture:
    """A view through a window into a dim corridor: floor, far wall, doors, a lamp strip."""
    tone = float(rng.uniform(0.35, 0.9))
    picture: NDArray[Any] = np.zeros((320, 512, 3))
    picture[:] = np.array([150, 158, 160]) * tone
    picture[230:] = np.array([110, 116, 120]) * tone
    for k in range(3):
        x = 40 + 170 * k + int(rng.integers(0, 50))
        cv2.rectangle(picture, (x, 90), (x + 80, 240), tuple(float(v) for v in rng.uniform(40, 150, 3) * tone), -1)
    cv2.rectangle(picture, (0, 20), (512, 40), tuple(float(v) for v in np.array([230, 235, 235]) * tone), -1)
    picture = cv2.GaussianBlur(picture, (0, 0), 2.5)
    ramp = np.linspace(0.1, 0, 512)[None, :, None] * 255 * tone
    return np.clip(picture + ramp, 0, 255).astype(np.uint8)


def poster(rng: np.random.Generator) -> Picture:
    """A notice: coloured head, lines of text, a pictogram; at times a round symbol with two dots, like a face."""
    picture = blank((244, 244, 240), (360, 256))
    head = tuple(int(v) for v in rng.integers(10, 190, 3))
    cv2.rectangle(picture, (0, 0), (256, 64), head, -1)
    titles = ("HAND HYGIENE", "FIRE EXIT", "CHECKLIST", "LATEX FREE", "X-RAY ON", "STERILE AREA", "TIME OUT")
    write(picture, str(rng.choice(titles)), (14, 42), 0.78, WHITE, 2)
    if rng.random() < 0.45:  # a real negative for face detectors
        cv2.circle(picture, (128, 150), 62, tuple(int(v) for v in rng.integers(120, 250, 3)), -1, cv2.LINE_AA)
        for x in (105, 151):
            cv2.circle(picture, (x, 138), 8, (20, 20, 20), -1, cv2.LINE_AA)
        cv2.ellipse(picture, (128, 160), (30, 22), 0, 20, 160, (20, 20, 20), 5, cv2.LINE_AA)
    else:
        for _ in range(4):
            a, b = rng.integers((20, 80), (150, 150)), rng.integers((100, 150), (236, 220))
            shade = tuple(int(v) for v in rng.integers(40, 220, 3))
            cv2.rectangle(picture, (int(a[0]), int(a[1])), (int(b[0]), int(b[1])), shade, int(rng.choice([-1, 5])))
    for y in range(236, 348, 13):
        cv2.line(picture, (20, y), (int(rng.integers(120, 238)), y), (90, 90, 96), 3)
    return picture


def clock_face(rng: np.random.Generator) -> Picture:
    """A wall clock."""
    picture = blank((250, 250, 248), (256, 256))
    for k in range(12):
        direction = np.array([np.sin(k * np.pi / 6), -np.cos(k * np.pi / 6)])
        _stroke(picture, direction * 96, direction * 114, 6)
    hour = rng.uniform(8, 17)
    for turns, length, width in ((hour / 12, 62, 9), (hour % 1, 92, 6)):
        _stroke(picture, np.zeros(2), length * np.array([np.sin(turns * 2 * np.pi), -np.cos(turns * 2 * np.pi)]), width)
    return picture


def digital_clock(rng: np.random.Generator) -> Picture:
    """A clock with lit red digits."""
    picture = blank((12, 8, 8), (96, 256))
    write(picture, f"{rng.integers(7, 18):02d}:{rng.integers(0, 60):02d}", (22, 74), 2.2, (255, 45, 30), 6)
    return picture


def boxes_atlas(rng: np.random.Generator, cells: int = 8, size: int = 1024) -> Picture:
    """Prints of cardboard and plastic boxes, cells × cells of them: colours, stripes, labels, lettering."""
    picture = np.zeros((size, size, 3), np.uint8)
    step = size // cells
    palette: Sequence[Sequence[int]] = (
        (232, 234, 236), (222, 226, 230), (186, 156, 116), (92, 120, 164), (84, 138, 146), (160, 76, 76),
        (196, 166, 92), (110, 146, 112), (128, 108, 142), (182, 132, 98), (240, 240, 238), (146, 176, 196),
        (206, 200, 188), (176, 148, 110),
    )  # fmt: skip
    words = ("GAUZE", "7.5", "SUTURE", "STERILE", "M", "DRAPE", "CATH", "14G", "MASK", "NaCl", "L", "SET", "2-0")
    for row in range(cells):
        for column in range(cells):
            cell = picture[row * step : (row + 1) * step, column * step : (column + 1) * step]
            base = np.array(palette[int(rng.integers(len(palette)))], float)
            cell[:] = np.clip(base + rng.normal(0, 6, 3), 0, 255).astype(np.uint8)
            other = tuple(int(v) for v in palette[int(rng.integers(len(palette)))])
            if rng.random() < 0.75:
                low = int(rng.integers(0, step // 2))
                cv2.rectangle(cell, (0, low), (step, low + int(rng.integers(10, step // 2))), other, -1)
            if rng.random() < 0.8:
                cv2.rectangle(cell, (14, step - 56), (step - 14, step - 16), (248, 248, 246), -1)
                write(cell, str(rng.choice(words)), (20, step - 28), 0.7, (30, 30, 40), 2)
            cv2.rectangle(cell, (0, 0), (step - 1, step - 1), tuple(int(v) for v in base * 0.8), 2)
    return picture


def _stroke(picture: Picture, start: np.ndarray, end: np.ndarray, width: int) -> None:
    a, b = ((int(point[0] + 128), int(point[1] + 128)) for point in (start, end))
    cv2.line(picture, a, b, (20, 20, 24), width, cv2.LINE_AA)
