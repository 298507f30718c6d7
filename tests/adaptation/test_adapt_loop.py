"""The loop with a made-up analysis and a made-up training: order, resumption, budget, refusals."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from or_mv_anon.adaptation import card, iterations, loop, selection, training
from or_mv_anon.adaptation.coco import read_coco
from or_mv_anon.adaptation.material import Window, window_plan
from or_mv_anon.adaptation.options import AdaptOptions
from or_mv_anon.adaptation.postprocess import Extras
from or_mv_anon.adaptation.results import CameraResults, camera_name
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import Detections, Identities, Keypoints, Provenance, Tracks
from or_mv_anon.models.site_model import load_site_model
from or_mv_anon.openmmlab.training_job import DetectorTraining, TrainedDetector
from or_mv_anon.pipeline.weights import Weights
from tests.adaptation.label_scenes import box_at
from tests.clips import write_clip
from tests.models.tiny_networks import write_tiny_query, write_tiny_yolox

SETTINGS = """
[sampling]
pictures = 12
held_out_pictures = 8
[criterion]
patience = 9
[training]
steps = 40
least_steps = 10
"""


def somebody(window: Window, folder: Path, *, people: bool) -> list[CameraResults]:
    """One person who stands in every camera all the time, or nobody."""
    plan = window_plan(window, folder / window.name)
    found = []
    for camera, facts in zip(plan.cameras, plan.facts, strict=True):
        seconds = facts.times[camera.first : camera.stop] + camera.camera.offset  # type: ignore[attr-defined]
        frames = np.arange(len(seconds) if people else 0)
        boxes = np.tile(np.array(box_at(10, 5), np.float32), (len(frames), 1))
        persons = Detections(frame=frames, box=boxes, score=np.full(len(frames), 0.9))
        tracks = Tracks(
            frame=frames, track=np.zeros(len(frames)), box=boxes, score=persons.score,
            provenance=np.full(len(frames), Provenance.DETECTED), detection=frames,
        )  # fmt: skip
        found.append(
            CameraResults(
                plan=camera,
                name=camera_name(window.recording.session.name, camera),
                size=facts.upright_size,
                seconds=seconds,
                looked=np.ones(len(seconds), bool),
                persons=persons,
                keypoints=Keypoints(
                    detection=frames, points=np.zeros((len(frames), 26, 2)), score=np.ones((len(frames), 26))
                ),
                heads=None,
                original=persons,
                tracks=tracks,
                identities=Identities.empty(),
            )
        )
    return found


class World:
    """A site of two cameras, and the fakes that stand for the slow parts."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.trained: list[DetectorTraining] = []
        self.analysed = 0
        self.labelled_by: list[str] = []
        self.people = True
        self.interrupt_at = 0
        for name in ("cam1", "cam2"):
            write_clip(folder / "site" / f"{name}.mp4", frames=80, rate=10)
        self.start = write_tiny_yolox(folder / "start.onnx")
        (folder / "settings.toml").write_text(SETTINGS)
        weights = [Weights("detector", "start", str(self.start), "0", "none")]
        monkeypatch.setattr(loop, "find_weights", lambda options, kinds: weights)
        monkeypatch.setattr(loop, "fetch", lambda name, weights_dir: self.start)
        monkeypatch.setattr(loop, "with_embedder", lambda weights, *_: weights)
        monkeypatch.setattr(loop, "Afterwards", NothingMore)
        monkeypatch.setattr(card, "_plot", lambda path, facts: False)
        monkeypatch.setattr(selection, "open_detector", OnePerson)
        monkeypatch.setattr(iterations, "analyse_windows", self.analyse)
        monkeypatch.setattr(training, "train_detector", self.train)

    def analyse(
        self, windows: Sequence[Window], folder: Path, *, detector: Sequence[Weights], **_: Any
    ) -> dict[int, list[CameraResults]]:
        self.analysed += 1
        self.labelled_by.append(detector[-1].name)
        return {window.number: somebody(window, folder, people=self.people) for window in windows}

    def train(self, job: DetectorTraining) -> TrainedDetector:
        self.trained.append(job)
        if len(self.trained) == self.interrupt_at:
            raise KeyboardInterrupt
        job.out.mkdir(parents=True, exist_ok=True)
        network = job.out / "detector.onnx"
        network.write_bytes(job.start.read_bytes())
        return TrainedDetector(
            onnx=network, checkpoint=network, log=[], steps=job.steps, seconds=1.0 * job.steps, stopped_by="steps"
        )

    def adapt(self, out: str = "model", **changes: Any) -> Path:
        options = AdaptOptions(
            videos=self.folder / "site", out=self.folder / out, config=self.folder / "settings.toml", iterations=2
        )
        assert loop.adapt_site(dataclasses.replace(options, **changes)) == 0
        return self.folder / out


