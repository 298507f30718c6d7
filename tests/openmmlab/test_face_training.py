"""Fine-tuning of the small face detector."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("mmdet")
torch = pytest.importorskip("torch")

from or_mv_anon.core.config import load_config  # noqa: E402
from or_mv_anon.models.detectors.yunet import FaceDetector  # noqa: E402
from or_mv_anon.models.registry import fetch  # noqa: E402
from or_mv_anon.openmmlab.compatibility import prepare  # noqa: E402

prepare()

from or_mv_anon.openmmlab.face_training import FacePicture, train_faces  # noqa: E402

pytestmark = pytest.mark.sample


def scenes(count: int) -> list[FacePicture]:
    """Discs on noise: nothing that a face detector knows."""
    draw = np.random.default_rng(0)
    pictures = []
    for _ in range(count):
        picture = draw.integers(90, 130, (160, 160, 3)).astype(np.uint8)
        centre, radius = draw.integers(50, 110, 2), draw.integers(14, 24)
        y, x = np.ogrid[:160, :160]
        picture[(x - centre[0]) ** 2 + (y - centre[1]) ** 2 < radius**2] = (40, 200, 240)
        box = np.array([[*(centre - radius), *(centre + radius)]], np.float32)
        pictures.append(FacePicture(picture=picture, box=box, weight=np.ones(1, np.float32)))
    return pictures


def best_score(network: Path, scene: FacePicture) -> float:
    detector = FaceDetector(network, replace(load_config().face, input_long_side=160), precision="f32")
    boxes, scores = detector.detect([scene.picture], size=(160, 160))[0]
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    near = np.linalg.norm(centres - (scene.box[0, :2] + scene.box[0, 2:]) / 2, axis=1) < 12
    return float(scores[near].max(initial=0.0))


def train(out: Path, pictures: list[FacePicture], *, steps: int) -> list[float]:
    start = fetch("yunet-2023mar")
    return train_faces(
        start, pictures, out, steps=steps, batch=4, crop=160, learning_rate=1e-3, device="auto", seed=3
    )  # fmt: skip


def test_it_learns_what_it_is_shown_and_the_file_stays_a_face_detector(tmp_path: Path) -> None:
    pictures = scenes(12)
    losses = train(tmp_path / "face.onnx", pictures[:8], steps=40)
    assert np.mean(losses[-5:]) < 0.7 * np.mean(losses[:5])
    before = np.mean([best_score(fetch("yunet-2023mar"), scene) for scene in pictures[8:]])
    after = np.mean([best_score(tmp_path / "face.onnx", scene) for scene in pictures[8:]])
    assert after > before + 0.2


def test_the_same_seed_gives_the_same_network(tmp_path: Path) -> None:
    for name in ("one", "other"):
        train(tmp_path / name, scenes(3), steps=3)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_undecided_faces_teach_nothing(tmp_path: Path) -> None:
    """A scene that is undecided all over gives no loss, whatever the network says about it."""
    (scene,) = scenes(1)
    everywhere = FacePicture(
        picture=scene.picture, box=np.array([[-500, -500, 800, 800]], np.float32), weight=np.zeros(1, np.float32)
    )
    assert train(tmp_path / "face.onnx", [everywhere], steps=1) == [0.0]


def test_a_pose_network_may_have_been_trained_before(tmp_path: Path) -> None:
    """Training that one leaves its package as the one whose parts are found by their bare names."""
    from mmengine.registry import DefaultScope

    with DefaultScope.overwrite_default_scope("mmpose"):
        assert len(train(tmp_path / "face.onnx", scenes(1), steps=1)) == 1
