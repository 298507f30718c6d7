"""Forward kinematics: from a pose's bone rotations to joints in the room and to the matrices that move the skin.

A bone is the point about which it turns (its joint) and its parent; what rest orientation a body model gives its bones
does not matter here, because a pose turns them in body axes (see `scene.Pose`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.scene import Pose

Array = NDArray[np.float64]


class Skeleton:
    """A tree of bones at rest.

    Attributes:
        labels: name of each of the B bones.
        parents: index of each bone's parent, which comes earlier in the list; -1 for the first bone, the root.
        rest: (B, 4, 4) rest poses of the bones in the body frame; only their places are used.
        rest_joints: (B, 3) the places alone, metres.
    """

    def __init__(self, labels: Sequence[str], parents: Sequence[int], rest: NDArray[Any]) -> None:
        """Take the tree of a body; raises ValueError when it is not a tree in which parents come first."""
        self.labels = tuple(labels)
        self.parents = np.asarray(parents, np.intp)
        self.rest = np.asarray(rest, np.float64)
        count = len(self.labels)
        if self.rest.shape != (count, 4, 4) or self.parents.shape != (count,):
            raise ValueError(
                f"expected {count} parents and rest poses (4, 4), got {self.parents.shape}, {self.rest.shape}"
            )
        if self.parents[0] != -1 or (self.parents[1:] < 0).any() or (self.parents >= np.arange(count)).any():
            raise ValueError("expected one root, the first bone, and every parent before its children")
        self.rest_joints: Array = self.rest[:, :3, 3].copy()
        self._numbers = {label: number for number, label in enumerate(self.labels)}
        depth = np.zeros(count, np.intp)
        for bone in range(1, count):
            depth[bone] = depth[self.parents[bone]] + 1
        self._levels = [np.flatnonzero(depth == level) for level in range(1, int(depth.max()) + 1)]
        self._offsets = self.rest_joints - self.rest_joints[np.maximum(self.parents, 0)]

    def __len__(self) -> int:
        return len(self.labels)

    def __contains__(self, label: str) -> bool:
        return label in self._numbers

    def number(self, label: str) -> int:
        """Index of the bone of that name; raises ValueError when there is none."""
        try:
            return self._numbers[label]
        except KeyError:
            raise ValueError(f"the skeleton has no bone '{label}'") from None

    def rest_joint(self, label: str) -> Array:
        """Where the bone's joint is at rest, (3,) metres in the body frame."""
        return self.rest_joints[self.number(label)]

    def frames(self, rotations: Mapping[str, NDArray[Any]]) -> tuple[Array, Array]:
        """Posed bones in the body frame, before the root moves the body.

        Returns:
            (B, 3, 3) rotations that carry rest directions to posed ones, and (B, 3) joints in metres.
        """
        local = np.broadcast_to(np.eye(3), (len(self), 3, 3)).copy()
        for label, rotation in rotations.items():
            local[self.number(label)] = rotation
        turned = local
        joints = np.empty((len(self), 3))
        joints[0] = self.rest_joints[0]
        for bones in self._levels:
            above = self.parents[bones]
            joints[bones] = joints[above] + (turned[above] @ self._offsets[bones][:, :, None])[:, :, 0]
            turned[bones] = turned[above] @ local[bones]
        return turned, joints

    def transforms(self, pose: Pose) -> Array:
        """Skinning matrices (B, 4, 4): they take a rest point that belongs to a bone to its place in the world."""
        turned, joints = self.frames(pose.rotations)
        inside = np.zeros((len(self), 4, 4))
        inside[:, :3, :3] = turned
        inside[:, :3, 3] = joints - (turned @ self.rest_joints[:, :, None])[:, :, 0]
        inside[:, 3, 3] = 1
        return np.asarray(pose.root, np.float64) @ inside

    def joints(self, pose: Pose) -> Array:
        """Where the bones' joints are in the world, (B, 3) metres."""
        root = np.asarray(pose.root, np.float64)
        return self.frames(pose.rotations)[1] @ root[:3, :3].T + root[:3, 3]
