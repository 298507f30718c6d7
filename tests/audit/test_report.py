"""The two files that people and machines read."""

import dataclasses
import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from or_mv_anon.audit.cases import Case
from or_mv_anon.audit.charts import MOST_POINTS, Mark, percent, timeline
from or_mv_anon.audit.document import verdict
from or_mv_anon.audit.intervals import RiskInterval
from or_mv_anon.audit.page import render_page
from or_mv_anon.audit.report import SCHEMA, audit_json, write_audit
from or_mv_anon.audit.summary import Series
from or_mv_anon.audit.timecode import clock_time, span_of_time
from or_mv_anon.audit.worklist import MOST_CASES
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import FrameFlag, Tracks
from tests.audit.audit_scenes import audit, camera, frames, track

EMPTY_ELEMENTS = {"meta", "path", "rect", "br"}


class Balance(HTMLParser):
    """Checks that elements close in order, and collects tags, attributes and text."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.attributes, self.text = [], [], [], []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in EMPTY_ELEMENTS:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def written(tmp_path, content):
    write_audit(tmp_path / "audit.json", tmp_path / "report.html", content)
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    parser = Balance()
    parser.feed(page)
    parser.close()
    assert parser.open == []
    return json.loads((tmp_path / "audit.json").read_text(encoding="utf-8")), page, parser


def plain_camera(name="cam1"):
    return camera(name, frames(100), track(5, 60, filled=range(20, 24)))


def test_json_holds_schema_verdict_and_every_risk(tmp_path):
    content = audit(plain_camera())
    data, _, _ = written(tmp_path, content)
    assert data["schema"] == SCHEMA
    assert data["verdict"]["well"] is True
    risks = data["cameras"][0]["risks"]
    assert [risk["rank"] for risk in risks] == list(range(1, len(content.cameras[0].risks) + 1))
    assert risks[0]["reason"] == content.cameras[0].risks[0].reason
    assert data["timings"][0]["frames_per_s"] == 25
    assert data["inputs"][0]["sha256"] == "a" * 64
    assert sorted(path.name for path in tmp_path.iterdir()) == ["audit.json", "report.html"]


def test_page_fetches_and_runs_nothing_and_shows_no_picture(tmp_path):
    _, page, parser = written(tmp_path, audit(plain_camera()))
    assert not {"script", "img", "image", "link", "iframe", "object", "video"} & set(parser.tags)
    assert not {"src", "href", "xlink:href", "srcset"} & {name for name, _ in parser.attributes}
    assert not re.search(r"url\(|@import|https?://|data:", page)


def test_names_are_escaped_everywhere(tmp_path):
    name = 'a<script>alert("1")</script>&\'b'
    flags = np.full(30, int(FrameFlag.FAILED), np.uint8)
    entry = camera(name, frames(30).replace(flags=flags), track(5, 20))
    content = dataclasses.replace(audit(entry, problems=[f"{name} failed"]), session=name, options={name: name})
    _, page, parser = written(tmp_path, content)
    assert "<script" not in page
    assert "".join(parser.text).count(name) > 8


def test_names_that_are_not_unicode_do_not_stop_the_report(tmp_path):
    data, _, _ = written(tmp_path, audit(plain_camera("cam\udcff")))
    assert data["cameras"][0]["camera"] == "cam\udcff"


@pytest.mark.parametrize("count", [0, 1])
def test_an_empty_or_one_frame_video_has_a_report(tmp_path, count):
    data, page, _ = written(tmp_path, audit(camera("cam1", frames(count), Tracks.empty())))
    assert data["cameras"][0]["summary"]["frames"] == count
    assert "No person was followed." in page


def test_a_session_without_any_camera_has_a_report(tmp_path):
    data, _, _ = written(tmp_path, audit())
    assert data["verdict"]["well"] is False


def case(number, *cameras, box=None, severity=0.5):
    return Case(
        id=f"{number:010x}", start=number + 0.5, end=number + 1.5, cameras=cameras, identity=3, tracks=(),
        boxes={camera: box for camera in cameras if box is not None}, reasons=("cover_ends",),
        what=f"Detail {number:05d}.", severity=severity, review_s=2.0,
    )  # fmt: skip


def test_every_risk_and_every_case_is_in_the_json_and_the_first_cases_in_the_page(tmp_path):
    found = [RiskInterval(i, i + 1, i, i, "low_score", 7, 0.5, "") for i in range(1000)]
    cases = tuple(case(number, "cam1") for number in range(900))
    entry = camera("cam1", frames(1000), Tracks.empty(), found=found)
    data, page, _ = written(tmp_path, dataclasses.replace(audit(entry), cases=cases))
    assert len(data["cameras"][0]["risks"]) == 1000
    assert len(data["cases"]) == 900
    assert data["cases"][0]["cameras"] == ["cam1"]
    assert page.count("Detail ") == MOST_CASES
    assert f"{900 - MOST_CASES} more" in page


def test_the_worklist_comes_first_with_both_clocks_and_a_sketch(tmp_path):
    one, two = (dataclasses.replace(plain_camera(name), offset_s=off) for name, off in (("a", 0.0), ("b", -0.5)))
    content = dataclasses.replace(audit(one, two), cases=(case(2, "b", "a", box=(320, 240, 384, 288)),))
    _, page, parser = written(tmp_path, content)
    assert page.index("To review, in this order") < page.index(">Cameras<")
    words = "".join(parser.text)
    assert "0:00:02.5" in words  # the session's clock
    assert "b at 0:00:03.0" in words  # the camera's own
    assert "Case 0000000002." in words
    assert 'class="place" x="48.0" y="36.0" width="9.6" height="7.2"' in page
    assert "about 2 s to look at all of them" in words


def test_the_strip_of_a_camera_marks_its_cases_alone(tmp_path):
    content = dataclasses.replace(audit(plain_camera("a"), plain_camera("b")), cases=(case(2, "b"),))
    _, page, _ = written(tmp_path, content)
    cards = page.split("<article>")
    assert "risk2" not in cards[1]
    assert 'rect class="risk2"' in cards[2]


@pytest.mark.parametrize(("cases", "words"), [(None, "no list of cases"), ((), "no proof")])
def test_without_cases_the_page_says_so(tmp_path, cases, words):
    _, page, _ = written(tmp_path, dataclasses.replace(audit(plain_camera()), cases=cases))
    assert words in page


def test_no_tick_says_what_cannot_be_known(tmp_path):
    _, page, _ = written(tmp_path, audit(plain_camera()))
    assert "✓" not in page
    assert "only somebody who looks can tell" in page


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (12.2, "13 s"), (61, "2 min"), (3600, "1 h 00 min"), (7500, "2 h 05 min")]
)
def test_span_of_time(seconds, words):
    assert span_of_time(seconds) == words


def test_numbers_that_json_cannot_hold_become_null(tmp_path):
    content = dataclasses.replace(audit(plain_camera()), settings={"x": float("nan"), "y": np.float32(0.5)})
    data, _, _ = written(tmp_path, content)
    assert data["settings"] == {"x": None, "y": 0.5}


def test_a_failed_write_leaves_the_old_report(tmp_path):
    written(tmp_path, audit(plain_camera()))
    before = (tmp_path / "audit.json").read_bytes()
    with pytest.raises(UserError):
        write_audit(tmp_path / "audit.json" / "x", tmp_path / "report.html", audit(plain_camera()))
    assert (tmp_path / "audit.json").read_bytes() == before


def test_eight_hours_draw_a_bounded_number_of_points():
    count = 8 * 3600
    series = Series(tuple(range(count)), tuple([0.1] * (count - 1) + [0.9]), tuple([1] * (count - 1) + [40]))
    drawn = timeline(series, [], label="cam1")
    assert 0.9 * MOST_POINTS <= drawn.count("V") / 4 <= MOST_POINTS + 2
    assert "at most 40" in drawn  # the largest number of people survives the reduction
    assert "8:00:00.0" in drawn


def test_the_strip_marks_moments_where_they_are():
    series = Series(tuple(range(100)), (0.1,) * 100, (1,) * 100)
    drawn = timeline(series, [Mark(50, 60, 3)], label="cam1")
    assert f'<rect class="risk3" x="{MOST_POINTS // 2}" y="0" width="{MOST_POINTS // 10}"' in drawn


def test_verdict_is_good_only_when_everything_is_verified():
    well = verdict(audit(plain_camera("a"), plain_camera("b")))
    assert well.well
    assert well.sentence == "Finished: 2 cameras, 200 frames, all verified."
    for trouble, word in [
        (audit(plain_camera(), verified=False), "not verified: cam1"),
        (audit(plain_camera("a"), plain_camera("b"), written=["a"]), "no output for b"),
        (audit(plain_camera(), problems=["The disk is slow."]), "1 problem"),
        (audit(camera("c", frames(9, flags=FrameFlag.FAILED), Tracks.empty())), "failed in 9 frames"),
        (audit(camera("c", frames(1, flags=FrameFlag.CORRUPT), Tracks.empty())), "1 damaged frame,"),
        (audit(), "no input"),
    ]:
        judged = verdict(trouble)
        assert not judged.well
        assert judged.sentence.startswith("Finished with problems: ")
        assert word in judged.sentence


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0:00:00.0"), (0.3, "0:00:00.3"), (59.99, "0:00:59.9"), (3661.25, "1:01:01.2"), (-1.5, "-0:00:01.5"),
     (float("nan"), "unknown")],
)  # fmt: skip
def test_clock_time(seconds, text):
    assert clock_time(seconds) == text


def test_percent_never_hides_a_remainder():
    assert [percent(x) for x in (0, 1e-6, 0.5, 0.99999, 1)] == ["0.0 %", "< 0.1 %", "50.0 %", "> 99.9 %", "100.0 %"]


def test_alarms_come_first_everywhere():
    alarm = "PEOPLE MAY BE UNCOVERED: nobody was seen."
    content = dataclasses.replace(audit(plain_camera("a")), alarms=(alarm,))
    judged = verdict(content)
    assert not judged.well
    assert judged.sentence == f"{alarm} Finished: 1 camera, 100 frames."
    written = audit_json(content)
    assert list(written)[:2] == ["schema", "verdict"]
    assert written["verdict"]["alarms"] == [alarm]
    page = render_page(content)
    assert page.index(alarm) < page.index("people at once")
    assert 'class="verdict trouble"' in page
    both = verdict(dataclasses.replace(audit(plain_camera("a"), verified=False), alarms=(alarm,)))
    assert both.sentence.startswith(f"{alarm} Finished with problems: not verified: a")
