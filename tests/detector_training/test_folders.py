"""What a labelled folder does not say is unknown, and what is held out is not trained on."""

import json

import cv2
import numpy as np
import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.resources import resource
from or_mv_anon.detector_training.folders import Use, read_folder, read_uses

PERSON, HEAD, BED = [10, 5, 40, 60, "person"], [20, 5, 30, 15, "head"], [0, 30, 90, 60, "bed"]
WHOLE = [0, 0, 96, 64]


def folder(path, classes, *images):
    (path / "images").mkdir()
    entries = []
    for number, (boxes, further) in enumerate(images):
        name = f"{number}.png"
        cv2.imwrite(str(path / "images" / name), np.full((64, 96, 3), 9, np.uint8))
        entries.append({"file": name, "width": 192, "height": 128, "boxes": boxes, "complete": True} | further)
    for entry in entries:
        entry["boxes"] = [[2 * value for value in box[:4]] + [box[4]] for box in entry["boxes"]]
    (path / "labels.json").write_text(json.dumps({"classes": classes, "images": entries}))
    return path


def test_a_class_that_was_not_labelled_is_unknown_everywhere(tmp_path):
    ((example, _),) = read_folder(folder(tmp_path, ["head"], ([HEAD], {})), Use())
    assert [boxes.tolist() for boxes in example.boxes] == [[], [HEAD[:4]]]
    assert [boxes.tolist() for boxes in example.unsure] == [[WHOLE], []]


def test_away_from_everybody_there_is_no_head(tmp_path):
    ((example, _),) = read_folder(folder(tmp_path, ["person", "bed"], ([PERSON, BED], {})), Use())
    assert [boxes.tolist() for boxes in example.boxes] == [[PERSON[:4]], []]
    people, (heads,) = example.unsure
    assert not len(people)
    assert heads.tolist() == [5.5, -3.25, 44.5, 68.25]


def test_where_nobody_is_there_is_no_head(tmp_path):
    ((example, _),) = read_folder(folder(tmp_path, ["person", "bed"], ([BED], {})), Use())
    assert [len(boxes) for boxes in (*example.boxes, *example.unsure)] == [0, 0, 0, 0]


def test_an_incomplete_picture_teaches_no_background(tmp_path):
    ((example, _),) = read_folder(folder(tmp_path, ["person", "head"], ([PERSON, HEAD], {"complete": False})), Use())
    assert [len(boxes) for boxes in example.boxes] == [1, 1]
    assert [boxes.tolist() for boxes in example.unsure] == [[WHOLE], [WHOLE]]


def test_under_a_hat_there_is_a_head_somewhere(tmp_path):
    hat = [20, 5, 30, 10, "hat"]
    ((example, _),) = read_folder(folder(tmp_path, ["person", "head", "hat"], ([PERSON, hat], {})), Use())
    (left, top, right, bottom) = example.unsure[1][0]
    assert (left, top, right) == (17, 3.5, 33)
    assert bottom == 15
    assert not len(example.boxes[1])


def test_pictures_are_trained_on_or_held_out_never_both(tmp_path):
    images = [([PERSON], {"camera": camera}) for camera in ("a", "b", "a", "c", "c", "d")]
    read = folder(tmp_path, ["person"], *images)
    use = Use(hold_out_cameras=("a",), hold_out_every=4, hold_out_last=0.2, weight=0.5)
    seen = [image["file"] for _, image in read_folder(read, use)]
    kept = [image["file"] for _, image in read_folder(read, use, held_out=True)]
    assert seen == ["1.png", "3.png"]
    assert kept == ["0.png", "2.png", "4.png", "5.png"]
    assert read_folder(read, use)[0][0].weights == (0.5, 0.5)


def test_the_shipped_uses_are_read_and_a_wrong_one_is_told(tmp_path):
    assert read_uses(resource("configs/detector_training.toml"))["cafe_elevated"].hold_out_last == 1.0
    (tmp_path / "uses.toml").write_text("[ward]\nholdout = 3\n")
    with pytest.raises(UserError, match="does not say how folders are used"):
        read_uses(tmp_path / "uses.toml")


def test_a_folder_without_labels_is_told(tmp_path):
    with pytest.raises(UserError, match=r"no readable labels\.json"):
        read_folder(tmp_path, Use())
