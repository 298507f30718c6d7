"""Heads that other cameras see elsewhere."""

import json
from dataclasses import asdict, replace

import numpy as np
import pytest

from or_mv_anon.adaptation.head_agreement import RoomGeometry, contradicted_heads
from or_mv_anon.adaptation.head_labels import PosedCamera
from or_mv_anon.association.views import PairGeometry
from or_mv_anon.core.records import Detections, Identities, Keypoints, Provenance, Tracks
from or_mv_anon.models.pose import Halpe26

FRAMES, STEP_S = 5, 0.2
SAME_ROW = np.array([[0, 0, 0], [0, 0, -1], [0, 1, 0]], np.float64)  # cameras side by side: a point keeps its row
HEAD = [Halpe26.NOSE, Halpe26.LEFT_EYE, Halpe26.RIGHT_EYE]


def camera(name, left, *, head_row=60.0):
    """One person of 100 x 300 pixels who stands still."""
    frames = np.arange(FRAMES)
    box = np.tile(np.array([left, 20, left + 100, 320], np.float32), (FRAMES, 1))
    points, score = np.zeros((FRAMES, 26, 2), np.float32), np.zeros((FRAMES, 26), np.float32)
    points[:, HEAD] = [left + 50, head_row]
    score[:, HEAD] = 0.9
    return PosedCamera(
        name=name,
        size=(640, 360),
        times=frames * STEP_S,
        detections=Detections(frames, box, np.full(FRAMES, 0.9)),
        keypoints=Keypoints(frames, points, score),
        tracks=Tracks(
            frames, np.zeros(FRAMES), box, np.full(FRAMES, 0.9), np.full(FRAMES, Provenance.DETECTED), frames
        ),
    )


def one_person(number=7):
    return Identities(np.array([0]), np.array([number]), np.array([0.9]))


def room(names, **changes):
    options = {"matrix": SAME_ROW, "start": 0, "stop": FRAMES, **changes}
    pairs = [PairGeometry(views=(a, b), **options) for i, a in enumerate(names) for b in names[i + 1 :]]
    return RoomGeometry(pairs=pairs, first_s=0.0, instant_s=STEP_S)


def wrong(cameras, geometry, identities=None):
    cameras = {each.name: each for each in cameras}
    identities = identities or {name: one_person() for name in cameras}
    return contradicted_heads(cameras, identities, geometry, least_score=0.5, most_distance=1.0)


def test_heads_that_agree_are_learned():
    found = wrong([camera("a", 50), camera("b", 300)], room(["a", "b"]))
    assert not found["a"].any()
    assert not found["b"].any()


def test_the_head_that_two_cameras_contradict_is_the_wrong_one():
    found = wrong([camera("a", 50), camera("b", 300), camera("c", 200, head_row=250)], room(["a", "b", "c"]))
    assert not found["a"].any()
    assert not found["b"].any()
    assert found["c"].all()


@pytest.mark.parametrize(
    ("geometry", "identities"),
    [
        (room(["a", "b"], matrix=None), None),
        (room(["a", "b"], start=FRAMES, stop=FRAMES + 1), None),
        (room(["a", "b"]), {"a": one_person(1), "b": one_person(2)}),
        (room(["a", "b"]), {"a": Identities.empty(), "b": one_person(2)}),
    ],
)
def test_without_geometry_or_a_common_person_nothing_is_contradicted(geometry, identities):
    found = wrong([camera("a", 50), camera("b", 300, head_row=250)], geometry, identities)
    assert not found["a"].any()
    assert not found["b"].any()


def test_only_the_stretch_in_which_the_geometry_holds_counts():
    found = wrong([camera("a", 50), camera("b", 300, head_row=250)], room(["a", "b"], start=2))
    assert found["b"].tolist() == [False, False, True, True, True]


def test_stored_geometry_is_read_back(tmp_path):
    geometry = room(["a", "b"])
    stored = [asdict(replace(pair, matrix=None)) | {"matrix": SAME_ROW.tolist()} for pair in geometry.pairs]
    content = {"instants": {"first_s": 3.0, "count": FRAMES}, "pairs": stored}
    (tmp_path / "geometry.json").write_text(json.dumps(content))
    read = RoomGeometry.read(tmp_path / "geometry.json", instant_s=STEP_S)
    assert read.first_s == 3.0
    assert read.pairs[0].views == ("a", "b")
    np.testing.assert_array_equal(read.pairs[0].matrix, SAME_ROW)
