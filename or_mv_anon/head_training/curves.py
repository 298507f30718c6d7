"""Loss curves for TensorBoard, where that package is installed; `log.jsonl` has the same figures without it."""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol


class Curves(Protocol):
    """What takes the figures of a step."""

    def add(self, step: int, losses: Mapping[str, float]) -> None:
        """Add one point to each curve."""


class NoCurves:
    """Takes nothing: TensorBoard is not installed."""

    def add(self, step: int, losses: Mapping[str, float]) -> None:
        """See `Curves`."""


class TensorBoardCurves:
    """Event files for `tensorboard --logdir`."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer = SummaryWriter(str(folder))

    def add(self, step: int, losses: Mapping[str, float]) -> None:
        """See `Curves`."""
        for name, value in losses.items():
            self._writer.add_scalar(name, value, step)
        self._writer.flush()


def open_curves(folder: Path) -> Curves:
    """Curves in `folder`, or none."""
    return TensorBoardCurves(folder) if importlib.util.find_spec("tensorboard") else NoCurves()
