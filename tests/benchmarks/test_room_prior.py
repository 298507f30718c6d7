"""The prior's material is labelled where people are and nowhere else, and its judge counts as detection does."""

import json
from pathlib import Path

import numpy as np
import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

from benchmarks.room_prior import is_better  # noqa: E402
from benchmarks.room_prior_judge import SCORES, figures, read_marked  # noqa: E402
from benchmarks.room_prior_material import (  # noqa: E402
    composed_example,
    empty_example,
    remembered_example,
    room_examples,
    write_labels,
)
from or_mv_anon.detector_training.simulated_rooms import Room, make_room  # noqa: E402

GREEN, GREY = (40, 160, 40), (120, 120, 120)
STANDING, HIDDEN, LYING = (20, 10, 40, 60), (50, 20, 54, 30), (60, 50, 90, 62)


def room():
    """One picture: a green person who stands, one who is nearly hidden, one on the table."""
    picture, outline = np.full((80, 120, 3), GREY, np.uint8), np.zeros((80, 120), np.uint8)
    for number, (left, top, right, bottom) in enumerate((STANDING, HIDDEN, LYING), 1):
        picture[top:bottom, left:right] = GREEN
        outline[top:bottom, left:right] = number
    return Room(
        pictures=picture[None],
        outlines=outline[None],
        picture=np.zeros(3, np.int32),
        number=np.array([1, 2, 3], np.int16),
        box=np.array([STANDING, HIDDEN, LYING], np.float32),
        shown=np.array([1.0, 0.05, 0.9], np.float32),
        patient=np.array([False, False, True]),
        head=np.zeros((3, 4), np.float32),
        head_shown=np.zeros(3, np.float32),
        nobody=np.array([False]),
    )


class Fixed:
    """A detector that always finds the same."""

    def input_size(self, width, height):
        return width, height

    def detect(self, pictures, *, size):
        return [(np.array([[0, 0, 50, 50], [60, 0, 90, 50], [0, 60, 9, 70]], np.float32), np.float32([0.9, 0.3, 0.05]))]


def test_people_of_whom_hardly_anything_shows_are_ignored():
    (example,) = room_examples(room())
    assert example.people.tolist() == [list(STANDING), list(LYING)]
    assert example.ignored.tolist() == [list(HIDDEN)]


@pytest.mark.parametrize("seed", range(12))
def test_a_cut_out_person_is_labelled_where_the_picture_shows_them(seed):
    background = np.full((200, 300, 3), GREY, np.uint8)
    empty = Room(**{**vars(room()), "pictures": np.full((1, 80, 120, 3), GREY, np.uint8)})
    example = composed_example(room(), 0, background, empty, np.random.default_rng(seed))
    coloured = np.abs(example.picture[..., 1].astype(int) - example.picture[..., 0]) > 60
    assert coloured.any() == (len(example.people) + len(example.ignored) > 0)
    for left, top, right, bottom in example.people.astype(int):
        assert coloured[top:bottom, left:right].mean() > 0.8
        coloured[max(0, top - 2) : bottom + 2, max(0, left - 2) : right + 2] = False
    assert len(example.people) <= 1
    assert example.people.size == 0 or not coloured.any()


def test_photographs_are_labelled_by_what_the_detector_is_sure_of():
    example = remembered_example(np.full((512, 512, 3), GREY, np.uint8), Fixed())
    assert example.people.tolist() == [[0, 0, 50, 50]]
    assert example.ignored.tolist() == [[60, 0, 90, 50]]


def test_material_keeps_pictures_and_labels_together(tmp_path):
    examples = [*room_examples(room()), empty_example(np.zeros((1024, 2048, 3), np.uint8))]
    bank = write_labels(examples, tmp_path / "labels.json")
    content = json.loads((tmp_path / "labels.json").read_text())
    assert [(row["image_id"], row["bbox"][:2], row["iscrowd"]) for row in content["annotations"]] == [
        (1, list(STANDING[:2]), 0), (1, list(LYING[:2]), 0), (1, list(HIDDEN[:2]), 1)
    ]  # fmt: skip
    assert [bank[image["id"]].shape[:2] for image in content["images"]] == [(80, 120), (256, 512)]


def test_unsure_people_are_neither_right_nor_wrong():
    person, unsure, nobody = [0, 0, 10, 20], [30, 0, 40, 20], [60, 0, 70, 20]
    found = np.array([person, unsure, nobody], np.float32), np.array([0.4, 0.9, 0.2], np.float32)
    result = figures([(np.array([person], np.float32), np.array([unsure], np.float32), found)])
    at = {point["score"]: (point["hits"], point["false_alarms"]) for point in result["at"]}
    assert at == dict(zip(SCORES, [(1, 1), (1, 0), (0, 0)], strict=True))


def test_marked_boxes_are_boxes():
    for marks in read_marked().values():
        boxes = np.array(marks["people"] + marks["unsure"])
        assert (boxes[:, 2:] > boxes[:, :2]).all()


@pytest.mark.parametrize(
    ("recall", "alarms", "better"), [(0.9, 1, True), (0.9, 2, False), (0.8, 0, False), (0.7, 0, False)]
)
def test_better_means_more_people_and_no_more_false_alarms(recall, alarms, better):
    def judged(recall, alarms):
        photographs = {"all photographs": {"at": [{"recall": recall}]}}
        return {"photographs": photographs, "photographs, small": photographs, "empty": [{"count": alarms}]}

    assert is_better({"shipped": judged(0.8, 1), "prior": judged(recall, alarms)}) is better


@pytest.mark.slow
def test_a_room_is_rendered_once(tmp_path):
    pytest.importorskip("anny")
    pytest.importorskip("moderngl")
    made = make_room(tmp_path / "1.npz", seed=3001, cameras=1, moments=2, deserted=1)
    assert made.nobody.tolist() == [False, True]
    assert not made.outlines[1].any()
    assert made.picture.size > 0
    assert not made.picture.any()
    shown = made.head[made.head_shown > 0.5]
    assert len(shown) > 0
    assert (shown[:, 2:] > shown[:, :2]).all()
    for number, (left, top, right, bottom) in zip(made.number, made.box.astype(int), strict=True):
        assert (made.outlines[0, top:bottom, left:right] == number).any()
    written = (tmp_path / "1.npz").stat().st_mtime_ns
    make_room(tmp_path / "1.npz", seed=3001, cameras=1, moments=2, deserted=1)
    assert (tmp_path / "1.npz").stat().st_mtime_ns == written
