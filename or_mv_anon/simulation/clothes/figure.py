"""The measures of a body as a tailor takes them: where the neck, the arms and the legs begin and how long they are.

Garments are outlined by fields over places on the body at rest: positive where there is cloth, zero at its hem, about
in metres. The same field cuts the cloth and says which skin it hides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from or_mv_anon.simulation.bodies.body import Body
from or_mv_anon.simulation.clothes.cloth import Cloth, Points

Field = Callable[[Points, Any], Points]
"""Positions (N, 3) in the body frame and their skinning weights (N, B) to metres inside the outline, (N,)."""

_AVERAGE_HEIGHT = 1.65
_FAR = 1.0  # metres, stands for 'nowhere near that hem'
_THIGHS_PULL = 0.2
_ARM_BONES = ("upperarm", "lowerarm", "wrist", "finger", "metacarpal")
_HAND_BONES = ("wrist", "finger", "metacarpal")


@dataclass(frozen=True, eq=False)
class Figure:
    """A body to be clothed."""

    body: Body

    def joint(self, label: str) -> Points:
        """Where a bone begins at rest, (3,) metres."""
        return np.asarray(self.body.rest_bones[self.body.labels.index(label), :3, 3], np.float64)

    @cached_property
    def scale(self) -> float:
        """Height over that of an average adult."""
        return float(self.body.vertices[self.body.skin, 2].max() / _AVERAGE_HEIGHT)

    @cached_property
    def crotch(self) -> float:
        """Height where the legs part, metres: the lowest of what hangs between them."""
        tights = self.tights.vertices
        hips = self.joint("upperleg01.L")[2]
        middle = (np.abs(tights[:, 0]) < 0.012 * self.scale) & (tights[:, 2] > hips - 0.25) & (tights[:, 2] < hips)
        return float(tights[middle, 2].min())

    @cached_property
    def tights(self) -> Cloth:
        """The helper surface that wraps the body from neck to toes, as it is."""
        return self.group("helper-tights")

    @cached_property
    def fine_tights(self) -> Cloth:
        """The wrapping surface with every triangle in four: enough for folds."""
        return self.tights.subdivided()

    @cached_property
    def thighs(self) -> Cloth:
        """The wrapping surface as skirts move with it: some of what shins and feet would pull, the thighs pull."""
        labels = self.body.labels
        pull = sparse.identity(len(labels), format="lil")
        for side in (".L", ".R"):
            thigh = labels.index(f"upperleg02{side}")
            for bone, label in enumerate(labels):
                if label.startswith(("lowerleg", "foot", "toe")) and label.endswith(side):
                    pull[bone, bone], pull[bone, thigh] = 1 - _THIGHS_PULL, _THIGHS_PULL
        return replace(self.tights, weights=(self.tights.weights @ pull.tocsr()).tocsr())

    def group(self, name: str) -> Cloth:
        """The surface of a named group of the base mesh."""
        return Cloth.taken(self.body.vertices, self.body.groups[name].triangles, self.body.weights)

    def share(self, weights: Any, prefixes: tuple[str, ...], side: str = "") -> Points:
        """How much (N,) of the skinning belongs to the bones whose names begin so, of one side (".L") or of both."""
        picked = [b for b, label in enumerate(self.body.labels) if label.startswith(prefixes) and label.endswith(side)]
        return np.asarray(weights.tocsc()[:, picked].sum(axis=1), np.float64).ravel()

    def arm_share(self, weights: Any, side: str = "") -> Points:
        """How much (N,) of the skinning belongs to the arms with their hands."""
        return self.share(weights, _ARM_BONES, side)

    def hand_share(self, weights: Any, side: str = "") -> Points:
        """How much (N,) of the skinning belongs to the hands."""
        return self.share(weights, _HAND_BONES, side)

    def along_arm(self, points: Points, weights: Any) -> Points:
        """Where on its arm each point is, (N,): 0 shoulder joint, 1 elbow, 2 wrist, beyond in forearms; trunk: −1."""
        result = np.full(len(points), -1.0)
        for side in (".L", ".R"):
            on_arm = self.arm_share(weights, side) > 0.5
            shoulder, elbow = self.joint(f"upperarm01{side}"), self.joint(f"lowerarm01{side}")
            wrist = self.joint(f"wrist{side}")
            result = np.where(on_arm, _past_joint(points, shoulder, elbow, wrist), result)
        return result

    def until_arm(self, place: float) -> Field:
        """Inside: everything but the arms beyond a place (see `along_arm`)."""
        length = float(np.linalg.norm(self.joint("wrist.L") - self.joint("lowerarm01.L")))

        def field(points: Points, weights: Any) -> Points:
            along = self.along_arm(points, weights)
            return np.where(along < 0, _FAR, (place - along) * length)

        return field

    def beyond_arm(self, place: float) -> Field:
        """Inside: the arms from a place on, with the hands."""
        until = self.until_arm(place)
        return lambda points, weights: -until(points, weights)

    def above(self, height: float) -> Field:
        """Inside: what is higher than so many metres above the soles at rest, and the arms."""

        def field(points: Points, weights: Any) -> Points:
            return np.where(self.arm_share(weights) > 0.5, _FAR, points[:, 2] - height)

        return field

    def below(self, height: float) -> Field:
        """Inside: what is lower than so many metres above the soles at rest, without the arms."""
        above = self.above(height)
        return lambda points, weights: -above(points, weights)

    def neckline(self, *, front: float, back: float, side: float, slope: float) -> Field:
        """Inside: what is below a neckline.

        Args:
            front: height of its lowest point in front, over the root of the neck, times the figure's scale; metres.
            back: the same at the nape.
            side: half of its width on the shoulders.
            slope: how steeply a V rises from its point, metres per metre; large values make it round.
        """
        root = self.joint("neck01")
        scale = self.scale

        def field(points: Points, weights: Any) -> Points:
            away = np.abs(points[:, 0]) / scale
            front_line = front + slope * away
            back_line = back + 2.5 * np.maximum(away - 0.5 * side, 0) ** 1.5
            behind = np.clip((points[:, 1] - root[1]) / (0.05 * scale) + 0.5, 0, 1)
            behind = behind**2 * (3 - 2 * behind)
            line = root[2] + scale * ((1 - behind) * front_line + behind * back_line)
            rise = line - points[:, 2]
            # past its ends on the shoulders there is no neckline any more, but the head is never inside
            beyond = (away - side) * scale - 10 * np.maximum(points[:, 2] - root[2] - 0.06 * scale, 0)
            return np.where(self.arm_share(weights) > 0.5, _FAR, np.maximum(rise, np.minimum(beyond * 2, _FAR)))

        return field


def meet(*fields: Field) -> Field:
    """Inside of all of the outlines."""
    return lambda points, weights: np.min([field(points, weights) for field in fields], axis=0)


def inside(field: Field, cloth: Cloth) -> Points:
    """The field (V,) at the vertices of a cloth."""
    return np.asarray(field(cloth.vertices, cloth.weights), np.float64)


def _past_joint(points: Points, start: Points, joint: Points, end: Points) -> Points:
    """Place (N,) along two bones: 0 start, 1 joint, 2 end; without a step where the bones meet."""
    first, second = joint - start, end - joint
    halfway = _unit(_unit(first) + _unit(second))
    past = (points - joint) @ halfway
    straight = np.clip(np.abs(past) / (0.4 * np.linalg.norm(first)), 0, 1)
    bone = np.where(past > 0, (points - joint) @ second / (second @ second), (points - joint) @ first / (first @ first))
    near = past / np.where(past > 0, np.linalg.norm(second), np.linalg.norm(first))
    return np.asarray(np.maximum(1 + straight * bone + (1 - straight) * near, 0.0))


def _unit(vector: NDArray[Any]) -> NDArray[Any]:
    return np.asarray(vector / np.linalg.norm(vector))
