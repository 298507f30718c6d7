"""What lies in a run folder, as the code names it and as docs/file-formats.md describes it."""

import math
import re
from pathlib import Path

import pytest

from or_mv_anon.core.run_layout import REGIONS, STORED, TABLES, TRACKS
from or_mv_anon.pipeline.profiles import PROFILES

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "file-formats.md").read_text()
MADE_UP = re.compile(rf"\}}/({'|'.join(STORED)})(-[^\"/]*)?\.(parquet|json)|\"({'|'.join(TABLES)})\.parquet\"")


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_every_table_is_described_with_all_its_columns(table):
    described = re.search(rf"\*\*{table.record.__name__}\*\*.*?(?=\n\*\*|\nRead them)", DOCUMENT, re.DOTALL)
    assert described, f"docs/file-formats.md says nothing of {table.record.__name__}"
    assert re.search(rf"`{table.name}(-\*)?`", described[0])
    for column, (kind, shape) in table.record.columns.items():
        assert f"`{column}`" in described[0]
        length = f"[{math.prod(shape)}]" if shape else ""
        assert f"{kind.__name__}{length}" in described[0], (column, length)


@pytest.mark.parametrize("kind", [kind for kind in STORED.values() if kind.name not in TABLES], ids=lambda k: k.name)
def test_every_other_file_is_described(kind):
    folder = "    " if kind.about == "session" else "    (cam1|scope)/"
    assert re.search(rf"^{folder}{kind.name}(-00000)?{kind.suffix or '.mp4'} ", DOCUMENT, re.MULTILINE)


def test_stages_read_what_an_earlier_one_writes():
    for stages in PROFILES.values():
        written = set()
        for stage in stages:
            assert {kind.name for kind in stage.reads} <= written, stage.name
            written |= {kind.name for kind in stage.writes}


def test_nothing_else_spells_the_names():
    spelled = [
        f"{path.relative_to(ROOT)}: {line.strip()}"
        for path in (ROOT / "or_mv_anon").rglob("*.py")
        for line in path.read_text().splitlines()
        if MADE_UP.search(line)
    ]
    assert not spelled


def test_a_files_name_tells_its_segment():
    assert REGIONS.segment_of(REGIONS.file("cam1", 7), "cam1") == 7
    assert REGIONS.segment_of(REGIONS.file("cam1", 123456), "cam1") == 123456
    for other in (REGIONS.file("cam2", 7), TRACKS.file("cam1"), "cam1/regions-7.parquet", "cam1/regions.parquet"):
        assert REGIONS.segment_of(other, "cam1") is None
