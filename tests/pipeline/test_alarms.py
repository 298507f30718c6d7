"""What makes a finished run suspicious as a whole."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from or_mv_anon.audit.summary import Series
from or_mv_anon.core.config import load_config
from or_mv_anon.pipeline.alarms import find_alarms, uncovered_share

SIZE = (640, 480)
HALF = (0.0, 0.0, 320.0, 480.0)


def camera(
    name: str,
    *,
    people: int = 0,
    weak: int = 0,
    seconds: float = 60.0,
    seen_s: int = 60,
    whole_s: float = 0.0,
    full_s: int = 0,
) -> Any:
    """`seen_s` seconds with people come first, the last `full_s` are covered all over."""
    kinds = {"head": people * 100, "box_top": weak, "person": 0, "face": 0, "zone": 9, "frame": 0}
    second = tuple(range(int(seconds)))
    series = Series(
        second=second,
        covered=tuple(1.0 if s >= len(second) - full_s else 0.1 for s in second),
        people=tuple(people if s < seen_s else 0 for s in second),
    )
    summary = SimpleNamespace(tracks=people, regions_by_kind=kinds, duration_s=seconds, whole_s=whole_s, series=series)
    return SimpleNamespace(camera=name, summary=summary)


def alarms(
    *cameras: Any,
    moving: float = 0.0,
    never: tuple[Any, ...] = (),
    method: str = "solid",
    kind: str = "room",
    colour: tuple[float, float] = (9.0, 9.0),
    model: Path | None = None,
    own: tuple[str, ...] = (),
    fast: bool = False,
) -> list[str]:
    plans = [
        SimpleNamespace(
            camera=SimpleNamespace(name=one.camera, kind=kind, never=never),
            segments=[0, 1],
            stage=lambda name, segment: f"{name}/{segment}",
        )
        for one in cameras
    ]
    run: Any = SimpleNamespace(
        spec=SimpleNamespace(
            method=method,
            config=load_config(),
            model=model,
            asked={"fast": fast},
            weights=[
                SimpleNamespace(role=role, path=str((model if model and role in own else Path("weights")) / role))
                for role in ("detector", "pose", "face")
            ],
        ),
        plan=SimpleNamespace(cameras=plans, facts=[SimpleNamespace(upright_size=SIZE) for _ in plans]),
        facts=lambda stage: {
            "moving": [[part * moving / 2, (part + 1) * moving / 2] for part in [int(stage[-1])]],
            "colour": colour[int(stage[-1])],
        },
    )
    return find_alarms(run, cameras)


def test_cameras_without_colour_are_unlike_what_the_networks_learned() -> None:
    grey, half, faint = (0.0, 0.4), (0.0, 9.0), (2.5, 3.2)
    for colour in (grey, half):
        (sentence,) = alarms(camera("a", people=3), camera("b", people=1), colour=colour)
        assert "no colour in a, b" in sentence
        assert "or-mv-anon adapt" in sentence
    assert alarms(camera("a", people=3), colour=faint) == []
    site = Path("site")
    for own in (("face",), ("detector", "pose")):
        assert alarms(camera("a", people=3), colour=grey, model=site, own=own) == []
        assert alarms(camera("a", people=3), colour=grey, model=site, own=own, fast=True) != []
    assert alarms(camera("a", people=3), colour=grey, model=site, own=("pose",)) != [], "it finds nobody by itself"
    assert alarms(camera("a", people=3), colour=grey, model=site) != [], "nothing of it was released"
    assert alarms(camera("a", people=3), colour=grey, kind="endoscope") == []
    assert alarms(camera("a"), colour=grey) == [], "nobody was seen there, which is told in another way if it is odd"


def test_a_usual_run_is_not_suspicious() -> None:
    assert alarms(camera("a", people=3), camera("b", people=1), moving=50.0, never=((0, 0, 100, 100),)) == []


def test_nobody_where_something_moves() -> None:
    (sentence,) = alarms(camera("a", weak=4), moving=12.0)
    assert "nobody was clearly seen in a, although something moves there for 12.0 s" in sentence
    assert alarms(camera("a"), moving=0.9) == []
    assert len(alarms(camera("a", seconds=1.0), moving=0.6)) == 1, "in a short recording half of it is enough"
    assert alarms(camera("a", seconds=0.0), moving=0.0) == []
    assert alarms(camera("a"), moving=12.0, kind="endoscope") == []


def test_people_who_are_seen_for_a_small_part_of_the_movement() -> None:
    (sentence,) = alarms(camera("a", people=2, seen_s=5), moving=50.0)
    assert "nobody was clearly seen in a for 45.0 of the 50.0 s in which something moves there" in sentence
    assert "longest from 5.0 to 50.0 s" in sentence
    assert alarms(camera("a", people=2, seen_s=11), moving=50.0) == []
    assert alarms(camera("a", people=2, seen_s=5), moving=5.5) == []
    assert alarms(camera("a", people=2, seen_s=5, full_s=55, whole_s=55), moving=50.0)[0].startswith("LITTLE IS LEFT")


def test_a_recording_of_which_little_shows() -> None:
    (sentence,) = alarms(camera("a", people=2, whole_s=15.0))
    assert sentence.startswith("LITTLE IS LEFT: nothing shows in 25% of a")
    (sentence,) = alarms(camera("a", people=2, full_s=30))
    assert "50% of a" in sentence
    assert alarms(camera("a", people=2, whole_s=12.0, full_s=12)) == []
    assert alarms(camera("a", people=2, whole_s=60.0), kind="endoscope") == []


def test_a_camera_that_finds_nothing_beside_one_that_shows_people() -> None:
    (sentence,) = alarms(camera("a", people=5), camera("b"))
    assert "nobody was clearly seen in b, not even weakly, although a shows people" in sentence
    assert alarms(camera("a", people=5), camera("b", weak=1)) == []
    assert alarms(camera("a"), camera("b")) == []


@pytest.mark.parametrize(
    ("zones", "share"),
    [
        ((), 0.0),
        ((HALF,), 0.5),
        ((HALF, HALF, (0, 0, 320, 240)), 0.5),
        (((-10, -10, 9999, 9999),), 1.0),
        (((320, 0, 640, 240), HALF), 0.75),
    ],
)
def test_zones_count_by_the_part_of_the_picture_that_they_take_in(zones: tuple[Any, ...], share: float) -> None:
    assert uncovered_share(zones, SIZE) == pytest.approx(share)
    found = alarms(camera("a", people=1), never=zones)
    assert bool(found) == (share > 0.25)


def test_no_covering_is_told_before_anything_else() -> None:
    found = alarms(camera("a"), moving=9.0, never=(HALF,), method="none")
    assert found[0].startswith("NOT ANONYMIZED")
    assert len(found) == 3
