"""The cameras' geometry as a run stores it in `geometry.json`, read back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from or_mv_anon.association.views import PairGeometry, ViewNames


def parse_geometry(content: Mapping[str, Any]) -> dict[ViewNames, list[PairGeometry]]:
    """By pair of cameras, one entry per stretch of time, in order.

    Args:
        content: what `geometry.json` holds.

    Raises:
        KeyError, TypeError, ValueError: it holds something else.
    """
    plain = {field.name for field in fields(PairGeometry)} - {"views", "matrix"}
    found: dict[ViewNames, list[PairGeometry]] = {}
    for pair in content["pairs"]:
        first, second = pair["views"]
        matrix = None if pair["matrix"] is None else np.array(pair["matrix"], np.float64).reshape(3, 3)
        entry = PairGeometry(views=(first, second), matrix=matrix, **{name: pair[name] for name in plain})
        found.setdefault((first, second), []).append(entry)
    return found
