"""The operators of mmcv's compiled extension that our detectors use, in plain torch, under the extension's names.

Argument names and their order are mmcv's, which passes them by name.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from or_mv_anon.core import boxes as geometry
from or_mv_anon.openmmlab.roi_align import roi_align_backward, roi_align_forward


def nms(boxes: Tensor, scores: Tensor, iou_threshold: float, offset: int) -> Tensor:
    """Greedy suppression, row by row: thousands of proposals would make a large matrix of overlaps.

    With `offset` 1 a box includes its last pixel, so its sides are longer by one.
    """
    corners = boxes.detach().float().cpu().clone()
    corners[:, 2:] += offset
    places = corners.numpy()
    left = np.argsort(-scores.detach().float().cpu().numpy(), kind="stable")
    kept = []
    while len(left):
        kept.append(left[0])
        overlaps = geometry.iou(places[left[:1]], places[left[1:]])[0]
        left = left[1:][overlaps <= iou_threshold]
    return torch.tensor(kept, dtype=torch.long, device=boxes.device)


def sigmoid_focal_loss_forward(
    input: Tensor,  # noqa: A002
    target: Tensor,
    weight: Tensor,
    output: Tensor,
    gamma: float,
    alpha: float,
) -> None:
    """Focal loss (Lin et al. 2017) per logit ``(N, C)``; a target of C means background."""
    with torch.no_grad():
        output.copy_(_focal_loss(input, target, weight, gamma, alpha))


def sigmoid_focal_loss_backward(
    input: Tensor,  # noqa: A002
    target: Tensor,
    weight: Tensor,
    grad_input: Tensor,
    gamma: float,
    alpha: float,
) -> None:
    with torch.enable_grad():
        logits = input.detach().clone().requires_grad_(True)
        grad_input.copy_(torch.autograd.grad(_focal_loss(logits, target, weight, gamma, alpha).sum(), logits)[0])


def _focal_loss(logits: Tensor, target: Tensor, weight: Tensor, gamma: float, alpha: float) -> Tensor:
    classes = logits.shape[1]
    is_class = F.one_hot(target.long(), classes + 1)[:, :classes].to(logits.dtype)
    probability = logits.sigmoid()
    found = alpha * (1 - probability) ** gamma * F.logsigmoid(logits)
    absent = (1 - alpha) * probability**gamma * F.logsigmoid(-logits)
    loss = -(is_class * found + (1 - is_class) * absent)
    return loss * weight[target.long().clamp(max=classes - 1)][:, None] if weight.numel() else loss


def ms_deform_attn_forward(
    value: Tensor,
    value_spatial_shapes: Tensor,
    value_level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    im2col_step: int = 64,
) -> Tensor:
    """Multi-scale deformable attention (Zhu et al. 2021, "Deformable DETR", equation 3)."""
    with torch.no_grad():
        return _deformable_attention(value, value_spatial_shapes, sampling_locations, attention_weights)


def ms_deform_attn_backward(
    value: Tensor,
    value_spatial_shapes: Tensor,
    value_level_start_index: Tensor,
    sampling_locations: Tensor,
    attention_weights: Tensor,
    grad_output: Tensor,
    grad_value: Tensor,
    grad_sampling_loc: Tensor,
    grad_attn_weight: Tensor,
    im2col_step: int = 64,
) -> None:
    with torch.enable_grad():
        inputs = [part.detach().clone().requires_grad_(True) for part in (value, sampling_locations, attention_weights)]
        attended = _deformable_attention(inputs[0], value_spatial_shapes, inputs[1], inputs[2])
        found = torch.autograd.grad(attended, inputs, grad_output)
    for place, gradient in zip((grad_value, grad_sampling_loc, grad_attn_weight), found, strict=True):
        place.copy_(gradient)


def _deformable_attention(value: Tensor, shapes: Tensor, locations: Tensor, weights: Tensor) -> Tensor:
    from mmcv.ops.multi_scale_deform_attn import multi_scale_deformable_attn_pytorch

    return multi_scale_deformable_attn_pytorch(value, shapes, locations, weights)


def get_compiler_version() -> str:
    return "none"


def get_compiling_cuda_version() -> str:
    return "none"


OPERATORS = {
    operator.__name__: operator
    for operator in (
        nms,
        roi_align_forward,
        roi_align_backward,
        sigmoid_focal_loss_forward,
        sigmoid_focal_loss_backward,
        ms_deform_attn_forward,
        ms_deform_attn_backward,
        get_compiler_version,
        get_compiling_cuda_version,
    )
}
