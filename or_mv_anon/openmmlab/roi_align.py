"""RoIAlign in plain torch, with the names and arguments of mmcv's compiled extension (see `ops`)."""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

MOST_SAMPLES = 2**24  # values gathered at once, 64 MB


def roi_align_forward(
    input: Tensor,  # noqa: A002
    rois: Tensor,
    output: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    **options: Any,
) -> None:
    """RoIAlign (He et al. 2017, "Mask R-CNN", section 3), average pooling, into `output`."""
    with torch.no_grad():
        output.copy_(_roi_align(input, rois, **options))


def roi_align_backward(
    grad_output: Tensor,
    rois: Tensor,
    argmax_y: Tensor,
    argmax_x: Tensor,
    grad_input: Tensor,
    **options: Any,
) -> None:
    """RoIAlign is linear in its input, so any input, here zeros, gives the gradient."""
    with torch.enable_grad():
        features = torch.zeros_like(grad_input).requires_grad_(True)
        pooled = _roi_align(features, rois.detach(), **options)
        grad_input.copy_(torch.autograd.grad(pooled, features, grad_output)[0])


def _roi_align(
    features: Tensor,
    rois: Tensor,
    *,
    aligned_height: int,
    aligned_width: int,
    spatial_scale: float,
    sampling_ratio: int,
    pool_mode: int,
    aligned: bool,
) -> Tensor:
    """Features ``(N, C, H, W)`` under boxes ``(K, 5)`` of picture number and corners, as ``(K, C, h, w)``."""
    if pool_mode != 1:
        raise NotImplementedError("RoIAlign is provided with average pooling only")
    channels = features.shape[1]
    out = features.new_zeros((len(rois), channels, aligned_height, aligned_width))
    if not len(rois):
        return out + features.sum() * 0
    corners = rois[:, 1:].float() * spatial_scale - (0.5 if aligned else 0.0)
    sides = corners[:, 2:] - corners[:, :2]
    if not aligned:
        sides = sides.clamp(min=1.0)
    bins = sides.new_tensor([aligned_width, aligned_height])
    per_bin = torch.ceil(sides / bins).long() if sampling_ratio <= 0 else torch.full_like(sides.long(), sampling_ratio)
    groups, group_of = torch.unique(
        torch.cat([rois[:, :1].long(), per_bin.clamp(min=0)], dim=1), dim=0, return_inverse=True
    )
    rows, values = [], []
    for number, (picture, columns_per_bin, rows_per_bin) in enumerate(groups.tolist()):
        if not columns_per_bin or not rows_per_bin:
            continue
        grid = (aligned_height * rows_per_bin, aligned_width * columns_per_bin)
        members = torch.nonzero(group_of == number).squeeze(1)
        for chunk in members.split(max(1, MOST_SAMPLES // (channels * grid[0] * grid[1]))):
            sampled = _sample(features[picture : picture + 1], corners[chunk, :2], sides[chunk], grid)
            split = (len(chunk), channels, aligned_height, rows_per_bin, aligned_width, columns_per_bin)
            values.append(sampled.reshape(split).mean(dim=(3, 5)))
            rows.append(chunk)
    if not rows:
        return out + features.sum() * 0
    return out.index_copy(0, torch.cat(rows), torch.cat(values).to(out.dtype))


def _sample(picture: Tensor, corner: Tensor, side: Tensor, grid: tuple[int, int]) -> Tensor:
    """Bilinear samples ``(K, C, rows, columns)`` of one picture, spread evenly over each box."""
    height, width = picture.shape[2:]
    y = corner[:, 1:2] + (torch.arange(grid[0], device=corner.device) + 0.5) / grid[0] * side[:, 1:2]
    x = corner[:, 0:1] + (torch.arange(grid[1], device=corner.device) + 0.5) / grid[1] * side[:, 0:1]
    inside = ((y >= -1) & (y <= height))[:, :, None] & ((x >= -1) & (x <= width))[:, None, :]
    unit_y = y.clamp(0, height - 1) * (2 / max(height - 1, 1)) - 1
    unit_x = x.clamp(0, width - 1) * (2 / max(width - 1, 1)) - 1
    places = torch.stack(
        [unit_x[:, None, :].expand(-1, grid[0], -1), unit_y[:, :, None].expand(-1, -1, grid[1])], dim=-1
    )
    flat = places.reshape(1, -1, grid[1], 2).to(picture.dtype)
    sampled = F.grid_sample(picture, flat, mode="bilinear", padding_mode="border", align_corners=True)
    return sampled[0].reshape(-1, len(corner), *grid).transpose(0, 1) * inside[:, None].to(picture.dtype)
