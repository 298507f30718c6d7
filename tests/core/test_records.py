"""Records: columns of one length, and a Parquet file that gives back exactly what was written."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from or_mv_anon.core.records import Columns, Detections, FrameFlag, Frames, Keypoints, Regions, Tracks

RECORDS = (Frames, Detections, Keypoints, Tracks, Regions)


def filled(kind: type[Columns], rows: int, seed: int = 0) -> Columns:
    random = np.random.default_rng(seed)
    columns = {}
    for name, (dtype, shape) in kind.columns.items():
        columns[name] = (random.random((rows, *shape)) * 200).astype(dtype)
    return kind(**columns)


def assert_same(a: Columns, b: Columns) -> None:
    assert type(a) is type(b)
    for name, (dtype, _) in a.columns.items():
        left, right = getattr(a, name), getattr(b, name)
        assert left.dtype == right.dtype == dtype
        assert np.array_equal(left, right)


@pytest.mark.parametrize("rows", [0, 1, 7])
@pytest.mark.parametrize("kind", RECORDS)
def test_parquet_gives_back_what_was_written(tmp_path: Path, kind: type[Columns], rows: int) -> None:
    record = filled(kind, rows)
    pq.write_table(record.to_table(), tmp_path / "record.parquet", row_group_size=3)
    assert_same(kind.from_table(pq.read_table(tmp_path / "record.parquet")), record)


@pytest.mark.parametrize("kind", RECORDS)
def test_a_slice_of_a_table_is_that_slice_of_the_record(kind: type[Columns]) -> None:
    record = filled(kind, 9)
    assert_same(kind.from_table(record.to_table().slice(2, 5)), record[2:7])


@settings(max_examples=30)
@given(hnp.arrays(np.float32, st.tuples(st.integers(0, 5), st.just(4)), elements=st.floats(width=32)))
def test_every_float_survives(box: np.ndarray) -> None:
    rows = len(box)
    record = Detections(frame=np.arange(rows), box=box, score=np.zeros(rows))
    back = Detections.from_table(record.to_table())
    assert back.box.tobytes() == box.tobytes()


def test_other_records_and_versions_are_refused() -> None:
    table = filled(Detections, 2).to_table()
    with pytest.raises(ValueError, match="expected Regions version 2, found Detections"):
        Regions.from_table(table)
    newer = table.replace_schema_metadata({"record": "Detections", "version": "99"})
    with pytest.raises(ValueError, match="found Detections version 99"):
        Detections.from_table(newer)
    with pytest.raises(ValueError, match="found None"):
        Detections.from_table(pa.table({"frame": [1]}))


@pytest.mark.parametrize("kind", RECORDS)
def test_concat_of_parts_is_the_whole(kind: type[Columns]) -> None:
    record = filled(kind, 10)
    assert_same(kind.concat([record[:3], kind.empty(), record[3:]]), record)
    assert_same(kind.concat([]), kind.empty())
    assert len(kind.empty()) == 0


@given(hnp.arrays(bool, 8))
def test_a_mask_picks_the_same_rows_of_every_column(mask: np.ndarray) -> None:
    record = filled(Tracks, 8)
    picked = record[mask]
    assert len(picked) == mask.sum()
    for name in record.columns:
        assert np.array_equal(getattr(picked, name), getattr(record, name)[mask])


def test_columns_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match=r"Detections.score: expected shape \(2,\), got \(3,\)"):
        Detections(frame=np.zeros(2), box=np.zeros((2, 4)), score=np.zeros(3))
    with pytest.raises(ValueError, match=r"Detections.box"):
        Detections(frame=np.zeros(2), box=np.zeros((2, 5)), score=np.zeros(2))


def test_columns_take_their_own_type() -> None:
    record = Detections(frame=[0, 1], box=[[0, 0, 1, 1]] * 2, score=[0.5, 1])
    assert record.frame.dtype == np.int32
    assert record.box.dtype == record.score.dtype == np.float32
    assert record.replace(score=[0, 0]).score.tolist() == [0, 0]
    assert record.score.tolist() == [0.5, 1]


def test_flags_are_found_in_combinations() -> None:
    flags = np.array([FrameFlag.PERSONS, FrameFlag.PERSONS | FrameFlag.FAILED, 0], np.uint8)
    frames = Frames(frame=np.arange(3), pts=np.arange(3), time=np.zeros(3), flags=flags)
    assert frames.has(FrameFlag.PERSONS).tolist() == [True, True, False]
    assert frames.has(FrameFlag.FAILED).tolist() == [False, True, False]
