"""Results of an evaluation: frozen dataclasses that turn into plain JSON, where no number is not a number."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np


class Figures:
    """Base of the result dataclasses."""

    def as_dict(self) -> dict[str, Any]:
        """The figures as JSON types; what cannot be computed (NaN) becomes None."""
        assert dataclasses.is_dataclass(self)
        return {field.name: _plain(getattr(self, field.name)) for field in dataclasses.fields(self)}


def _plain(value: Any) -> Any:
    if isinstance(value, Figures):
        return value.as_dict()
    if isinstance(value, Mapping):
        return {str(key): _plain(entry) for key, entry in value.items()}
    if isinstance(value, np.ndarray | np.generic):
        return _plain(value.tolist())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def share(part: float, whole: float) -> float:
    """`part` of `whole`, NaN when there is nothing to take a part of."""
    return float(part) / float(whole) if whole else math.nan
