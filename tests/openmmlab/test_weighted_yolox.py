"""What a label's weight, an ignored region and a teacher do to the gradient."""

import pytest

pytest.importorskip("mmdet")
import torch
from mmengine.registry import DefaultScope
from mmengine.structures import InstanceData

from or_mv_anon.openmmlab.weighted_yolox import WeightedYOLOXHead

SIDES = [(8, 12), (4, 6), (2, 3)]  # of the maps of a picture of 96 × 64
PERSON = torch.tensor([[8.0, 8.0, 40.0, 56.0]])
REGION = torch.tensor([[48.0, 0.0, 96.0, 64.0]])
NOTHING = torch.zeros((0, 4))


@pytest.fixture(scope="module")
def head():
    assigner = {"type": "SimOTAAssigner", "center_radius": 2.5}
    with DefaultScope.overwrite_default_scope("mmdet"):  # an earlier training in this process may have set another
        return WeightedYOLOXHead(
            num_classes=1, in_channels=8, feat_channels=8, norm_cfg=None, train_cfg={"assigner": assigner}
        )


def maps(seed=0):
    random = torch.Generator().manual_seed(seed)
    return tuple(
        [torch.randn((1, channels, *side), generator=random).requires_grad_() for side in SIDES]
        for channels in (1, 4, 1)
    )


def losses(head, heads, boxes, weights, ignored):
    labels = InstanceData(bboxes=boxes, labels=torch.zeros(len(boxes), dtype=torch.long), weights=torch.tensor(weights))
    return head.loss_by_feat(*heads, [labels], [{}], [InstanceData(bboxes=ignored)])


def test_objectness_is_not_judged_in_an_ignored_region(head):
    heads = maps()
    sum(losses(head, heads, PERSON, [1.0], REGION).values()).backward()
    finest = heads[2][0].grad[0, 0]
    assert (finest[:, 6:] == 0).all()  # columns whose cells' centres are in the region
    assert (finest[:, 5] == 0).sum() < len(finest)


def test_background_is_judged_where_nothing_is_ignored(head):
    heads = maps()
    sum(losses(head, heads, PERSON, [1.0], NOTHING).values()).backward()
    assert (heads[2][0].grad[0, 0] != 0).all()


def test_a_picture_without_labels_teaches_background_alone(head):
    heads = maps()
    found = losses(head, heads, NOTHING, [], NOTHING)
    assert found["loss_cls"] == found["loss_bbox"] == 0
    assert found["loss_obj"] > 0
    sum(found.values()).backward()


def test_two_labels_count_in_proportion_to_their_weights(head):
    boxes = torch.cat([PERSON, REGION - 2])
    both = losses(head, maps(), boxes, [1.0, 1.0], NOTHING)["loss_bbox"]
    first = losses(head, maps(), boxes, [1.0, 1e-9], NOTHING)["loss_bbox"]
    second = losses(head, maps(), boxes, [1e-9, 1.0], NOTHING)["loss_bbox"]
    assert min(first, second) < both < max(first, second)


def test_a_network_that_agrees_with_its_teacher_has_no_gradient_from_it(head):
    heads = maps()
    predictions, priors = head.flatten(heads)
    labels = InstanceData(bboxes=PERSON, labels=torch.zeros(1, dtype=torch.long), weights=torch.ones(1))
    targets = head.targets(predictions, priors, [labels], None)
    with torch.no_grad():
        teacher, _ = head.flatten(maps())
    found = head.teacher_losses(predictions, teacher, targets)
    (found["loss_taught_obj"] + found["loss_taught_cls"]).backward()
    assert max(part.grad.abs().max() for part in (*heads[0], *heads[2])) < 1e-6
    assert found["loss_taught_bbox"] < 1e-6


def test_the_teacher_is_silent_inside_trusted_labels(head):
    heads = maps()
    predictions, priors = head.flatten(heads)
    labels = InstanceData(bboxes=PERSON, labels=torch.zeros(1, dtype=torch.long), weights=torch.ones(1))
    targets = head.targets(predictions, priors, [labels], None)
    with torch.no_grad():
        teacher, _ = head.flatten(maps(seed=1))
    sum(head.teacher_losses(predictions, teacher, targets).values()).backward()
    finest = heads[2][0].grad[0, 0]
    assert (finest[1:7, 1:5] == 0).all()
    assert (finest[:, 7:] != 0).all()


def test_predictions_far_out_of_range_stay_finite(head):
    heads = tuple([part.detach() * 1000 for part in kind] for kind in maps())
    assert all(torch.isfinite(value) for value in losses(head, heads, PERSON, [1.0], REGION).values())
