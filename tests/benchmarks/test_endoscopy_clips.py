"""Composed clips keep their truth, held-out sources stay apart, and the benchmark tells what it measured."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest

from or_mv_anon.core.errors import UserError
from tests.endoscopy.tiny_oob_network import write_tiny_network

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"

from benchmarks.endoscopy import compose, measurable, split  # noqa: E402
from benchmarks.endoscopy_clips import LONGEST, RATE, SHORTEST, TUNNEL, Clip, timeline  # noqa: E402
from benchmarks.endoscopy_material import group_of  # noqa: E402
from benchmarks.endoscopy_report import DIFFERENT  # noqa: E402

RED, BLUE = (30, 30, 180), (180, 30, 30)


def picture(colour, seed=0):
    grain = np.random.default_rng(seed).integers(0, 30, (120, 160, 1))
    return np.clip(np.array(colour) + grain, 0, 255).astype(np.uint8)


@pytest.fixture(scope="module", params=range(3))
def clip(request):
    return Clip([picture(RED, i) for i in range(3)], [picture(BLUE, i) for i in range(3)], seed=request.param)


def shows_blue(scene):
    return (scene[..., 0].astype(int) - scene[..., 2]).max() > 15


@pytest.mark.parametrize("seed", range(60))
def test_timelines_leave_the_body_through_the_sleeve_and_come_back(seed):
    parts = timeline(np.random.default_rng(seed))
    kinds = [part.kind for part in parts]
    assert kinds == ["inside", *["leaving", "room", "entering", "inside"] * (len(kinds) // 4)]
    assert len(kinds) > 1
    assert SHORTEST - 0.1 <= parts[-1].stop / RATE <= LONGEST + 0.1
    assert [part.start for part in parts] == [0, *(part.stop for part in parts[:-1])]
    for part in parts:
        assert part.stop > part.start
        if part.kind in ("leaving", "entering"):
            assert TUNNEL[0] - 0.5 / RATE <= (part.stop - part.start) / RATE <= TUNNEL[1] + 0.5 / RATE
        first, last = part.wipe
        assert (first, last) == (0, 0) or part.start < first < last < part.stop


def test_a_frame_is_outside_as_soon_as_and_as_long_as_the_room_shows(clip):
    room = next(part for part in clip.parts if part.kind == "room")
    assert clip.outside[room.start : room.stop].all()
    near = [*range(room.start - 4, room.start + 4), *range(room.stop - 4, room.stop + 4)]
    for number in [0, *near, len(clip) - 1]:
        assert shows_blue(clip.scene(number)) == clip.outside[number], number
    assert clip.exits == int((np.diff(clip.outside.astype(int)) == 1).sum())
    assert not clip.outside[0]
    assert not clip.outside[-1]


def test_frames_do_not_depend_on_the_order_in_which_they_are_asked_for(clip):
    again = Clip([picture(RED, i) for i in range(3)], [picture(BLUE, i) for i in range(3)], seed=clip._seed)
    numbers = [3, clip.parts[2].start, len(clip) - 1]
    first = [clip.frame(number) for number in numbers]
    second = [again.frame(number) for number in reversed(numbers)]
    assert all(np.array_equal(a, b) for a, b in zip(first, reversed(second), strict=True))
    assert len({frame.shape for frame in first}) == 1
    assert not np.array_equal(clip.frame(3), clip.frame(4))
    with pytest.raises(IndexError):
        clip.frame(len(clip))


def test_groups_follow_from_names():
    families = {"a": ["m2cai", "dn_cholec"], "b": ["dn_cvc"]}
    names = ["m2cai16_v01.jpg", "dn_cholec-8k_1.jpg", "dn_cvc-612_1.jpg", "dn_robot_1.jpg", "artnet_1_2.jpg"]
    groups = [group_of(name, families=families, two_part=["dn"]) for name in names]
    assert groups == ["a", "a", "b", "dn_robot", "artnet"]


@pytest.fixture
def table(tmp_path):
    for label, colour in (("inside", RED), ("outside", BLUE)):
        for group in ("x", "y", "z"):
            for number in range(2):
                path = tmp_path / label / f"{label[0]}{group}_{number}.png"
                path.parent.mkdir(exist_ok=True)
                cv2.imwrite(str(path), picture(colour, number))
    command = [
        sys.executable,
        BENCHMARKS / "endoscopy_material.py",
        "--inside",
        tmp_path / "inside",
        "--test",
        "iz,room",
    ]
    command += ["--calibrate", "iy", "--outside", f"room={tmp_path / 'outside'}", "--out", tmp_path / "material"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return tmp_path / "material" / "all.csv"


def test_the_table_has_groups_and_splits(table):
    rows = list(csv.DictReader(table.open()))
    assert {(row["group"], row["label"], row["split"]) for row in rows} == {
        ("ix", "inside", "train"),
        ("iy", "inside", "calibrate"),
        ("iz", "inside", "test"),
        ("room", "outside", "test"),
    }


def test_clips_are_made_of_test_groups_alone(table, monkeypatch):
    samples = split(table, None)
    read = []
    monkeypatch.setattr(type(samples[0]), "read", lambda sample: read.append(sample) or picture(RED))
    compose([sample for sample in samples if sample.split == "test"], 3)
    assert {sample.group for sample in read} == {"iz", "room"}
    assert {sample.split for sample in read} == {"test"}


def test_skipped_groups_are_not_measured(table):
    samples = split(table, None)
    assert {sample.group for sample in measurable(samples, "")} == {"iz", "room"}
    with pytest.raises(UserError, match="needs groups"):
        measurable(samples, "room")
    with pytest.raises(UserError, match="elsewhere is no group"):
        measurable(samples, "elsewhere")


def test_a_fold_never_trains_on_what_it_leaves_out():
    pytest.importorskip("torch")
    from benchmarks.endoscopy_folds import Fold, without
    from or_mv_anon.endoscopy.training.material import Sample

    samples = [Sample(Path(f"{g}{i}"), g > "f", g, "train") for g in "abcghi" for i in range(6)]
    drawn = without(samples, Fold("a", "g"))
    assert {sample.group for sample in drawn if sample.split == "test"} == {"a", "g"}
    splits = {sample.group: sample.split for sample in drawn}
    assert set(splits.values()) == {"train", "calibrate", "test"}
    assert all(sample.split == splits[sample.group] for sample in drawn)


def test_the_benchmark_writes_figures_beside_published_ones(table, tmp_path):
    network = write_tiny_network(tmp_path / "tiny.onnx", gain=3.0)
    out = tmp_path / "out"
    command = [sys.executable, BENCHMARKS / "endoscopy.py", "--csv", table, "--network", network, "--clips", "1"]
    done = subprocess.run(
        [*map(str, command), "--device", "cpu", "--out", str(out)], capture_output=True, text=True, timeout=900
    )
    assert done.returncode == 0, done.stderr
    result = json.loads((out / "endoscopy.json").read_text())
    assert result["trained_groups"] == ["ix", "iy"]
    assert result["pictures"]["as they are"]["roc_auc"] == 1
    assert result["clips"]["frames"]["roc_auc"] > 0.9
    rows = result["clips"]["leaks"]
    assert rows["offline smoothing"]["seconds"] <= rows["single frames"]["seconds"]
    text = (out / "endoscopy.md").read_text()
    assert all(words in text for words in ("99.46 %", "99.94 %", "99.71 %", DIFFERENT))
