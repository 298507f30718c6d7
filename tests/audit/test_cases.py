"""The list of cases comes back as it was written, and only as the run wrote it."""

import json

import pytest

from or_mv_anon.audit.cases import Case, case_id, cases_json, ranked, read_cases
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.run_layout import CASES, STORE_FOLDER
from or_mv_anon.core.store import RunStore


def case(start=1.0, severity=0.5, review_s=2.0, **changes):
    content = {"start": start, "end": start + 1, "cameras": ("cam2", "cam1"), "tracks": (("cam2", 4),)}
    content |= {"identity": 3, "boxes": {"cam2": (1.0, 2.0, 30.0, 40.0)}, "reasons": ("track_ends_inside",)}
    content |= changes
    made_of = {name: content[name] for name in ("start", "end", "cameras", "tracks", "reasons")}
    return Case(id=case_id(**made_of), what="Look.", severity=severity, review_s=review_s, **content)


@pytest.fixture
def out(tmp_path):
    store = RunStore.open(tmp_path / STORE_FOLDER)
    store.write_text(CASES.file(), cases_json([case(), case(5.0, identity=None, boxes={}, tracks=())]))
    store.finish("cases", "abc", files=[CASES.file()])
    return tmp_path


def test_cases_survive_the_disk(out):
    expected = [case(), case(5.0, identity=None, boxes={}, tracks=())]
    assert read_cases(out) == expected
    assert read_cases(RunStore(out / STORE_FOLDER)) == expected


def test_changed_cases_are_refused(out):
    path = out / STORE_FOLDER / CASES.file()
    path.write_text(path.read_text().replace("0.5", "0.0"))
    with pytest.raises(UserError, match="run the anonymizer again"):
        read_cases(out)


def test_a_folder_without_cases_says_what_to_do(tmp_path):
    with pytest.raises(UserError, match="run the anonymizer"):
        read_cases(tmp_path)


@pytest.mark.parametrize("text", ["[]", '{"schema": "or_mv_anon/cases/0", "cases": []}', json.dumps({"cases": [{}]})])
def test_another_file_in_their_place_is_no_list_of_cases(tmp_path, text):
    store = RunStore.open(tmp_path / STORE_FOLDER)
    store.write_text(CASES.file(), text)
    store.finish("cases", "abc", files=[CASES.file()])
    with pytest.raises(UserError):
        read_cases(tmp_path)


def test_cases_are_ranked_by_what_a_second_of_review_is_worth():
    long, short, worthless = case(1.0, 2.0, 10.0), case(2.0, 1.0, 2.0), case(0.0, 0.0, 1.0)
    assert ranked([long, worthless, short]) == [short, long, worthless]


def test_the_id_is_of_the_content_alone():
    assert case(severity=0.1).id == case(severity=0.9, review_s=9.0).id
    assert len({case(start).id for start in (1.0, 1.1, 2.0)}) == 3
    assert case(cameras=("cam1", "cam2")).id == case().id
