"""Networks trained without one family of inside pictures and one source of outside ones, and measured on these."""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from or_mv_anon.endoscopy.measures import outside_recall, roc_auc
from or_mv_anon.endoscopy.training.learning import Learner, logits_of, looked_at
from or_mv_anon.endoscopy.training.material import Sample, of_split
from or_mv_anon.endoscopy.training.network import OutOfBodyNetwork
from or_mv_anon.endoscopy.training.settings import load_training_config
from or_mv_anon.evaluation.average_precision import stepwise
from or_mv_anon.models.registry import fetch

LEAST = 8  # pictures; a smaller family tells nothing and is always trained on
CALIBRATE_SHARE = 0.15
FOLD_SEED = 5_000_003


@dataclass(frozen=True)
class Fold:
    """What one network never sees."""

    inside: str
    outside: str


def folds_of(samples: Sequence[Sample]) -> list[Fold]:
    """Every family of inside pictures and every outside source left out at least once, the shorter list repeating."""
    names = []
    for label in (False, True):
        sizes = Counter(sample.group for sample in samples if sample.outside == label)
        names.append(sorted(group for group, size in sizes.items() if size >= LEAST))
    inside, outside = names
    return [Fold(inside[i % len(inside)], outside[i % len(outside)]) for i in range(max(len(inside), len(outside)))]


def without(samples: Sequence[Sample], fold: Fold) -> list[Sample]:
    """The samples with the fold as the test split; the smallest groups left, of each label, calibrate."""
    splits = {fold.inside: "test", fold.outside: "test"}
    for label in (False, True):
        sizes = Counter(sample.group for sample in samples if sample.outside == label and sample.group not in splits)
        wanted = CALIBRATE_SHARE * sizes.total()
        for group, size in sorted(sizes.items(), key=lambda item: (item[1], item[0]))[:-1]:  # one is trained on
            if wanted > 0:
                splits[group] = "calibrate"
                wanted -= size
    return [replace(sample, split=splits.get(sample.group, "train")) for sample in samples]


def leave_one_out(samples: Sequence[Sample], options: argparse.Namespace) -> list[dict[str, Any]]:
    """One row per fold.

    Args:
        samples: all, whatever their split.
        options: `together`, `training_config`, `steps`, `device` and `backbone` of the benchmark's command line.
    """
    config = load_training_config(options.training_config)
    learning = replace(
        config.training,
        steps=options.steps,
        warm_up_steps=min(config.training.warm_up_steps, options.steps // 5),
        check_every=min(config.training.check_every, max(1, options.steps // 3)),
    )
    device = "cuda" if options.device != "cpu" and torch.cuda.is_available() else "cpu"
    backbone = options.backbone or fetch("mobilenet-v2-imagenet")
    names = {member: members[0] for members in (text.split(",") for text in options.together) for member in members}
    samples = [replace(sample, group=names.get(sample.group, sample.group)) for sample in samples]
    rows = []
    for number, fold in enumerate(folds_of(samples)):
        mine = without(samples, fold)
        torch.manual_seed(FOLD_SEED)
        network = OutOfBodyNetwork()
        network.load_backbone(backbone)
        with tempfile.TemporaryDirectory() as folder:
            learner = Learner(
                network,
                train=of_split(mine, "train"),
                calibrate=of_split(mine, "calibrate"),
                config=learning,
                seed=number,
                folder=Path(folder),
                device=device,
            )
            network = learner.run(title=f"without {fold.inside}, {fold.outside}")
        inputs, outside = looked_at(of_split(mine, "test"), seed=FOLD_SEED)
        logits = logits_of(network, inputs, device=device)
        rows.append(
            {
                "left_out_inside": fold.inside,
                "left_out_outside": fold.outside,
                "inside": int(np.sum(~outside)),
                "outside": int(np.sum(outside)),
                "steps": options.steps,
                "roc_auc": roc_auc(logits, outside),
                "average_precision": stepwise(logits, outside),
                "outside_recall_at_99_inside": outside_recall(logits, outside)[0],
            }
        )
    return rows
