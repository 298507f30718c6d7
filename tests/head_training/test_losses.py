"""What the modifier and its adversaries are asked for, against what can be reckoned by hand."""

import math

import pytest

torch = pytest.importorskip("torch")

from or_mv_anon.head_training.adversary import additive_margin, multiplied_angle  # noqa: E402
from or_mv_anon.head_training.losses import away_from, critic_loss, flicker, pasted  # noqa: E402

UNMOVED = torch.tensor([[[1.0, 0, 0], [0, 1, 0]]])


def test_an_adversary_that_knows_nothing_costs_nothing():
    even = torch.zeros(3, 5)
    sure = torch.tensor([[9.0, 0, 0, 0, 0]])
    assert away_from(even, torch.tensor([0, 1, 2]), "uniform").item() == pytest.approx(0, abs=1e-6)
    assert away_from(sure, torch.tensor([0]), "uniform").item() > 1


def test_the_papers_goal_is_the_negative_cross_entropy():
    logits = torch.tensor([[2.0, 0.0]])
    right, wrong = (away_from(logits, torch.tensor([k]), "wrong").item() for k in (0, 1))
    assert right == pytest.approx(-math.log(1 + math.exp(-2)))
    assert wrong < right  # being taken for somebody else is what it wants


def test_cosface_takes_the_margin_from_the_right_person_alone():
    cosines = torch.tensor([[0.5, 0.3]])
    torch.testing.assert_close(additive_margin(cosines, torch.tensor([0]), 0.2), torch.tensor([[0.3, 0.3]]))


def test_a_softmax_falls_all_the_way_with_the_angle():
    angle = torch.linspace(0.01, math.pi - 0.01, 300)
    made = multiplied_angle(angle.cos()[:, None], torch.zeros(300, dtype=torch.int64), 4.0)[:, 0]
    assert (made.diff() < 0).all()
    assert (made <= angle.cos() + 1e-5).all()  # never easier than without the margin
    assert made[0].item() == pytest.approx(1, abs=1e-2)


def test_what_moves_with_the_region_does_not_flicker():
    wide = torch.rand(1, 3, 16, 40, generator=torch.Generator().manual_seed(0))
    first, second = wide[..., :32], wide[..., 4:36]
    shift = torch.tensor([[[1.0, 0, 2 * 4 / 32], [0, 1, 0]]])
    assert flicker(first, second, shift).item() == pytest.approx(0, abs=1e-6)
    assert flicker(first, second, UNMOVED).item() > 0.1


def test_a_pasted_head_stays_inside_its_region():
    person, head = torch.zeros(1, 3, 20, 20), torch.ones(1, 3, 16, 16)
    to_region = torch.tensor([[[2.0, 0, 0], [0, 2, 0]]])  # the region is the middle quarter of the crop
    shown = pasted(person, head, to_region)
    assert shown[0, 0, 9:11, 9:11].min().item() == 1
    assert shown[0, 0, :5].max().item() == 0
    assert shown[0, 0, :, 15:].max().item() == 0


def test_the_critic_wants_pictures_high_and_drawings_low():
    right = critic_loss(torch.full((2, 1), 1.5), torch.full((2, 1), -1.5))
    assert right.item() == 0
    assert critic_loss(-torch.ones(2, 1), torch.ones(2, 1)).item() == 4
