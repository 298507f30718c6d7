"""The rows of `anonymizers.py`: the product's operators, each at several strengths, and the baselines."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from anonymizer_baselines import Edge, Noise, SuperPixel

from or_mv_anon.config import OperatorConfig, load_config
from or_mv_anon.errors import UserError
from or_mv_anon.learned.anonymizers import Anonymizer, LearnedAnonymizer, learned, product
from or_mv_anon.learned.modifier_model import find_modifier
from or_mv_anon.learned.release import LearnedOperator, LearnedSettings, load_learned
from or_mv_anon.learned.release_check import Outcome
from or_mv_anon.models.dense import Picture


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
        yield Candidate(_unchecked(), learned())
    except UserError as error:
        logging.getLogger(__name__).warning("The row learned is left out: %s", error)


class _ReleasesAll:
    """Stands for the release check, which costs most of the time and can only withhold what would be drawn."""

    def judge(self, originals: Sequence[Picture], drawn: Sequence[Picture]) -> list[Outcome]:
        return ["released"] * len(drawn)


def _unchecked() -> LearnedAnonymizer:
    config = load_config()
    networks = load_learned(LearnedSettings(find_modifier(None), None, "cpu", "f32"), config.learned)
    drawing = replace(networks, check=_ReleasesAll())
    return LearnedAnonymizer(LearnedOperator(drawing, config.operators, config.learned))
