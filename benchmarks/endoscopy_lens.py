"""What stands between a scene and the recorded frame of a composed clip: motion, sleeve, cloth, dirt, camera.

Everything is a function of time and a seed, so that neighbouring frames fit together.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.endoscopy.training import mishaps, optics

SIZE = 256  # pixels of the round picture, both sides
WIDE = 448  # pixels of the frame around it where the recorder adds black at the sides
SHUTTER = 0.02  # seconds that a frame is exposed
EXPOSURES = 3  # moments within it

Picture = NDArray[np.uint8]
Seed = tuple[int, ...]


def seen(picture: Picture, time: float, *, seed: Seed, wild: bool) -> Picture:
    """What a hand-held scope sees of a still picture at a moment, (256, 256, 3), blurred by its own motion.

    Args:
        picture: BGR (H, W, 3).
        time: seconds.
        seed: of the path.
        wild: swings as a scope outside the body does, sees a smaller part, and less sharply.
    """
    moments = time + np.linspace(0, SHUTTER, EXPOSURES)
    total = np.zeros((SIZE, SIZE, 3), np.float32)
    for moment in moments:
        matrix = _placement(picture.shape[:2], float(moment), seed, wild=wild)
        total += cv2.warpAffine(
            picture, matrix, (SIZE, SIZE), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP, borderMode=cv2.BORDER_REFLECT
        )
    shown = (total / len(moments)).astype(np.uint8)
    rng = np.random.default_rng((*seed, 10))
    shown = optics.barrel(shown, rng.uniform(0.05, 0.4))
    if wild:
        shown = np.asarray(cv2.GaussianBlur(shown, (0, 0), rng.uniform(0.4, 2.2)), np.uint8)
        return optics.scope_light(shown, rng) if rng.random() < 0.6 else shown
    return shown


def tool(picture: Picture, time: float, *, seed: Seed) -> Picture:
    """An instrument's shaft that comes in from the rim and works with small quick moves."""
    rng = np.random.default_rng((*seed, 20))
    if rng.random() < 0.3:
        return picture
    angle, grey, thickness = rng.uniform(0, 2 * np.pi), rng.uniform(70, 190), int(rng.integers(12, 34))
    reach = 0.25 + 0.2 * _wave(time, (*seed, 21), fastest=1.5)
    sideways = 0.12 * _wave(time, (*seed, 22), fastest=2.5)
    direction = np.array([np.cos(angle), np.sin(angle)])
    across = np.array([-direction[1], direction[0]])
    tip = SIZE * (0.5 + direction * reach + across * sideways)
    base = SIZE * (0.5 + direction * 1.2)
    drawn = picture.copy()
    for share, level in ((1.0, 0.55), (0.6, 1.0), (0.2, 1.3)):  # a round shaft: dark at its sides, a bright line on it
        colour = (min(255.0, grey * level),) * 3
        ends = [tuple(np.round(end).astype(int).tolist()) for end in (tip, base)]
        cv2.line(drawn, ends[0], ends[1], colour, max(1, round(thickness * share)), cv2.LINE_AA)
    return np.asarray(drawn, np.uint8)


def open_part(near: float) -> float:
    """Radius of the sleeve's far end, as a share of the half picture; `near` runs from 0 (closed) to 1 (at the end)."""
    return 0.0 if near < 0.3 else 1.3 * ((near - 0.3) / 0.7) ** 1.5


def sleeve(picture: Picture, radius: float, *, seed: Seed) -> Picture:
    """The picture at the end of a sleeve, dark or brightly lit; radius 0 shows the sleeve alone."""
    rng = np.random.default_rng((*seed, 30))
    centre = rng.uniform(-0.12, 0.12, 2)
    axis = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE * 2 - 1
    distance = np.hypot(axis[None] - centre[0], axis[:, None] - centre[1])
    level = float(
        np.exp(rng.uniform(np.log(8), np.log(230)))
    )  # metal in the dark to white plastic in the scope's light
    rings, tint = rng.uniform(4, 14), rng.uniform(0.9, 1.1, 3)
    around = np.arctan2(axis[:, None] - centre[1], axis[None] - centre[0])
    shine = 0.4 + 0.6 * np.clip(np.cos(around - rng.uniform(0, 2 * np.pi)), 0, 1) ** 2
    wall = level * np.clip(distance, 0.1, 1.2) * shine * (1 + 0.1 * np.sin(distance * rings))
    share = np.clip((radius - distance) / 0.06 + 0.5, 0, 1) if radius > 0 else np.zeros_like(distance)
    shown = picture * share[..., None] + wall[..., None] * tint * (1 - share[..., None])
    return np.asarray(np.clip(shown, 0, 255).astype(np.uint8))


