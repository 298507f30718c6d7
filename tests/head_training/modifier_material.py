"""Small made-up heads: brightness gradients whose direction stands for where a head faces."""

from __future__ import annotations

import numpy as np

from or_mv_anon.head_training.directions import directions
from or_mv_anon.head_training.frames import ActionFrame
from or_mv_anon.head_training.head_pictures import Head
from or_mv_anon.head_training.material import Material

SIDE = 32
CODES = 4


def made_up_head(rng: np.random.Generator, *, kind: int, identity: str = "", action: int = -1) -> Head:
    """A head whose picture is bright on the side that it faces."""
    facing = directions(CODES)[kind]
    y, x = np.mgrid[-1:1:48j, -1:1:48j]
    light = 120 + 60 * (facing[0] * x + (0.8 if facing[2] > 0 else -0.8) * y)
    picture = np.clip(light[..., None] + rng.normal(0, 6, (48, 48, 3)), 0, 255).astype(np.uint8)
    acting = action >= 0
    return Head(
        source="made up",
        picture=picture,
        region=np.float32([8, 8, 40, 40]),
        inside=np.float32([0, 0, 48, 48]),
        identity=identity,
        landmarks=np.float32([[18, 20], [30, 20], [24, 24], [20, 30], [28, 30]]) if identity else None,
        person=rng.integers(0, 255, (128, 96, 3), np.uint8) if acting else None,
        person_box=np.float32([-20, 0, 80, 140]) if acting else None,
        action=action,
        facing=facing,
    )


def made_up_material(seed: int = 0) -> Material:
    """Heads of three people, and simulated ones who act."""
    rng = np.random.default_rng(seed)
    kinds = [row % CODES for row in range(24)]
    return Material(
        real=[made_up_head(rng, kind=kind, identity=f"p{row % 3}") for row, kind in enumerate(kinds)],
        simulated=[made_up_head(rng, kind=kind, action=row % 2) for row, kind in enumerate(kinds)],
        held_out=[made_up_head(rng, kind=kind, identity=f"q{kind}") for kind in range(CODES)],
        elsewhere=[made_up_head(rng, kind=kind, action=kind % 2) for kind in range(CODES)],
        actions=("stand", "walk"),
    )


def made_up_frame(seed: int = 0) -> ActionFrame:
    """A frame with one person, whose head is bright."""
    rng = np.random.default_rng(seed)
    return ActionFrame(
        picture=rng.integers(0, 255, (96, 128, 3), np.uint8),
        person_box=np.float32([[20, 10, 60, 90]]),
        action=np.array([1]),
        heads=(made_up_head(rng, kind=0, action=1),),
        head_region=np.float32([[28, 10, 52, 34]]),
    )
