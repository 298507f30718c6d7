"""The pose model as ONNX and as a trainable module."""

import numpy as np
import pytest

pytest.importorskip("mmpose")
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.resources import resource
from or_mv_anon.models import graphs
from or_mv_anon.models.runtime import load_model
from or_mv_anon.openmmlab.compatibility import prepare
from or_mv_anon.openmmlab.pose import CONFIG, build_rtmpose, export_rtmpose, scale_scores
from or_mv_anon.openmmlab.pose_training import train_pose

NOSE = 0


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """An RTMPose-s with random weights."""
    prepare()
    from mmpose.registry import MODELS
    from mmpose.utils import register_all_modules

    register_all_modules()
    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(resource(CONFIG)).model)
    random = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for parameter in model.parameters():  # equal tensors would be merged by the exporter
            parameter.add_(0.02 * torch.randn(parameter.shape, generator=random))
    path = tmp_path_factory.mktemp("pose") / "pose.onnx"
    export_rtmpose(model, path)
    return path


def infer(path):
    crops = np.random.default_rng(0).integers(0, 256, (2, 256, 192, 3), np.uint8)
    return load_model(graphs.rtmpose(path), device="cpu", precision="f32").infer(crops)


def example(number):
    random = np.random.default_rng(number)
    points, weight = np.full((26, 2), 50, np.float32), np.zeros(26, np.float32)
    weight[NOSE] = 1
    return random.integers(0, 256, (256, 192, 3), np.uint8), points, weight


def trained(path, **changes):
    model = build_rtmpose(path)
    options = {"steps": 2, "batch": 2, "learning_rate": 1e-3, "keep_weight": 0.5, "device": "cpu", "seed": 0}
    done = train_pose(model, example, **{**options, **changes})
    return model, done


def test_a_training_leaves_the_default_package_as_it_was(exported):
    """Parts of mmdet are found by their bare names only while mmpose is not the default."""
    before = DefaultScope.get_current_instance()
    trained(exported)
    after = DefaultScope.get_current_instance()
    assert getattr(after, "scope_name", None) == getattr(before, "scope_name", None)


def test_an_export_comes_back_as_it_was(exported, tmp_path):
    model = build_rtmpose(exported)
    export_rtmpose(model, tmp_path / "again.onnx")
    before, after = infer(exported), infer(tmp_path / "again.onnx")
    for name, values in before.items():
        np.testing.assert_allclose(after[name], values, atol=1e-3 * np.abs(values).max())


def test_scaled_scores_move_no_point(exported, tmp_path):
    model = build_rtmpose(exported)
    scale_scores(model, 0.5)
    export_rtmpose(model, tmp_path / "half.onnx")
    before, after = infer(exported), infer(tmp_path / "half.onnx")
    for name, values in before.items():
        np.testing.assert_allclose(after[name], 0.5 * values, atol=1e-3 * np.abs(values).max())


def test_training_moves_the_head_and_leaves_the_backbone(exported):
    before = build_rtmpose(exported).state_dict()
    model, done = trained(exported)
    after = model.state_dict()
    assert done == 2
    assert all(torch.equal(before[name], after[name]) for name in before if name.startswith("backbone"))
    assert not torch.equal(before["head.cls_x.weight"], after["head.cls_x.weight"])


def test_training_is_repeatable_and_ends_when_its_time_is_over(exported):
    told = []
    first, done = trained(exported, steps=50, seconds=0.0, progress=lambda step, planned: told.append((step, planned)))
    second, _ = trained(exported, steps=50, seconds=0.0)
    assert done == 1
    assert told == [(1, 50)]
    assert torch.equal(first.head.cls_x.weight, second.head.cls_x.weight)


def test_another_network_is_refused(tmp_path):
    from tests.openmmlab.toy import tiny_yolox

    tiny_yolox(tmp_path / "detector.onnx")
    with pytest.raises(UserError, match="architecture"):
        build_rtmpose(tmp_path / "detector.onnx")
