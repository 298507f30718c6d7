"""Detectors of mmdet other than YOLOX: they start from the user's checkpoint, train, and find."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("mmdet")
import torch
from mmengine.config import Config

from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.resources import resource
from or_mv_anon.openmmlab.compatibility import prepare
from or_mv_anon.openmmlab.detector_training import train_detector
from or_mv_anon.openmmlab.detectors import build_detector
from or_mv_anon.openmmlab.inference import MmdetDetector
from or_mv_anon.openmmlab.training_job import DetectorTraining
from tests.openmmlab import toy


def checkpoint(config, path, *, classes=80):
    """Random weights of the configured model, as it was trained on `classes` classes."""
    prepare()
    from mmdet.registry import MODELS

    described = Config.fromfile(config).model
    head = described.roi_head.bbox_head if "roi_head" in described else described.bbox_head
    head.num_classes = classes
    torch.manual_seed(0)
    model = MODELS.build(described)
    model.init_weights()
    torch.save({"state_dict": model.state_dict()}, path)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "steps"), [("rtmdet_tiny", 3), ("faster_rcnn_r50", 1), ("deformable_detr_r50", 1)])
def test_a_detector_trains_and_finds(name, steps, tmp_path):
    config = resource(f"configs/detector/{name}.py")
    checkpoint(config, tmp_path / "start.pth")
    pictures = toy.rectangles(tmp_path / "labels.json")
    job = DetectorTraining(
        config=config,
        start=tmp_path / "start.pth",
        labels=tmp_path / "labels.json",
        pictures=pictures,
        out=tmp_path / "out",
        steps=steps,
        batch=2,
        long_side=toy.WIDTH,
        learning_rate=1e-4,
        device="cpu",
        frozen_stages=1,
    )
    trained = train_detector(job, progress=lambda done, total: None)
    assert trained.onnx is None
    settings = dataclasses.replace(load_config(None).detection, min_score=0.0, input_long_side=toy.WIDTH)
    detector = MmdetDetector(config, trained.checkpoint, settings)
    picture = pictures[0]
    found = detector.detect([picture, picture], size=(2 * toy.WIDTH, 2 * toy.HEIGHT))
    boxes, scores = found[0]
    assert boxes.shape == (len(scores), 4)
    assert (np.diff(scores) <= 0).all()
    assert (boxes[:, [0, 2]] <= 2 * toy.WIDTH).all()
    assert (boxes >= 0).all()


def test_a_checkpoint_of_another_model_is_refused(tmp_path):
    torch.save({"state_dict": {"backbone.conv1.weight": torch.zeros(64, 3, 7, 7)}}, tmp_path / "other.pth")
    with pytest.raises(UserError, match="another model"):
        build_detector(Config.fromfile(resource("configs/detector/rtmdet_tiny.py")), tmp_path / "other.pth")


def test_only_a_yolox_starts_from_an_export(tmp_path):
    (tmp_path / "start.onnx").write_bytes(b"")
    with pytest.raises(UserError, match="only YOLOX"):
        build_detector(Config.fromfile(resource("configs/detector/rtmdet_tiny.py")), tmp_path / "start.onnx")
