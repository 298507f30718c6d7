"""Stage outputs survive a restart, are whole or absent, and are used only as the stage that wrote them left them."""

import json
import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from or_mv_anon.core import stage_files
from or_mv_anon.core import store as store_module
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.records import Detections, Frames, RegionKind, Regions
from or_mv_anon.core.store import MANIFEST, RunStore

FOUND = Detections(frame=[0, 3], box=[[0, 0, 4, 8], [1, 2, 3, 4]], score=[0.5, 0.9])
TABLE = "cam/persons.parquet"


@pytest.fixture
def store(tmp_path):
    """Two stages: `find` wrote a table, of which `place` made a text."""
    opened = RunStore.open(tmp_path / "stages")
    opened.write(TABLE, FOUND)
    opened.finish("find", "abc", files=[TABLE], facts={"seconds": 1.5})
    opened.write_text("cam/text.json", "[1]")
    opened.finish("place", "def", files=["cam/text.json"], made_of=["find"])
    return opened


def again(store):
    return RunStore.open(store.root)


def test_records_and_manifest_survive_a_restart(store):
    for opened in (again(store), RunStore(store.root)):
        assert opened.trusted("find", "abc")
        assert opened.facts("find") == {"seconds": 1.5}
        np.testing.assert_array_equal(opened.read(TABLE, Detections).box, FOUND.box)
        assert opened.read_json("cam/text.json") == [1]
    assert not list(store.root.rglob("*.partial"))


def test_a_stage_counts_only_with_its_inputs_and_its_files(store):
    assert not store.trusted("find", "other settings")
    assert not store.trusted("never run", "abc")
    (store.root / TABLE).unlink()
    assert not store.trusted("find", "abc")


def flip_a_bit(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def cut_off(path):
    path.write_bytes(path.read_bytes()[:-1])


def put_no_rows_in(path):
    pq.write_table(Detections.empty().to_table(), path)


@pytest.mark.parametrize("damage", [flip_a_bit, cut_off, put_no_rows_in])
def test_a_changed_file_is_neither_trusted_nor_read(store, damage):
    """Whatever its time says; a store that only reads finds it, too."""
    path = store.root / TABLE
    times = path.stat()
    damage(path)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    for opened in (store, again(store)):
        assert not opened.trusted("find", "abc")
        assert opened.changed("find") == [TABLE]
    for opened in (store, RunStore(store.root)):
        with pytest.raises(UserError, match=r"persons\.parquet"):
            opened.read(TABLE, Detections)


def test_what_no_stage_vouches_for_is_not_read(store):
    store.write("cam/other.parquet", FOUND)
    with pytest.raises(UserError, match="no finished stage"):
        store.read("cam/other.parquet", Detections)


def test_a_record_is_not_read_as_another(store):
    with pytest.raises(UserError, match="expected Frames"):
        store.read(TABLE, Frames)


def test_a_word_is_taken_back_before_the_files_are_touched(store):
    """And it is taken back on the disk, together with what was made of them."""
    with pytest.raises(RuntimeError, match="vouches"):
        store.write(TABLE, FOUND)
    store.begin({"find": [TABLE]})
    for opened in (store, again(store)):
        assert not opened.facts("find")
        assert opened.fingerprint("place") is None
        assert not opened.trusted("find", "abc")
        assert not opened.trusted("place", "def")
    store.write(TABLE, FOUND)


def test_what_comes_out_as_before_makes_what_follows_count_again(store):
    store.begin({"find": [TABLE]})
    store.write(TABLE, FOUND)
    store.finish("find", "abc", files=[TABLE])
    opened = again(store)
    assert opened.trusted("place", "def")
    opened.save()
    assert again(store).fingerprint("place") == "def"


@pytest.mark.parametrize(("fingerprint", "found"), [("abc", FOUND[:1]), ("other", FOUND)])
def test_what_comes_out_otherwise_does_not(store, fingerprint, found):
    store.begin({"find": [TABLE]})
    store.write(TABLE, found)
    store.finish("find", fingerprint, files=[TABLE])
    assert not store.trusted("place", "def")
    assert not again(store).trusted("place", "def")


def test_a_file_that_another_stage_writes_is_no_longer_vouched_for(store):
    store.begin({"judge": [TABLE]})
    assert store.fingerprint("find") is None


def test_an_output_is_known_at_every_moment(store, monkeypatch):
    """Before its hash is noted nothing is put in its place, and what lay there is known until the new one is noted."""
    output = store.root.parent / "cam.mp4"

    def made(text):
        store.begin({"finish": ["../cam.mp4", "cam/joined.mp4"]})
        store.write_text("cam/joined.mp4", text)
        store.finish("finish", text, files=["../cam.mp4"], moved={"../cam.mp4": "cam/joined.mp4"})

    made("first")
    assert again(store).owns("../cam.mp4")
    seen = []
    for module in (store_module, stage_files):
        monkeypatch.setattr(module, "write_atomically", lambda *each: (write_atomically(*each), seen.append(known())))

    def known():
        opened = again(store)
        return output.read_text(), opened.owns("../cam.mp4"), opened.fingerprint("finish")

    made("second")
    assert [owned for _, owned, _ in seen] == [True] * len(seen)
    assert seen[-1] == ("second", True, "second")
    assert {noted for text, _, noted in seen if text == "first"} == {None}


def test_outputs_lie_beside_a_folder_that_is_a_link(tmp_path):
    (tmp_path / "fast").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "stages").symlink_to(tmp_path / "fast")
    opened = RunStore.open(tmp_path / "out" / "stages")
    opened.write_text("joined.mp4", "new")
    opened.finish("finish", "x", files=["../cam.mp4"], moved={"../cam.mp4": "joined.mp4"})
    assert (tmp_path / "out" / "cam.mp4").read_text() == "new"
    assert again(opened).trusted("finish", "x")


