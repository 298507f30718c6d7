"""The face detector of a site keeps the scale of its scores."""

import numpy as np
import pytest

pytest.importorskip("mmdet")

from or_mv_anon.adaptation.faces import _less_sure
from or_mv_anon.models import graphs
from or_mv_anon.models.registry import fetch
from or_mv_anon.models.runtime import load_model

pytestmark = pytest.mark.sample


def test_only_objectness_is_lowered(tmp_path) -> None:
    start = fetch("yunet-2023mar")
    lowered = tmp_path / "face.onnx"
    lowered.write_bytes(_less_sure(start.read_bytes(), 1.5))
    picture = np.random.default_rng(0).integers(0, 255, (1, 64, 64, 3)).astype(np.uint8)
    before, after = (load_model(graphs.yunet(path), precision="f32").infer(picture) for path in (start, lowered))
    for name in before:
        moved = 1.5 if name.startswith("obj") else 0.0
        np.testing.assert_allclose(before[name] - after[name], moved, atol=1e-3)
