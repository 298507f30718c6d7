"""A narrow network that computes what the wide one does."""

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

pytest.importorskip("mmdet")
import torch
from mmdet.structures import DetDataSample
from mmengine.structures import InstanceData

from or_mv_anon.core.errors import UserError
from or_mv_anon.models import graphs
from or_mv_anon.models.runtime import load_model
from or_mv_anon.openmmlab.imitation import hint_loss, read_channels
from or_mv_anon.openmmlab.student import narrow
from or_mv_anon.openmmlab.yolox import build_yolox
from tests.openmmlab.toy import CHANNELS, tiny_yolox

HALF = CHANNELS / 2 / 64


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    path = tmp_path_factory.mktemp("teacher") / "teacher.onnx"
    tiny_yolox(path)
    return path


@pytest.fixture
def pictures():
    return list(np.random.default_rng(0).integers(0, 256, (4, 64, 96, 3), np.uint8))


def infer(path, pictures):
    return load_model(graphs.yolox(path), device="cpu", precision="f32").infer(np.stack(pictures))


def silence_every_other_channel(source, target):
    model = onnx.load(source)
    weights = {tensor.name: tensor for tensor in model.graph.initializer}
    for node in model.graph.node:
        if node.op_type == "Conv" and "multi_level_conv" not in node.input[1]:
            for name in node.input[1:]:
                values = numpy_helper.to_array(weights[name]).copy()
                values[1::2] = 0
                weights[name].CopyFrom(numpy_helper.from_array(values, name))
    onnx.save(model, target)


def test_channels_that_say_nothing_are_left_out_without_a_trace(teacher, pictures, tmp_path):
    silenced, slim = tmp_path / "silenced.onnx", tmp_path / "slim.onnx"
    silence_every_other_channel(teacher, silenced)
    narrow(silenced, slim, width=HALF, pictures=pictures, seed=0)
    expected, found = infer(silenced, pictures), infer(slim, pictures)
    for name, values in expected.items():
        np.testing.assert_allclose(found[name], values, atol=5e-3)


def test_the_narrow_network_trains_as_one_of_its_width(teacher, pictures, tmp_path):
    slim = tmp_path / "slim.onnx"
    narrow(teacher, slim, width=HALF, pictures=pictures, seed=0)
    model = build_yolox(slim)
    assert model.backbone.stem.conv.conv.out_channels == CHANNELS // 2


def test_the_same_seed_gives_the_same_network(teacher, pictures, tmp_path):
    files = [tmp_path / "a.onnx", tmp_path / "b.onnx"]
    for path in files:
        narrow(teacher, path, width=HALF, pictures=pictures, seed=3)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_a_student_as_wide_as_its_teacher_is_refused(teacher, pictures, tmp_path):
    with pytest.raises(UserError, match="not below the teacher's"):
        narrow(teacher, tmp_path / "slim.onnx", width=CHANNELS / 64, pictures=pictures, seed=0)


def test_a_narrow_network_says_which_channels_it_kept(teacher, pictures, tmp_path):
    silenced, slim = tmp_path / "silenced.onnx", tmp_path / "slim.onnx"
    silence_every_other_channel(teacher, silenced)
    narrow(silenced, slim, width=HALF, pictures=pictures, seed=0)
    those_that_speak = list(range(0, 4 * CHANNELS, 2))
    assert read_channels(slim) == {"cls": [those_that_speak] * 3, "reg": [those_that_speak] * 3}


def test_hints_are_compared_channel_by_channel():
    generator = torch.Generator().manual_seed(0)
    wide = [tuple(torch.randn(2, 8, 3, 4, generator=generator) for _ in range(2)) for _ in range(3)]
    kept = {"cls": [[0, 2, 5]] * 3, "reg": [[1, 3, 4]] * 3}
    same = [(cls[:, [0, 2, 5]], reg[:, [1, 3, 4]]) for cls, reg in wide]
    assert hint_loss(same, wide, kept).item() == 0
    silent = [tuple(torch.zeros_like(part) for part in parts) for parts in same]
    assert hint_loss(silent, wide, kept).item() == pytest.approx(6.0)  # all of it, in two branches of three strides


def test_only_a_narrowed_network_says_what_it_kept(teacher, tmp_path):
    assert read_channels(teacher) is None
    assert read_channels(tmp_path / "checkpoint.pth") is None


def test_a_narrowed_network_is_taught_by_hints(teacher, pictures, tmp_path):
    slim = tmp_path / "slim.onnx"
    narrow(teacher, slim, width=HALF, pictures=pictures, seed=0)
    model, wide = build_yolox(slim), build_yolox(teacher)
    batch = torch.from_numpy(np.stack(pictures)).permute(0, 3, 1, 2).float()
    samples = [DetDataSample(metainfo={"img_shape": (64, 96)}) for _ in pictures]
    for sample in samples:
        nobody = torch.zeros(0, 4)
        sample.gt_instances = InstanceData(bboxes=nobody, labels=torch.zeros(0, dtype=torch.long), weights=nobody[:, 0])
        sample.ignored_instances = InstanceData(bboxes=nobody)
    losses = {}
    for kept in (None, read_channels(slim)):
        model.teach(wide, 2.0, kept)
        losses[kept is None] = model.loss(batch, samples)
    hints = losses[False].keys() - losses[True].keys()
    assert hints == {"loss_taught_hints"}
    losses[False]["loss_taught_hints"].backward()
    assert model.backbone.stem.conv.conv.weight.grad.abs().sum() > 0
    assert all(value.grad is None for value in wide.parameters())
