"""A training learns, respects its limits, and goes on after any interruption as if there had been none."""

import dataclasses
import json
import os
import signal

import pytest

pytest.importorskip("mmdet")
import torch

from or_mv_anon.core.errors import UserError
from or_mv_anon.openmmlab.checkpoints import read_without_code
from or_mv_anon.openmmlab.detector_training import train_detector
from or_mv_anon.openmmlab.training_job import DetectorTraining
from tests.openmmlab import toy

STEPS = 4


def silent(done, total):
    pass


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    path = tmp_path_factory.mktemp("start") / "start.onnx"
    toy.tiny_yolox(path)
    return path


@pytest.fixture
def job(start, tmp_path):
    pictures = toy.rectangles(tmp_path / "labels.json")
    return DetectorTraining(
        config=toy.YOLOX,
        start=start,
        labels=tmp_path / "labels.json",
        pictures=pictures,
        out=tmp_path / "out",
        steps=STEPS,
        batch=2,
        long_side=96,
        learning_rate=2e-3,
        device="cpu",
    )


def weights(trained):
    return read_without_code(str(trained.checkpoint))["state_dict"]


def test_the_loss_falls(job):
    trained = train_detector(dataclasses.replace(job, steps=60, batch=4), progress=silent)
    losses = [entry["loss"] for entry in trained.log]
    assert sum(losses[-10:]) < 0.8 * sum(losses[:10])
    assert trained.onnx.exists()
    assert trained.stopped_by == "steps"


class _KilledError(Exception):
    pass


def kill_after(step):
    def kill(done, total):
        if done == step:
            raise _KilledError

    return kill


def press_ctrl_c_after(step):
    def press(done, total):
        if done == step:
            os.kill(os.getpid(), signal.SIGINT)

    return press


@pytest.mark.parametrize(
    ("stop", "error", "every_s", "left"),
    [(kill_after(3), _KilledError, 0.0, [3, 4]), (press_ctrl_c_after(3), KeyboardInterrupt, 60.0, [4])],
)
def test_an_interrupted_training_ends_like_an_uninterrupted_one(job, tmp_path, stop, error, every_s, left):
    job = dataclasses.replace(job, teacher=job.start, frozen_stages=1, checkpoint_s=every_s)
    before = signal.getsignal(signal.SIGINT)
    whole = train_detector(dataclasses.replace(job, out=tmp_path / "whole", checkpoint_s=60.0), progress=silent)
    with pytest.raises(error):
        train_detector(job, progress=stop)
    again: list[int] = []
    resumed = train_detector(job, progress=lambda done, total: again.append(done))
    assert again == left
    assert [entry["loss"] for entry in resumed.log] == [entry["loss"] for entry in whole.log]
    found = weights(resumed)
    for name, value in weights(whole).items():
        assert torch.equal(value, found[name]), name
    assert signal.getsignal(signal.SIGINT) is before


def test_a_finished_training_is_not_repeated_and_another_one_is(job):
    train_detector(job, progress=silent)
    steps = []
    train_detector(job, progress=lambda done, total: steps.append(done))
    assert not steps
    train_detector(dataclasses.replace(job, seed=1), progress=lambda done, total: steps.append(done))
    assert steps == [1, 2, 3, 4]


def test_the_time_limit_is_kept(job):
    trained = train_detector(dataclasses.replace(job, steps=1000, seconds=0.2), progress=silent)
    assert trained.stopped_by == "time"
    assert 0 < trained.steps < 1000
    assert trained.onnx.exists()
    again = train_detector(dataclasses.replace(job, steps=1000, seconds=0.2), progress=silent)
    assert again.steps == trained.steps


def test_frozen_stages_do_not_change(job):
    before = weights(train_detector(dataclasses.replace(job, steps=1, learning_rate=0.0), progress=silent))
    job = dataclasses.replace(job, frozen_stages=2, steps=2, seed=1)
    after = weights(train_detector(job, progress=silent))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed
    assert not any(name.startswith(("backbone.stem", "backbone.stage1.")) for name in changed)


def test_a_label_of_no_weight_is_an_ignored_region(job, tmp_path):
    content = json.loads(job.labels.read_text())
    runs = []
    for change in ({"weight": 0.0}, {"iscrowd": 1}):
        changed = {**content, "annotations": [annotation | change for annotation in content["annotations"]]}
        labels = tmp_path / "changed.json"
        labels.write_text(json.dumps(changed))
        job = dataclasses.replace(job, labels=labels, out=tmp_path / str(len(runs)), steps=2)
        runs.append(weights(train_detector(job, progress=silent)))
    assert all(torch.equal(value, runs[1][name]) for name, value in runs[0].items())


@pytest.mark.parametrize(
    "content", ["", "{}", '{"images": [{"id": 77}], "annotations": []}', '{"images": [], "annotations": []}', "[1]"]
)
def test_labels_that_are_none_are_told(job, content):
    job.labels.write_text(content)
    with pytest.raises(UserError, match=r"labels|pictures"):
        train_detector(job, progress=silent)


@pytest.mark.sample
@pytest.mark.slow
def test_the_embedded_detector_learns_to_find_rectangles(job, embedded):
    import numpy as np

    from or_mv_anon.core import boxes as geometry
    from or_mv_anon.core.config import load_config
    from or_mv_anon.models.detectors.yolox import PersonDetector

    job = dataclasses.replace(job, start=embedded, steps=80, batch=4, learning_rate=1e-3, frozen_stages=1)
    trained = train_detector(job, progress=silent)
    config = dataclasses.replace(load_config(None).detection, min_score=0.3, input_long_side=toy.WIDTH)
    labels = json.loads(job.labels.read_text())["annotations"]

    def recall(path):
        detector = PersonDetector(path, config, device="cpu")
        found = 0
        for number in range(len(job.pictures)):
            boxes, _ = detector.detect([job.pictures[number]], size=(toy.WIDTH, toy.HEIGHT))[0]
            truth = np.array([a["bbox"] for a in labels if a["image_id"] == number], np.float32)
            truth[:, 2:] += truth[:, :2]
            found += (geometry.iou(truth, boxes).max(axis=1, initial=0) > 0.5).sum()
        return found / len(labels)

    assert recall(embedded) < 0.2
    assert recall(trained.onnx) > 0.8
