"""What ``--method learned`` needs, found before the job starts: the modifier, and who judges what it draws."""

from __future__ import annotations

from dataclasses import dataclass

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.errors import UserError
from or_mv_anon.models import landmarks
from or_mv_anon.models.catalogue import weights_named
from or_mv_anon.models.recognizers import WEIGHTS, open_recognizers
from or_mv_anon.models.registry import fetch, sha256
from or_mv_anon.operators.drawn.modifier_model import ROLE, ModifierFacts, find_modifier, modifier_facts
from or_mv_anon.operators.drawn.operator import LearnedSettings
from or_mv_anon.operators.drawn.release_check import chosen
from or_mv_anon.pipeline.options import Options
from or_mv_anon.pipeline.weights import Weights

CHECK_ROLE = "release_check"


@dataclass(frozen=True)
class Learned:
    """The networks of the learned method.

    Attributes:
        settings: as the workers load them.
        weights: as the audit names them, the modifier first.
        facts: what the modifier's file says of it.
    """

    settings: LearnedSettings
    weights: tuple[Weights, ...]
    facts: ModifierFacts


def find_learned(options: Options, config: PipelineConfig) -> Learned | None:
    """None unless the learned method is asked for.

    Raises:
        UserError: a network or package is not to be had, or an option is not for this method.
    """
    if options.method != "learned":
        if options.modifier is not None:
            raise UserError(f"--modifier is for --method learned; the method here is {options.method}.")
        return None
    path = find_modifier(options.modifier)
    licence = "the project's own" if options.modifier is None else "the user's own"
    names = chosen(config.learned.recognizers)
    open_recognizers(names, weights_dir=options.weights_dir)
    fetch(landmarks.WEIGHTS, weights_dir=options.weights_dir)
    judges = [weights_named(name) for name in (landmarks.WEIGHTS, *(WEIGHTS[name] for name in names))]
    weights = [Weights(ROLE, path.name if options.modifier else path.stem, str(path), sha256(path), licence)]
    weights += [Weights(CHECK_ROLE, asset.name, asset.file, asset.sha256, asset.licence) for asset in judges]
    settings = LearnedSettings(path, options.weights_dir, options.device, options.precision)
    return Learned(settings, tuple(weights), modifier_facts(path))
