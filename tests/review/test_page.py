"""The page in a real browser: exact pictures, decisions by keyboard and mouse, and nothing that leaves the machine."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from or_mv_anon.corrections.actions import Cover, Split
from or_mv_anon.corrections.log import read
from or_mv_anon.review.run_folder import ReviewedRun, read_run
from tests.review.browsing import Page, needs_browser, opened
from tests.review.review_scenes import SIZE, View, case, code_in, write_reviewed
from tests.review.served import Served, served

needs_browser()

VIEWS = {"a": View(120), "b": View(110, offset=0.4), "c": View(70, rate=15), "d": View(100, start=0.2, missing=(5, 6))}
GLANCED = [case(1, 1.0, 1.6, "b", "a", boxes={"b": (60, 90, 120, 150)}), case(2, 0.5, 0.9, "a")]
TILES = "return [...document.querySelectorAll('#glance .tile')].map(({ dataset }) => [dataset.case, dataset.camera])"
CASES = [case(1, 1.0, 2.0, "b", "a", boxes={"b": (60, 90, 120, 150)}), case(2, 2.5, 3.0, "c"), case(3, 0.5, 0.6, "d")]


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("page")
    return write_reviewed(folder / "out", VIEWS, cases=CASES, recordings=folder / "recordings")


@pytest.fixture(scope="module")
def review(out: Path) -> Iterator[Served]:
    with served(out, "--videos", out.parent / "recordings") as found:
        yield found


@pytest.fixture(scope="module")
def page(review: Served) -> Iterator[Page]:
    with opened(review.address) as found:
        found.wait_for_pictures()
        found.write("#author", "N. Urse")
        yield found


@pytest.fixture(scope="module")
def run(out: Path) -> ReviewedRun:
    return read_run(out)


def test_it_opens_with_all_cameras_at_one_moment(page: Page):
    assert page.text("h1") == "morning"
    assert list(page.states()) == list(VIEWS)
    assert "0 of 3 cases done" in page.text("#progress")
    assert [code_in(page.picture(name)) for name in ("a", "c")] == [(0, 0), (2, 0)]


@pytest.mark.parametrize("jumps", [40, pytest.param(200, marks=pytest.mark.slow)])
def test_random_jumps_over_four_cameras_are_exact(page: Page, run: ReviewedRun, jumps: int):
    start, end = run.span
    for second in np.random.default_rng(5).uniform(start, end - 1e-3, jumps).tolist():
        page.run("location.hash = `at=${values[0]}`", second)
        page.until(lambda at=second: _is_at(page, at), f"the jump to {second}")
        for number, camera in enumerate(run.cameras):
            frame = camera.frame_at(second)
            if frame is None:
                assert page.states()[camera.name] == "nothing"
            else:
                assert code_in(page.picture(camera.name)) == (number, camera.numbers[frame]), (camera.name, second)


def test_steps_and_seconds_by_keyboard_show_the_next_frame_of_all(page: Page, run: ReviewedRun):
    page.press("1")
    _go(page, 1.0)
    lead = run.camera("a")
    for key, second in (("\ue014", 1.04), ("\ue014", 1.08), ("\ue012", 1.04)):
        page.press(key)
        page.until(lambda at=second: _is_at(page, at), f"the step to {second}")
        assert code_in(page.picture("a")) == (0, lead.frame_at(second))
        assert code_in(page.picture("c")) == (2, run.camera("c").frame_at(second))


def test_while_it_plays_all_cameras_show_the_same_moment(page: Page, run: ReviewedRun):
    _go(page, 0.6)
    seen = page.run(
        """document.querySelector('#play').click();
        const seen = [];
        while (seen.length < 12) {
          await new Promise((resolve) => setTimeout(resolve, 80));
          const views = [...document.querySelectorAll('.view')].map((view) => view.dataset);
          const frames = Object.fromEntries(views.map((view) => [view.camera, Number(view.frame)]));
          seen.push([document.querySelector('#now').value, frames]);
        }
        document.querySelector('#play').click();
        return seen;"""
    )
    assert len({when for when, _ in seen}) > 5
    camera = run.camera("a")
    for _, frames in seen:
        second = float(camera.seconds[frames["a"]])
        for each in run.cameras:
            frame = each.frame_at(second)
            assert frames[each.name] == (-1 if frame is None else each.numbers[frame])


def test_a_box_that_is_drawn_is_saved_as_it_was_drawn(page: Page, out: Path):
    page.press("n")
    page.until(lambda: "Case 1 of 3" in page.text("#case"), "the first case")
    page.until(lambda: _is_at(page, 1.0), "the case's moment")
    page.drag("b", (0.25, 0.5, 0.5, 0.75))
    page.press("2")
    page.click("#savecover")
    page.until(lambda: read(out) and "Cover in b" in page.text("#decisions"), "the decision in the list")
    line = read(out)[-1]
    assert isinstance(line.action, Cover)
    assert (line.author, line.action.camera, line.action.hold) == ("N. Urse", "b", "span")
    assert (line.action.start, line.action.end, line.action.follow) == (1.0, 2.0, True)
    assert line.reason.startswith(f"case {CASES[0].id}:")
    (drawn,) = line.action.boxes
    wanted = np.array([0.25 * SIZE[0], 0.5 * SIZE[1], 0.5 * SIZE[0], 0.75 * SIZE[1]])
    assert np.abs(np.array(drawn.box) - wanted).max() < 2
    assert "corrected" in page.text("#case")
    assert "1 change" in page.text("#render")


def test_a_place_is_covered_always_in_all_cameras_by_keyboard_alone(page: Page, out: Path):
    page.press("4", "c", "\ue014", "3")
    page.click("#editor input[type=checkbox]")
    page.press("\ue007")
    page.until(lambda: "d and all others, always" in page.text("#decisions"), "the decision in the list")
    action = read(out)[-1].action
    assert isinstance(action, Cover)
    assert (action.camera, action.hold, action.all_cameras) == ("d", "always", True)


def test_undo_withdraws_the_last_decision(page: Page, out: Path):
    page.press("u")
    page.until(lambda: read(out)[-1].action.name == "withdraw", "the withdrawal")
    page.until(lambda: "Bring back" in page.text("#decisions"), "the offer to bring it back")


def test_a_case_is_closed_by_a_key_and_the_next_comes(page: Page, out: Path):
    page.click('[data-case="0000000002"]')
    page.until(lambda: "Case 2 of 3" in page.text("#case"), "the second case")
    page.press("a")
    page.until(lambda: "Case 3 of 3" in page.text("#case"), "the next case")
    assert (read(out)[-1].action.name, getattr(read(out)[-1].action, "case", "")) == ("accept", "0000000002")


def test_who_is_who_is_told_by_clicking_two_outlines(page: Page, review: Served, out: Path):
    middle = (30 / SIZE[0], 80 / SIZE[1])  # of what is covered in every frame of every camera
    people = {name: review.get(f"people?camera={name}").json[0]["identity"] for name in VIEWS}
    assert set(people.values()) == {3}
    _go(page, 1.2)
    page.press("b")
    asked = "return document.querySelector('#ask').open"
    page.until(lambda: page.tap("a", middle) or page.run(asked), "the question, as soon as there are outlines")
    page.click("#ask button[value=split]")
    page.until(lambda: "Now click" in page.text("#picking"), "the request for the other")
    page.press("\ue00c")
    assert page.run("return document.querySelector('#picking').hidden")
    page.tap("a", middle)
    page.click("#ask button[value=split]")
    page.tap("c", middle)
    page.until(lambda: "Different people: a at 0:00:01.2, c at" in page.text("#decisions"), "the decision in the list")
    action = read(out)[-1].action
    assert isinstance(action, Split)
    assert [place.camera for place in action.places] == ["a", "c"]
    assert {place.box for place in action.places} == {(10, 60, 50, 100)}
    told = {name: review.get(f"people?camera={name}").json[0]["identity"] for name in VIEWS}
    assert {told[name] for name in "abd"} == {3} != told["c"]
    page.press("u")
    page.until(lambda: read(out)[-1].action.name == "withdraw", "the withdrawal")
    assert {review.get(f"people?camera={name}").json[0]["identity"] for name in VIEWS} == {3}
    page.press("b")


def test_the_original_is_asked_about_shown_and_gone_with_the_next_moment(page: Page, out: Path):
    page.press("1")
    _go(page, 2.0)
    page.press("o")
    page.until(lambda: "not covered" in page.text("#ask"), "the question")
    page.click("#ask button[value=yes]")
    page.until(lambda: "NOT COVERED" in page.text('.view[data-camera="a"]'), "the original")
    assert code_in(page.picture("a")) == (0, 50)
    assert read(out)[-1].action.name == "show_original"
    _go(page, 2.2)
    assert "NOT COVERED" not in page.text('.view[data-camera="a"]')


def test_every_key_is_explained(page: Page):
    page.press("?")
    page.until(lambda: "play around the case" in page.text("#keys"), "the list of keys")
    page.click("#keys button")
    assert not page.run("return document.querySelector('#keys').open")


def test_many_cases_at_a_glance(tmp_path: Path):
    """Of two cases that nobody doubts is fine, once its loop was seen to the end; the other one is looked at closer."""
    out = write_reviewed(tmp_path / "out", {"a": View(60), "b": View(60)}, cases=GLANCED)
    with served(out) as review, opened(review.address) as page:
        page.wait_for_pictures()
        page.press("g")
        page.until(lambda: "Write your name" in page.text("#toast"), "the request for a name")
        page.write("#author", "N. Urse")
        page.click("#aglance")
        page.until(lambda: page.run("return document.querySelector('#glance').open"), "the tiles")
        assert page.run(TILES) == [["0000000001", "b"], ["0000000001", "a"], ["0000000002", "a"]]
        assert page.run("return document.querySelector('#glance .main').disabled")
        page.until(lambda: "All fine" in page.text("#glance .main"), "every loop to the end")
        page.click('#glance [data-case="0000000002"]')
        assert "1 fine, look at 1 closer" in page.text("#glance .main")
        assert read(out) == []
        page.click("#glance .main")
        page.until(lambda: "Case 2 of 2" in page.text("#case"), "the case that is looked at closer")
        assert not page.run("return document.querySelector('#glance').open")
        (line,) = read(out)
        assert (line.action.name, getattr(line.action, "case", "")) == ("accept", "0000000001")
        assert line.reason == "at a glance, beside others"
        assert page.complaints() == []


def test_without_a_name_nothing_is_saved(review: Served, out: Path):
    with opened(review.address) as page:
        page.wait_for_pictures()
        before = len(read(out))
        page.click('[data-case="0000000003"]')
        page.press("a")
        page.until(lambda: "Write your name" in page.text("#toast"), "the request for a name")
        assert len(read(out)) == before


@pytest.mark.parametrize("size", [(1400, 1000), (390, 844)])
def test_it_fits_the_screen(review: Served, size: tuple[int, int]):
    with opened(review.address, size=size) as page:
        page.wait_for_pictures()
        page.press("n")
        assert page.run("return document.documentElement.scrollWidth <= innerWidth")


def test_nothing_leaves_the_machine_and_nothing_is_kept(page: Page, review: Served):
    """Last in the file: it looks at all that the others did."""
    asked = page.requests()
    own = re.compile(rf"(blob:)?{re.escape(review.address)}|data:image/png")
    assert len(asked) > 100
    assert [url for url in asked if not own.match(url)] == []
    assert page.complaints() == []
    kept = (
        "return [Object.keys(localStorage), await caches.keys(), (await indexedDB.databases()).length, document.cookie]"
    )
    assert page.run(kept) == [[], [], 0, ""]


def _is_at(page: Page, second: float) -> bool:
    """Whether the clock shows this moment and every camera its picture."""
    shown = page.text("#now")
    hours, minutes, seconds = shown.split(":")
    there = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
    return -2e-5 <= second - there < 0.01 + 2e-5 and set(page.states().values()) <= {"shown", "nothing"}


def _go(page: Page, second: float) -> None:
    page.run("location.hash = `at=${values[0]}`", second)
    page.until(lambda: _is_at(page, second), f"the jump to {second}")
