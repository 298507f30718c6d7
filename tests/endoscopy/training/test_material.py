"""Groups never part, whatever the splits; bad tables are refused with one sentence."""

from collections import defaultdict
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.core.errors import UserError
from or_mv_anon.endoscopy.training.material import Sample, draw_splits, load_material

SHARES = {"train": 0.7, "calibrate": 0.15, "test": 0.15}


@st.composite
def materials(draw):
    sizes = draw(st.lists(st.tuples(st.booleans(), st.integers(1, 12)), min_size=1, max_size=14))
    return [
        Sample(Path(f"{group}_{number}.png"), outside, f"group{group}")
        for group, (outside, size) in enumerate(sizes)
        for number in range(size)
    ]


@given(materials(), st.integers(0, 5))
def test_groups_stay_whole_and_nothing_is_lost(samples, seed):
    drawn = draw_splits(samples, SHARES, seed=seed)
    assert [sample.path for sample in drawn] == [sample.path for sample in samples]
    splits = defaultdict(set)
    for sample in drawn:
        splits[sample.group].add(sample.split)
    assert all(len(found) == 1 and found <= set(SHARES) for found in splits.values())
    assert drawn == draw_splits(samples, SHARES, seed=seed)


def test_shares_are_met_as_far_as_groups_allow():
    samples = [Sample(Path(f"{i}.png"), outside, f"{outside}{i}") for outside in (False, True) for i in range(100)]
    drawn = draw_splits(samples, SHARES, seed=0)
    for outside in (False, True):
        mine = [sample.split for sample in drawn if sample.outside == outside]
        assert [mine.count(split) for split in SHARES] == [70, 15, 15]


@pytest.fixture
def folder(tmp_path):
    for name in ("inside/a_1.png", "inside/hospital/1.png", "outside/b_1.png"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(tmp_path / name), np.zeros((8, 8, 3), np.uint8))
    return tmp_path


def test_a_folder_tells_labels_and_groups(folder):
    samples = load_material(folder)
    assert [(s.outside, s.group) for s in samples] == [(False, "a"), (False, "hospital"), (True, "b")]
    joined = load_material(folder, families=[["hospital", "a"]])
    assert [s.group for s in joined] == ["hospital", "hospital", "b"]
    assert samples[0].read().shape == (8, 8, 3)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "path and label"),
        ("path,label\ninside/a_1.png,maybe\n", "'maybe'"),
        ("path,label\nnowhere.png,inside\n", "nowhere.png does not exist"),
        ("path,label,split\ninside/a_1.png,inside,later\n", "'later'"),
        ("path,label\ninside/a_1.png,inside\n", "'outside'"),
        (
            "path,label,group,split\ninside/a_1.png,inside,g,train\noutside/b_1.png,outside,g,test\n",
            "group 'g' is in two splits",
        ),
    ],
)
def test_bad_tables_are_refused(folder, text, sentence):
    table = folder / "table.csv"
    table.write_text(text)
    with pytest.raises(UserError, match=sentence):
        load_material(table)


def test_missing_and_broken_material(folder):
    with pytest.raises(UserError, match="does not exist"):
        load_material(folder / "missing")
    (folder / "outside/b_1.png").write_bytes(b"no picture")
    with pytest.raises(UserError, match=r"b_1\.png is not a picture"):
        load_material(folder)[2].read()