def cloth(picture: Picture, done: float, *, seed: Seed) -> Picture:
    """Gauze or a drape that wipes the lens: it comes, rubs, and goes; far too near to be sharp.

    Args:
        picture: what shows where the cloth is not.
        done: from 0 to 1.
        seed: of the cloth.
    """
    rng = np.random.default_rng((*seed, 40))
    colour = np.array([(225, 228, 230), (150, 120, 40), (120, 135, 60)][int(rng.integers(3))]) * rng.uniform(0.5, 1)
    weave = cv2.resize(rng.random((64, 64)).astype(np.float32), (2 * SIZE, 2 * SIZE))
    rub = int(SIZE / 2 * (1 + np.sin(done * 20 + rng.uniform(0, 6))))
    weave = 0.8 + 0.4 * cv2.GaussianBlur(weave, (0, 0), rng.uniform(1, 6))[rub : rub + SIZE, rub // 2 : rub // 2 + SIZE]
    edge = np.sin(done * np.pi) * 2.4 - 1.2  # covers all of the picture in the middle of the wipe
    angle = rng.uniform(0, 2 * np.pi)
    axis = (np.arange(SIZE, dtype=np.float32) + 0.5) / SIZE * 2 - 1
    position = np.cos(angle) * axis[None] + np.sin(angle) * axis[:, None]
    share = np.clip((edge * 1.5 - position) / 0.3 + 0.5, 0, 1)[..., None]
    return np.asarray(np.clip(picture * (1 - share) + colour * weave[..., None] * share, 0, 255).astype(np.uint8))


class Lens:
    """Dirt, smoke, camera and recorder of one clip."""

    def __init__(self, seed: Seed) -> None:
        rng = np.random.default_rng(seed)
        self._seed = seed
        self._smoke = mishaps.clouds(2 * SIZE, rng, cells=5)
        self._film = mishaps.clouds(SIZE, rng, cells=int(rng.integers(2, 7)))
        self._clean = rng.uniform(0.45, 0.75)  # where the film is thinner than this the lens is free
        self._smoky, self._bloody, self._framed = rng.random() < 0.6, rng.random() < 0.5, rng.random() < 0.8
        self._wide = self._framed and rng.random() < 0.7
        self._noise, self._quality = rng.uniform(0, 6), int(rng.integers(40, 92))
        self._haze, self._grey = rng.uniform(0.3, 0.8), rng.uniform(140, 220)
        self._red = np.array([rng.uniform(5, 40), rng.uniform(5, 40), rng.uniform(90, 190)])

    def record(self, scene: Picture, *, number: int, inside: bool, dirt_age: float) -> Picture:
        """The frame, (256, 256, 3), or (256, 448, 3) with black sides.

        Args:
            scene: (256, 256, 3).
            number: of the frame.
            inside: there is smoke, as from a coagulator.
            dirt_age: seconds since the lens was last clean.
        """
        time = number / 25
        shown = scene.astype(np.float32)
        if self._smoky and inside:
            x, y = (int(SIZE / 2 * (1 + np.sin(time * rate))) for rate in (0.31, 0.23))
            puff = max(0.0, _wave(time, (*self._seed, 1), fastest=0.3))
            density = self._smoke[y : y + SIZE, x : x + SIZE, None] * puff * self._haze
            shown = shown * (1 - density) + self._grey * density
        if self._bloody:
            density = np.clip((self._film - self._clean) * 2.5, 0, 0.8 * min(1.0, dirt_age / 5))[..., None]
            lit = min(1.0, float(shown.mean()) / 90)  # a film on the lens is dark where it is dark around it
            shown = shown * (1 - density) + self._red * lit * density
        frame = mishaps.colours(np.clip(shown, 0, 255).astype(np.uint8), np.random.default_rng((*self._seed, 2)))
        if self._framed:
            frame = optics.border(frame, np.random.default_rng((*self._seed, 3)))
        noise = np.random.default_rng((*self._seed, 4, number)).normal(0, self._noise, frame.shape)
        frame = np.clip(frame + noise, 0, 255).astype(np.uint8)
        if self._wide:
            side = (WIDE - SIZE) // 2
            frame = np.pad(frame, ((0, 0), (side, side), (0, 0)))
        _, data = cv2.imencode(".jpg", frame, [cv2.IMWRITE_JPEG_QUALITY, self._quality])
        return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def _placement(size: tuple[int, ...], time: float, seed: Seed, *, wild: bool) -> NDArray[np.float64]:
    """Matrix from the seen square to the picture at a moment."""
    height, width = size
    rng = np.random.default_rng((*seed, 50))
    share = rng.uniform(0.3, 0.75) if wild else rng.uniform(0.6, 0.8)
    turn = rng.uniform(-np.pi, np.pi) if wild else rng.uniform(-0.4, 0.4)
    fastest = 1.2 if wild else 0.4
    swing = 0.45 if wild else 0.1
    tremor = 0.006 * np.array([_wave(time, (*seed, 53 + i), fastest=8.0) for i in range(2)])
    side = share * min(height, width) * (1 + 0.15 * _wave(time, (*seed, 51), fastest=fastest))
    angle = turn + (0.6 if wild else 0.08) * _wave(time, (*seed, 52), fastest=fastest)
    offset = swing * np.array([_wave(time, (*seed, 55 + i), fastest=fastest) for i in range(2)]) + tremor
    centre = (0.5 + offset) * (width, height)
    scale = side / SIZE
    cos, sin = np.cos(angle) * scale, np.sin(angle) * scale
    half = SIZE / 2
    return np.array([[cos, -sin, centre[0] - (cos - sin) * half], [sin, cos, centre[1] - (sin + cos) * half]])


def _wave(time: float, seed: Seed, *, fastest: float) -> float:
    """A smooth path between about -1 and 1 with frequencies up to `fastest` hertz."""
    rng = np.random.default_rng(seed)
    frequencies = rng.uniform(0.15, 1.0, 4) * fastest
    phases, weights = rng.uniform(0, 2 * np.pi, 4), rng.uniform(0.3, 1.0, 4)
    return float((weights * np.sin(2 * np.pi * frequencies * time + phases)).sum() / weights.sum())
