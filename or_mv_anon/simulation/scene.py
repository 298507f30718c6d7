"""The data that flows through the simulator: meshes, materials, lights, poses, the room's plan and pinhole views.

World frame: metres, right-handed, z up, the floor at z = 0, the origin at the middle of the floor. Body frame: metres,
z up, the person faces −y, the person's left hand is at +x, the soles at z = 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]


class Surface(IntEnum):
    """What a rendered pixel shows; with the person's number it is the whole ground truth of a pixel."""

    ROOM = 0
    BODY = 1  # clothes and skin below the head
    HEAD = 2  # cap, hair, ears, neck: the head without its face
    FACE = 3  # bare face: skin from forehead to chin in front of the ears, eyes, brows, glasses
    MASK = 4  # a worn face mask, over the face


class MaskState(IntEnum):
    """How somebody wears the surgical mask."""

    NONE = 0
    WORN = 1
    PULLED_DOWN = 2  # under the chin: the face is bare


@dataclass(frozen=True, eq=False)
class Material:
    """How a surface looks. Colours are linear RGB 0..1; a texture is sRGB uint8 (H, W, 3 or 4) and multiplies it."""

    colour: tuple[float, float, float] = (0.8, 0.8, 0.8)
    texture: NDArray[np.uint8] | None = None
    roughness: float = 0.8
    specular: float = 0.3
    cloth: float = 0.0  # strength of the woven, folded look, 0 none to 1 strong
    cloth_scale: float = 1.0  # folds per 10 cm, about
    translucency: float = 0.0  # light wrapping around, for skin and thin cloth
    emission: float = 0.0  # times the colour
    alpha_cutoff: float = 0.0  # texture alpha below this is a hole; 0 ignores alpha
    casts_shadow: bool = True


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles with one material. People's meshes hold rest positions; they are moved by skinning."""

    vertices: Floats  # (V, 3) metres
    triangles: NDArray[np.int32]  # (T, 3), counter-clockwise seen from outside
    material: Material
    normals: Floats | None = None  # (V, 3) unit; None: computed from the triangles
    uv: Floats | None = None  # (V, 2), v upwards
    person: int = 0  # 0 belongs to the room, people count from 1
    surface: Surface = Surface.ROOM
    moves: bool = False


@dataclass(frozen=True)
class Light:
    """A spot light with a soft edge and, when it casts one, a soft shadow."""

    position: tuple[float, float, float]
    target: tuple[float, float, float]
    colour: tuple[float, float, float]  # linear radiant intensity, 1 lights a white wall at 1 m fully
    cone: float  # full opening angle, radians
    softness: float = 0.2  # share of the cone over which it fades
    radius: float = 0.1  # metres, of the emitting disc: how soft its shadow is
    casts_shadow: bool = True


@dataclass(frozen=True)
class Pose:
    """A posed skeleton.

    Attributes:
        rotations: per bone label a (3, 3) rotation about its joint, in body axes carried along by the parent bone
            (global rotation of a bone = that of its parent times this); bones left out are not turned.
        root: (4, 4) world from body.
    """

    rotations: Mapping[str, NDArray[Any]]
    root: NDArray[Any]


@dataclass(frozen=True)
class Placement:
    """A place on the floor and the direction that somebody or something there faces."""

    x: float
    y: float
    heading: float  # radians, counter-clockwise from +x, of the direction faced


@dataclass(frozen=True)
class Footprint:
    """An upright box that nobody walks through, and that can hide people from cameras."""

    x: float
    y: float
    length: float  # along the heading
    width: float
    heading: float
    height: float  # of its top above the floor


@dataclass(frozen=True)
class RoomPlan:
    """Where things are: what motion and cameras need to know of a room."""

    size: tuple[float, float, float]  # x, y, z extent; the walls are at ±size/2
    table: Footprint  # heading: from the feet to the head of the patient; height: of its top
    stations: Mapping[str, Placement]  # where roles stand, see motion
    obstacles: tuple[Footprint, ...]
    door: Placement  # on the wall, facing into the room
    lamps: tuple[tuple[float, float, float], ...]  # centres of the surgical lamps, obstacles for cameras' sight
    surfaces: Mapping[str, Footprint] = field(default_factory=dict)  # what hands reach for: trolley, mayo, machine...


@dataclass(frozen=True, eq=False)
class View:
    """A pinhole camera. Camera frame as in OpenCV: x right, y down, z forward; pixel centres at half-integers."""

    width: int
    height: int
    matrix: NDArray[np.float64]  # (3, 3), fx 0 cx; 0 fy cy; 0 0 1
    rotation: NDArray[np.float64]  # (3, 3), camera from world
    translation: NDArray[np.float64]  # (3,)

    def project(self, points: NDArray[Any]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Pixels (N, 2) and depths (N,) in metres of world points (N, 3); behind the camera the depth is negative."""
        inside = np.asarray(points, np.float64) @ self.rotation.T + self.translation
        image = inside @ self.matrix.T
        return image[:, :2] / image[:, 2:], inside[:, 2]

    @property
    def centre(self) -> NDArray[np.float64]:
        """The camera's position in the world, (3,)."""
        return np.asarray(-self.rotation.T @ self.translation)
