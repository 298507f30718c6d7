"""Where epipolar lines of several cameras meet, and how well that is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from or_mv_anon.association.geometry import fundamental_matrix
from or_mv_anon.association.heads import HeadObservations
from or_mv_anon.association.transfer import Places, place_heads
from or_mv_anon.association.views import PairGeometry, ViewNames
from tests.association.synthetic_room import Camera, synthetic_room

CAMERAS = synthetic_room(cameras=4, people=1, seconds=2).cameras


def sighting(point: NDArray[np.float64], *, instant: int = 0, spread: float = 0.1) -> HeadObservations:
    return HeadObservations(
        instant=[instant], identity=[7], point=[point], spread=[spread], head=[30], confidence=[0.8]
    )  # fmt: skip


def nobody(*cameras: str) -> dict[str, HeadObservations]:
    return dict.fromkeys(cameras, HeadObservations.empty())


def geometry(cameras: dict[str, Camera], *, start: int = 0, stop: int = 1) -> dict[ViewNames, tuple[PairGeometry, ...]]:
    names = list(cameras)
    return {
        (a, b): (
            PairGeometry(
                views=(a, b),
                matrix=fundamental_matrix((cameras[a].matrix, cameras[a].pose), (cameras[b].matrix, cameras[b].pose)),
                start=start, stop=stop, residual=0.05,
            ),
        )
        for number, a in enumerate(names)
        for b in names[number + 1 :]
    }  # fmt: skip


def places_in(target: str, seen: dict[str, HeadObservations], **span: int) -> Places:
    return place_heads(target, seen, geometry(CAMERAS, **span), start=0, stop=10)


@settings(max_examples=50)
@given(
    x=st.floats(-1.5, 1.5), y=st.floats(-1.2, 1.2), z=st.floats(0.5, 2.0),
    target=st.sampled_from(list(CAMERAS)), count=st.sampled_from([3, 4]),
)  # fmt: skip
def test_exact_lines_meet_in_the_projection(x: float, y: float, z: float, target: str, count: int) -> None:
    others = [name for name in CAMERAS if name != target][: count - 1]
    point = np.array([x, y, z])
    seen = {name: sighting(CAMERAS[name].project(point)[0]) for name in others}
    placed = places_in(target, seen | nobody(target, *set(CAMERAS) - {target, *others}))
    if len(placed):  # lines may be parallel
        truth = CAMERAS[target].project(point)[0]
        known = np.sqrt(np.linalg.eigvalsh(placed.covariance[0])[-1])
        assert np.abs(placed.centre[0] - truth).max() < 0.01 * (1 + known)
        assert placed.misfit[0] < 0.01


@settings(max_examples=30)
@given(x=st.floats(-1.5, 1.5), y=st.floats(-1.2, 1.2), seed=st.integers(0, 1000))
def test_the_covariance_says_how_far_off_places_are(x: float, y: float, seed: int) -> None:
    point, random = np.array([x, y, 1.6]), np.random.default_rng(seed)
    target, *others = CAMERAS
    noise = 3.0  # pixels, as `sighting` says
    seen = {
        name: HeadObservations.concat(
            [
                sighting(CAMERAS[name].project(point)[0] + random.normal(0, noise, 2), instant=instant)
                for instant in range(100)
            ]
        )
        for name in others
    }
    placed = place_heads(target, seen | nobody(target), geometry(CAMERAS, stop=100), start=0, stop=100)
    if len(placed) < 100:  # too near an epipole
        return
    error = placed.centre - CAMERAS[target].project(point)[0]
    squared = (error * np.linalg.solve(placed.covariance, error[..., None])[..., 0]).sum(axis=1)
    assert 0.1 < np.median(squared) < 3, "for two degrees of freedom 1.4, less the doubt about the geometry"


def test_one_camera_places_nobody() -> None:
    seen = {"cam2": sighting(np.array([600.0, 300.0]))}
    assert len(places_in("cam1", seen | nobody("cam1", "cam3", "cam4"))) == 0


def test_cameras_that_look_along_one_line_place_nobody() -> None:
    """Three cameras in a row: the lines of the outer two coincide in the middle one."""
    first = CAMERAS["cam1"]
    row = {}
    for number in range(3):
        pose = first.pose.copy()
        pose[:3, 3] += number * first.pose[:3, 0]
        row[f"cam{number + 1}"] = Camera(first.matrix, pose)
    point = np.array([0.8, 0.5, 1.6])
    seen = {name: sighting(camera.project(point)[0]) for name, camera in row.items()}
    placed = place_heads("cam2", seen | nobody("cam2"), geometry(row), start=0, stop=1)
    assert len(placed) == 0 or np.linalg.eigvalsh(placed.covariance)[0, -1] > 1e4


def test_three_cameras_that_contradict_each_other_say_so() -> None:
    point = np.array([0.8, 0.5, 1.6])
    seen = {name: sighting(CAMERAS[name].project(point)[0]) for name in ("cam2", "cam3", "cam4")} | nobody("cam1")
    agreeing = places_in("cam1", seen)
    assert agreeing.misfit[0] < 0.01
    moved = [sighting(seen["cam2"].point[0] + shift) for shift in ([200, 0], [0, 200])]  # one may be along the line
    assert max(places_in("cam1", seen | {"cam2": each}).misfit[0] for each in moved) > 3


def test_a_place_is_as_sure_as_its_second_surest_camera() -> None:
    point = np.array([0.8, 0.5, 1.6])
    sure = {"cam2": 0.2, "cam3": 0.9, "cam4": 0.7}
    seen = {name: sighting(CAMERAS[name].project(point)[0]).replace(confidence=[value]) for name, value in sure.items()}
    assert places_in("cam1", seen | nobody("cam1")).confidence[0] == pytest.approx(0.7)


def test_geometry_holds_for_its_own_stretch_only() -> None:
    point = np.array([0.8, 0.5, 1.6])
    seen = {name: sighting(camera.project(point)[0], instant=5) for name, camera in CAMERAS.items()}
    assert len(places_in("cam1", seen, start=0, stop=5)) == 0
    assert len(places_in("cam1", seen, start=5, stop=6)) == 1


def test_a_refused_geometry_places_nobody() -> None:
    point = np.array([0.8, 0.5, 1.6])
    seen = {name: sighting(camera.project(point)[0]) for name, camera in CAMERAS.items()}
    refused = {
        names: (PairGeometry(views=names, matrix=None, start=0, stop=9, problem="Too few people."),)
        for names in geometry(CAMERAS)
    }
    assert len(place_heads("cam1", seen, refused, start=0, stop=9)) == 0
