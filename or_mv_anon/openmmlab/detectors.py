"""Builds the detector to be trained, or its teacher, from a configuration and start weights of either kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from mmengine.config import Config

from or_mv_anon.core.errors import UserError
from or_mv_anon.openmmlab.checkpoints import read_without_code, state_of
from or_mv_anon.openmmlab.compatibility import prepare
from or_mv_anon.openmmlab.yolox import build_yolox

MOST_MISSING = 0.1  # share of a model's weights that a checkpoint of it may lack: the layer that names classes


def is_yolox(config: Config) -> bool:
    return str(config.model.type).endswith("YOLOX")


def build_detector(config: Config, start: Path) -> Any:
    """The configured mmdet model, in training mode, with the weights in `start`.

    Layers whose shape differs, such as the last of a model of 80 classes, keep their random beginning.

    Raises:
        UserError: the weights are of another model.
    """
    prepare()
    if start.suffix == ".onnx":
        if not is_yolox(config):
            raise UserError(f"{start} is an ONNX file; only YOLOX starts from one, pass an mmdet checkpoint (.pth).")
        return build_yolox(start, model_config=config.model)
    from mmdet.registry import MODELS

    state = state_of(read_without_code(str(start)), start)
    model = MODELS.build(config.model)
    model.init_weights()
    wanted = model.state_dict()
    fitting = {name: value for name, value in state.items() if name in wanted and value.shape == wanted[name].shape}
    if sum(wanted[name].numel() for name in fitting) < (1 - MOST_MISSING) * _size(wanted):
        raise UserError(
            f"{start} holds weights of another model than {config.filename} describes; pass the configuration that "
            "the checkpoint was trained with."
        )
    model.load_state_dict(fitting, strict=False)
    return model.train()


def _size(state: dict[str, torch.Tensor]) -> int:
    return sum(value.numel() for value in state.values())
