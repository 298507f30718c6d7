"""A user's own mmdet detector in the place of the built-in one."""

import dataclasses
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("mmdet")
import torch
from mmengine.config import Config

from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.models.detectors.families import FAMILIES
from or_mv_anon.models.network_file import Engine, NetworkFile
from or_mv_anon.openmmlab.compatibility import prepare
from or_mv_anon.regions.networks import MMDET, NetworkFiles, Networks, load_networks
from or_mv_anon.regions.sources import pose
from tests.openmmlab import toy

NARROW = 0.125  # of RTMDet-tiny's channels
DESCRIPTION = """
_base_ = ["mmdet::rtmdet/rtmdet_tiny_8xb32-300e_coco.py"]
model = dict(
    _scope_="mmdet",
    backbone=dict(init_cfg=None, widen_factor={widen}),
    neck=dict(in_channels=[{c}, {d}, {e}], out_channels={c}),
    bbox_head=dict(in_channels={c}, feat_channels={c}, num_classes={classes}),
)
"""


def describe(path: Path, *, classes: int) -> Path:
    c, d, e = (int(NARROW * width) for width in (256, 512, 1024))
    path.write_text(DESCRIPTION.format(widen=NARROW, c=c, d=d, e=e, classes=classes))
    return path


def save_weights(config: Path, path: Path) -> Path:
    """Weights that find something everywhere, surely of class 1, likely of class 0, a person, and hardly of others."""
    prepare()
    from mmdet.registry import MODELS

    torch.manual_seed(0)
    model = MODELS.build(Config.fromfile(config).model)
    model.init_weights()
    for scores, sides in zip(model.bbox_head.rtm_cls, model.bbox_head.rtm_reg, strict=True):
        scores.bias.data = torch.tensor([0.0, 3.0, -3.0])[: len(scores.bias)]
        sides.bias.data.fill_(1.0)
    torch.save({"state_dict": model.state_dict()}, path)
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    folder = tmp_path_factory.mktemp("own")
    config = describe(folder / "own.py", classes=3)
    return config, save_weights(config, folder / "own.pth")


@pytest.fixture
def loaded(files, monkeypatch):
    other = SimpleNamespace(provider="none")
    monkeypatch.setattr(pose, "PoseEstimator", lambda *_, **__: other)
    monkeypatch.setitem(FAMILIES, "none", lambda *_: other)
    load_networks.cache_clear()
    roles = {
        "detector": NetworkFile(MMDET, files[1], files[0]),
        "pose": NetworkFile("", files[1]),
        "face": NetworkFile("none", files[1]),
    }
    settings = NetworkFiles(tuple(roles.items()), Engine(device="cpu", threads=1))
    pipeline = load_config(None)
    detection = dataclasses.replace(pipeline.detection, min_score=0.0, input_long_side=toy.WIDTH)
    yield load_networks(settings, dataclasses.replace(pipeline, detection=detection))
    load_networks.cache_clear()


def test_it_is_loaded_and_only_people_come_out(loaded: Networks, tmp_path):
    picture = toy.rectangles(tmp_path / "labels.json")[0]
    boxes, scores = loaded["detector"].detect([picture], size=(2 * toy.WIDTH, 2 * toy.HEIGHT))[0]
    assert 0 < len(boxes) == len(scores)
    assert (scores < 0.8).all(), "the surer finds are no people"
    assert (boxes[:, 2] <= 2 * toy.WIDTH).all()
    assert (np.diff(scores) <= 0).all()


def test_a_processor_gets_one_frame_at_a_time(loaded: Networks):
    assert loaded.batch == 1
    assert "CPU" in loaded.providers["detector"]


def test_a_checkpoint_whose_last_layer_is_of_other_classes_is_refused(files, tmp_path):
    from or_mv_anon.openmmlab.inference import MmdetDetector

    other = describe(tmp_path / "other.py", classes=1)
    with pytest.raises(UserError, match=r"lacks the layer bbox_head\.rtm_cls"):
        MmdetDetector(other, files[1], load_config(None).detection)
