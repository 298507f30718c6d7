"""Writes `reference.json`: what mmdet 3.3.0 and mmpose 1.3.2 compute, for the tests to compare with.

Not part of the test run. It needs an environment in which those two import (torch 2.13, mmengine 0.10.7, mmcv-lite
2.1.0 with replacements for its compiled operators, av 18.1), the four-camera sample, and the two pretrained networks as
state dicts of mmdet's and mmpose's own modules, converted from the ONNX files that data/weights.toml names:

    python tests/models/make_reference.py --sample DIR --yolox yolox.pth --rtmpose rtmpose.pth

mmdet runs with a head of one class, made of class 0 of the pretrained one: with all 80, a cell whose best class is not
"person" would be lost, which we do not want.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Any

import av
import numpy as np
import torch
from mmdet.datasets.transforms import Pad, Resize
from mmdet.models.dense_heads import YOLOXHead
from mmengine.config import ConfigDict
from mmengine.registry import init_default_scope
from mmengine.structures import InstanceData
from mmpose.codecs import SimCCLabel
from mmpose.datasets.transforms import GetBBoxCenterScale, TopdownAffine
from mmpose.registry import MODELS as POSE_MODELS
from mmpose.structures import PoseDataSample
from mmpose.utils import register_all_modules

from tests.models import reference_inputs as inputs

TEST_CFG = ConfigDict(score_thr=0.1, nms={"type": "nms", "iou_threshold": 0.65})
BN = {"type": "BN", "momentum": 0.03, "eps": 0.001}


def yolox_input(picture: np.ndarray) -> dict[str, Any]:
    results = {"img": picture, "img_shape": picture.shape[:2], "ori_shape": picture.shape[:2]}
    results = Resize(scale=(inputs.LONG_SIDE, inputs.LONG_SIDE), keep_ratio=True)(results)
    results["resized_shape"] = results["img"].shape[:2]
    return Pad(size_divisor=32, pad_val={"img": (114.0, 114.0, 114.0)})(results)


def preprocessing() -> list[dict[str, Any]]:
    cases = []
    for width, height in inputs.FRAME_SIZES:
        results = yolox_input(inputs.generated_picture(width, height))
        cases.append(
            {
                "frame": [width, height],
                "resized": list(results["resized_shape"][::-1]),
                "padded": list(results["img"].shape[1::-1]),
                "pixels": inputs.sampled_pixels(results["img"]),
            }
        )
    return cases


def select(head: YOLOXHead, outputs: Any, meta: dict[str, Any]) -> dict[str, Any]:
    (found,) = head.predict_by_feat(*outputs, batch_img_metas=[meta], cfg=TEST_CFG, rescale=True, with_nms=True)
    return {"boxes": rounded(found.bboxes, 3), "scores": rounded(found.scores, 5)}


def head_decoding() -> dict[str, Any]:
    heads = {name: torch.from_numpy(head)[None] for name, head in inputs.yolox_heads().items()}
    outputs = [[heads[f"{kind}_{stride}"] for stride in (8, 16, 32)] for kind in ("cls", "reg", "obj")]
    head = YOLOXHead(1, 96, feat_channels=96).eval()
    return select(head, outputs, {"scale_factor": (0.5, 0.5), "img_shape": inputs.HEAD_PICTURE})


def pose_crops() -> list[dict[str, Any]]:
    picture = inputs.generated_picture(333, 217)
    cases = []
    for box in inputs.POSE_BOXES:
        results = pose_input(picture, box)
        cases.append(
            {
                "centre": rounded(results["input_center"], 4),
                "size": rounded(results["input_scale"], 4),
                "pixels": inputs.sampled_pixels(results["img"]),
            }
        )
    return cases


def pose_input(picture: np.ndarray, box: np.ndarray) -> dict[str, Any]:
    results = {"img": picture, "bbox": box[None].copy(), "bbox_score": np.ones(1, np.float32)}
    results = GetBBoxCenterScale(padding=1.25)(results)
    return TopdownAffine(input_size=(192, 256))(results)


def simcc_decoding() -> dict[str, Any]:
    codec = SimCCLabel(input_size=(192, 256), sigma=(4.9, 5.66), simcc_split_ratio=2.0, normalize=False, use_dark=False)
    points, scores = [], []
    for x, y in zip(*inputs.simcc_heads(), strict=True):
        decoded = codec.decode(x[None], y[None])
        points.append(rounded(decoded[0][0], 3))
        scores.append(rounded(decoded[1][0], 6))
    return {"points": points, "scores": scores}


def build_yolox(state: Path) -> torch.nn.Module:
    from mmdet.models.backbones import CSPDarknet
    from mmdet.models.necks import YOLOXPAFPN

    swish = {"norm_cfg": BN, "act_cfg": {"type": "Swish"}}
    model = torch.nn.Module()
    model.backbone = CSPDarknet(deepen_factor=0.33, widen_factor=0.375, out_indices=(2, 3, 4), **swish)
    model.neck = YOLOXPAFPN([96, 192, 384], 96, num_csp_blocks=1, **swish)
    model.bbox_head = YOLOXHead(1, 96, feat_channels=96, **swish)
    values = torch.load(state, weights_only=True)["state_dict"]
    for name in values:
        if "multi_level_conv_cls" in name:
            values[name] = values[name][:1]
    model.load_state_dict(values)
    return model.eval()


def build_rtmpose(state: Path) -> torch.nn.Module:
    init_default_scope("mmpose")
    codec = {"type": "SimCCLabel", "input_size": (192, 256), "sigma": (4.9, 5.66), "simcc_split_ratio": 2.0}
    codec |= {"normalize": False, "use_dark": False}
    backbone = {"type": "CSPNeXt", "_scope_": "mmdet", "arch": "P5", "expand_ratio": 0.5, "deepen_factor": 0.33}
    backbone |= {"widen_factor": 0.5, "out_indices": (4,), "channel_attention": True}
    backbone |= {"norm_cfg": {"type": "BN"}, "act_cfg": {"type": "SiLU"}}
    gau = {"hidden_dims": 256, "s": 128, "expansion_factor": 2, "dropout_rate": 0.0, "drop_path": 0.0}
    gau |= {"act_fn": "SiLU", "use_rel_bias": False, "pos_enc": False}
    head = {"type": "RTMCCHead", "in_channels": 512, "out_channels": 26, "input_size": (192, 256)}
    head |= {"in_featuremap_size": (6, 8), "simcc_split_ratio": 2.0, "final_layer_kernel_size": 7, "gau_cfg": gau}
    head |= {"loss": {"type": "KLDiscretLoss", "use_target_weight": True}, "decoder": codec}
    preprocessor = {"type": "PoseDataPreprocessor", "mean": [123.675, 116.28, 103.53]}
    preprocessor |= {"std": [58.395, 57.12, 57.375], "bgr_to_rgb": True}
    model = {"type": "TopdownPoseEstimator", "data_preprocessor": preprocessor, "backbone": backbone, "head": head}
    estimator = POSE_MODELS.build(model | {"test_cfg": {"flip_test": False}})
    estimator.load_state_dict(torch.load(state, weights_only=True)["state_dict"])
    return estimator.eval()


def whole_models(args: argparse.Namespace) -> list[dict[str, Any]]:
    yolox, rtmpose = build_yolox(args.yolox), build_rtmpose(args.rtmpose)
    cases = []
    for video, index in inputs.SAMPLE_FRAMES:
        with av.open(str(args.sample / video)) as container:
            frames = container.decode(video=0)
            picture = [frame for _, frame in zip(range(index + 1), frames, strict=False)][-1].to_ndarray(format="bgr24")
        results = yolox_input(picture)
        batch = torch.from_numpy(results["img"].transpose(2, 0, 1)[None].astype(np.float32))
        with torch.no_grad():
            outputs = yolox.bbox_head(yolox.neck(yolox.backbone(batch)))
        persons = select(yolox.bbox_head, outputs, {k: results[k] for k in ("scale_factor", "img_shape")})
        poses = [pose(rtmpose, picture, np.array(box, np.float32)) for box in persons["boxes"]]
        cases.append({"video": video, "frame": index, **persons, "poses": poses})
    return cases


def pose(estimator: torch.nn.Module, picture: np.ndarray, box: np.ndarray) -> dict[str, Any]:
    results = pose_input(picture, box)
    sample = PoseDataSample(metainfo={k: results[k] for k in ("input_size", "input_center", "input_scale")})
    sample.gt_instances = InstanceData(bboxes=results["bbox"], bbox_scores=results["bbox_score"])
    crop = torch.from_numpy(results["img"].transpose(2, 0, 1).copy())
    data = estimator.data_preprocessor({"inputs": [crop], "data_samples": [sample]})
    with torch.no_grad():
        (done,) = estimator(**data, mode="predict")
    found = done.pred_instances
    return {"points": rounded(found.keypoints[0], 2), "scores": rounded(found.keypoint_scores[0], 4)}


def rounded(values: Any, digits: int) -> list[Any]:
    return np.round(np.asarray(values, np.float64), digits).tolist()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sample", type=Path, required=True)
    parser.add_argument("--yolox", type=Path, required=True)
    parser.add_argument("--rtmpose", type=Path, required=True)
    args = parser.parse_args()
    register_all_modules(init_default_scope=False)
    init_default_scope("mmdet")
    reference = {
        "made_by": "tests/models/make_reference.py with mmdet 3.3.0, mmpose 1.3.2, torch 2.13.0, opencv 4",
        "preprocessing": preprocessing(),
        "head_decoding": head_decoding(),
        "pose_crops": pose_crops(),
        "simcc_decoding": simcc_decoding(),
        "whole_models": whole_models(args),
    }
    lines = [f"{json.dumps(key)}: {json.dumps(value)}" for key, value in reference.items()]
    Path(__file__).with_name("reference.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    main()
