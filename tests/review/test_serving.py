"""Who is let in, what leaves, and that nothing stays: the command as a process of its own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from or_mv_anon.corrections.log import read
from or_mv_anon.review.scratch import MEMORY, PREFIX
from tests.review.review_scenes import View, case, write_reviewed
from tests.review.served import Served, served

NOBODY = 65534


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("served")
    cases = [case(1, 0.2, 0.8, "a"), case(2, 1.0, 1.5, "b")]
    return write_reviewed(folder / "out", {"a": View(), "b": View()}, cases=cases, recordings=folder / "recordings")


@pytest.fixture(scope="module")
def review(out: Path) -> Iterator[Served]:
    with served(out, "--videos", out.parent / "recordings") as found:
        yield found


@pytest.mark.parametrize("path", ["/", "/api/session", "/main.js", "/favicon.ico", "//", "/x/api/session"])
def test_without_the_secret_nothing_is_answered(review: Served, path: str):
    answer = review.ask(path, headers={"Cookie": review.cookie})
    assert answer.status == 403
    assert b"cam" not in answer.body


def test_with_the_address_but_without_the_visit_nothing_is_answered(review: Served):
    assert review.ask(f"{review.entry}api/session").status == 403
    assert review.ask(f"{review.entry}api/session", headers={"Cookie": "review=guess"}).status == 403
    assert review.get("session").status == 200


@pytest.mark.parametrize("host", ["example.org", "127.0.0.1:1", "127.0.0.1.example.org", "", "0.0.0.0"])
def test_another_name_for_this_machine_is_refused(review: Served, host: str):
    assert review.ask(review.entry, headers={"Host": host}).status == 403


def test_other_pages_cannot_ask_or_send(review: Served):
    path, good = f"{review.entry}api/decide", {"Cookie": review.cookie, "Content-Type": "application/json"}
    own = {**good, "Origin": f"http://127.0.0.1:{review.port}"}
    for headers in (
        good,
        {**good, "Origin": "http://example.org"},
        {**good, "Origin": f"http://127.0.0.1:{review.port + 1}"},
        {**own, "Sec-Fetch-Site": "same-site"},
        {**own, "Content-Type": "text/plain"},
        {**own, "Content-Length": str(1 << 30)},
    ):
        assert review.ask(path, method="POST", body=b"{}", headers=headers).status == 403, headers
    assert review.ask(f"{review.entry}api/state", headers={**own, "Sec-Fetch-Site": "cross-site"}).status == 403
    for method in ("PUT", "DELETE", "OPTIONS", "HEAD"):
        assert review.ask(path, method=method, headers=own).status == 403


@pytest.mark.parametrize(
    "path", ["", "main.js", "review.css", "api/session", "api/moments?at=0.5&camera=a", "api/none"]
)
def test_every_answer_forbids_keeping_and_sending_on(review: Served, path: str):
    headers = review.ask(review.entry + path, headers={"Cookie": review.cookie}).headers
    assert headers["cache-control"] == "no-store"
    assert headers["referrer-policy"] == "no-referrer"
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "http" not in policy
    assert "access-control-allow-origin" not in headers


def test_the_cookie_is_for_this_page_alone(review: Served):
    kept = review.open().headers["set-cookie"]
    assert all(word in kept for word in ("HttpOnly", "SameSite=Strict", f"Path={review.entry}"))
    assert review.entry.strip("/") not in kept.partition(";")[0]


def test_only_this_machine_can_reach_it(review: Served):
    listening = Path("/proc/net/tcp").read_text()
    assert f"0100007F:{review.port:04X}" in listening
    assert f"00000000:{review.port:04X}" not in listening
    tables = [Path("/proc/net/tcp6").read_text()] if Path("/proc/net/tcp6").exists() else []
    assert not any(f":{review.port:04X} 00000000000000000000000000000000:0000 0A" in table for table in tables)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_another_user_of_the_machine_is_refused(review: Served):
    assert _as_another(lambda: f"{review.ask('/api/session').status} {review.ask('/').status}") == "403 403"
    rooms = list(MEMORY.glob(f"{PREFIX}*"))
    assert rooms
    assert all(folder.stat().st_mode & 0o077 == 0 for folder in rooms)
    told = Path(f"/proc/{review.process.pid}/cmdline").read_bytes()  # which everybody may read
    assert review.entry.strip("/").encode() not in told


def test_a_decision_is_on_the_disk_when_it_is_answered(review: Served, out: Path):
    cover = {
        "action": "cover", "camera": "a", "boxes": [{"time": 0.4, "box": [10, 20, 60, 80]}], "hold": "span",
        "start": 0.2, "end": 0.8,
    }  # fmt: skip
    answer = review.post("decide", {"action": cover, "author": "N. Urse", "reason": ""})
    assert answer.status == 200, answer.body
    assert [line.id for line in read(out)][-1] == answer.json["id"]
    refused = review.post("decide", {"action": {**cover, "camera": "nowhere"}, "author": "N. Urse"})
    assert refused.status == 409
    assert "nowhere" in refused.json["error"]
    assert review.post("decide", {"action": cover, "author": " "}).status == 409
    assert review.get("decisions").json["waiting"] == 1


def test_nobody_there_tells_where_it_was(review: Served, out: Path):
    action = {"action": "not_a_person", "camera": "a", "track": 0, "override": False}
    answer = review.post("decide", {"action": action, "author": "N. Urse", "reason": "a lamp"})
    assert answer.status == 200, answer.body
    assert len(answer.json["action"]["boxes"]) > 5
    assert review.post("decide", {"action": {**action, "track": 77}, "author": "N. Urse"}).status == 409


def test_whose_a_case_is_follows_what_people_decide_at_once(tmp_path: Path):
    cases = [case(number, 0.2, 0.8, name, identity=3, tracks=((name, 0),)) for number, name in ((1, "a"), (2, "b"))]
    with served(write_reviewed(tmp_path / "out", {"a": View(), "b": View()}, cases=cases)) as review:
        assert review.get("decisions").json["people"] == {"0000000001": 3, "0000000002": 3}
        places = [{"camera": name, "time": 0.5, "track": 0} for name in ("a", "b")]
        answer = review.post("decide", {"action": {"action": "split", "places": places}, "author": "N. Urse"})
        assert answer.status == 200, answer.body
        found = review.get("decisions").json
        assert found["people"] == {"0000000001": 3, "0000000002": 4}
        assert (found["waiting"], found["unheeded"]) == (1, [])
        assert [each["waiting"] for each in found["cameras"]] == [0, 0]  # no video changes by it
        review.post("decide", {"action": {"action": "withdraw", "line": answer.json["id"]}, "author": "N. Urse"})
        assert review.get("decisions").json["people"] == {"0000000001": 3, "0000000002": 3}
        gone = {"action": "merge", "places": [places[0], {**places[1], "time": 90.0}]}
        assert review.post("decide", {"action": gone, "author": "N. Urse"}).status == 409


def test_the_original_is_shown_on_request_and_noted(review: Served, out: Path):
    before = len(read(out))
    answer = review.post("original", {"camera": "a", "second": 0.5, "author": "N. Urse"})
    assert answer.status == 200
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "no-store"
    noted = read(out)
    assert [line.action.name for line in noted[before:]] == ["show_original"]
    assert review.post("original", {"camera": "a", "second": 0.6, "author": "N. Urse"}).status == 200
    assert len(read(out)) == before + 1  # the same look
    assert review.post("original", {"camera": "a", "second": 0.6, "author": ""}).status == 409


def test_a_recording_that_is_another_or_gone_is_not_shown(tmp_path: Path):
    views = {"a": View(), "b": View()}
    out = write_reviewed(tmp_path / "out", views, recordings=tmp_path / "recordings")
    with served(out, "--videos", tmp_path / "recordings") as review:
        (tmp_path / "recordings" / "a.mp4").write_bytes((tmp_path / "recordings" / "b.mp4").read_bytes())
        answer = review.post("original", {"camera": "a", "second": 0.5, "author": "N. Urse"})
        assert answer.status == 409
        assert "not the one that was anonymized" in answer.json["error"]
        (tmp_path / "recordings" / "b.mp4").unlink()
        assert review.post("original", {"camera": "b", "second": 0.5, "author": "N. Urse"}).status == 409


@pytest.mark.parametrize("how", ["page", "signal"])
def test_the_end_leaves_nothing_behind(tmp_path: Path, how: str):
    out = write_reviewed(tmp_path / "out", {"a": View()})
    (tmp_path / "room").mkdir()
    with served(out, "--scratch", tmp_path / "room") as review:
        assert list((tmp_path / "room").iterdir())
        if how == "page":
            assert review.post("end", {}).status == 200
        else:
            review.process.terminate()
        assert review.process.wait(timeout=30) == 0
        assert list((tmp_path / "room").iterdir()) == []


def test_killed_in_the_middle_of_saving_nothing_that_was_answered_is_lost(tmp_path: Path):
    out = write_reviewed(tmp_path / "out", {"a": View()}, cases=[case(1, 0.2, 0.8, "a")])
    with served(out) as review:
        answered: list[str] = []
        for number in range(200):
            if number == 5:
                subprocess.Popen(["sh", "-c", f"sleep 0.1; kill -9 {review.process.pid}"])
            try:
                answer = review.post(
                    "decide", {"action": {"action": "seen", "case": "0000000001"}, "author": "N.", "reason": "x" * 1500}
                )
            except OSError:
                break
            answered.append(answer.json["id"])
        review.process.wait(timeout=30)
    kept = [line.id for line in read(out)]
    assert 5 <= len(answered) < 200
    assert kept[: len(answered)] == answered
    with served(out) as again:
        assert len(again.get("decisions").json["lines"]) == len(kept)


def _as_another(do: Callable[[], str]) -> str:
    """What `do` says in a process of another user."""
    reading, writing = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            os.write(writing, do().encode())
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as told:
        said = told.read()
    os.waitpid(child, 0)
    return said
