"""The rows of `anonymizers.py`: the product's operators, each at several strengths, and the baselines."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from benchmarks.anonymizer_baselines import Edge, Noise, SuperPixel
from or_mv_anon.attack.anonymizers import Anonymizer, LearnedAnonymizer, learned, product
from or_mv_anon.core.config import LearnedConfig, OperatorConfig, load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.models.detectors.protocol import Picture
from or_mv_anon.operators.drawn.modifier_model import ModifierModel, find_modifier
from or_mv_anon.operators.drawn.operator import LearnedOperator, LearnedSettings, load_learned
from or_mv_anon.operators.drawn.release_check import Outcome


@dataclass(frozen=True, eq=False)
class Candidate:
    """An anonymizer to be measured.

    Attributes:
        attacked: as the attackers meet it.
        shipped: as the main job runs it, whose time counts; something else only where checks withhold drawings.
    """

    attacked: Anonymizer
    shipped: Anonymizer

    @property
    def name(self) -> str:
        return self.shipped.name


def candidates_of_table() -> Iterator[Candidate]:
    """Every row of the table; the learned one only where its network is shipped."""
    shipped = load_config().operators

    def strength(**changes: int) -> OperatorConfig:
        return replace(shipped, **changes)

    operators = [product("none", shipped)]
    operators += [product("blur", strength(blur_cells=count)) for count in (16, 10, 6)]
    operators += [product("pixelate", strength(cells=count)) for count in (12, 8, 6, 4, 3, 2, 1)]
    operators += [product("solid", shipped), Noise(), SuperPixel(), Edge()]
    yield from (Candidate(each, each) for each in operators)
    try:
        yield Candidate(_unchecked(load_learned(*_shipped_learned()).modifier), learned())
        control = _unchecked(_OneHead(load_learned(*_shipped_learned()).modifier))
        control.name = "one head"
        yield Candidate(control, control)
    except UserError as error:
        logging.getLogger(__name__).warning("The row learned is left out: %s", error)


class _ReleasesAll:
    """Stands for the release check, which costs most of the time and can only withhold what would be drawn."""

    def judge(self, originals: Sequence[Picture], drawn: Sequence[Picture]) -> list[Outcome]:
        return ["released"] * len(drawn)


class _OneHead:
    """Draws the same head for everybody: what is still found then, the regions' place and shape tell."""

    def __init__(self, modifier: ModifierModel) -> None:
        self.facts = modifier.facts
        grey = np.full((1, 3, self.facts.side, self.facts.side), 0.5, np.float32)
        self._head = modifier.draw(grey)

    def draw(self, seen: NDArray[np.float32]) -> NDArray[np.float32]:
        return np.repeat(self._head, len(seen), axis=0)


def _shipped_learned() -> tuple[LearnedSettings, LearnedConfig]:
    return LearnedSettings(find_modifier(None), None, "cpu", "f32"), load_config().learned


def _unchecked(modifier: ModifierModel | _OneHead) -> LearnedAnonymizer:
    config = load_config()
    networks = replace(load_learned(*_shipped_learned()), modifier=modifier, check=_ReleasesAll())
    return LearnedAnonymizer(LearnedOperator(networks, config.operators, config.learned))
