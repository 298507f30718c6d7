"""Averaged networks lie between what was and what was learned; a new class is what was learned."""

import numpy as np
import pytest

pytest.importorskip("mmdet")
import torch
from mmengine.config import Config

from or_mv_anon.core.resources import resource
from or_mv_anon.detector_training.averaging import average
from or_mv_anon.openmmlab.export import export_yolox
from or_mv_anon.openmmlab.yolox import build_yolox
from tests.openmmlab import toy

BOTH = resource("configs/detector/people_and_heads.py")


@pytest.mark.parametrize(("config", "share"), [(None, 0.5), (BOTH, 0.25)])
def test_every_weight_lies_between_but_those_of_a_new_class(tmp_path, config, share):
    model = None if config is None else Config.fromfile(config).model
    before, after, between = (tmp_path / f"{name}.onnx" for name in ("before", "after", "between"))
    toy.tiny_yolox(before)
    changed = build_yolox(before, model_config=model)
    with torch.no_grad():
        for weight in changed.parameters():
            weight.mul_(1.1)
    export_yolox(changed, after)
    average(before, after, between, share=share, model_config=model)
    first, second, found = (build_yolox(path, model_config=model).state_dict() for path in (before, after, between))
    for name, value in found.items():
        expected = (1 - share) * first[name] + share * second[name]
        if model is not None and "multi_level_conv_" in name:
            expected[len(value) // 2 :] = second[name][len(value) // 2 :]
        np.testing.assert_allclose(value, expected, rtol=1e-3, atol=1e-6)
