"""Reads PyTorch checkpoints without running code from them: a pickle can do anything when it is opened."""

from __future__ import annotations

import os
import pickle
from pathlib import Path
from typing import Any

import torch

from or_mv_anon.core.errors import UserError

TRUST_VARIABLE = "OR_MV_ANON_TRUST_CHECKPOINTS"


def read_without_code(filename: str, map_location: Any = "cpu") -> Any:
    """The content of a local checkpoint; mmengine calls this for every file that it loads.

    A user who knows where a file comes from may set the environment variable `TRUST_VARIABLE` to 1, to read files of
    other programs that hold more than numbers.

    Raises:
        UserError: there is no such file, or it holds more than numbers, texts and containers of them.
    """
    path = Path(filename).expanduser()
    trusted = os.environ.get(TRUST_VARIABLE) == "1"
    try:
        return torch.load(path, map_location=map_location, weights_only=not trusted)
    except OSError as error:
        raise UserError(f"Cannot read the checkpoint {path}: {error.strerror}.") from error
    except (pickle.UnpicklingError, EOFError, RuntimeError) as error:
        raise UserError(
            f"{path} is damaged or holds Python objects, which could run any code; expected a PyTorch checkpoint of "
            f"weights alone. If you trust its source, set {TRUST_VARIABLE}=1."
        ) from error


def state_of(checkpoint: Any, path: Path) -> dict[str, torch.Tensor]:
    """The weights by name, from a checkpoint of mmengine or a bare dictionary.

    Raises:
        UserError: it holds no weights.
    """
    state = checkpoint.get("state_dict", checkpoint) if isinstance(checkpoint, dict) else {}
    weights = {name: value for name, value in state.items() if isinstance(value, torch.Tensor)}
    if not weights:
        raise UserError(f"{path} holds no weights; expected a PyTorch checkpoint with a state_dict.")
    return weights
