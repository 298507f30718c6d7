"""The student detector: cut from its teacher, trained, and never made twice."""

import dataclasses

import numpy as np
import pytest

pytest.importorskip("mmdet")
from mmengine.config import Config

from or_mv_anon.adaptation.coco import LabelledImage, write_coco
from or_mv_anon.adaptation.distill import distill
from or_mv_anon.adaptation.pseudo_labels import PseudoLabels
from or_mv_anon.adaptation.quantize import quantize
from or_mv_anon.adaptation.settings import QuantizationConfig, StudentConfig, load_adaptation_config
from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.pictures import PictureBank
from or_mv_anon.core.resources import resource
from or_mv_anon.models.detectors.people_and_heads import PeopleAndHeadsDetector
from or_mv_anon.models.detectors.yolox import PersonDetector
from or_mv_anon.openmmlab import detector_training
from or_mv_anon.openmmlab.export import export_yolox
from or_mv_anon.openmmlab.yolox import build_yolox
from tests.openmmlab.toy import CHANNELS, HEIGHT, WIDTH, rectangles, tiny_yolox

BOTH = "configs/detector/people_and_heads_site.py"
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


def test_a_teacher_of_people_and_heads_has_a_student_that_finds_both(teacher, site, tmp_path):
    pytest.importorskip("onnxruntime")
    both = tmp_path / "both.onnx"
    export_yolox(build_yolox(teacher, model_config=Config.fromfile(resource(BOTH)).model), both)
    student = distill(teacher=both, out=tmp_path, **site)
    detection = dataclasses.replace(load_config().detection, min_score=0.0, nms_iou=1.0, input_long_side=WIDTH)
    rounded = quantize(
        model=student, pictures=site["pictures"], held_out=site["pictures"],
        labels=_no_people(site["pictures"], tmp_path),
        out=tmp_path / "rounded.onnx", detection=detection, criterion=load_adaptation_config().criterion,
        settings=QuantizationConfig(pictures=2, most_lost_recall=1.0),
    )  # fmt: skip
    assert rounded is not None
    picture = site["pictures"][1]
    for path in (student, rounded):
        ((people, heads),) = PeopleAndHeadsDetector(path, detection, device="cpu").detect_classes(
            [picture], size=(WIDTH, HEIGHT)
        )
        assert len(people[0]) == len(heads[0]) > 0
        (alone,) = PersonDetector(path, detection, device="cpu").detect([picture], size=(WIDTH, HEIGHT))
        np.testing.assert_allclose(alone[1], people[1], atol=1e-6)


def _no_people(pictures, folder):
    images = [
        LabelledImage(number=n, camera="s/c", frame=n, time=0.0, size=(WIDTH, HEIGHT), labels=PseudoLabels.empty())
        for n in pictures.pictures
    ]
    write_coco(images, folder / "nobody.json")
    return folder / "nobody.json"
