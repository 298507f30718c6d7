"""The model card that goes with a trained network: what it learned from, and what it was measured to do."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from or_mv_anon.core.files import write_atomically
from or_mv_anon.endoscopy.training.material import SPLITS, Sample
from or_mv_anon.endoscopy.training.settings import TrainingConfig
from or_mv_anon.models.registry import sha256


def write_card(
    path: Path, *, network: Path, samples: Sequence[Sample], measures: Measures, config: TrainingConfig
) -> None:
    """Write the card as Markdown, all figures from this training."""
    lines = [
        "# Out-of-body network",
        "",
        "MobileNetV2 at 224 x 224 with one logit: is this frame of an endoscopic video outside the body? Started from",
        "ImageNet weights (torchvision, BSD-3-Clause).",
        "",
        f"- file: `{network.name}`, {network.stat().st_size / 1e6:.1f} MB, sha256 `{sha256(network)}`",
        f"- temperature {measures.temperature:.3f}",
        "",
        "## Test pictures",
        "",
        "Groups that were neither trained nor calibrated on; every picture as it is and in two changed versions.",
        "",
        "| measure | value |",
        "|---|---|",
    ]
    for name, value in dataclasses.asdict(measures).items():
        shown = f"{value:.4f}" if isinstance(value, float) else str(value)
        lines.append(f"| {name.replace('_', ' ')} | {shown} |")
    lines += ["", "## Pictures", "", "| split | label | group | pictures |", "|---|---|---|---|"]
    counts = Counter((s.split, "outside" if s.outside else "inside", s.group) for s in samples)
    for split, label, group in sorted(counts, key=lambda key: (SPLITS.index(key[0]), *key[1:])):
        lines.append(f"| {split} | {label} | {group} | {counts[split, label, group]} |")
    lines += ["", "## Settings", "", "| key | value |", "|---|---|"]
    for section in (config.data, config.training):
        lines += [f"| {key} | {value} |" for key, value in dataclasses.asdict(section).items()]
    text = "\n".join(lines) + "\n"
    write_atomically(path, lambda part: part.write_text(text))


@dataclass(frozen=True)
class Measures:
    """Figures on the test pictures, as they are and in changed versions."""

    pictures: int
    roc_auc: float
    average_precision: float
    outside_recall_at_99_inside: float
    log_loss: float
    temperature: float
