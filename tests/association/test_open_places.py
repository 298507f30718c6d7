"""Heads that two cameras place in a third: in doubt where nothing covers them there, and nowhere else."""

import numpy as np
import pytest

from or_mv_anon.association.geometry import fundamental_matrix
from or_mv_anon.association.open_places import covered_heads, open_places
from or_mv_anon.association.stored_geometry import parse_geometry
from or_mv_anon.association.views import PairGeometry
from or_mv_anon.audit.evidence import CameraEvidence
from or_mv_anon.core.records import Frames, Identities, RegionKind, Regions, Tracks

SIZE = (640, 480)
MATRIX = np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])
COUNT = 20
INSTANTS = 0.2 * np.arange(COUNT)
PLACES = {"a": (-2.0, 0.0), "b": (2.0, 0.0), "c": (0.0, 1.5)}  # of cameras that look along z
HEAD_M = 0.25


def pose(name):
    result = np.eye(4)
    result[:2, 3] = -np.array(PLACES[name])
    return result


def seen(name, point):
    x, y, z = point - np.array([*PLACES[name], 0])
    return np.array([500 * x / z + 320, 500 * y / z + 240]), 1.35 * 500 * HEAD_M / z


def camera(name, people, *, without=()):
    """A camera that covers the heads of `people`, {identity: point}, but for those in `without`."""
    rows = [(frame, who) for frame in range(COUNT) for who in people if who not in without]
    boxes = []
    for _, who in rows:
        middle, side = seen(name, np.array(people[who]))
        boxes.append(np.r_[middle - side / 2, middle + side / 2])
    regions = Regions(
        frame=[frame for frame, _ in rows], box=np.array(boxes).reshape(-1, 4), kind=[RegionKind.HEAD] * len(rows),
        track=[who for _, who in rows], uncertainty=[0.1] * len(rows),
    )  # fmt: skip
    number = np.arange(COUNT)
    frames = Frames(frame=number, pts=number, time=number * 0.2, flags=np.ones(COUNT))
    identities = Identities(track=list(people), identity=list(people), confidence=[0.95] * len(people))
    return CameraEvidence(
        name=name, size=SIZE, frames=frames, offset=0.0, regions=regions, tracks=Tracks.empty(), identities=identities
    )


GEOMETRY = {
    (one, two): [
        PairGeometry(
            views=(one, two), matrix=fundamental_matrix((MATRIX, pose(one)), (MATRIX, pose(two))), start=0, stop=COUNT,
            residual=0.05,
        )
    ]
    for one, two in (("a", "b"), ("a", "c"), ("b", "c"))
}  # fmt: skip
PEOPLE = {0: (0.2, 0.3, 6.0), 1: (-0.8, 0.1, 7.0)}


def doubts(target, cameras):
    sightings = {each.name: covered_heads(each, INSTANTS) for each in cameras}
    (shown,) = (each for each in cameras if each.name == target)
    return list(open_places(shown, sightings, GEOMETRY, INSTANTS))


def test_who_is_covered_everywhere_is_not_in_doubt():
    cameras = [camera(name, PEOPLE) for name in PLACES]
    assert [doubts(name, cameras) for name in PLACES] == [[], [], []]


def test_who_is_missed_by_one_camera_is_in_doubt_there_at_the_right_place():
    cameras = [camera("a", PEOPLE), camera("b", PEOPLE), camera("c", PEOPLE, without={0})]
    (found,) = doubts("c", cameras)
    assert (found.camera, found.identity, found.reason) == ("c", 0, "seen_elsewhere")
    middle, _ = seen("c", np.array(PEOPLE[0]))
    box = np.array(found.box)
    assert np.linalg.norm((box[:2] + box[2:]) / 2 - middle) < 5
    assert 0 <= found.start < found.end <= INSTANTS[-1] + 0.5
    assert doubts("a", cameras) == []


def test_one_camera_alone_places_nobody():
    cameras = [camera("a", PEOPLE), camera("b", PEOPLE, without={0}), camera("c", PEOPLE, without={0})]
    assert doubts("c", cameras) == []


def test_without_geometry_there_is_no_doubt():
    cameras = [camera("a", PEOPLE), camera("b", PEOPLE), camera("c", PEOPLE, without={0})]
    sightings = {each.name: covered_heads(each, INSTANTS) for each in cameras}
    assert list(open_places(cameras[2], sightings, {}, INSTANTS)) == []


def test_stored_geometry_is_read_back():
    pair = GEOMETRY["a", "b"][0]
    content = {
        "pairs": [
            {
                "views": ["a", "b"], "matrix": pair.matrix.tolist(), "start": 0, "stop": COUNT, "inliers": 5,
                "points": 9, "residual": 0.05, "problem": "",
            },
            {
                "views": ["a", "c"], "matrix": None, "start": 0, "stop": COUNT, "inliers": 0, "points": 0,
                "residual": float("nan"), "problem": "Nobody is in both.",
            },
        ]
    }  # fmt: skip
    found = parse_geometry(content)
    assert found["a", "b"][0].matrix == pytest.approx(pair.matrix)
    assert found["a", "c"][0].matrix is None
    with pytest.raises(KeyError):
        parse_geometry({"pairs": [{"views": ["a", "b"]}]})
