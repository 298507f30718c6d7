"""Where PyTorch trains and runs, as the user asked."""

from __future__ import annotations

import torch

from or_mv_anon.core.errors import UserError
from or_mv_anon.models.runtime import Device


def torch_device(device: Device) -> str:
    """The name of torch's device: "cpu" or "cuda".

    Raises:
        UserError: a GPU is asked for, and torch has none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("No NVIDIA GPU can be used by PyTorch here; use --device cpu, or install PyTorch for CUDA.")
    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
