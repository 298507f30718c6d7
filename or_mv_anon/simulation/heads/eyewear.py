"""Glasses, safety glasses and surgical loupes: frames only, since a clear lens hides no face from a camera."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.bodies.body import Body
from or_mv_anon.simulation.bodies.part import Part
from or_mv_anon.simulation.bodies.surfaces import tube, vertex_normals
from or_mv_anon.simulation.heads.head_frame import EAR_TOP, average_head, rigid_with_head
from or_mv_anon.simulation.scene import Material, Mesh, Surface

EYEWEAR = ("glasses", "safety", "loupes")
Linear = tuple[float, float, float]
_Piece = tuple[NDArray[np.float64], NDArray[np.int32]]


def eyewear_parts(body: Body, kind: str, colour: Linear) -> list[Part]:
    """One part 'eyewear', one of `EYEWEAR`, its frame in a linear colour."""
    eyes = {side: _eye_front(body, side) for side in (-1.0, 1.0)}
    thick = {"glasses": 0.0030, "safety": 0.0024, "loupes": 0.0028}[kind]
    half = {"glasses": (0.0245, 0.0185), "safety": (0.031, 0.023), "loupes": (0.026, 0.020)}[kind]
    pieces: list[_Piece] = []
    inner, outer = {}, {}
    for side, eye in eyes.items():
        middle = eye + np.array([side * (half[0] - 0.0240), -0.013, -0.002])
        turn = np.arange(28) * 2 * np.pi / 28
        x = half[0] * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** 0.8
        z = half[1] * np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** 0.8
        outwards = np.clip(side * x, 0, None)
        rim = middle + np.stack([x, 9 * outwards**2, z], -1)
        pieces.append(tube(rim, width=thick, height=thick, outward=np.array([0, -1.0, 0]), closed=True)[:2])
        inner[side] = rim[np.argmin(side * rim[:, 0] - 0.5 * rim[:, 2])]
        outer[side] = rim[np.argmax(side * rim[:, 0] + 0.2 * rim[:, 2])]
        pieces.append(_temple(body, side, outer[side], thick))
        if kind == "loupes":
            pieces.extend(_barrel(middle + np.array([-side * 0.003, 0, -0.004])))
    arch = np.linspace(0, 1, 7)[:, None]
    bridge = inner[-1.0] * (1 - arch) + inner[1.0] * arch + np.array([0, -0.004, 0.003]) * np.sin(np.pi * arch)
    pieces.append(tube(bridge, width=thick, height=thick, outward=np.array([0, -1.0, 0]))[:2])
    vertices, triangles = _joined(pieces)
    look = Material(colour, roughness=0.35, specular=0.5)
    mesh = Mesh(vertices, triangles, look, vertex_normals(vertices, triangles), surface=Surface.FACE, moves=True)
    return [Part("eyewear", mesh, rigid_with_head(body, len(vertices)))]


def _eye_front(body: Body, side: float) -> NDArray[np.float64]:
    """The foremost point (3,) of the eyeball on the side (+1 left)."""
    ball = body.vertices[body.groups["helper-l-eye" if side > 0 else "helper-r-eye"].triangles].reshape(-1, 3)
    middle = (ball.min(0) + ball.max(0)) / 2
    return np.array([middle[0], ball[:, 1].min(), middle[2]], np.float64)


def _temple(body: Body, side: float, hinge: NDArray[np.float64], thick: float) -> _Piece:
    """The arm from the frame over the ear."""
    head = average_head()
    ears = np.flatnonzero(head.ears & (head.points[:, 0] * side > 0))
    target = EAR_TOP * np.array([side, 1, 1])
    ear = body.vertices[ears[np.argmin(np.linalg.norm(head.points[ears] - target, axis=1))]].astype(np.float64)
    rest = ear + np.array([-side * 0.002, 0.004, 0.004])
    corner = hinge + np.array([side * 0.004, 0.005, 0.0])
    path = np.stack([hinge, corner, (corner + rest) / 2 + np.array([side * 0.003, 0, 0]), rest])
    path = np.concatenate([path, rest + np.array([[-side * 0.002, 0.016, -0.008], [-side * 0.004, 0.024, -0.022]])])
    return tube(path, width=thick, height=thick * 0.6, outward=np.array([side, 0, 0.0]))[:2]


def _barrel(middle: NDArray[np.float64]) -> list[_Piece]:
    """A magnifying telescope, tilted down towards the hands."""
    axis = np.array([0.0, -0.93, -0.36])
    line = middle + axis * np.array([0.0, 0.012, 0.0121, 0.030])[:, None]
    pieces = []
    for start, radius in ((0, 0.0085), (2, 0.0105)):
        vertices, triangles, _ = tube(
            line[start : start + 2], width=2 * radius, height=2 * radius, outward=np.array([0, 0, 1.0]), sides=12
        )
        pieces.append((vertices, triangles))
    rim = pieces[-1][0][-12:]
    fan = np.stack([np.zeros(10, np.int32), np.arange(1, 11), np.arange(2, 12)], -1).astype(np.int32)
    pieces.append((rim - axis * 0.002, fan[:, ::-1].copy()))
    return pieces


def _joined(pieces: list[_Piece]) -> tuple[NDArray[np.float32], NDArray[np.int32]]:
    starts = np.cumsum([0] + [len(vertices) for vertices, _ in pieces[:-1]])
    vertices = np.concatenate([vertices for vertices, _ in pieces]).astype(np.float32)
    triangles = np.concatenate([faces + start for (_, faces), start in zip(pieces, starts, strict=True)])
    return vertices, triangles.astype(np.int32)
