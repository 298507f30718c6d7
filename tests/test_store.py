"""Stage outputs survive a restart, are whole or absent, and are used only for what they were made from."""

import numpy as np
import pytest

from or_mv_anon.errors import UserError
from or_mv_anon.files import write_atomically
from or_mv_anon.records import Detections, Frames
from or_mv_anon.store import MANIFEST, RunStore

FOUND = Detections(frame=[0, 3], box=[[0, 0, 4, 8], [1, 2, 3, 4]], score=[0.5, 0.9])


def test_records_and_manifest_survive_a_restart(tmp_path):
    store = RunStore.open(tmp_path / "stages")
    store.write("cam/persons.parquet", FOUND)
    store.finish("cam/analyse", "abc", files=["cam/persons.parquet"], facts={"seconds": 1.5})
    again = RunStore.open(tmp_path / "stages")
    assert again.trusted("cam/analyse", "abc")
    assert again.facts("cam/analyse") == {"seconds": 1.5}
    np.testing.assert_array_equal(again.read("cam/persons.parquet", Detections).box, FOUND.box)
    assert not list(tmp_path.rglob("*.partial"))


def test_a_stage_counts_only_with_its_inputs_and_its_files(tmp_path):
    store = RunStore.open(tmp_path)
    store.write("persons.parquet", FOUND)
    store.finish("analyse", "abc", files=["persons.parquet"])
    assert not store.trusted("analyse", "other settings")
    assert not store.trusted("never run", "abc")
    (tmp_path / "persons.parquet").unlink()
    assert not store.trusted("analyse", "abc")


@pytest.mark.parametrize("content", [b"not parquet", b""])
def test_damaged_records_are_named(tmp_path, content):
    (tmp_path / "persons.parquet").write_bytes(content)
    with pytest.raises(UserError, match=r"persons\.parquet"):
        RunStore.open(tmp_path).read("persons.parquet", Detections)


def test_a_record_is_not_read_as_another(tmp_path):
    store = RunStore.open(tmp_path)
    store.write("persons.parquet", FOUND)
    with pytest.raises(UserError, match="expected Frames"):
        store.read("persons.parquet", Frames)


@pytest.mark.parametrize("content", ["{", '{"schema": 1}', '{"schema": 999, "stages": {}}'])
def test_damaged_or_foreign_manifest_is_refused(tmp_path, content):
    (tmp_path / MANIFEST).write_text(content)
    with pytest.raises(UserError, match="--overwrite"):
        RunStore.open(tmp_path)


def test_a_failed_write_leaves_the_old_file(tmp_path):
    target = tmp_path / "file"
    target.write_text("old")

    def fail(path):
        path.write_text("half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_atomically(target, fail)
    assert target.read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_store_below_a_file_is_one_clear_sentence(tmp_path):
    (tmp_path / "taken").write_text("")
    with pytest.raises(UserError, match="taken is a file"):
        RunStore.open(tmp_path / "taken" / "stages")
