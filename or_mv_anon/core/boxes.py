"""Axis-aligned box geometry, vectorized.

A box is ``(x1, y1, x2, y2)`` in pixels of the upright frame; arrays are ``(N, 4)`` float32. Width is ``x2 - x1``
(continuous coordinates, no +1). Degenerate boxes have area 0 and IoU 0 with everything.
"""

import numpy as np
from numpy.typing import NDArray

Boxes = NDArray[np.float32]


def area(boxes: Boxes) -> NDArray[np.float32]:
    """Areas ``(N,)`` in square pixels; inverted boxes count as 0."""
    return np.maximum(boxes[:, 2] - boxes[:, 0], 0) * np.maximum(boxes[:, 3] - boxes[:, 1], 0)


def size(boxes: Boxes, *, least: float = 0.0) -> NDArray[np.float32]:
    """The side of the square of the same area of each box ``(N,)``, in pixels, and at least `least`."""
    return np.asarray(np.maximum(np.sqrt(area(boxes)), least))


def longer_side(boxes: Boxes) -> NDArray[np.float32]:
    """The longer side of each box ``(N,)`` in pixels."""
    return np.asarray((boxes[:, 2:] - boxes[:, :2]).max(axis=1))


def intersection(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Pairwise overlap areas ``(len(a), len(b))`` in square pixels."""
    width = np.minimum(a[:, None, 2], b[None, :, 2]) - np.maximum(a[:, None, 0], b[None, :, 0])
    height = np.minimum(a[:, None, 3], b[None, :, 3]) - np.maximum(a[:, None, 1], b[None, :, 1])
    return np.maximum(width, 0) * np.maximum(height, 0)


def iou(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Pairwise intersection over union ``(len(a), len(b))`` in [0, 1]."""
    inter = intersection(a, b)
    union = area(a)[:, None] + area(b)[None, :] - inter
    return np.divide(inter, union, out=np.zeros_like(inter), where=union > 0)


def paired_intersection(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Overlap area ``(N,)`` of ``a[i]`` with ``b[i]`` in square pixels."""
    shared = np.maximum(np.minimum(a[:, 2:], b[:, 2:]) - np.maximum(a[:, :2], b[:, :2]), 0)
    return np.asarray(shared.prod(axis=1))


def paired_iou(a: Boxes, b: Boxes) -> NDArray[np.float32]:
    """Intersection over union of ``a[i]`` with ``b[i]``, ``(N,)`` in [0, 1]."""
    shared = paired_intersection(a, b)
    union = area(a) + area(b) - shared
    return np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)


def containment(inner: Boxes, outer: Boxes) -> NDArray[np.float32]:
    """Share of each `inner` box that lies inside each `outer` box, ``(len(inner), len(outer))`` in [0, 1]."""
    inter = intersection(inner, outer)
    return np.divide(inter, area(inner)[:, None], out=np.zeros_like(inter), where=area(inner)[:, None] > 0)


def nms(boxes: Boxes, scores: NDArray[np.float32], *, iou_threshold: float) -> NDArray[np.intp]:
    """Greedy non-maximum suppression: indices kept, best score first (ties keep their order)."""
    order = np.argsort(-scores, kind="stable")
    overlaps = iou(boxes[order], boxes[order]) > iou_threshold
    alive = np.ones(len(order), bool)
    for i in range(len(order)):
        if alive[i]:
            alive[i + 1 :] &= ~overlaps[i, i + 1 :]
    return order[alive]


def clip(boxes: Boxes, *, width: float, height: float) -> Boxes:
    """Boxes cut to a picture of `width` × `height` pixels."""
    limit = np.array([width, height, width, height], np.float32)
    return np.clip(boxes, 0, limit)


def to_edge(boxes: NDArray[np.floating], *, width: float, height: float) -> NDArray[np.floating]:
    """How far each box ``(N, 4)`` is from the nearest edge of a picture of `width` × `height` pixels, ``(N,)``."""
    return np.asarray(np.minimum.reduce([boxes[:, 0], boxes[:, 1], width - boxes[:, 2], height - boxes[:, 3]]))


def expand(boxes: Boxes, *, ratio: float = 0.0, pixels: float = 0.0) -> Boxes:
    """Boxes grown on every side by `ratio` of their own width and height, plus `pixels`."""
    margin = ratio * (boxes[:, 2:] - boxes[:, :2]) + pixels
    return np.concatenate([boxes[:, :2] - margin, boxes[:, 2:] + margin], axis=1).astype(np.float32)


def union(boxes: Boxes) -> Boxes:
    """The smallest box ``(4,)`` that holds all `boxes` (at least one)."""
    return np.concatenate([boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)]).astype(np.float32)
