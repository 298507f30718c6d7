"""Places heads in a camera that does not see them: where the epipolar lines of two or more other cameras meet.

A head's middle x in another camera lies here on the line F x; lines of two cameras meet in one point unless they are
parallel (Hartley and Zisserman 2004, "Multiple View Geometry", 9.2 and 15.3). An error of x moves the line, the more
so the nearer x lies to the epipole, so lines are weighted by that and the point comes with a covariance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.association.geometry import epipolar_lines, homogeneous
from or_mv_anon.association.heads import HeadObservations
from or_mv_anon.association.views import PairGeometry, ViewNames
from or_mv_anon.core.records import Column, Columns

Floats = NDArray[np.float64]
FLATTEST = 1e-6  # least determinant of the normal equations, relative to their trace: lines below are parallel
LEAST_LEVERAGE = 0.1  # pixels per pixel; at an epipole all lines meet, however wrong they are
CLEAR_OF_EPIPOLE = 4.0  # standard deviations; a point nearer to where the other camera hangs tells nothing
ROUNDS = 2  # the second weighs the lines by how far off they may be at the place that the first one found


@dataclass(frozen=True)
class Places(Columns):
    """Heads placed in one camera by others: one row per identity and instant, ordered by instant, then identity."""

    instant: Column
    identity: Column
    centre: Column  # pixels, also outside the picture
    covariance: Column  # of the centre, pixels squared
    misfit: Column  # root mean square of the lines' distances from the centre over their standard deviations
    confidence: Column  # the second most confident sighting's: it takes two

    columns = {
        "instant": (np.int32, ()),
        "identity": (np.int32, ()),
        "centre": (np.float64, (2,)),
        "covariance": (np.float64, (2, 2)),
        "misfit": (np.float64, ()),
        "confidence": (np.float32, ()),
    }


@dataclass(frozen=True)
class Lines(Columns):
    """Lines in one camera on which others say a head lies: a x + b y + c = 0 with a² + b² = 1."""

    instant: Column
    identity: Column
    line: Column
    matrix: Column  # which of the matrices into this camera made it
    length: Column  # of the line's normal before it was made 1
    deviation: Column  # standard deviation in pixels of the point in the other camera
    confidence: Column

    columns = {
        "instant": (np.int32, ()),
        "identity": (np.int32, ()),
        "line": (np.float64, (3,)),
        "matrix": (np.int32, ()),
        "length": (np.float64, ()),
        "deviation": (np.float64, ()),
        "confidence": (np.float32, ()),
    }


def place_heads(
    target: str,
    sightings: Mapping[str, HeadObservations],
    geometry: Mapping[ViewNames, Sequence[PairGeometry]],
    *,
    start: int,
    stop: int,
) -> Places:
    """Where other cameras say that people's heads are; nothing of whom fewer than two see, or along one line.

    Args:
        target: name of the camera in which heads are placed.
        sightings: by camera.
        geometry: of every pair of cameras.
        start: the first instant.
        stop: the instant after the last one.
    """
    lines, matrices = _lines_into(target, sightings, geometry, start=start, stop=stop)
    lines, group, heads = _seen_twice(lines)
    first = np.searchsorted(group, np.arange(heads))
    deviation = lines.deviation
    for _ in range(ROUNDS):
        centre, information, meet = _intersect(lines.line, deviation, group, heads)
        deviation = lines.deviation * _leverage(lines, centre[group], matrices)
    off = ((lines.line[:, :2] * centre[group]).sum(axis=1) + lines.line[:, 2]) / deviation
    places = Places(
        instant=lines.instant[first],
        identity=lines.identity[first],
        centre=centre,
        covariance=np.linalg.inv(information),
        misfit=np.sqrt(np.bincount(group, off**2, minlength=heads) / np.maximum(np.bincount(group), 1)),
        confidence=_second_largest(lines.confidence, group, heads),
    )
    return places[meet]


def _lines_into(
    target: str,
    sightings: Mapping[str, HeadObservations],
    geometry: Mapping[ViewNames, Sequence[PairGeometry]],
    *,
    start: int,
    stop: int,
) -> tuple[Lines, Floats]:
    """The lines of all other cameras' sightings, ordered by instant and identity, and the matrices that made them."""
    parts, matrices = [Lines.empty()], [np.zeros((3, 3))]
    for (first, second), stretches in geometry.items():
        if target not in (first, second):
            continue
        seen = sightings[first if target == second else second]
        for stretch in stretches:
            if stretch.matrix is None:
                continue
            span = np.searchsorted(seen.instant, [max(start, stretch.start), min(stop, stretch.stop)])
            matrix = stretch.matrix if target == second else stretch.matrix.T
            parts.append(_lines(seen[slice(*span)], matrix, len(matrices), residual=stretch.residual))
            matrices.append(matrix)
    lines = Lines.concat(parts)
    return lines[np.lexsort((lines.identity, lines.instant))], np.stack(matrices)


