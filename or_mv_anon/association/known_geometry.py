"""Who is who where the cameras' geometry is known beforehand: over seconds, again and again, instead of a session."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from or_mv_anon.association.assign import assign, build_graph
from or_mv_anon.association.continuity import different_people, follow_ups
from or_mv_anon.association.evidence import Evidence, compare_lines, gather
from or_mv_anon.association.views import PairGeometry, View, ViewNames
from or_mv_anon.core.config import AssociationConfig
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import Identities

FOR_GOOD = 2**31 - 1  # an instant that never comes
Geometry = Mapping[ViewNames, tuple[PairGeometry, ...]]


def load_geometry(path: Path) -> Geometry:
    """The geometry of pairs of cameras that a site model holds, as that of all time; the last stretch of each counts.

    Raises:
        UserError: the file is no such geometry.
    """
    try:
        pairs = json.loads(path.read_text())["pairs"]
        found: dict[ViewNames, tuple[PairGeometry, ...]] = {}
        for pair in pairs:
            if pair["matrix"] is None:
                continue
            first, second = pair["views"]
            matrix = np.asarray(pair["matrix"], np.float64)
            if matrix.shape != (3, 3) or not np.isfinite(matrix).all():
                raise ValueError("a matrix that is none")
            geometry = PairGeometry(
                views=(first, second), matrix=matrix, start=0, stop=FOR_GOOD, inliers=pair["inliers"],
                points=pair["points"], residual=float(pair["residual"]),
            )  # fmt: skip
            found[first, second] = (geometry,)
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{path} is no geometry of cameras ({error}); make the site model again.") from error
    return found


def associate_known(
    views: Sequence[View], geometry: Geometry, config: AssociationConfig
) -> tuple[dict[str, Identities], dict[ViewNames, Evidence]]:
    """Which tracks of the views are one person.

    Args:
        views: over the same instants, in the order in which `geometry` names pairs.
        geometry: see `load_geometry`.
        config: thresholds.
    """
    lines = compare_lines(views, geometry, instant_s=config.instant_s)
    evidence = gather(views, geometry, instant_s=config.instant_s, lines=lines)
    different = [different_people(view, instant_s=config.instant_s) for view in views]
    links = follow_ups(views, instant_s=config.instant_s)
    graph = build_graph(views, evidence, links, different)
    return assign(views, graph, least_probability=config.least_probability), evidence
