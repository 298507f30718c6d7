"""The operators in plain torch against what defines them."""

import numpy as np
import pytest

pytest.importorskip("torch")
import torch

from or_mv_anon.core import boxes as geometry
from or_mv_anon.openmmlab import ops


def boxes(random, count, size=100.0):
    corners = random.uniform(0, size, (count, 2))
    return np.concatenate([corners, corners + random.uniform(1, size / 3, (count, 2))], axis=1).astype(np.float32)


def test_suppression_agrees_with_the_package():
    random = np.random.default_rng(0)
    places, scores = boxes(random, 200), random.random(200).astype(np.float32)
    kept = ops.nms(torch.from_numpy(places), torch.from_numpy(scores), 0.5, 0)
    np.testing.assert_array_equal(kept.numpy(), geometry.nms(places, scores, iou_threshold=0.5))
    assert not len(ops.nms(torch.zeros((0, 4)), torch.zeros(0), 0.5, 0))


def align(features, rois, ratio=0):
    options = {"aligned_height": 3, "aligned_width": 3, "spatial_scale": 0.5, "sampling_ratio": ratio, "pool_mode": 1}
    out = torch.zeros((len(rois), features.shape[1], 3, 3), dtype=features.dtype)
    ops.roi_align_forward(features, rois, out, None, None, aligned=True, **options)
    gradient = torch.zeros_like(features)
    ops.roi_align_backward(torch.ones_like(out), rois, None, None, gradient, aligned=True, **options)
    return out, gradient


@pytest.mark.parametrize("ratio", [0, 2])
def test_aligned_features_of_a_ramp_are_its_values_at_the_bins_centres(ratio):
    ramp = torch.arange(20.0)[None, None, None].expand(1, 1, 16, 20)
    found, _ = align(ramp, torch.tensor([[0.0, 8.0, 8.0, 20.0, 26.0]]), ratio)
    np.testing.assert_allclose(found[0, 0, 1].numpy(), np.array([10, 14, 18]) / 2 - 0.5, atol=1e-5)


def test_the_gradient_of_aligned_features_spreads_all_that_comes_back():
    features = torch.zeros(2, 3, 16, 20)
    _, gradient = align(features, torch.tensor([[1.0, 8.0, 8.0, 20.0, 26.0]]))
    assert gradient[0].abs().max() == 0
    assert gradient[1].sum().item() == pytest.approx(27, abs=1e-4)


def test_focal_loss_and_its_gradient_agree_with_mmdet():
    pytest.importorskip("mmdet")
    from or_mv_anon.openmmlab.compatibility import prepare

    prepare()
    from mmdet.models.losses.focal_loss import py_sigmoid_focal_loss

    logits = torch.randn(5, 2, generator=torch.Generator().manual_seed(0)).requires_grad_()
    target = torch.tensor([0, 1, 2, 2, 0])
    one_hot = torch.nn.functional.one_hot(target, 3)[:, :2]
    expected = py_sigmoid_focal_loss(logits, one_hot, gamma=2.0, alpha=0.25, reduction="none")
    expected.sum().backward()
    found, gradient = torch.zeros(5, 2), torch.zeros(5, 2)
    none = torch.zeros(0)
    ops.sigmoid_focal_loss_forward(logits, target, none, found, gamma=2.0, alpha=0.25)
    ops.sigmoid_focal_loss_backward(logits, target, none, gradient, gamma=2.0, alpha=0.25)
    np.testing.assert_allclose(found, expected.detach(), atol=1e-6)
    np.testing.assert_allclose(gradient, logits.grad, atol=1e-6)


def test_an_operator_that_is_not_provided_says_so_when_it_is_called():
    pytest.importorskip("mmcv")
    from or_mv_anon.openmmlab.compatibility import prepare

    prepare()
    from mmcv.ops import nms_match

    with pytest.raises(NotImplementedError, match="nms_match"):
        nms_match(torch.tensor([[0.0, 0.0, 1.0, 1.0, 0.5]]), 0.5)
