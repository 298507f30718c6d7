"""What one camera misses the others cover in it, where the geometry is known; where it does not fit, that is told."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from numpy.linalg import inv as inverse
from numpy.typing import NDArray

from or_mv_anon.association.geometry import fundamental_matrix
from or_mv_anon.association.known_geometry import Geometry, load_geometry
from or_mv_anon.core.companion import Companion
from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import Detections, FrameFlag, Keypoints
from or_mv_anon.live.exchange import Compared, Comparer, Exchange, News
from or_mv_anon.live.moments import Sight
from or_mv_anon.live.settings import load_live_config
from or_mv_anon.models.pose import Halpe26

CONFIG, LIVE = load_config(), load_live_config()
SIZE = 640, 480
LENS = np.array([[420.0, 0, 320], [0, 420, 240], [0, 0, 1]])
NAMES = ("cam1", "cam2", "cam3", "cam4")
PLACES = ((-3, -3, 2.5), (3, -3, 2.6), (3.2, 3, 2.4), (-3, 3.3, 2.7))
HIDDEN = 1  # this person is not seen by the last camera
Floats = NDArray[np.float64]


def pose(place: tuple[float, float, float], turn: float = 0.0) -> Floats:
    """(4, 4) from the room to a camera that hangs at `place` and looks at the middle, `turn` radians beside it."""
    forward = np.array([0, 0, 1.0]) - place
    forward /= np.linalg.norm(forward)
    right = np.cross(forward, [0, 0, 1.0])
    right /= np.linalg.norm(right)
    axes = np.stack([right, np.cross(forward, right), forward])
    turned = np.array([[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]) @ axes
    matrix = np.eye(4)
    matrix[:3, :3], matrix[:3, 3] = turned, -turned @ place
    return matrix


def seen(points: Floats, camera: Floats) -> Floats:
    """Pixels (N, 2) of points (N, 3)."""
    moved = points @ camera[:3, :3].T + camera[:3, 3]
    pixels = moved @ LENS.T
    return pixels[:, :2] / pixels[:, 2:]


def heads(time: float) -> Floats:
    """Middle of every person's head, in metres."""
    phases = np.arange(4)
    return np.stack(
        [
            np.cos(phases * 1.6 + (0.3 + 0.13 * phases) * time) * 1.1,
            np.sin(phases * 2.3 + (0.52 - 0.11 * phases) * time),
            1.6 + 0.05 * phases,
        ],
        axis=1,
    )


def sight(camera: Floats, time: float, people: list[int]) -> Sight:
    """What a camera sees of some people."""
    middle = heads(time)[people]
    shift = {Halpe26.NOSE: 0.0, Halpe26.HEAD_TOP: 0.11, Halpe26.NECK: -0.2}
    points = np.zeros((len(people), 26, 2), np.float32)
    scores = np.zeros((len(people), 26), np.float32)
    for point, up in shift.items():
        points[:, point], scores[:, point] = seen(middle + np.array([0, 0, up]), camera), 0.9
    top, bottom = seen(middle + np.array([0, 0, 0.15]), camera), seen(middle - np.array([0, 0, 1.5]), camera)
    half = np.abs(bottom[:, 1] - top[:, 1])[:, None] * 0.15
    box = np.concatenate([top - [[1, 0]] * half, bottom + [[1, 0]] * half], axis=1).astype(np.float32)
    count = len(people)
    persons = Detections(frame=np.zeros(count), box=box, score=np.full(count, 0.9))
    keypoints = Keypoints(detection=np.arange(count), points=points, score=scores)
    tables = {"persons": persons, "keypoints": keypoints}
    return Sight(0, time, SIZE, tables, FrameFlag.PERSONS | FrameFlag.POSE, believed=True, grey=None)


def exchange(geometry: Geometry, said: list[str]) -> Exchange:
    """Of all cameras, compared in this process."""
    return Exchange(Comparer(NAMES, geometry, CONFIG, LIVE.faults), said.append)


def stored(path: Path, cameras: list[Floats]) -> Path:
    """The geometry as a site model has it."""
    pairs = [
        {
            "views": [NAMES[a], NAMES[b]],
            "matrix": fundamental_matrix((LENS, inverse(cameras[a])), (LENS, inverse(cameras[b]))).tolist(),
            "start": 0, "stop": 10, "inliers": 100, "points": 120, "residual": 0.05, "problem": "",
        }
        for a in range(4) for b in range(a + 1, 4)
    ]  # fmt: skip
    path.write_text(json.dumps({"instants": {"first_s": 0.0, "count": 10}, "pairs": pairs}))
    return path


def test_a_head_that_one_camera_misses_is_covered_there(tmp_path: Path) -> None:
    cameras = [pose(place) for place in PLACES]
    said: list[str] = []
    across = exchange(load_geometry(stored(tmp_path / "g.json", cameras)), said)
    hits = []
    for time in np.arange(0, 24, 0.2).tolist():
        for number, name in enumerate(NAMES):
            people = [person for person in range(4) if not (number == 3 and person == HIDDEN)]
            across.note(name, sight(cameras[number], time, people))
        across.update(time)
        if time > 12:
            place = seen(heads(time - 0.4), cameras[3])[HIDDEN]
            box = across.regions(NAMES[3], time - 0.4).box
            hits.append(bool(((box[:, :2] <= place) & (place <= box[:, 2:])).all(axis=1).any()))
            assert not len(across.regions(NAMES[0], time - 0.4))
    assert np.mean(hits) > 0.9
    assert not said


def test_a_process_beside_tells_the_same(tmp_path: Path) -> None:
    cameras = [pose(place) for place in PLACES]
    geometry = load_geometry(stored(tmp_path / "g.json", cameras))
    companion: Companion[News, Compared] = Companion(partial(Comparer, NAMES, geometry, CONFIG, LIVE.faults))
    pair = [exchange(geometry, []), Exchange(companion.ask, [].append)]
    for time in np.arange(0, 14, 0.2).tolist():
        for across in pair:
            for number, name in enumerate(NAMES):
                people = [person for person in range(4) if not (number == 3 and person == HIDDEN)]
                across.note(name, sight(cameras[number], time, people))
            across.update(time)
    companion.close()
    here, beside = (across.regions(NAMES[3], 13.0).box for across in pair)
    assert len(here)
    np.testing.assert_array_equal(here, beside)


def test_a_camera_that_was_turned_is_told_and_its_geometry_is_not_believed(tmp_path: Path) -> None:
    cameras = [pose(place) for place in PLACES]
    geometry = load_geometry(stored(tmp_path / "g.json", cameras))
    cameras[2] = pose(PLACES[2], 0.35)
    said: list[str] = []
    across = exchange(geometry, said)
    for time in np.arange(0, 16, 0.2).tolist():
        for number, name in enumerate(NAMES):
            across.note(name, sight(cameras[number], time, list(range(4))))
        across.update(time)
    assert len(said) >= 2
    assert all("cam3" in text for text in said)
    assert all("cam3" in pair for pair in across.astray)


def test_a_file_that_is_no_geometry_is_refused(tmp_path: Path) -> None:
    (tmp_path / "g.json").write_text('{"pairs": [{"views": ["a"], "matrix": [[1]]}]}')
    with pytest.raises(UserError, match="no geometry"):
        load_geometry(tmp_path / "g.json")
