"""A whole training: read the material, split it, learn, calibrate, test, export, write the card."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import explained
from or_mv_anon.endoscopy.measures import outside_recall, roc_auc
from or_mv_anon.endoscopy.training.calibration import fit_temperature, log_loss
from or_mv_anon.endoscopy.training.card import Measures, write_card
from or_mv_anon.endoscopy.training.export import export
from or_mv_anon.endoscopy.training.learning import Learner, logits_of, looked_at
from or_mv_anon.endoscopy.training.material import Sample, draw_splits, load_material, of_split
from or_mv_anon.endoscopy.training.network import OutOfBodyNetwork
from or_mv_anon.endoscopy.training.settings import TrainingConfig
from or_mv_anon.evaluation.average_precision import stepwise
from or_mv_anon.models.registry import fetch

NETWORK_FILE, CARD_FILE = "endoscopy_oob.onnx", "card.md"
TEST_SEED = 2_000_003


@dataclass(frozen=True)
class Trained:
    """What a training left behind."""

    network: Path
    card: Path
    measures: Measures


def train(
    data: Path,
    out: Path,
    *,
    config: TrainingConfig,
    device: str = "cpu",
    backbone: Path | None = None,
    weights_dir: Path | None = None,
) -> Trained:
    """Train on labelled pictures.

    Args:
        data: see `material.load_material`.
        out: folder for the results; a checkpoint there is gone on from.
        config: settings.
        device: of torch.
        backbone: torchvision's MobileNetV2 weights; None fetches them by hash.
        weights_dir: where to look for them first.

    Raises:
        UserError: the material cannot be used, the folder cannot be written, or a checkpoint is of something else.
    """
    with explained(out):
        out.mkdir(parents=True, exist_ok=True)
    samples = split_material(data, config)
    torch.manual_seed(config.data.seed)
    network = OutOfBodyNetwork()
    network.load_backbone(backbone or fetch("mobilenet-v2-imagenet", weights_dir=weights_dir))
    learner = Learner(
        network,
        train=of_split(samples, "train"),
        calibrate=of_split(samples, "calibrate"),
        config=config.training,
        seed=config.data.seed,
        folder=out,
        device=device,
    )
    network = learner.run()
    temperature = fit_temperature(logits_of(network, learner.calibration, device=device), learner.calibration_outside)
    network = network.cpu()
    inputs, outside = looked_at(of_split(samples, "test"), seed=TEST_SEED)
    measures = measured(logits_of(network, inputs), outside, temperature=temperature)
    export(network, out / NETWORK_FILE, temperature=temperature, about={"kind": "out-of-body", "version": 1})
    write_card(out / CARD_FILE, network=out / NETWORK_FILE, samples=samples, measures=measures, config=config)
    return Trained(out / NETWORK_FILE, out / CARD_FILE, measures)


def split_material(data: Path, config: TrainingConfig) -> list[Sample]:
    """The samples with every group in one split, both labels in every split.

    Raises:
        UserError: a split would lack a label, because there are too few groups.
    """
    shares = {
        "train": 1 - config.data.calibrate_share - config.data.test_share,
        "calibrate": config.data.calibrate_share,
        "test": config.data.test_share,
    }
    samples = draw_splits(load_material(data, families=config.data.families), shares, seed=config.data.seed)
    found = Counter((sample.split, sample.outside) for sample in samples)
    for split in shares:
        for label, outside in (("inside", False), ("outside", True)):
            if not found[split, outside]:
                raise UserError(
                    f"{data}: no group of '{label}' pictures is left for '{split}'; it takes at least three groups of "
                    "each label, named by the column group, by sub-folders or by the start of the file names."
                )
    return samples


def measured(logits: NDArray[np.float64], outside: NDArray[np.bool_], *, temperature: float) -> Measures:
    """All figures of one set of logits."""
    return Measures(
        pictures=len(logits),
        roc_auc=roc_auc(logits, outside),
        average_precision=stepwise(logits, outside),
        outside_recall_at_99_inside=outside_recall(logits, outside)[0],
        log_loss=log_loss(logits / temperature, outside),
        temperature=temperature,
    )
