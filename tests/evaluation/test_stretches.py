"""Exposed stretches and the review that shows them, against values worked out by hand."""

import dataclasses
import json

import numpy as np
import pytest

from or_mv_anon.audit.cases import Case, cases_json
from or_mv_anon.cli import tool
from or_mv_anon.core.run_layout import CASES
from or_mv_anon.core.store import RunStore
from or_mv_anon.core.truth import Truth
from or_mv_anon.evaluation.evaluate import evaluate_run
from or_mv_anon.evaluation.worklist import judge_worklist
from tests.evaluation.exposure_scenes import RATE, Face, camera_truth, write_run, write_truth

FACE = (8, 8, 20, 20)
FRAMES = 40


@pytest.fixture
def run(tmp_path):
    """A function: the evaluation of cameras given as {name: frames in which the face is covered}, with cases."""

    def evaluated(cameras, cases=None, offsets=None, faces=None):
        faces = faces or [Face(frame, body=(30, 8, 60, 46)) for frame in range(FRAMES)]
        truth = Truth(
            {name: camera_truth(faces, frames=FRAMES) for name in cameras}, people=[{"person": 1, "role": "nurse"}]
        )
        times = np.arange(FRAMES) / RATE
        drawn = {name: (times, {frame: [FACE] for frame in covered}) for name, covered in cameras.items()}
        write_run(tmp_path, drawn)
        about = json.loads((tmp_path / "audit.json").read_text())
        about["cameras"] = [{"camera": name, "offset_s": (offsets or {}).get(name, 0.0)} for name in cameras]
        (tmp_path / "audit.json").write_text(json.dumps(about))
        if cases is not None:
            store = RunStore.open(tmp_path / "stages")
            store.write_text(CASES.file(), cases_json(cases))
            store.finish("cases", "x", files=[CASES.file()])
        return evaluate_run(tmp_path, truth)

    return evaluated


def case(start, end, *cameras, boxes=None, review_s=1.0):
    return Case(
        id=f"{start}", start=start, end=end, cameras=cameras, identity=None, tracks=(), boxes=boxes or {},
        reasons=("track_ends_inside",), what="Look.", severity=1.0, review_s=review_s,
    )  # fmt: skip


def test_every_stretch_has_camera_person_moment_and_reason(run):
    bare = {*range(5, 8), *range(20, 30)}
    found = run({"cam1": set(range(FRAMES)) - bare, "cam2": range(FRAMES)}, offsets={"cam1": 0.5}).stretches
    assert [(each.camera, each.person, each.role) for each in found] == [("cam1", 1, "nurse")] * 2
    assert [(each.first_frame, each.last_frame, each.face_frames) for each in found] == [(20, 29, 10), (5, 7, 3)]
    assert found[0].start == pytest.approx(2.0)
    assert found[0].end == pytest.approx(3.0)
    assert found[0].session_start == pytest.approx(2.5)
    assert found[0].face == FACE


@pytest.mark.parametrize(
    ("covered", "why"),
    [
        (range(20), "cover_ended"),
        (range(20, FRAMES), "cover_came_late"),
        ({*range(10), *range(15, FRAMES)}, "cover_paused"),
        ((), "not_found"),
    ],
)
def test_the_reason_is_what_the_run_made_of_the_person(run, covered, why):
    assert [each.why for each in run({"cam1": covered}).stretches] == [why]


def test_a_found_person_without_cover_is_told_from_one_who_was_not_found(run):
    faces = [Face(frame, body=(0, 0, 9, 9)) for frame in range(FRAMES)]  # where every frame has a detection
    assert [each.why for each in run({"cam1": ()}, faces=faces).stretches] == ["detected_but_not_followed"]


def test_nothing_exposed_is_no_stretch_and_all_is_shown(run):
    result = run({"cam1": range(FRAMES)}, cases=[])
    assert result.stretches == []
    assert result.worklist.curve[0].stretches == 1
    assert result.worklist.curve[0].longest


def test_review_shows_the_stretches_of_the_cases_that_fit_into_it(run):
    """4 s of one camera: a second of review is 15 minutes per camera-hour."""
    bare = {*range(5, 8), *range(20, 30)}
    cases = [case(0.4, 0.8, "cam1"), case(2.0, 2.5, "cam1")]
    result = run({"cam1": set(range(FRAMES)) - bare}, cases=cases).worklist
    points = {point.minutes: point for point in result.curve}
    assert result.review_minutes == pytest.approx(30)
    assert (points[10.0].cases, points[10.0].stretches) == (0, 0)
    assert (points[15.0].cases, points[15.0].stretches, points[15.0].longest) == (1, 0.5, False)
    assert points[15.0].face_frames == pytest.approx(3 / 13)
    assert (points[30.0].stretches, points[30.0].longest) == (1, True)
    assert points[30.0].moments == pytest.approx((3 + 5) / 13)
    assert result.found_by == (2, 1)
    assert result.minutes_for["95 %"] == pytest.approx(30)


def test_one_cover_for_a_place_mends_what_is_exposed_there_at_other_times(run):
    bare = {*range(5, 8), *range(20, 30)}
    stretches = run({"cam1": set(range(FRAMES)) - bare}).stretches
    point = judge_worklist([case(2, 3, "cam1")], stretches, camera_hours=1.0).curve[-1]
    assert (point.stretches, point.mended) == (0.5, 1)
    moved = [stretches[0], dataclasses.replace(stretches[1], face=(40, 20, 52, 32))]
    point = judge_worklist([case(2, 3, "cam1")], moved, camera_hours=1.0).curve[-1]
    assert (point.stretches, point.mended) == (0.5, 0.5)


def test_another_camera_or_moment_shows_nothing(run):
    stretches = run({"cam1": range(20), "cam2": range(FRAMES)}).stretches
    shown = [
        judge_worklist([each], stretches, camera_hours=1.0).found_by[0]
        for each in (case(2, 3, "cam2"), case(0, 1.9, "cam1"), case(0, 2.1, "cam1"), case(0, 2.2, "cam1"))
    ]
    assert shown == [None, None, None, 1]


def test_where_to_look_is_judged_apart(run):
    stretches = run({"cam1": range(20)}).stretches
    for box, pointed in (((6, 6, 22, 22), 1), ((40, 30, 50, 40), 0)):
        curve = judge_worklist([case(2, 3, "cam1", boxes={"cam1": box})], stretches, camera_hours=1.0).curve
        assert (curve[-1].stretches, curve[-1].pointed) == (1, pointed)


def test_the_command_prints_and_stores_both(run, tmp_path, capsys):
    result = run({"cam1": range(20)}, cases=[case(2.0, 2.5, "cam1")])
    truth = {"cam1": camera_truth([Face(frame) for frame in range(FRAMES)], frames=FRAMES)}
    write_truth(tmp_path / "truth", **truth)
    arguments = ["--run", str(tmp_path), "--truth", str(tmp_path / "truth"), "--out", str(tmp_path / "r.json")]
    assert tool("or_mv_anon.evaluation.cli", arguments) == 0
    printed = capsys.readouterr().out
    assert "Exposed stretches, longest first" in printed
    assert "covered before, not after" in printed
    assert "Review per camera-hour shows" in printed
    figures = json.loads((tmp_path / "r.json").read_text())
    assert figures["stretches"][0] == json.loads(json.dumps(dataclasses.asdict(result.stretches[0]) | {"role": ""}))
    assert figures["worklist"]["found_by"] == [1]


def test_a_run_without_cases_says_so(run):
    assert any("no list of cases" in note for note in run({"cam1": ()}).notes)
