"""Which networks a site model holds: never those that leave more heads open, and only those that change something."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from or_mv_anon.adaptation import cover_trial, release
from or_mv_anon.adaptation.bundle import BundleParts
from or_mv_anon.adaptation.coco import LabelledImage
from or_mv_anon.adaptation.cover_trial import Cover, ReferenceHeads, compare, reference_heads, try_networks
from or_mv_anon.adaptation.head_boxes import HeadBoxes
from or_mv_anon.adaptation.pseudo_labels import PseudoLabels
from or_mv_anon.adaptation.release import Release, Released
from or_mv_anon.adaptation.settings import load_adaptation_config
from or_mv_anon.core.config import load_config
from or_mv_anon.core.records import RegionKind, Regions
from or_mv_anon.pipeline.spec import RunSpec
from tests.models.tiny_networks import write_tiny_yolox

CONFIG = load_adaptation_config().release
SIZES = {"s/cam1": (640, 360)}


def image(number: int, boxes: list[list[float]], weights: list[float] | None = None) -> LabelledImage:
    heads = HeadBoxes(
        frame=np.full(len(boxes), number), box=np.array(boxes, np.float32).reshape(-1, 4),
        weight=np.array(weights or [1.0] * len(boxes), np.float32),
    )  # fmt: skip
    return LabelledImage(
        number=number, camera="s/cam1", frame=number, time=0.0, size=(320, 180), labels=PseudoLabels.empty(),
        heads=heads,
    )  # fmt: skip


def test_heads_of_all_iterations_count_once_and_in_pixels_of_the_recording() -> None:
    first = [image(1, [[10, 10, 20, 20], [50, 50, 60, 60]], [1.0, 0.0])]
    second = [image(1, [[11, 10, 21, 20], [100, 10, 110, 20]]), dataclasses.replace(image(2, []), heads=None)]
    found = reference_heads([first, second], SIZES, least_iou=CONFIG.same_head_iou)
    assert list(found) == [1]  # nobody looked for heads in the other
    assert found[1].box.tolist() == [[20, 20, 40, 40], [200, 20, 220, 40]]


def test_only_pictures_that_every_trial_has_are_compared() -> None:
    both = compare({"a": {1: Cover(1, 2, 0.1), 2: Cover(2, 2, 0.3)}, "b": {1: Cover(0, 2, 0.2)}})
    assert (both["a"].open, both["a"].heads, both["a"].area) == (1, 2, pytest.approx(0.1))
    assert both["b"].area == pytest.approx(0.2)


@pytest.mark.parametrize(("covered", "is_open"), [([200, 20, 240, 60], 0.0), ([200, 20, 240, 50], 1.0)])
def test_a_head_is_open_of_which_too_little_is_covered(
    monkeypatch: pytest.MonkeyPatch, covered: list[float], is_open: float
) -> None:
    camera = SimpleNamespace(camera=SimpleNamespace(name="cam1"), first=10, stop=20)
    recording = SimpleNamespace(session=SimpleNamespace(name="s"))
    plan = SimpleNamespace(cameras=[camera], facts=[SimpleNamespace(upright_size=(640, 360))])
    regions = Regions(
        frame=[2, 5], box=[[0, 0, 64, 36], covered], kind=[RegionKind.HEAD] * 2, track=[0, 1], uncertainty=[0, 0]
    )  # type: ignore[arg-type]
    monkeypatch.setattr(cover_trial, "look_at", lambda *_: SimpleNamespace(plan=plan, healthy=[camera]))
    monkeypatch.setattr(cover_trial, "open_executor", lambda _: release_nothing())
    monkeypatch.setattr(cover_trial, "read_joined", lambda *_: regions)
    box = np.array([[200, 20, 240, 60]], np.float32)
    heads = {
        number: ReferenceHeads("s/cam1", frame, box, np.ones(1, np.float32)) for number, frame in ((7, 15), (8, 25))
    }
    window: Any = SimpleNamespace(recording=recording, name="s-000")
    (found,) = try_networks(None, [window], heads, Path(), CONFIG).items()  # type: ignore[arg-type]
    assert found[0] == 7  # the other is of another time
    assert (found[1].open, found[1].heads) == (is_open, 1.0)
    area = (covered[2] - covered[0]) * (covered[3] - covered[1]) / (640 * 360)
    assert found[1].area == pytest.approx(area, rel=0.25)


def release_nothing() -> Any:
    class Nothing:
        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    return Nothing()


Told = Callable[..., Released]


@pytest.fixture
def chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Told:
    """The roles that are released where the trials cover as told: open heads and covered area by the roles tried."""

    def choose(
        covers: dict[str, tuple[float, float]], *, adapted: bool = True, files: tuple[str, ...] = ("detector",),
        heads: float = 300.0, preferred: bool = True,
    ) -> Released:  # fmt: skip
        network = write_tiny_yolox(tmp_path / "network.onnx")
        made = BundleParts(files=dict.fromkeys(files, network))

        def trial(spec: Any, windows: Any, known: Any, folder: Path, config: Any) -> dict[int, Cover]:
            is_open, area = covers[folder.parent.name]
            return {1: Cover(is_open, heads, area)}

        monkeypatch.setattr(release, "try_networks", trial)
        monkeypatch.setattr(release, "networks_of", lambda choice, config, sessions: ([], config))
        spec = RunSpec(config=load_config(), endoscopy=None)  # type: ignore[arg-type]
        reference = {1: ReferenceHeads("s/cam1", 0, np.zeros((1, 4), np.float32), np.array([heads], np.float32))}
        return Release([], reference, spec, tmp_path / "trials", CONFIG).choose(
            made, adapted=adapted, preferred=preferred
        )

    return choose


@pytest.mark.parametrize(
    ("site", "used"),
    [
        ((2.0, 0.05), True),  # fewer open heads
        ((2.0, 0.06), True),  # for a little more cover
        ((5.0, 0.04), True),  # as many, and clearly less covered
        ((5.0, 0.049), False),  # as many, and nothing gained
        ((4.5, 0.05), False),  # half a head is chance
        ((5.1, 0.01), False),  # more open heads, whatever else is gained
    ],
)
def test_a_detector_is_released_that_covers_heads_better(chosen: Told, site: tuple[float, float], used: bool) -> None:
    found = chosen({"built-in": (5.0, 0.05), "detector": site})
    assert found.roles == ({"detector"} if used else set())
    assert ("is used" in found.notes[0]) == used
    assert "5.0 of 300.0 heads open" in found.notes[0]


@pytest.mark.parametrize(("site", "used"), [((4.0, 0.06), True), ((5.0, 0.01), False), ((0.0, 0.01), True)])
def test_a_detector_that_the_criterion_does_not_prefer_must_cover_more_heads(
    chosen: Told, site: tuple[float, float], used: bool
) -> None:
    """Covering less is what a detector does, too, that has learned that somebody is nobody."""
    assert chosen({"built-in": (5.0, 0.05), "detector": site}, preferred=False).roles == (
        {"detector"} if used else set()
    )


def test_a_detector_that_learned_nothing_is_not_tried(chosen: Told) -> None:
    assert chosen({"built-in": (5.0, 0.05)}, adapted=False).roles == set()


def test_pose_and_face_networks_are_kept_while_no_head_is_opened_and_no_more_is_covered(chosen: Told) -> None:
    before = {"built-in": (5.0, 0.05), "detector": (3.0, 0.05)}
    every = ("detector", "pose", "face")
    opens = before | {"detector-pose": (3.5, 0.04), "detector-face": (3.0, 0.05)}
    assert chosen(opens, files=every).roles == {"detector", "face"}
    covers_more = before | {"detector-pose": (2.0, 0.051), "detector-face": (3.0, 0.04)}
    assert chosen(covers_more, files=every).roles == {"detector", "face"}


@pytest.mark.parametrize(("student", "used"), [((3.5, 0.05), True), ((3.7, 0.05), False)])
def test_a_student_is_released_that_opens_hardly_more_heads_than_its_teacher(
    chosen: Told, student: tuple[float, float], used: bool
) -> None:
    covers = {"built-in": (5.0, 0.05), "detector": (3.0, 0.05), "detector-student": student}
    assert ("student" in chosen(covers, files=("detector", "student")).roles) == used
    few = CONFIG.least_heads_for_student - 1
    assert "student" not in chosen(covers, files=("detector", "student"), heads=few).roles


def test_too_few_heads_release_nothing_and_this_is_said(chosen: Told) -> None:
    found = chosen({}, heads=CONFIG.least_heads - 1)
    assert found.roles == set()
    assert "too few to tell" in found.notes[0]
