"""Training on a tiny coloured set: it learns, goes on after a kill as if nothing had happened, and exports."""

import dataclasses
import json

import cv2
import numpy as np
import onnx
import pytest

torch = pytest.importorskip("torch")

from or_mv_anon.core.errors import UserError  # noqa: E402
from or_mv_anon.endoscopy.borders import find_picture_area, prepare  # noqa: E402
from or_mv_anon.endoscopy.training import learning  # noqa: E402
from or_mv_anon.endoscopy.training.augmentation import disturbed, example  # noqa: E402
from or_mv_anon.endoscopy.training.export import export  # noqa: E402
from or_mv_anon.endoscopy.training.material import load_material  # noqa: E402
from or_mv_anon.endoscopy.training.network import OutOfBodyNetwork  # noqa: E402
from or_mv_anon.endoscopy.training.settings import load_training_config  # noqa: E402
from or_mv_anon.endoscopy.training.training import train  # noqa: E402
from or_mv_anon.models.runtime import load_model  # noqa: E402


def coloured(outside, rng):
    """Smooth red lumps inside, grey squares outside."""
    if outside:
        blocks = rng.integers(60, 220, (6, 6, 1)).astype(np.uint8).repeat(3, axis=2)
        return cv2.resize(blocks, (96, 96), interpolation=cv2.INTER_NEAREST)
    lumps = rng.integers(20, 120, (5, 5, 3)).astype(np.uint8)
    lumps[..., 2] = np.minimum(255, lumps[..., 2].astype(int) + 120)
    return cv2.resize(lumps, (96, 96), interpolation=cv2.INTER_CUBIC)


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    folder = tmp_path_factory.mktemp("material")
    rng = np.random.default_rng(0)
    for label in ("inside", "outside"):
        (folder / label).mkdir()
        for group in "abc":
            for number in range(3):
                cv2.imwrite(str(folder / label / f"{group}_{number}.png"), coloured(label == "outside", rng))
    return folder


@pytest.fixture(scope="module")
def backbone(tmp_path_factory):
    """Random weights in torchvision's layout."""
    torch.manual_seed(0)
    path = tmp_path_factory.mktemp("weights") / "backbone.pth"
    torch.save(OutOfBodyNetwork().state_dict(), path)
    return path


@pytest.fixture
def config():
    training = {"steps": 4, "batch": 4, "warm_up_steps": 1, "check_every": 2, "frozen_stages": 0}
    data = {"calibrate_share": 0.33, "test_share": 0.33}
    return load_training_config(overrides={"training": training, "data": data})


def learner(material, config, folder, backbone, **changes):
    folder.mkdir(exist_ok=True)
    samples = load_material(material)
    torch.manual_seed(0)
    network = OutOfBodyNetwork()
    network.load_backbone(backbone)
    return learning.Learner(
        network,
        train=[sample for sample in samples if sample.group != "c"],
        calibrate=[sample for sample in samples if sample.group == "c"],
        config=dataclasses.replace(config.training, **changes),
        seed=0,
        folder=folder,
    )


def test_training_lowers_the_loss(material, config, tmp_path, backbone):
    one = learner(material, config, tmp_path / "run", backbone, steps=12, check_every=12, average=0.5)
    pictures, labels = one._batch(0)
    before = torch.nn.functional.binary_cross_entropy_with_logits(one._network.train()(pictures)[:, 0], labels)
    network = one.run().train()
    after = torch.nn.functional.binary_cross_entropy_with_logits(network(pictures)[:, 0], labels)
    assert after < before
    assert json.loads((tmp_path / "run" / "log.jsonl").read_text())["step"] == 12


def test_a_killed_run_goes_on_as_if_nothing_had_happened(material, config, tmp_path, backbone, monkeypatch):
    whole = learner(material, config, tmp_path / "whole", backbone).run()
    killed = learner(material, config, tmp_path / "killed", backbone)
    original = killed._learn

    def learn(step, pictures, labels):
        if step == 3:
            raise KeyboardInterrupt
        return original(step, pictures, labels)

    monkeypatch.setattr(killed, "_learn", learn)
    with pytest.raises(KeyboardInterrupt):
        killed.run()
    resumed = learner(material, config, tmp_path / "killed", backbone).run()
    for name, value in whole.state_dict().items():
        torch.testing.assert_close(resumed.state_dict()[name], value)


def test_a_foreign_or_damaged_checkpoint_is_refused(material, config, tmp_path, backbone):
    learner(material, config, tmp_path / "run", backbone, steps=2).run()
    with pytest.raises(UserError, match="other settings"):
        learner(material, config, tmp_path / "run", backbone, steps=3).run()
    (tmp_path / "run" / "checkpoint.pt").write_bytes(b"nothing")
    with pytest.raises(UserError, match="damaged"):
        learner(material, config, tmp_path / "run", backbone, steps=2).run()


def test_the_whole_training_writes_a_network_that_the_runtime_reads(material, config, tmp_path, backbone):
    result = train(material, tmp_path / "out", config=config, backbone=backbone)
    picture = prepare(cv2.imread(str(material / "inside" / "a_0.png")), (0, 0, 96, 96))
    logit = load_model(result.network, device="cpu", precision="f32").infer(picture[None])["logit"]
    assert logit.shape == (1, 1)
    assert np.isfinite(logit).all()
    metadata = {entry.key: entry.value for entry in onnx.load(result.network).metadata_props}
    assert float(metadata["temperature"]) == result.measures.temperature
    assert result.network.stat().st_size < 5_000_000
    card = result.card.read_text()
    assert f"{result.measures.roc_auc:.4f}" in card
    assert "| test | outside |" in card


def test_a_network_that_torch_and_the_file_disagree_on_is_not_written(tmp_path, monkeypatch):
    monkeypatch.setattr("or_mv_anon.endoscopy.training.export.TOLERANCE", -1.0)
    with pytest.raises(RuntimeError, match="differs"):
        export(OutOfBodyNetwork(), tmp_path / "n.onnx", temperature=1.0, about={})
    assert list(tmp_path.iterdir()) == []


def test_wrong_backbone_weights_are_refused(tmp_path):
    (tmp_path / "w.pth").write_bytes(b"no weights")
    with pytest.raises(UserError, match=r"w\.pth does not hold"):
        OutOfBodyNetwork().load_backbone(tmp_path / "w.pth")


def test_examples_are_reproducible_and_borders_tell_nothing():
    """Both labels get black borders equally often; what is left outside the ellipse is always the same."""
    dark = {}
    for outside in (False, True):
        picture = coloured(outside, np.random.default_rng(1))
        one, two = (example(picture, outside=outside, rng=np.random.default_rng(5)) for _ in range(2))
        np.testing.assert_array_equal(one, two)
        assert not one[:, 0, 0].any()
        corners = [
            disturbed(picture, outside=outside, rng=np.random.default_rng(seed))[:6, :6].mean() for seed in range(200)
        ]
        dark[outside] = np.mean(np.array(corners) < 20)
    assert 0.4 < dark[False] < 0.9
    assert dark[True] == pytest.approx(dark[False], abs=0.12)


def test_the_area_of_a_disturbed_picture_is_found():
    picture = disturbed(coloured(True, np.random.default_rng(0)), outside=True, rng=np.random.default_rng(0))
    x0, y0, x1, y1 = find_picture_area([picture])
    assert (x1 - x0) * (y1 - y0) > 0.5 * picture.shape[0] * picture.shape[1]
