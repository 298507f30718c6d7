"""A whole training: read the heads, train the modifier against its adversaries, judge it, export it, write the card."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from or_mv_anon.core.budget import Budget
from or_mv_anon.core.files import explained
from or_mv_anon.head_training.actions import ActionNetwork
from or_mv_anon.head_training.card import write_card
from or_mv_anon.head_training.export import export
from or_mv_anon.head_training.judging import Judgement, judge
from or_mv_anon.head_training.material import Folders, read_material
from or_mv_anon.head_training.settings import LearnedTrainingConfig
from or_mv_anon.head_training.training import ModifierTraining
from or_mv_anon.models.landmarks import WEIGHTS, LandmarkFinder
from or_mv_anon.models.recognizers import SFACE, open_recognizers
from or_mv_anon.models.registry import fetch

FACE_SCORE = 0.6  # from which on a detected face counts; the pipeline starts tracks of faces there


@dataclass(frozen=True)
class Trained:
    """What a training came to."""

    steps: int
    judgement: Judgement


def train(
    folders: Folders,
    modifier: Path,
    *,
    card: Path,
    config: LearnedTrainingConfig,
    device: str = "cpu",
    minutes: float | None = None,
    weights_dir: Path | None = None,
) -> Trained:
    """Train, judge and export.

    Args:
        folders: where the heads come from.
        modifier: the ONNX file to write; the checkpoint and the log go into its folder.
        card: the model card to write.
        config: settings.
        device: of torch.
        minutes: for training; None for the configured steps.
        weights_dir: see `or_mv_anon.models.registry.fetch`.

    Raises:
        UserError: the heads cannot be used, a folder cannot be written, or a checkpoint is of something else.
    """
    with explained(modifier.parent):
        modifier.parent.mkdir(parents=True, exist_ok=True)
    finder = LandmarkFinder(fetch(WEIGHTS, weights_dir=weights_dir), min_score=FACE_SCORE)
    (recognizer,) = open_recognizers([SFACE], weights_dir=weights_dir)  # before work that would be in vain
    material = read_material(
        folders,
        side=config.modifier.side,
        config=config.material,
        frames=config.action.detector == "faster-rcnn",
        weights_dir=weights_dir,
    )
    training = ModifierTraining(material, config=config, folder=modifier.parent, device=device, weights_dir=weights_dir)
    trained = training.run(Budget(minutes))
    training.fine_tune_action()
    action = training.networks.action
    judgement = judge(
        trained.cpu(),
        action.cpu() if isinstance(action, ActionNetwork) else None,
        material,
        config=config,
        recognizer=recognizer,
        finder=finder,
    )
    export(trained, modifier, config=config.modifier)
    write_card(
        card, network=modifier, material=material, judgement=judgement, steps=training.modifier_steps, config=config
    )
    return Trained(training.modifier_steps, judgement)
