"""Training on made-up heads: it learns, goes on after a kill as if nothing had happened, judges and exports."""

import dataclasses
import json

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from or_mv_anon.core.budget import Budget  # noqa: E402
from or_mv_anon.core.errors import UserError  # noqa: E402
from or_mv_anon.head_training import networks, training  # noqa: E402
from or_mv_anon.head_training.card import write_card  # noqa: E402
from or_mv_anon.head_training.export import export  # noqa: E402
from or_mv_anon.head_training.judging import judge  # noqa: E402
from or_mv_anon.head_training.material import Folders, read_material  # noqa: E402
from or_mv_anon.head_training.settings import load_training_config  # noqa: E402
from or_mv_anon.head_training.training import CHECKPOINT, LOG, ModifierTraining  # noqa: E402
from or_mv_anon.models.landmarks import FoundFaces  # noqa: E402
from or_mv_anon.models.recognizers import unit  # noqa: E402
from tests.head_training.modifier_material import CODES, SIDE, made_up_material  # noqa: E402


class Brightness:
    """A recognizer that knows people by how bright and how even their pictures are."""

    name, same_person = "brightness", 0.9999

    def embed(self, pictures, landmarks):
        rows = [[picture.mean(), picture.std()] for picture in pictures]
        return unit(np.float32(rows).reshape(-1, 2))


class EveryFace:
    def find(self, picture):
        return FoundFaces(np.zeros((1, 4), np.float32), np.ones(1, np.float32), np.zeros((1, 5, 2), np.float32))


def settings(*, steps=6, free=False, **sections):
    modifier = {"side": SIDE, "codes": 0 if free else CODES, "width": 4, "blocks": 1}
    training = {"steps": steps, "batch": 8, "alone_steps": 2, "save_every": 2, "average": 0.5}
    action = {"warm_up_steps": 2, "batch": 2, "fine_tune_steps": 1}
    overrides = {"modifier": modifier, "training": training, "action": action}
    for name, values in sections.items():
        overrides[name] = overrides.get(name, {}) | values
    return load_training_config(overrides=overrides)


@pytest.fixture(autouse=True)
def drawings(monkeypatch):
    """Brightness gradients instead of rendered heads: the extra `sim` is not needed."""
    kinds = torch.linspace(0.2, 0.8, CODES)[:, None, None, None].expand(CODES, 3, SIDE, SIDE).clone()
    monkeypatch.setattr(networks, "draw_heads", lambda count, **_: kinds[:count])


def trained(folder, config, budget=None):
    folder.mkdir(exist_ok=True)
    made = ModifierTraining(made_up_material(), config=config, folder=folder)
    return made, made.run(budget or Budget(None))


def weights(network):
    return [value.numpy() for value in network.state_dict().values()]


def test_the_drawing_learns_to_face_where_the_head_does(tmp_path):
    config = settings(steps=60, training={"average": 0.9, "alone_steps": 55, "learning_rate": 0.003})
    made, network = trained(tmp_path, config)
    judged = judge(
        network,
        made.networks.action,
        made_up_material(),
        config=config,
        recognizer=Brightness(),
        finder=EveryFace(),
    )
    assert judged.modified.direction > 0.8
    assert judged.modified.face_found == 1
    assert judged.clear.recognized == 1
    assert judged.real_people == CODES
    assert 0 <= judged.modified.action <= 1


@pytest.mark.parametrize("free", [False, True])
def test_a_killed_training_goes_on_to_the_same_bytes(tmp_path, free):
    losses = {"realism": 0.1} if free else {}
    config = settings(free=free, losses=losses)
    _, whole = trained(tmp_path / "whole", config)
    ticks = iter(range(100))
    stopping = Budget(5 / 60, clock=lambda: float(next(ticks)))
    first, _ = trained(tmp_path / "parts", config, stopping)
    assert 0 < first.step < 8
    second, again = trained(tmp_path / "parts", config)
    assert second.step == 8
    assert second.modifier_steps == 6
    for one, other in zip(weights(whole), weights(again), strict=True):
        np.testing.assert_array_equal(one, other)


def test_a_checkpoint_of_other_settings_is_refused(tmp_path):
    trained(tmp_path, settings(steps=2))
    with pytest.raises(UserError, match="other settings"):
        trained(tmp_path, settings(steps=2, identity={"margin": 0.3}))
    (tmp_path / CHECKPOINT).write_bytes(b"nothing")
    with pytest.raises(UserError, match="damaged"):
        trained(tmp_path, settings(steps=2))


@pytest.mark.parametrize(("kind", "margin", "goal"), [("a-softmax", 4.0, "wrong"), ("none", 0.0, "uniform")])
def test_the_papers_losses_are_options(tmp_path, monkeypatch, kind, margin, goal):
    monkeypatch.setattr(training, "LOGGED_EVERY", 3)
    identity = {"margin_kind": kind, "margin": margin, "goal": goal}
    trained(tmp_path, settings(free=True, steps=4, identity=identity, training={"alone_steps": 0}))
    logged = [json.loads(line) for line in (tmp_path / LOG).read_text().splitlines()]
    assert {"identity", "knows_real", "knows_modified", "picture", "consistency", "action"} <= set(logged[1])
    assert all(np.isfinite(list(entry.values())).all() for entry in logged)


def test_the_card_says_how_little_can_come_out(tmp_path):
    config = settings(steps=2)
    made, network = trained(tmp_path, config)
    material = dataclasses.replace(made_up_material(), held_out=[], elsewhere=[])
    judged = judge(network, None, material, config=config, recognizer=Brightness(), finder=EveryFace())
    export(network, tmp_path / "modifier.onnx", config=config.modifier)
    write_card(
        tmp_path / "card.md", network=tmp_path / "modifier.onnx", material=material, judgement=judged,
        steps=made.modifier_steps, config=config,
    )  # fmt: skip
    text = (tmp_path / "card.md").read_text()
    assert "one of 4 pictures" in text
    assert "at most 2 bits" in text
    assert "| made up | real | 24 | 3 |" in text


def test_nothing_to_learn_from_is_said_so():
    with pytest.raises(UserError, match="no head to learn from"):
        read_material(Folders(), side=SIDE, config=settings().material)


def test_faster_rcnn_asks_the_modifier_through_whole_frames():
    pytest.importorskip("mmdet")
    from or_mv_anon.head_training.action_judges import FrameJudge
    from or_mv_anon.head_training.sampler import HeadSampler
    from or_mv_anon.openmmlab.frame_actions import FasterRcnnActions
    from tests.head_training.modifier_material import made_up_frame

    torch.manual_seed(0)
    config, material = settings(free=True), made_up_material()
    sampler = HeadSampler(material, config=config, device="cpu")
    judge_of_frames = FrameJudge(
        FasterRcnnActions(2, depth=18), [made_up_frame()], sampler, batch=2, seed=0, device="cpu"
    )
    modifier = networks.make_modifier(config)
    batch = sampler.mixed((1,))
    loss = judge_of_frames.modified(batch, modifier(batch.seen), modifier, (0,))
    loss.backward()
    assert np.isfinite(loss.item())
    assert modifier.draw.weight.grad.abs().sum() > 0
