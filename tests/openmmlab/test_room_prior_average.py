"""The prior lies half-way between the network before and after its training."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mmdet")
import torch

from tests.openmmlab import toy

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

from benchmarks.room_prior import average  # noqa: E402
from or_mv_anon.openmmlab.export import export_yolox  # noqa: E402
from or_mv_anon.openmmlab.yolox import build_yolox  # noqa: E402


def test_every_weight_is_the_mean(tmp_path):
    before, after, between = (tmp_path / f"{name}.onnx" for name in ("before", "after", "between"))
    toy.tiny_yolox(before)
    changed = build_yolox(before)
    with torch.no_grad():
        for weight in changed.parameters():
            weight.mul_(1.1)
    export_yolox(changed, after)
    average(before, after, between)
    first, second, found = (build_yolox(path).state_dict() for path in (before, after, between))
    for name, value in found.items():
        np.testing.assert_allclose(value, (first[name] + second[name]) / 2, rtol=1e-3, atol=1e-6)
