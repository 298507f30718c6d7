"""Simulated people looked at from all sides, close up: heads that are nobody's and whose direction is known exactly."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.spatial.transform import Rotation

from or_mv_anon.simulation.clothes.outfits import site_palette
from or_mv_anon.simulation.person import Person, PosedPerson, make_person
from or_mv_anon.simulation.rendering.look import look_at
from or_mv_anon.simulation.rendering.preview import STUDIO_AMBIENT, STUDIO_LIGHTS, filmic
from or_mv_anon.simulation.rendering.renderer import Renderer
from or_mv_anon.simulation.scene import MaskState, Pose, View

ROLES = ("surgeon", "anaesthetist", "circulating_nurse", "student", "patient", "patient")  # patients show hair
DISTANCE = 3.0  # metres from the camera to the head, as in a room
HEAD_HEIGHT = 1.6  # metres above the floor that lights aim at
HEAD_RADIUS = 0.14  # metres around the middle of the head that a region's half side shows before its margin
SCENERY = np.array([0.45, 0.47, 0.48], np.float32)  # behind people where nothing else is asked for, sRGB 0-1


@dataclass(frozen=True)
class Look:
    """From where a head is looked at.

    Attributes:
        yaw: degrees that the face is turned towards the right of the picture; 0 faces the camera.
        pitch: degrees that the camera looks down from above.
        roll: degrees that the picture is turned about its middle.
        light: degrees that the lights are turned about the upright axis.
        exposure: times the usual light.
        mask: how the face mask is worn.
    """

    yaw: float
    pitch: float
    roll: float = 0.0
    light: float = 0.0
    exposure: float = 1.0
    mask: MaskState = MaskState.WORN


@dataclass(frozen=True, eq=False)
class TurnedHead:
    """One look at one simulated person's head.

    Attributes:
        identity: who it is.
        picture: (side, side, 3) uint8 RGB, the head's middle at its centre.
        present: (side, side) mask of the pixels that show the person.
        facing: (3,) unit vector of where the face looks: right and down in the picture, towards the camera.
        keypoints: (26, 2) Halpe-26 in pixels.
        head_px: half the side of the head's region without margin, pixels.
    """

    identity: str
    picture: NDArray[np.uint8]
    present: NDArray[np.bool_]
    facing: NDArray[np.float32]
    keypoints: NDArray[np.float32]
    head_px: float


def turned_heads(seed: int, looks: Sequence[Look], *, side: int, shown: float) -> Iterator[TurnedHead]:
    """Look at one simulated person from several sides.

    Args:
        seed: who it is, what they wear and which role they have.
        looks: from where; neighbours with equal light and mask are cheaper.
        side: of the pictures, pixels.
        shown: side of the pictures ÷ side of the head's region without margin.

    Raises:
        UserError: the extra `sim` or OpenGL is missing.
    """
    person = make_person(ROLES[seed % len(ROLES)], seed, site_palette(seed))
    posed = person.posed(Pose({}, np.eye(4)))
    middle = posed.head_points.mean(axis=0).astype(np.float64)
    with Renderer(shadow_size=256) as renderer:
        loaded = None
        for look in looks:
            if loaded != (look.light, look.mask):
                _load(renderer, person, look)
                loaded = look.light, look.mask
            view = _view(look, middle, side=side, shown=shown)
            rendered = renderer.render(view, exposure=look.exposure)
            yield TurnedHead(
                identity=f"simulated/{seed}",
                picture=filmic(rendered.colour),
                present=rendered.person > 0,
                facing=_facing(view, posed),
                keypoints=view.project(posed.keypoints)[0].astype(np.float32),
                head_px=side / (2 * shown),
            )


def _load(renderer: Renderer, person: Person, look: Look) -> None:
    shown = person.shown(look.mask)
    meshes = [replace(mesh, moves=False) for mesh, here in zip(person.meshes, shown, strict=True) if here]
    turn = Rotation.from_euler("z", look.light, degrees=True)
    x, y, _ = np.concatenate([mesh.vertices for mesh in meshes]).mean(axis=0).tolist()
    lights = [
        replace(light, position=tuple(turn.apply(light.position)), target=(x, y, HEAD_HEIGHT), casts_shadow=False)
        for light in STUDIO_LIGHTS
    ]
    renderer.load(meshes, lights, STUDIO_AMBIENT)


def _view(look: Look, middle: NDArray[np.float64], *, side: int, shown: float) -> View:
    """The camera of a look; people at rest face -y, and z is up."""
    yaw, pitch = np.radians(look.yaw), np.radians(look.pitch)
    towards = np.array([-np.sin(yaw) * np.cos(pitch), -np.cos(yaw) * np.cos(pitch), np.sin(pitch)])
    field = 2 * np.arctan(shown * HEAD_RADIUS / DISTANCE)
    level = look_at(
        (middle + DISTANCE * towards).tolist(), middle.tolist(), width=side, height=side, field_of_view=field
    )
    turn = Rotation.from_euler("z", look.roll, degrees=True).as_matrix()
    return replace(level, rotation=turn @ level.rotation, translation=turn @ level.translation)


def _facing(view: View, posed: PosedPerson) -> NDArray[np.float32]:
    seen = view.rotation @ posed.face_forward
    return np.array([seen[0], seen[1], -seen[2]], np.float32)
