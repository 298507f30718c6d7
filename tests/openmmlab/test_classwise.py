"""A network of two classes begins as the person network, teaches each class by itself, and runs as either detector."""

import dataclasses
import json

import numpy as np
import pytest

pytest.importorskip("mmdet")
import torch
from mmengine.config import Config
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.resources import resource
from or_mv_anon.models.detectors.people_and_heads import PeopleAndHeadsDetector
from or_mv_anon.models.detectors.yolox import PersonDetector
from or_mv_anon.openmmlab.classwise import ClasswiseYOLOXHead, _only
from or_mv_anon.openmmlab.detector_training import train_detector
from or_mv_anon.openmmlab.export import export_yolox
from or_mv_anon.openmmlab.training_job import DetectorTraining
from or_mv_anon.openmmlab.yolox import build_yolox
from tests.openmmlab import toy

BOTH = resource("configs/detector/people_and_heads.py")
ALL_CELLS = dataclasses.replace(load_config(None).detection, min_score=0.0, nms_iou=1.0, input_long_side=toy.WIDTH)
PICTURE = np.random.default_rng(1).integers(0, 256, (toy.HEIGHT, toy.WIDTH, 3), np.uint8)
SIZE = (toy.WIDTH, toy.HEIGHT)


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    path = tmp_path_factory.mktemp("people") / "people.onnx"
    toy.tiny_yolox(path)
    return path


@pytest.fixture(scope="module")
def both(people):
    path = people.with_name("both.onnx")
    export_yolox(build_yolox(people, model_config=Config.fromfile(BOTH).model), path)
    return path


def found(detector):
    boxes, scores = detector.detect([PICTURE], size=SIZE)[0]
    return np.column_stack([boxes, scores])


def test_people_are_found_as_before_and_heads_begin_as_people(people, both):
    before = found(PersonDetector(people, ALL_CELLS, device="cpu", precision="f32"))
    after = found(PersonDetector(both, ALL_CELLS, device="cpu", precision="f32"))
    assert len(before) == 12 * 8 + 6 * 4 + 3 * 2
    np.testing.assert_allclose(after, before, atol=1e-3)
    detector = PeopleAndHeadsDetector(both, ALL_CELLS, device="cpu", precision="f32")
    of_person, of_head = detector.detect_classes([PICTURE], size=SIZE)[0]
    np.testing.assert_allclose(np.column_stack(of_person), before, atol=1e-3)
    np.testing.assert_allclose(np.column_stack(of_head), before, atol=1e-3)
    np.testing.assert_allclose(found(detector), before, atol=1e-3)


def test_a_network_of_people_is_refused_where_heads_are_asked_for(people):
    with pytest.raises(UserError, match="tells less than is asked"):
        PeopleAndHeadsDetector(people, ALL_CELLS, device="cpu")


def test_an_adaptation_goes_on_from_it_with_people_alone(people, both):
    before, after = build_yolox(people).state_dict(), build_yolox(both).state_dict()
    assert before.keys() == after.keys()
    for name, value in before.items():
        assert torch.allclose(value, after[name]), name


@pytest.fixture(scope="module")
def head():
    assigner = {"type": "SimOTAAssigner", "center_radius": 2.5}
    with DefaultScope.overwrite_default_scope("mmdet"):
        return ClasswiseYOLOXHead(
            num_classes=2, in_channels=8, feat_channels=8, norm_cfg=None, train_cfg={"assigner": assigner}
        )


def test_a_class_that_was_not_labelled_in_a_picture_has_no_gradient(head):
    random = torch.Generator().manual_seed(0)
    sizes = [(8, 12), (4, 6), (2, 3)]
    maps = tuple(
        [torch.randn((1, rows, *size), generator=random).requires_grad_() for size in sizes] for rows in (2, 8, 2)
    )
    labels = InstanceData(
        bboxes=torch.tensor([[8.0, 8.0, 40.0, 56.0]]), labels=torch.zeros(1, dtype=torch.long), weights=torch.ones(1)
    )
    whole = InstanceData(bboxes=torch.tensor([[0.0, 0.0, 96.0, 64.0]]), labels=torch.ones(1, dtype=torch.long))
    total = torch.zeros(())
    for number in range(2):
        predictions, priors = head.flatten(head.of_class(maps, number))
        targets = head.targets(predictions, priors, _only([labels], number), _only([whole], number))
        total = total + sum(head.label_losses(predictions, targets).values())
    total.backward()
    for kind, each in enumerate((1, 4, 1)):
        for part in maps[kind]:
            assert not part.grad[:, each:].any()
    assert (maps[2][0].grad[:, 0] != 0).all()


def test_each_class_learns_its_own_labels(people, tmp_path):
    pictures = toy.rectangles(tmp_path / "labels.json")
    content = json.loads((tmp_path / "labels.json").read_text())
    for entry in list(content["annotations"]):
        left, top, width, _ = entry["bbox"]
        number = len(content["annotations"]) + 1
        box = [left + width / 2 - 6, top, 12, 12]
        content["annotations"].append({"id": number, "image_id": entry["image_id"], "category_id": 2, "bbox": box})
        pictures[entry["image_id"]][top : top + 12, int(left + width / 2) - 6 : int(left + width / 2) + 6] = (220, 9, 9)
    (tmp_path / "labels.json").write_text(json.dumps(content))
    trained = train_detector(
        DetectorTraining(
            config=BOTH,
            start=people,
            labels=tmp_path / "labels.json",
            pictures=pictures,
            out=tmp_path / "out",
            steps=6,
            batch=4,
            long_side=toy.WIDTH,
            learning_rate=2e-3,
            teacher=people,
            teacher_weight=0.1,
            device="cpu",
        ),
        progress=lambda done, total: None,
    )
    assert "loss_taught_obj_0" in trained.log[0]
    assert "loss_taught_obj_1" not in trained.log[0]  # the teacher knows people alone
    assert all(entry[f"loss_bbox_{number}"] > 0 for number in range(2) for entry in trained.log)
    weights = build_yolox(trained.onnx, model_config=Config.fromfile(BOTH).model).state_dict()
    person, head = weights["bbox_head.multi_level_conv_obj.0.weight"]
    assert not torch.allclose(person, head)  # they began equal
    PeopleAndHeadsDetector(trained.onnx, ALL_CELLS, device="cpu")
