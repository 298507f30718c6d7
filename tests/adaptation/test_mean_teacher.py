"""The mean teacher of the benchmarks: the average that labels, and the network that learns from it."""

from dataclasses import replace

import numpy as np
import pytest

pytest.importorskip("mmdet")
import torch
from mmdet.structures import DetDataSample
from mmengine.config import Config

from benchmarks.mean_teacher import CONFIG, mean_teacher
from or_mv_anon.adaptation.coco import LabelledImage
from or_mv_anon.adaptation.pseudo_labels import PseudoLabels
from or_mv_anon.adaptation.settings import load_adaptation_config
from or_mv_anon.core.config import load_config
from or_mv_anon.models.detectors.yolox import PersonDetector
from or_mv_anon.openmmlab.detectors import build_detector
from tests.openmmlab.toy import HEIGHT, WIDTH, rectangles, tiny_yolox


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    path = tmp_path_factory.mktemp("start") / "start.onnx"
    tiny_yolox(path)
    return path


@pytest.fixture
def taught(start):
    config = Config.fromfile(CONFIG)
    config.model.least_score = 0.0  # the toy's weights are random, so it is sure of nothing
    config.model.follow = 0.25
    model = build_detector(config, start)
    model.teach(build_detector(config, start), 1.0)
    return model


def one_step(model):
    picture = torch.from_numpy(np.random.default_rng(0).integers(0, 256, (1, 3, HEIGHT, WIDTH), np.uint8)).float()
    return model.loss(picture, [DetDataSample(metainfo={"img_shape": (HEIGHT, WIDTH)})])


def test_two_steps_give_a_detector(start, tmp_path):
    pictures = rectangles(tmp_path / "labels.json")
    images = [
        LabelledImage(number=n, camera="s/cam1", frame=n, time=0.0, size=(WIDTH, HEIGHT), labels=PseudoLabels.empty())
        for n in pictures.pictures
    ]
    settings = replace(load_adaptation_config().training, steps=2, batch=2, long_side=WIDTH)
    told = []
    path = mean_teacher(
        start=start, images=images, pictures=pictures, out=tmp_path / "out", settings=settings, device="cpu",
        progress=lambda done, planned: told.append((done, planned)),
    )  # fmt: skip
    assert told == [(1, 2), (2, 2)]
    found = PersonDetector(path, load_config().detection, device="cpu").detect([pictures[0]], size=(WIDTH, HEIGHT))
    assert len(found) == 1


def test_the_average_follows_slowly_and_is_not_trained(taught):
    before = {name: value.clone() for name, value in taught.averaged.named_parameters()}
    with torch.no_grad():
        taught.bbox_head.multi_level_conv_obj[0].bias += 1.0
    sum(one_step(taught).values()).backward()
    after = dict(taught.averaged.named_parameters())
    moved = after["bbox_head.multi_level_conv_obj.0.bias"] - before["bbox_head.multi_level_conv_obj.0.bias"]
    assert moved.item() == pytest.approx(0.25)
    assert all(value.grad is None for value in after.values())
    assert taught.bbox_head.multi_level_conv_obj[0].bias.grad.abs().item() > 0


def test_what_the_average_is_not_sure_of_is_background(taught):
    assert one_step(taught)["loss_bbox"].item() > 0
    taught.least_score = 1.1
    losses = one_step(taught)
    assert losses["loss_bbox"].item() == 0
    assert losses["loss_obj"].item() > 0


def test_a_repeated_step_draws_the_same(taught):
    first, second = one_step(taught), one_step(taught)
    assert {name: float(value.detach()) for name, value in first.items()} == {
        name: float(value.detach()) for name, value in second.items()
    }
