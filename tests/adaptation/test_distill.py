"""The student detector: cut from its teacher, trained, and never made twice."""

import numpy as np
import pytest

pytest.importorskip("mmdet")
from or_mv_anon.adaptation.distill import distill
from or_mv_anon.adaptation.settings import StudentConfig
from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.pictures import PictureBank
from or_mv_anon.models.detectors.yolox import PersonDetector
from or_mv_anon.openmmlab import detector_training
from tests.openmmlab.toy import CHANNELS, HEIGHT, WIDTH, rectangles, tiny_yolox

HALF = CHANNELS / 2 / 64
SETTINGS = StudentConfig(width=HALF, long_side=WIDTH, steps=2, batch=2, learning_rate=1e-3, teacher_weight=1.0)


@pytest.fixture(scope="module")
def teacher(tmp_path_factory):
    path = tmp_path_factory.mktemp("teacher") / "teacher.onnx"
    tiny_yolox(path)
    return path


@pytest.fixture
def site(tmp_path):
    labels = tmp_path / "labels.json"
    return {"labels": labels, "pictures": rectangles(labels), "settings": SETTINGS, "device": "cpu"}


def test_a_student_is_trained_and_runs(teacher, site, tmp_path):
    told = []
    path = distill(teacher=teacher, out=tmp_path, progress=lambda done, planned: told.append((done, planned)), **site)
    assert path == tmp_path / "student.onnx"
    assert told == [(1, 2), (2, 2)]
    found = PersonDetector(path, load_config().detection, device="cpu").detect(
        [np.zeros((HEIGHT, WIDTH, 3), np.uint8)], size=(WIDTH, HEIGHT)
    )
    assert len(found) == 1


def test_a_finished_student_is_not_made_again(teacher, site, tmp_path, monkeypatch):
    (tmp_path / "student.onnx").touch()
    monkeypatch.setattr(detector_training, "train_detector", lambda *_, **__: pytest.fail("it was made again"))
    assert distill(teacher=teacher, out=tmp_path, **site) == tmp_path / "student.onnx"


def test_an_interrupted_student_goes_on_from_the_same_start(teacher, site, tmp_path, monkeypatch):
    def interrupt(job, *, progress):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(detector_training, "train_detector", interrupt)
        with pytest.raises(KeyboardInterrupt):
            distill(teacher=teacher, out=tmp_path, **site)
    start = (tmp_path / "narrow.onnx").read_bytes()
    distill(teacher=teacher, out=tmp_path, seed=5, **site)
    assert (tmp_path / "narrow.onnx").read_bytes() == start


def test_without_pictures_there_is_nothing_to_learn(teacher, site, tmp_path):
    with pytest.raises(UserError, match="no pictures"):
        distill(teacher=teacher, out=tmp_path, **{**site, "pictures": PictureBank({})})
