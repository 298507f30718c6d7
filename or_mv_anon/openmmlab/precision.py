"""Computes the network in bfloat16 where the processor has it, on the CPU as on a GPU."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from mmengine.optim import OptimWrapper
from mmengine.registry import OPTIM_WRAPPERS
from torch import nn


def has_bfloat16(device: str) -> bool:
    """Whether `device`, "cpu" or "cuda", computes in bfloat16 rather than imitate it."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported(including_emulation=False)
    return bool(torch.cpu.get_capabilities().get("avx512_bf16") or torch.cpu.get_capabilities().get("amx_bf16"))


@OPTIM_WRAPPERS.register_module()
class BFloat16OptimWrapper(OptimWrapper):
    """mmengine's optimizer wrapper with automatic bfloat16; its own one is for GPUs only.

    bfloat16 has float32's range, so gradients need no scaling.
    """

    def __init__(self, *, device: str, **options: Any) -> None:
        super().__init__(**options)
        self._device = device

    @contextmanager
    def optim_context(self, model: nn.Module) -> Iterator[None]:
        with super().optim_context(model), torch.autocast(self._device, dtype=torch.bfloat16):
            yield