def test_what_somebody_else_put_in_an_outputs_place_stays(store):
    (store.root.parent / "cam.mp4").write_text("mine")
    store.write_text("cam/joined.mp4", "new")
    with pytest.raises(UserError, match="not what an earlier run put there"):
        store.finish("finish", "x", files=["../cam.mp4"], moved={"../cam.mp4": "cam/joined.mp4"})
    assert (store.root.parent / "cam.mp4").read_text() == "mine"


def test_a_folder_is_sealed_with_the_names_in_it(store):
    folder = store.root.parent / "pictures"
    folder.mkdir()
    (folder / "1.png").write_bytes(b"a")
    store.finish("finish", "x", files=["../pictures"])
    assert store.trusted("finish", "x")
    (folder / "1.png").rename(folder / "2.png")
    assert not store.trusted("finish", "x")


@pytest.mark.parametrize(
    "content",
    [b"{", b"", b"\xff\xfe", b"[]", b'"text"', b'{"schema": "2"}', b'{"schema": 2, "stages": {}}', b'{"stages": 3}'],
)
def test_a_damaged_manifest_is_refused(tmp_path, content):
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(UserError, match=r"manifest\.json is damaged .*--overwrite"):
        RunStore.open(tmp_path)


@pytest.mark.parametrize("schema", [1, 999])
def test_another_versions_manifest_is_refused_as_such(tmp_path, schema):
    (tmp_path / MANIFEST).write_text(json.dumps({"schema": schema, "stages": {}}, indent=1))
    with pytest.raises(UserError, match=r"another version .*--overwrite"):
        RunStore.open(tmp_path)


def test_every_bit_of_a_manifest_counts(store):
    path = store.root / MANIFEST
    whole = path.read_bytes()
    for place in range(0, len(whole), 7):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 4]) + whole[place + 1 :])
        with pytest.raises(UserError, match=r"--overwrite"):
            RunStore.open(store.root)


def test_edited_facts_are_noticed(store):
    path = store.root / MANIFEST
    path.write_text(path.read_text().replace("1.5", "9.5"))
    with pytest.raises(UserError, match="damaged"):
        RunStore.open(store.root)


REGIONS = Regions(
    frame=[2, 2, 5], box=[[0, 0, 4, 8]] * 3, kind=[RegionKind.HEAD] * 3, track=[0, 1, 0], uncertainty=[0, 0, 0.5]
)


@pytest.mark.parametrize(
    "change",
    [
        {"box": [[4, 0, 0, 8]] * 3},
        {"box": [[0, 8, 4, 0]] * 3},
        {"box": [[0, 0, np.nan, 8]] * 3},
        {"box": [[0, 0, np.inf, 8]] * 3},
        {"box": [[-1e9, 0, 1, 8]] * 3},
        {"frame": [5, 2, 2]},
        {"frame": [-3, 2, 5]},
        {"frame": [2, 2, 1_000_000]},
        {"kind": [0, 0, 77]},
        {"uncertainty": [0, np.nan, 0]},
    ],
)
def test_rows_that_no_stage_writes_are_refused(store, change):
    """Even where their hash is right."""
    store.write("cam/regions.parquet", REGIONS.replace(**change))
    store.finish("bad", "x", files=["cam/regions.parquet"])
    with pytest.raises(UserError, match=r"regions\.parquet \(Regions\."):
        store.read("cam/regions.parquet", Regions, frames=range(2, 6))


def test_a_segment_has_every_frame_once(store):
    frames = Frames(frame=[4, 5, 7], pts=[4, 5, 7], time=[0.4, 0.5, 0.7], flags=[1, 1, 1])
    store.write("cam/frames.parquet", frames)
    store.finish("frames", "x", files=["cam/frames.parquet"])
    with pytest.raises(UserError, match="every frame once"):
        store.read("cam/frames.parquet", Frames, frames=range(4, 8))


def test_columns_of_another_kind_are_refused(store):
    table = FOUND.to_table()
    score = pa.array(["high", "low"])
    pq.write_table(table.set_column(2, "score", score).replace_schema_metadata(table.schema.metadata), store.root / "x")
    store.finish("bad", "x", files=["x"])
    with pytest.raises(UserError, match="Cannot use the stored"):
        store.read("x", Detections)


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
