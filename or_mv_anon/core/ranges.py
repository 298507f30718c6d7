"""What a setting may be: ranges and relations that stand beside the settings they are about, each with its reason.

A setting out of its range would switch protection off without a word, so it is refused before any work. Settings are
fields of dataclasses, `min_score: Annotated[float, Range(0.0, 0.5, "a share, not percent: ...")]`; what must hold
between several of them is a `Relation`, listed in the class attribute `relations` of the whole file's dataclass.
"""

from __future__ import annotations

import math
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from or_mv_anon.core.errors import UserError


@dataclass(frozen=True)
class Range:
    """The values that a number may have, both ends included, and why no others."""

    low: float
    high: float
    reason: str

    def holds(self, value: float) -> bool:
        """Whether `value` is a number in the range."""
        return self.low <= value <= self.high

    def __str__(self) -> str:
        return f"{self.low:.10g} to {self.high:.10g}"


@dataclass(frozen=True)
class Relation:
    """What must hold between several settings.

    Attributes:
        keys: the settings, as ``section.key``.
        holds: of their values, in this order.
        expected: what must hold, in words.
        reason: what happens otherwise.
    """

    keys: tuple[str, ...]
    holds: Callable[..., bool]
    expected: str
    reason: str


def checked(value: Any, hint: Any, where: str) -> Any:
    """`value` if it fits `hint`; whole numbers become floats where these are expected.

    Args:
        value: a plain value, as TOML has them.
        hint: a type of plain values, a ``Literal``, a ``list`` of them, or one of these ``Annotated`` with a `Range`.
        where: what the value is, for the error.

    Raises:
        UserError: another type, no such choice, not finite, or out of range.
    """
    kind, limits = hint, None
    if typing.get_origin(hint) is typing.Annotated:
        kind, *notes = typing.get_args(hint)
        limits = next((note for note in notes if isinstance(note, Range)), None)
    if typing.get_origin(kind) is Literal:
        choices = typing.get_args(kind)
        if value not in choices:
            raise UserError(f"{where} is {shortened(value)}; expected one of {', '.join(choices)}.")
        return value
    if typing.get_origin(kind) is list:
        return _checked_list(value, kind, limits, where)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value) if abs(value) < 1e300 else math.inf
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise UserError(f"{where} is {shortened(value)}; expected {kind.__name__}.")
    if limits is not None and not limits.holds(value):
        raise UserError(f"{where} is {shortened(value)}; expected {limits} ({limits.reason}).")
    if kind is float and not math.isfinite(value):
        raise UserError(f"{where} is {value}; expected a finite number.")
    return value


def require(relations: tuple[Relation, ...], values: Mapping[str, Mapping[str, Any]], said: Mapping[str, str]) -> None:
    """Checks all `relations`.

    Args:
        relations: to hold.
        values: section -> key -> value.
        said: where each ``section.key`` got its value from, for the error.

    Raises:
        UserError: one does not hold.
    """
    for relation in relations:
        found = [values[section][key] for section, key in (name.split(".") for name in relation.keys)]
        if not relation.holds(*found):
            told = [f"{key} is {value} in {said[key]}" for key, value in zip(relation.keys, found, strict=True)]
            raise UserError(f"{' and '.join(told)}; expected {relation.expected} ({relation.reason}).")


def shortened(value: Any, most: int = 80) -> str:
    """A value as it can be shown in a sentence."""
    try:
        text = repr(value)
    except ValueError:  # whole numbers of thousands of digits
        text = "a number of very many digits"
    return text if len(text) <= most else f"{text[:most]}..."


def _checked_list(value: Any, kind: Any, limits: Range | None, where: str) -> list[Any]:
    (inner,) = typing.get_args(kind)
    if not isinstance(value, list):
        raise UserError(f"{where} is {shortened(value)}; expected a list.")
    if limits is None:
        return [checked(item, inner, f"an entry of {where}") for item in value]
    if not value:
        raise UserError(f"{where} is empty; expected at least one number, {limits} ({limits.reason}).")
    return [checked(item, typing.Annotated[inner, limits], f"an entry of {where}") for item in value]