class OnePerson:
    """Finds the one person who is there."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        return width, height

    def detect(self, pictures: Sequence[Any], **_: Any) -> list[Any]:
        return [(np.array([box_at(10, 5)], np.float32), np.array([0.8], np.float32)) for _ in pictures]


class NothingMore:
    """Makes neither a student nor anything else."""

    def __init__(self, *_: Any, **__: Any) -> None: ...

    def make_student(self, *_: Any) -> None: ...

    def refine(self, last: int, extras: Extras) -> None: ...


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    (tmp_path / "site").mkdir()
    return World(tmp_path, monkeypatch)


def files_of(folder: Path) -> dict[str, bytes]:
    names = ["model.toml", "work/iteration-1/labels.json", "work/iteration-2/labels.json"]
    return {name: (folder / name).read_bytes() for name in names}


def test_every_iteration_trains_from_the_start_and_is_kept(world: World) -> None:
    out = world.adapt()
    assert [job.start for job in world.trained] == [world.start, world.start]
    assert [job.steps for job in world.trained] == [40, 40]
    assert (out / "work/iteration-2/detector.onnx").exists()
    assert load_site_model(out).layout == {"cam1": (64, 48), "cam2": (64, 48)}
    card = (out / "card.md").read_text()
    assert "| 2 | 40 |" in card
    assert not list(out.rglob("*.png")) + list(out.rglob("*.jpg"))


def test_training_pictures_and_held_out_pictures_are_apart_and_in_memory(world: World) -> None:
    out = world.adapt()
    training = {(image.camera, image.frame) for image in read_coco(out / "work/iteration-1/labels.json")}
    held_out = {(image.camera, image.frame) for image in read_coco(out / "work/iteration-1/held_out.json")}
    assert training
    assert held_out
    assert not training & held_out
    assert {camera for camera, _ in training} == {"site/cam1", "site/cam2"}
    assert all(picture.shape == (48, 64, 3) for picture in world.trained[0].pictures.pictures.values())


def test_an_interrupted_run_goes_on_and_ends_the_same(world: World) -> None:
    world.interrupt_at = 2
    with pytest.raises(KeyboardInterrupt):
        world.adapt("model")
    load_site_model(world.folder / "model")  # usable already
    world.interrupt_at, done = 0, len(world.trained)
    interrupted = world.adapt("model")
    assert len(world.trained) == done + 1  # iteration 1 was not trained again
    assert files_of(interrupted) == files_of(world.adapt("other"))


def test_a_teacher_labels_for_the_first_iteration_and_the_small_detector_is_trained(world: World) -> None:
    teacher = write_tiny_query(world.folder / "teacher.onnx")
    world.adapt(teacher=(teacher,))
    assert list(dict.fromkeys(world.labelled_by)) == ["teacher.onnx", "detector"]
    assert [job.start for job in world.trained] == [world.start, world.start]
    with pytest.raises(UserError, match="other settings"):
        world.adapt()
    with pytest.raises(UserError, match="--teacher takes an ONNX file"):
        world.adapt(teacher=(world.folder / "settings.toml",), overwrite=True)


def test_a_finished_run_does_nothing_again(world: World) -> None:
    world.adapt()
    analysed, trained = world.analysed, len(world.trained)
    world.adapt()
    assert (world.analysed, len(world.trained)) == (analysed, trained)


def test_without_time_the_built_in_networks_stay(world: World) -> None:
    out = world.adapt(budget_minutes=0.001)
    assert load_site_model(out).detector is None
    card_text = (out / "card.md").read_text()
    assert "(the starting network)" in card_text
    assert "| **0** | 0 | 0 | 1.0000 |" in card_text  # judged by the labels that there are


def test_without_time_for_a_training_the_student_is_compared_with_the_starting_network(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[list[str]] = []

    class Comparing(NothingMore):
        def __init__(self, iterations: iterations.Iterations, *_: Any, **__: Any) -> None:
            self._iterations = iterations

        def make_student(self, best: int, last: int, *_: Any) -> None:
            compared.append(list(self._iterations.comparison(last).curves()))

    monkeypatch.setattr(loop, "Afterwards", Comparing)
    world.adapt(budget_minutes=0.001)
    assert compared == [["0"]]


def test_a_limited_budget_shortens_trainings(world: World) -> None:
    world.adapt(budget_minutes=2.0)  # of which a step takes 10 s, as the trial says
    assert world.trained[0].steps == training.PROBE_STEPS
    assert all(job.seconds is not None and job.seconds <= 120 for job in world.trained)
    assert all(job.steps <= 40 for job in world.trained)


def test_no_time_is_spent_on_labels_that_no_training_would_use(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(range(0, 10_000, 115))  # seconds; looking at the recordings once takes most of the budget
    monkeypatch.setattr(iterations, "time", SimpleNamespace(monotonic=lambda: next(clock)))
    world.adapt(budget_minutes=2.0)
    assert world.analysed == 1


def test_nobody_in_the_recordings_is_refused(world: World) -> None:
    world.people = False
    with pytest.raises(UserError, match="nothing to learn from"):
        world.adapt()


def test_other_settings_are_refused_until_overwritten(world: World) -> None:
    world.adapt()
    with pytest.raises(UserError, match="other settings"):
        world.adapt(seed=1)
    world.adapt(seed=1, overwrite=True)


def test_one_camera_works_and_says_so(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    (world.folder / "site" / "cam2.mp4").unlink()
    world.adapt()
    assert "one camera only" in capsys.readouterr().out


def test_a_starting_network_of_another_kind_is_refused(world: World) -> None:
    with pytest.raises(UserError, match="not an ONNX model"):
        world.adapt(start=world.folder / "settings.toml")
