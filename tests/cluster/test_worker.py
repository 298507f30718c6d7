"""What a machine of a cluster does with a job, or why it refuses it; Ray is not needed for that."""

from __future__ import annotations

import dataclasses
import fcntl
import os
import pickle
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from or_mv_anon.cluster.installation import installation
from or_mv_anon.cluster.worker import Answer, Terms, attempt
from or_mv_anon.core import lock
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.workers import count_frames


@dataclass(frozen=True)
class Job:
    """Names a file that a machine needs."""

    source: Path
    number: int = 0


def doubled(number: int) -> int:
    count_frames(3)
    count_frames(4)
    return 2 * number


def failing(sentence: str) -> None:
    raise UserError(sentence)


def unsendable(_: int) -> Any:
    return lambda: None


def write(job: Job) -> None:
    job.source.write_text("about people")


@pytest.fixture
def out(tmp_path: Path) -> Iterator[Path]:
    """A folder that this process holds, as a run does."""
    with lock.hold(tmp_path / "out"):
        yield (tmp_path / "out").resolve()


def terms(**changes: Any) -> bytes:
    return pickle.dumps(dataclasses.replace(Terms(installation(), lock.marks()), **changes))


def done(function: Any, job: Any, agreed: bytes | None = None) -> Answer:
    return attempt(terms() if agreed is None else agreed, pickle.dumps((function, job)), lambda count: None)


def test_a_job_is_done_and_its_frames_are_told(out: Path) -> None:
    told: list[int] = []
    assert attempt(terms(), pickle.dumps((doubled, 4)), told.append) == ("result", 8)
    assert told[-1] == 7


def test_errors_come_back_as_values(out: Path) -> None:
    kind, error = done(failing, "The disk is full.")
    assert (kind, type(error), str(error)) == ("error", UserError, "The disk is full.")
    kind, error = done(unsendable, 1)
    assert kind == "error"
    assert isinstance(error, RuntimeError)


def test_what_is_written_is_private(out: Path) -> None:
    before = os.umask(0o022)
    try:
        assert done(write, Job(out / "table")) == ("result", None)
    finally:
        os.umask(before)
    assert (out / "table").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"version": "0.0.1"}, "0.0.1"),
        ({"code": "abc"}, "another state"),
        ({"packages": (("av", "1.0"),)}, "av"),
    ],
)
def test_other_packages_are_refused_in_one_sentence(out: Path, change: dict[str, Any], word: str) -> None:
    kind, sentence = done(doubled, 1, terms(installation=dataclasses.replace(installation(), **change)))
    assert kind == "unfit"
    assert word in sentence
    assert sentence.endswith("install the same packages on every machine.")


def test_a_folder_that_is_not_shared_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out" / "stages").mkdir(parents=True)
    job = Job(tmp_path / "out" / "stages" / "table")
    kind, sentence = done(write, job, terms(folders={(tmp_path / "out").resolve(): b"{}"}))
    assert (kind, "is not the folder that this run writes to" in sentence) == ("refused", True)
    assert not job.source.exists()


def test_another_sessions_folder_is_no_matter(out: Path, tmp_path: Path) -> None:
    ended = {**lock.marks(), (tmp_path / "ended").resolve(): b"{}"}
    assert done(write, Job(out / "table"), terms(folders=ended)) == ("result", None)


def test_a_recording_that_is_not_there_is_refused(out: Path, tmp_path: Path) -> None:
    kind, sentence = done(write, Job(tmp_path / "not mounted" / "cam1.mp4"))
    assert (kind, str(tmp_path / "not mounted") in sentence) == ("refused", True)


def test_a_worker_of_an_ended_run_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "out"
    with lock.hold(folder):
        late = terms()
        assert done(write, Job(folder / "early"), late)[0] == "result"
    with lock.hold(folder):
        assert done(write, Job(folder / "table"), late)[0] == "refused"
    assert not (folder / "table").exists()


def test_a_run_waits_for_workers_of_an_earlier_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    descriptor = os.open(folder / lock.WORKERS, os.O_RDWR | os.O_CREAT)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    monkeypatch.setattr(lock, "WORKERS_S", 0.3)
    with pytest.raises(UserError, match="Workers of an earlier run still write"), lock.hold(folder):
        pass
    monkeypatch.setattr(lock, "WORKERS_S", 20.0)
    threading.Timer(0.5, os.close, [descriptor]).start()
    with lock.hold(folder):
        assert not (folder / lock.WORKERS).exists()
    assert list(folder.iterdir()) == []
