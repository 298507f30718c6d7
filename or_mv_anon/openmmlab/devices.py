"""A runner of mmengine that trains where it was asked to."""

from __future__ import annotations

from typing import Any

from mmengine.runner import Runner


class DeviceRunner(Runner):
    """mmengine moves a model to the first GPU by itself; ours is where it was asked to be."""

    def wrap_model(self, model_wrapper_cfg: Any, model: Any) -> Any:
        return model
