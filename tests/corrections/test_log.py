"""What people decided is never lost, never changed, and never believed when it was."""

from __future__ import annotations

import json
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.corrections.actions import (
    ACTIONS,
    Accept,
    AcceptCamera,
    Action,
    Cover,
    Keyframe,
    Merge,
    NotAPerson,
    Open,
    Place,
    Seen,
    ShowOriginal,
    Split,
    Withdraw,
    parse_action,
    plain_action,
)
from or_mv_anon.corrections.log import append, log_file, read, standing

BOX = (10.0, 20.0, 30.0, 50.0)
COVER = Cover("cam1", (Keyframe(1.5, BOX), Keyframe(2.0, BOX)))
EVERY = [
    COVER,
    Cover("cam1", (Keyframe(1.5, BOX),), hold="span", start=0.0, end=9.0, follow=True),
    NotAPerson("cam2", 3, (Keyframe(0.0, BOX),)),
    Withdraw("abc"),
    Merge((Place("cam1", 0.0, BOX), Place("cam2", 0.0, BOX))),
    Split((Place("cam1", 0.0, BOX), Place("cam1", 5.0, BOX))),
    Seen("case"),
    Accept("case"),
    Open("case"),
    AcceptCamera("cam1", "0" * 64),
    ShowOriginal("cam1", 0.0, 2.0),
]


@pytest.mark.parametrize("action", EVERY, ids=lambda action: action.name)
def test_every_action_comes_back_as_it_was_saved(tmp_path: Path, action: Action) -> None:
    if isinstance(action, Withdraw):
        action = Withdraw(append(tmp_path, COVER, author="A. Reviewer").id)
    line = append(tmp_path, action, author="A. Reviewer", reason="because")
    assert read(tmp_path)[-1] == line
    assert (line.action, line.author, line.reason) == (action, "A. Reviewer", "because")
    assert parse_action(json.loads(json.dumps(plain_action(action)))) == action


def test_every_action_is_tried() -> None:
    assert {action.name for action in EVERY} == set(ACTIONS)


def test_only_the_user_may_read_it(tmp_path: Path) -> None:
    append(tmp_path, COVER, author="A")
    assert stat.S_IMODE(log_file(tmp_path).stat().st_mode) == 0o600


def _change(path: Path, change: Callable[[list[str]], list[str]]) -> None:
    path.write_text("".join(change(path.read_text().splitlines(keepends=True))))


@pytest.mark.parametrize(
    "change",
    [
        lambda lines: lines[1:],
        lambda lines: [lines[0], lines[2]],
        lambda lines: [lines[1], lines[0], lines[2]],
        lambda lines: [lines[0].replace("30.0", "31.0"), *lines[1:]],
        lambda lines: [lines[0], "\n", *lines[1:]],
    ],
    ids=["first gone", "one gone", "exchanged", "edited", "empty line"],
)
def test_a_changed_file_is_refused(tmp_path: Path, change: Callable[[list[str]], list[str]]) -> None:
    for _ in range(3):
        append(tmp_path, COVER, author="A")
    _change(log_file(tmp_path), change)
    before = log_file(tmp_path).read_bytes()
    with pytest.raises(UserError, match="put"):
        read(tmp_path)
    with pytest.raises(UserError, match="put"):
        append(tmp_path, COVER, author="A")
    assert log_file(tmp_path).read_bytes() == before


@pytest.mark.parametrize("end", ["", "\n"])
def test_a_torn_last_line_is_put_aside(tmp_path: Path, end: str) -> None:
    kept = append(tmp_path, COVER, author="A")
    path = log_file(tmp_path)
    torn = path.read_text()[:40] + end
    with path.open("a") as file:
        file.write(torn)
    assert read(tmp_path) == [kept]
    (aside,) = tmp_path.glob("corrections.torn-*")
    assert aside.read_text() == torn
    more = append(tmp_path, COVER, author="A")
    assert read(tmp_path) == [kept, more]


KILLED = """
import os, sys
from pathlib import Path
from or_mv_anon.corrections.actions import Seen
from or_mv_anon.corrections.log import append
write, how_many = os.write, int(sys.argv[2])
def torn(descriptor, data):
    write(descriptor, data[:how_many])
    os.kill(os.getpid(), 9)
os.write = torn
append(Path(sys.argv[1]), Seen("case"), author="B")
"""


