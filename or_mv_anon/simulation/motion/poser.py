"""From a posture to the rotations of all bones: trunk, legs and arms solved so that feet stand and hands arrive."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.bodies.rotations import about, axis_angle, facing, length, turn, unit
from or_mv_anon.simulation.bodies.skeleton import Skeleton
from or_mv_anon.simulation.motion.limbs import Limb, arm, leg, reach_for, spread_twist
from or_mv_anon.simulation.motion.posture import Foot, Hand, Posture
from or_mv_anon.simulation.scene import Pose

Array = NDArray[np.float64]
SIDES = ("L", "R")
SPINE = {"spine05": 0.2, "spine04": 0.25, "spine03": 0.25, "spine02": 0.2, "spine01": 0.1}  # shares of a bend
NECK = {"neck01": 0.15, "neck02": 0.15, "neck03": 0.15, "head": 0.55}  # shares of a turn of the head
PELVIS_SHARE = 0.45  # of a lean that happens at the hips
HIPS_BACK = 0.16  # metres that the hips go back per sine of the lean, for balance
HEAD_YAW, HEAD_UP, HEAD_DOWN = math.radians(75), math.radians(40), math.radians(55)  # neck's limits from the chest
HEAD_SHARE = 0.88  # of the way to what is looked at that the head turns; the eyes do the rest
EYE_LIMIT = math.radians(25)
MOST_LEAN = math.radians(75)
MOST_EFFORT = 1.9  # radians of leaning, or stooping once leaning is not enough, to reach something
LEAN_EFFORT = 1.2  # the same for what is not low
STOOP_FADES = 0.3  # metres below the hips over which something becomes low
EFFORTS_TRIED = 9
HANGING = 0.93  # share of the arm's reach at which the wrist of a hanging arm is
STOOP_FROM, STOOP = 0.6, 0.4  # effort from which knees bend, and metres that they bend per effort
ARM_EASE = 0.94  # share of the arm's reach that a reaching person is content with before leaning more
KNEE_EASE = 0.992  # share of the leg's full length that a standing leg has
SOFTNESS = 0.008  # metres over which the pelvis passes from one leg's limit to the other's


class Poser:
    """Solves postures for one skeleton."""

    def __init__(self, skeleton: Skeleton, fingers: Mapping[str, tuple[Array, Array]] | None = None) -> None:
        """Take a skeleton and, per finger bone, its rotations in a relaxed and in a gripping hand."""
        self.skeleton = skeleton
        self.arms: tuple[Limb, Limb] = (arm(skeleton, "L"), arm(skeleton, "R"))
        self.legs: tuple[Limb, Limb] = (leg(skeleton, "L"), leg(skeleton, "R"))
        self.shoulder_height = float(skeleton.rest_joint("upperarm01.L")[2])
        self.hip_height = float(skeleton.rest_joint("upperleg01.L")[2])
        self._eyes: Array = (skeleton.rest_joint("eye.L") + skeleton.rest_joint("eye.R")) / 2
        self.eye_height = float(self._eyes[2])
        spine = np.array([skeleton.rest_joints[0], *(skeleton.rest_joint(label) for label in SPINE)])
        self._spine: Array = np.diff(spine, axis=0)
        self._top: Array = spine[-1]
        self.ankle_height = float(skeleton.rest_joint("foot.L")[2])
        self.ball_forward = float(skeleton.rest_joint("foot.L")[1] - skeleton.rest_joint("toe2-1.L")[1])
        self.heel_back = 0.45 * self.ankle_height + 0.02
        self._fingers = {
            label: (axis_angle(relaxed), axis_angle(gripping))
            for label, (relaxed, gripping) in (fingers or {}).items()
            if label in skeleton
        }
        self._toes = [
            [f"toe{toe}-1.{side}" for toe in range(1, 6) if f"toe{toe}-1.{side}" in skeleton] for side in SIDES
        ]

    def pose(self, posture: Posture) -> Pose:
        """The bones of a body in that posture; what hands cannot reach they approach."""
        rotations, root = self._trunk(posture)
        self._look(rotations, root, posture)
        upright = facing(posture.heading)
        floor = np.array([posture.x, posture.y, 0.0])
        chest, _ = self._chest(rotations)
        for number, hand in enumerate(posture.hands):
            shoulder = self._in_chest(rotations, self.arms[number].ends[0])
            wanted = self._wrist(number, posture, root[:3, :3] @ shoulder + root[:3, 3], upright, floor)
            target = root[:3, :3].T @ (wanted - root[:3, 3])
            rotations.update(self._arm(number, hand, chest, shoulder, target))
        for number, foot in enumerate(posture.feet):
            rotations.update(self._leg(number, foot, root))
        return Pose(rotations, root)

    def reaching(self, posture: Posture) -> Posture:
        """The posture with as much lean, twist and stoop added as brings the points in front within the arms' reach."""
        busy = [number for number, hand in enumerate(posture.hands) if hand.weight > 0.01 and hand.point[1] < 0]
        if not busy:
            return posture
        ahead = np.sum(
            [posture.hands[number].weight * unit(posture.hands[number].point * [1, 1, 0]) for number in busy], axis=0
        )
        azimuth = math.atan2(float(ahead[0]), max(-float(ahead[1]), 0.2))

        lowest = min(float(posture.hands[number].point[2]) for number in busy)
        low = min(max((self.hip_height - lowest) / STOOP_FADES, 0.0), 1.0)  # knees bend for low things only
        most = LEAN_EFFORT + low * (MOST_EFFORT - LEAN_EFFORT)

        def bent(extra: float) -> Posture:
            return replace(
                posture,
                lean=max(min(posture.lean + extra * math.cos(azimuth), MOST_LEAN), posture.lean),
                side=posture.side + 0.7 * min(extra, 0.8) * math.sin(azimuth),
                twist=posture.twist + 0.5 * min(extra, 0.8) * azimuth,
                drop=posture.drop + low * STOOP * max(extra - STOOP_FROM, 0.0),
            )

        before = self._lacking(posture, busy)
        best = 0.0
        if before <= 0:
            return posture
        for extra in np.linspace(0, most, EFFORTS_TRIED)[1:]:
            lacking = self._lacking(bent(extra), busy)
            if lacking <= 0:
                step = most / (EFFORTS_TRIED - 1)
                return bent(extra - step * lacking / (lacking - before))
            if lacking > before:  # out of reach: leaning more only goes down
                break
            before, best = lacking, float(extra)
        return bent(best)

    def _trunk(self, posture: Posture) -> tuple[dict[str, Array], Array]:
        """Spine rotations and the root (4, 4)."""
        lean, side = posture.lean, posture.side
        pelvis = turn("x", PELVIS_SHARE * lean) @ turn("y", PELVIS_SHARE * side)
        bend = turn("z", posture.twist) @ turn("y", (1 - PELVIS_SHARE) * side) @ turn("x", (1 - PELVIS_SHARE) * lean)
        axis, angle = axis_angle(bend)
        rotations = {label: about(axis, angle * share) for label, share in SPINE.items()}
        rotations["spine02"] = rotations["spine02"] @ turn("x", -0.012 * posture.breath)
        upright = facing(posture.heading)
        root = np.eye(4)
        root[:3, :3] = upright @ pelvis
        middle = (self.legs[0].ends[0] + self.legs[1].ends[0]) / 2
        hips = np.array([posture.shift - HIPS_BACK * math.sin(side), posture.back + HIPS_BACK * math.sin(lean), 0.0])
        place = np.array([posture.x, posture.y, 0.0]) + upright @ hips
        place[2] = self._hip_height(posture, root[:3, :3], place)
        root[:3, 3] = place - root[:3, :3] @ middle + upright @ np.array([0.0, middle[1], 0.0])
        return rotations, root

    def _hip_height(self, posture: Posture, turned: Array, hips: Array) -> float:
        """Height of the middle of the hips: as both legs allow it, less the wanted drop."""
        limits = []
        half = (self.legs[0].ends[0] - self.legs[1].ends[0]) / 2
        for number, foot in enumerate(posture.feet):
            hip = turned @ (half if number == 0 else -half)
            ankle = self._ankle(foot)
            away = hips[:2] + hip[:2] - ankle[:2]
            most = KNEE_EASE * self.legs[number].reach
            limits.append(float(ankle[2] - hip[2]) + math.sqrt(max(most**2 - float(away @ away), 0.01)))
        lowest = min(limits)
        soft = lowest - SOFTNESS * math.log(sum(math.exp(-(limit - lowest) / SOFTNESS) for limit in limits))
        return max(soft - posture.drop, self.ankle_height + 0.15)

    def _lacking(self, posture: Posture, busy: list[int]) -> float:
        """Metres by which the farther of the wanted points is out of the arms' comfortable reach."""
        rotations, root = self._trunk(posture)
        upright = facing(posture.heading)
        floor = np.array([posture.x, posture.y, 0.0])
        found = []
        for number in busy:
            shoulder = root[:3, :3] @ self._in_chest(rotations, self.arms[number].ends[0]) + root[:3, 3]
            wanted = self._wrist(number, posture, shoulder, upright, floor)
            found.append(length(shoulder - wanted) - ARM_EASE * self.arms[number].reach)
        return max(found)

    def _chest(self, rotations: Mapping[str, Array]) -> tuple[Array, Array]:
        """Rotation (3, 3) of the chest and where its lowest joint is (3,), in the body frame."""
        turned, place = np.eye(3), self.skeleton.rest_joints[0]
        for label, offset in zip(SPINE, self._spine, strict=True):
            place = place + turned @ offset
            turned = turned @ rotations[label]
        return turned, place

    def _in_chest(self, rotations: Mapping[str, Array], rest: Array) -> Array:
        """Where the spine's turns bring a rest point of the chest, (3,) in the body frame."""
        turned, place = self._chest(rotations)
        return place + turned @ (rest - self._top)

    def _look(self, rotations: dict[str, Array], root: Array, posture: Posture) -> None:
        """Turn neck, head and eyes to where the posture looks."""
        chest = root[:3, :3]
        for label in SPINE:
            chest = chest @ rotations[label]
        upright = facing(posture.heading)
        eyes = root[:3, :3] @ self._in_chest(rotations, self._eyes) + root[:3, 3]
        floor = np.array([posture.x, posture.y, 0.0])
        seen = chest.T @ (floor + upright @ posture.gaze - eyes)
        yaw = math.atan2(float(seen[0]), -float(seen[1]))
        pitch = math.atan2(-float(seen[2]), math.hypot(float(seen[0]), float(seen[1])))
        head_yaw = min(max(HEAD_SHARE * yaw, -HEAD_YAW), HEAD_YAW)
        head_pitch = min(max(HEAD_SHARE * pitch, -HEAD_UP), HEAD_DOWN)
        axis, angle = axis_angle(turn("z", head_yaw) @ turn("x", head_pitch))
        for label, share in NECK.items():
            rotations[label] = about(axis, angle * share)
        eye_yaw = min(max(yaw - head_yaw, -EYE_LIMIT), EYE_LIMIT)
        eye_pitch = min(max(pitch - head_pitch, -EYE_LIMIT), EYE_LIMIT)
        for name in SIDES:
            rotations[f"eye.{name}"] = turn("z", eye_yaw) @ turn("x", eye_pitch)

    def _wrist(self, number: int, posture: Posture, shoulder: Array, upright: Array, floor: Array) -> Array:
        """Where a wrist is wanted, (3,) world: between the hand's point and the end of a hanging, swinging arm."""
        hand = posture.hands[number]
        outward = 1 if number == 0 else -1
        swing = outward * posture.swing
        hanging = (HANGING - 0.02 * abs(swing)) * self.arms[number].reach
        angle = 0.08 + 0.45 * swing
        down = upright @ unit(np.array([outward * 0.22, -math.sin(angle), -math.cos(angle)]))
        return np.asarray(
            hand.weight * (floor + upright @ hand.point) + (1 - hand.weight) * (shoulder + hanging * down)
        )

    def _arm(self, number: int, hand: Hand, chest: Array, shoulder: Array, target: Array) -> dict[str, Array]:
        """Rotations of one arm whose wrist shall come to a target in the body frame."""
        name = SIDES[number]
        outward = 1 if number == 0 else -1
        hint = chest @ np.array([outward * (0.35 + hand.elbow), 0.75 - 0.5 * hand.weight, -0.9])
        upper, lower = reach_for(self.arms[number], shoulder, target, hint)
        rotations = spread_twist(self.skeleton, name, chest.T @ upper)
        forearm = self.skeleton.rest_joint(f"wrist.{name}") - self.skeleton.rest_joint(f"lowerarm02.{name}")
        pronation = -outward * hand.pronation * hand.weight
        rotations[f"lowerarm01.{name}"] = upper.T @ lower
        rotations[f"lowerarm02.{name}"] = about(forearm, 0.6 * pronation)
        rotations[f"wrist.{name}"] = about(forearm, 0.4 * pronation)
        for label, (relaxed, gripping) in self._fingers.items():
            if label.endswith(name):
                vector = (1 - hand.grip) * relaxed[0] * relaxed[1] + hand.grip * gripping[0] * gripping[1]
                rotations[label] = about(vector, length(vector))
        return rotations

    def _ankle(self, foot: Foot) -> Array:
        """Where the ankle of a foot is, (3,) world: raised heels turn the foot about its ball, toes about its heel."""
        pivot = np.array([0.0, -self.ball_forward if foot.pitch > 0 else self.heel_back, 0.0])
        turned = turn("x", foot.pitch) @ (np.array([0.0, 0.0, self.ankle_height]) - pivot) + pivot
        return foot.place + facing(foot.heading) @ turned

    def _leg(self, number: int, foot: Foot, root: Array) -> dict[str, Array]:
        """Rotations of one leg that bring its foot to its place."""
        name = SIDES[number]
        outward = 1 if number == 0 else -1
        inverse = root[:3, :3].T
        target = inverse @ (self._ankle(foot) - root[:3, 3])
        hint = inverse @ facing(foot.heading) @ np.array([outward * 0.12, -1.0, 0.0])
        upper, lower = reach_for(self.legs[number], self.legs[number].ends[0], target, hint)
        sole = inverse @ facing(foot.heading) @ turn("x", foot.pitch)
        rotations = {
            f"upperleg01.{name}": upper,
            f"lowerleg01.{name}": upper.T @ lower,
            f"foot.{name}": lower.T @ sole,
        }
        flat = turn("x", -max(foot.pitch, 0.0))
        rotations.update({toe: flat for toe in self._toes[number]})
        return rotations
