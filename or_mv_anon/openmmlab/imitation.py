"""A narrow network is told what the wide one knows before it answers: hints (Romero et al. 2015, "FitNets").

The narrow network's channels are some of the wide one's (`student.narrow`), so the two can be compared channel by
channel in the head's last hidden layers, from which scores and boxes are read. That says more per picture than the
answers alone.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import onnx
import torch
from torch import Tensor

from or_mv_anon.models.graphs import read_onnx

KEPT = "kept_channels"  # in the metadata of a narrow network's export
BRANCHES = ("cls", "reg")

Towers = Sequence[
    tuple[Tensor, ...]
]  # per stride: the class and the box branch's last hidden layer, (N, channels, h, w)
Channels = Mapping[str, Sequence[Sequence[int]]]  # by branch, per stride: the wide network's channels that are left


def note_channels(model: onnx.ModelProto, kept: Channels) -> None:
    """Writes into a narrow network's export which channels it kept."""
    entry = model.metadata_props.add()
    entry.key, entry.value = KEPT, json.dumps(kept)


def read_channels(path: Path) -> Channels | None:
    """What `note_channels` wrote into the ONNX file at `path`; None for any other file."""
    if path.suffix != ".onnx":
        return None
    noted = {entry.key: entry.value for entry in read_onnx(path).metadata_props}
    found: Channels | None = json.loads(noted[KEPT]) if KEPT in noted else None
    return found


def hint_loss(narrow: Towers, wide: Towers, kept: Channels) -> Tensor:
    """Mean square difference from the wide network's kept channels, against their own mean square, summed up."""
    parts = []
    for level, (ours, theirs) in enumerate(zip(narrow, wide, strict=True)):
        for branch, values, wanted in zip(BRANCHES, ours, theirs, strict=True):
            goal = wanted.float()[:, list(kept[branch][level])]
            parts.append((values.float() - goal).square().mean() / goal.square().mean().clamp(min=1e-6))
    return torch.stack(parts).sum()