@pytest.mark.parametrize("written", [0, 1, 100, 10_000])
def test_killed_in_the_middle_of_a_save(tmp_path: Path, written: int) -> None:
    kept = append(tmp_path, COVER, author="A")
    process = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path), str(written)], check=False)
    assert process.returncode == -signal.SIGKILL
    found = read(tmp_path)
    assert found[0] == kept
    assert len(found) == (2 if written == 10_000 else 1)
    assert bool(list(tmp_path.glob("*.torn-*"))) == (written in (1, 100))
    append(tmp_path, COVER, author="A")
    assert len(read(tmp_path)) == len(found) + 1


MANY = """
import sys
from pathlib import Path
from or_mv_anon.corrections.actions import Seen
from or_mv_anon.corrections.log import append
for number in range(20):
    append(Path(sys.argv[1]), Seen(f"case {number}"), author=sys.argv[2])
"""


def test_two_writers_do_not_lose_each_others_lines(tmp_path: Path) -> None:
    writers = [subprocess.Popen([sys.executable, "-c", MANY, str(tmp_path), name]) for name in "AB"]
    assert [writer.wait() for writer in writers] == [0, 0]
    lines = read(tmp_path)
    assert [line.number for line in lines] == list(range(40))
    assert sum(line.author == "A" for line in lines) == 20


def test_a_full_disk_adds_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    append(tmp_path, COVER, author="A")
    before = log_file(tmp_path).read_bytes()
    write = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, data: write(descriptor, data[:30]))
    with pytest.raises(UserError, match="disk is full"):
        append(tmp_path, COVER, author="A")
    assert log_file(tmp_path).read_bytes() == before


def test_what_is_withdrawn_does_not_stand(tmp_path: Path) -> None:
    first, second = append(tmp_path, COVER, author="A"), append(tmp_path, Seen("c"), author="A")
    undo = append(tmp_path, Withdraw(first.id), author="A")
    assert standing(read(tmp_path)) == [second]
    append(tmp_path, Withdraw(undo.id), author="A")
    assert standing(read(tmp_path)) == [first, second]
    with pytest.raises(UserError, match="no correction 'nothing'"):
        append(tmp_path, Withdraw("nothing"), author="A")


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ({"action": "delete"}, "There is no action 'delete'"),
        ({"action": "cover", "camera": "c", "boxes": []}, "at least one box"),
        ({"action": "cover", "camera": "c", "boxes": [{"time": 0, "box": [3, 0, 1, 1]}]}, "x1 < x2"),
        ({"action": "cover", "camera": "c", "boxes": [{"time": float("nan"), "box": [0, 0, 1, 1]}]}, "no number"),
        ({"action": "cover", "camera": "", "boxes": [{"time": 0, "box": [0, 0, 1, 1]}]}, "camera of cover is missing"),
        ({"action": "cover", "camera": "c", "boxes": [{"time": 0, "box": [0, 0, 1, 1]}], "size": 1}, "no field 'size'"),
        ({"action": "cover", "camera": "c", "boxes": [{"time": 0, "box": [0, 0, 1]}]}, "cannot be understood"),
        (
            {"action": "cover", "camera": "c", "boxes": [{"time": t, "box": [0, 0, 1, 1]} for t in (1, 0)]},
            "order of time",
        ),
        (
            {"action": "cover", "camera": "c", "hold": "span", "boxes": [{"time": 0, "box": [0, 0, 1, 1]}]},
            "a span needs",
        ),
        ({"action": "accept_camera", "camera": "c", "output": "abc"}, "SHA-256"),
        ({"action": "withdraw"}, "cannot be understood"),
    ],
)
def test_what_cannot_be_meant_is_refused(values: dict[str, Any], expected: str) -> None:
    with pytest.raises(UserError, match=expected):
        parse_action(values)


def test_against_a_face_detector_only_with_a_reason(tmp_path: Path) -> None:
    action = NotAPerson("cam1", 0, (Keyframe(0.0, BOX),), override=True)
    with pytest.raises(UserError, match="reason"):
        append(tmp_path, action, author="A")
    append(tmp_path, action, author="A", reason="a poster")
