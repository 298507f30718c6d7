"""Where a training runs, as the user asked."""

from __future__ import annotations

from typing import Any

import torch
from mmengine.runner import Runner

from or_mv_anon.errors import UserError
from or_mv_anon.models.runtime import Device


class DeviceRunner(Runner):
    """mmengine moves a model to the first GPU by itself; ours is where it was asked to be."""

    def wrap_model(self, model_wrapper_cfg: Any, model: Any) -> Any:
        return model


def torch_device(device: Device) -> str:
    """The name of torch's device: "cpu" or "cuda".

    Raises:
        UserError: a GPU is asked for, and torch has none.
    """
    if device == "cuda" and not torch.cuda.is_available():
        raise UserError("No NVIDIA GPU can be used by PyTorch here; use --device cpu, or install PyTorch for CUDA.")
    return "cuda" if device != "cpu" and torch.cuda.is_available() else "cpu"