def _lines(seen: HeadObservations, matrix: Floats, number: int, *, residual: float) -> Lines:
    line = epipolar_lines(matrix, seen.point)
    length = np.linalg.norm(homogeneous(seen.point) @ matrix[:2].T, axis=1)
    deviation = np.hypot(seen.spread, residual) * seen.head
    lines = Lines(
        instant=seen.instant,
        identity=seen.identity,
        line=line,
        matrix=np.full(len(seen), number),
        length=length,
        deviation=deviation,
        confidence=seen.confidence,
    )
    return lines[length > CLEAR_OF_EPIPOLE * deviation * np.linalg.norm(matrix[:2, :2], 2)]


def _seen_twice(lines: Lines) -> tuple[Lines, NDArray[np.intp], int]:
    """The lines of heads that have two or more, the number of each one's head, and how many heads there are."""
    begins = np.r_[True, (np.diff(lines.instant) != 0) | (np.diff(lines.identity) != 0)][: len(lines)]
    group = np.cumsum(begins) - 1
    several = np.bincount(group, minlength=1)[group] >= 2 if len(lines) else begins
    _, group = np.unique(group[several], return_inverse=True)
    return lines[several], group, int(group.max(initial=-1)) + 1


def _intersect(
    line: Floats, deviation: Floats, group: NDArray[np.intp], heads: int
) -> tuple[Floats, Floats, NDArray[np.bool_]]:
    """Weighted least squares: centres (H, 2), their information matrices (H, 2, 2), and which are no parallel lines."""
    weight = 1 / deviation**2
    terms = np.stack(
        [
            weight * line[:, 0] ** 2,
            weight * line[:, 0] * line[:, 1],
            weight * line[:, 1] ** 2,
            -weight * line[:, 0] * line[:, 2],
            -weight * line[:, 1] * line[:, 2],
        ]
    )
    xx, xy, yy, x, y = (np.bincount(group, term, minlength=heads) for term in terms)
    meet = xx * yy - xy**2 > FLATTEST * (xx + yy) ** 2
    xx, xy, yy = np.where(meet, xx, 1), np.where(meet, xy, 0), np.where(meet, yy, 1)
    information: Floats = np.stack([xx, xy, xy, yy], axis=1).reshape(-1, 2, 2).astype(np.float64)
    centre: Floats = np.linalg.solve(information, np.stack([x, y], axis=1)[..., None])[..., 0].astype(np.float64)
    return centre, information, meet


def _leverage(lines: Lines, centre: Floats, matrices: Floats) -> Floats:
    """How many pixels a line passes a place by if its point in the other camera is off by one pixel, at most.

    The derivative of the distance y'Fx / |(Fx)₁₂| by x for a y on the line is (F'y)₁₂ / |(Fx)₁₂|.
    """
    pull = np.einsum("nij,ni->nj", matrices[lines.matrix][:, :, :2], homogeneous(centre))
    return np.asarray(np.maximum(np.linalg.norm(pull, axis=1) / lines.length, LEAST_LEVERAGE))


def _second_largest(values: NDArray[Any], group: NDArray[np.intp], groups: int) -> NDArray[Any]:
    """Of every group of two or more."""
    order = np.lexsort((-values, group))
    return values[order][np.searchsorted(group[order], np.arange(groups)) + 1]
