"""A stand-in for the simulated theatre, without bodies or OpenGL: people are marbles with a painted face.

Their pictures are computed ray by ray, so that ground truth can be worked out by hand.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.cameras.placing import Camera
from or_mv_anon.simulation.rendering.renderer import Picture
from or_mv_anon.simulation.scene import Footprint, MaskState, Placement, RoomPlan, Surface, View
from or_mv_anon.simulation.truth_maker import Subject

FACE_EDGE = 0.8  # cosine of the angle from `forward` within which a marble is face

PLAN = RoomPlan(
    size=(6.4, 5.8, 3.0),
    table=Footprint(0.2, -0.1, 2.0, 0.55, 0.4, 0.9),
    stations={
        "surgeon": Placement(0.2, 0.6, -1.5),
        "anaesthetist": Placement(-1.3, -0.4, 0), "shelf": Placement(2, 2, 1),
    },
    obstacles=(Footprint(-1.7, 0.9, 0.6, 0.6, 0.3, 1.4), Footprint(2.8, 0, 0.5, 2, 0, 1.0)),
    door=Placement(-2, 2.9, -1.57),
    lamps=((0.3, 0, 2.1), (-0.3, 0.4, 2.2)),
)  # fmt: skip


@dataclass
class Marble:
    """A person: a ball with a face."""

    person: int
    centre: tuple[float, float, float]
    radius: float = 0.3
    forward: tuple[float, float, float] = (0.0, -1.0, 0.0)
    mask: MaskState = MaskState.NONE
    speed: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def at(self, time: float) -> NDArray[np.float64]:
        return np.array(self.centre) + time * np.array(self.speed)

    def subject(self, time: float) -> Subject:
        centre, forward = self.at(time), np.array(self.forward)
        rng = np.random.default_rng(self.person)
        directions = rng.normal(size=(400, 3))
        directions /= np.linalg.norm(directions, axis=1, keepdims=True)
        points = centre + self.radius * directions
        face = points[directions @ forward > FACE_EDGE]
        keypoints = np.repeat(centre[None], 26, axis=0)
        keypoints[0] = centre + self.radius * forward
        keypoints[1] = centre - self.radius * forward
        return Subject(
            self.person, keypoints, points, points, face, centre + self.radius * forward, forward, 1, self.mask
        )  # fmt: skip


@dataclass
class MarbleStage:
    """Marbles in front of a chequered backdrop."""

    marbles: Sequence[Marble]
    cameras: Sequence[Camera] = ()
    actions: Sequence[str] = ("roll", "rest")
    descriptions: Sequence[dict[str, Any]] = field(default_factory=list)
    time: float = 0.0
    device: str = "ray by ray"

    def set_time(self, time: float) -> list[Subject]:
        self.time = time
        return [marble.subject(time) for marble in self.marbles]

    def render(self, view: View) -> Picture:
        return self._trace(view, self.marbles)

    def alone(self, view: View, person: int) -> NDArray[np.uint8]:
        return self._trace(view, [marble for marble in self.marbles if marble.person == person]).surface

    def _trace(self, view: View, marbles: Sequence[Marble]) -> Picture:
        x, y = np.meshgrid(np.arange(view.width) + 0.5, np.arange(view.height) + 0.5)
        rays = np.stack([x, y, np.ones_like(x)], -1) @ np.linalg.inv(view.matrix).T @ view.rotation
        depth = np.full(x.shape, np.inf)
        person, surface = np.zeros(x.shape, np.uint8), np.zeros(x.shape, np.uint8)
        chequers = (np.floor(rays[..., 0] * 8) + np.floor(rays[..., 2] * 8)) % 2
        colour = np.repeat((0.1 + 0.3 * chequers)[..., None], 3, axis=2).astype(np.float32)
        for marble in marbles:
            there = view.centre - marble.at(self.time)
            a, b, c = (rays**2).sum(-1), rays @ there, there @ there - marble.radius**2
            inside = np.maximum(b**2 - a * c, 0)
            distance = (-b - np.sqrt(inside)) / a  # along the ray, which advances 1 m of depth per unit
            hit = (b**2 > a * c) & (distance > 0) & (distance < depth)
            normal = (there + distance[..., None] * rays) / marble.radius
            face = normal @ np.array(marble.forward) > FACE_EDGE
            depth[hit] = distance[hit]
            person[hit] = marble.person
            front = Surface.MASK if marble.mask == MaskState.WORN else Surface.FACE
            surface[hit] = np.where(face, front, Surface.BODY)[hit]
            colour[hit] = [0.7, 0.5, 0.3]
        return Picture(colour, person, surface, depth.astype(np.float32))
