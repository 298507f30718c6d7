"""The tables of a run folder, as the code writes them and as docs/file-formats.md describes them."""

import re
from pathlib import Path

import pytest

from or_mv_anon.core import records
from or_mv_anon.core.records import Columns
from or_mv_anon.core.run_layout import TABLES
from or_mv_anon.endoscopy.judging import Judgements
from or_mv_anon.pipeline.profiles import PROFILES
from or_mv_anon.pipeline.stages.endoscope import Verdicts
from or_mv_anon.video.bound_file import BlockHashes

DOCUMENT = (Path(__file__).parents[2] / "docs" / "file-formats.md").read_text()
OTHER_FILES = {"audit", "video", "geometry", "index"}
RECORDS = {
    record.__name__: record
    for record in (*vars(records).values(), Judgements, Verdicts, BlockHashes)
    if isinstance(record, type) and issubclass(record, Columns)
}


@pytest.mark.parametrize("name", TABLES)
def test_every_table_is_described_with_all_its_columns(name):
    record = RECORDS[TABLES[name]]
    described = re.search(rf"\*\*{record.__name__}\*\*.*?(?=\n\*\*|\nRead them)", DOCUMENT, re.DOTALL)
    assert described, f"docs/file-formats.md says nothing of {record.__name__}"
    assert re.search(rf"`{name}(-\*)?`", described[0])
    for column, (kind, shape) in record.columns.items():
        assert f"`{column}`" in described[0]
        length = "".join(f"[{2 * 26 if shape == (26, 2) else shape[0]}]" for _ in shape[:1])
        assert f"{kind.__name__}{length}" in described[0], (column, length)


def test_stages_read_and_write_what_is_described():
    for stages in PROFILES.values():
        for stage in stages:
            assert {*stage.reads, *stage.writes} <= {*TABLES, *OTHER_FILES}
