"""A session on a cluster of several nodes, made on this machine: nodes die in every stage, and the result is the same.

The result of a run on this machine alone is what everything is compared with, to the byte.
"""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("ray", reason="could not import 'ray'")

from ray.cluster_utils import Cluster

from or_mv_anon.cluster.executor import RayExecutor
from or_mv_anon.core.executor import Executor
from or_mv_anon.pipeline import pipeline
from or_mv_anon.pipeline.options import Options
from or_mv_anon.pipeline.stage import SealedJob, SealedResult, run_sealed
from tests.end_to_end.people_clips import write_people

pytestmark = [pytest.mark.slow, pytest.mark.sample]

NAMES = ("cam1.mp4", "cam2.mp4")
STAGES = ("hash", "analyse", "track", "associate", "place", "render", "finish")
SMALL = "[video]\nsegment_s = 0.2\n"
HELD_S = 2.0  # seconds for which a job is held on a node that is about to die


@dataclass(frozen=True)
class Held:
    """A job that waits before it begins."""

    function: Callable[[Any], Any]
    job: SealedJob


def held(job: Held) -> SealedResult:
    result = job.function(job.job)
    time.sleep(HELD_S)
    return result


def poisoned(job: SealedJob) -> SealedResult:
    """Dies at the second segment of the first camera."""
    import os

    if getattr(getattr(job.job, "segment", None), "number", None) == 1 and job.job.plan.camera.name == "cam1":
        os._exit(1)
    return run_sealed(job)


@dataclass
class Through:
    """An executor that does something to every stage before its jobs run elsewhere."""

    inner: Executor
    before: Callable[[str], Callable[[Any], Any] | None]
    seen: list[str] = field(default_factory=list)

    def __enter__(self) -> Through:
        return self

    def __exit__(self, *_: object) -> None: ...

    def renew(self) -> None: ...

    def run(self, function: Any, jobs: Sequence[Any], *, title: str, **more: Any) -> Iterator[tuple[Any, Any]]:
        stage = title.rpartition(" ")[2]
        self.seen.append(stage)
        changed = self.before(stage)
        if changed is None:
            yield from self.inner.run(function, jobs, title=title, **more)
        elif changed is held:
            named = {id(each): each for each in (Held(function, job) for job in jobs)}
            for job, result in self.inner.run(held, list(named.values()), title=title, **more):
                yield job.job, result
        else:
            yield from self.inner.run(changed, jobs, title=title, **more)


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A head without cores, and two nodes with one each."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_AUTH_MODE", "disabled")
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        yield from _started()


def _started() -> Iterator[Cluster]:
    made = Cluster(initialize_head=True, head_node_args={"num_cpus": 0, "include_dashboard": False})
    for _ in range(2):
        made.add_node(num_cpus=1)
    yield made
    made.shutdown()


@pytest.fixture(scope="module")
def straight(tmp_path_factory: pytest.TempPathFactory, people: Any) -> tuple[Path, dict[str, bytes]]:
    """A site of two cameras in small segments, and the outputs of a run on this machine."""
    base = tmp_path_factory.mktemp("cluster")
    (base / "site").mkdir()
    for name in NAMES:
        write_people(base / "site" / name, people, frames=12)
    (base / "small.toml").write_text(SMALL)
    assert pipeline.anonymize_site(options(base, base / "local", executor="local")) == 0
    return base, outputs(base / "local")


def options(base: Path, out: Path, **more: Any) -> Options:
    return Options(videos=base / "site", out=out, config=base / "small.toml", workers=2, **more)


def outputs(out: Path) -> dict[str, bytes]:
    return {name: (out / name).read_bytes() for name in NAMES if (out / name).exists()}


def anonymize(base: Path, out: Path, executor: Any, monkeypatch: pytest.MonkeyPatch) -> int:
    @contextmanager
    def given(*_: Any) -> Iterator[Any]:
        yield executor

    monkeypatch.setattr(pipeline, "open_executor", given)
    return pipeline.anonymize_site(options(base, out, executor="ray"))


@pytest.fixture
def joined(cluster: Cluster) -> Iterator[RayExecutor]:
    while len(cluster.worker_nodes) < 2:  # an earlier test may have killed one
        cluster.add_node(num_cpus=1)
    with RayExecutor(cluster.address) as executor:
        yield executor


def test_nodes_die_in_every_stage(
    straight: tuple[Path, dict[str, bytes]], cluster: Cluster, joined: RayExecutor, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    base, expected = straight
    killed: list[str] = []
    timers: list[threading.Timer] = []

    def kill_soon(stage: str) -> Callable[[Any], Any]:
        if timers:
            timers[-1].join()
        while len(cluster.worker_nodes) < 2:
            cluster.add_node(num_cpus=1)

        def kill() -> None:
            cluster.remove_node(next(iter(cluster.worker_nodes)), allow_graceful=False)
            killed.append(stage)

        timers.append(threading.Timer(HELD_S / 2, kill))
        timers[-1].start()
        return held

    through = Through(joined, kill_soon)
    assert anonymize(base, tmp_path / "out", through, monkeypatch) == 0
    for timer in timers:
        timer.join()
    assert [stage for stage in STAGES if stage in through.seen] == list(STAGES)
    assert killed == through.seen
    assert outputs(tmp_path / "out") == expected


def test_a_poisoned_segment_costs_its_camera_only(
    straight: tuple[Path, dict[str, bytes]], joined: RayExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base, expected = straight
    through = Through(joined, lambda stage: poisoned if stage == "render" else None)
    assert anonymize(base, tmp_path / "out", through, monkeypatch) == 1
    assert outputs(tmp_path / "out") == {"cam2.mp4": expected["cam2.mp4"]}


def test_a_stopped_run_goes_on_elsewhere(
    straight: tuple[Path, dict[str, bytes]], joined: RayExecutor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Begun on the cluster and finished here, and the other way round; what is done is not done again."""
    base, expected = straight

    def stop_at(last: str) -> Callable[[str], None]:
        def before(stage: str) -> None:
            if stage == last:
                raise KeyboardInterrupt

        return before

    out = tmp_path / "there first"
    with pytest.raises(KeyboardInterrupt):
        anonymize(base, out, Through(joined, stop_at("place")), monkeypatch)
    monkeypatch.undo()
    seen = keep_modified(out)
    assert pipeline.anonymize_site(options(base, out, executor="local")) == 0
    assert outputs(out) == expected
    assert keep_modified(out) | seen == keep_modified(out)

    shutil.copytree(base / "local", tmp_path / "here first")
    for name in NAMES:
        (tmp_path / "here first" / name).unlink()
    through = Through(joined, lambda stage: None)
    assert anonymize(base, tmp_path / "here first", through, monkeypatch) == 0
    assert outputs(tmp_path / "here first") == expected
    assert "analyse" not in through.seen


def test_a_machine_that_refuses_is_left_out(joined: RayExecutor) -> None:
    nodes = set(dict(joined.run(node_of, list(range(8)), title="all", frames=8)).values())
    assert len(nodes) == 2
    refusing = nodes.pop()
    joined._unfit.add(refusing)
    assert set(dict(joined.run(node_of, list(range(8)), title="others", frames=8)).values()) == nodes


def node_of(_: int) -> str:
    """The node that it runs on; slowly, so that every node gets a job."""
    import ray

    time.sleep(0.5)
    return str(ray.get_runtime_context().get_node_id())


def keep_modified(out: Path) -> dict[str, int]:
    """When the tables of the analysis were written."""
    return {
        path.relative_to(out).as_posix(): path.stat().st_mtime_ns for path in out.glob("stages/*/persons-*.parquet")
    }


def test_no_secret_and_no_picture_in_logs_or_spilled(
    straight: tuple[Path, dict[str, bytes]], cluster: Cluster, joined: RayExecutor, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    base, _ = straight
    named = tmp_path / "Patient Zero"
    shutil.copytree(base / "site", named / "site")
    shutil.copy(base / "small.toml", named)
    assert anonymize(named, tmp_path / "out", joined, monkeypatch) == 0
    session = Path(joined._ray._private.worker._global_node.get_session_dir_path())
    files = [path for path in session.rglob("*") if path.is_file()]
    assert len(files) > 5
    texts = {path: path.read_bytes() for path in files}
    assert [path for path, text in texts.items() if b"Patient Zero" in text] == []
    spilled = [path for path in files if "spill" in path.as_posix()]
    assert spilled == []
    assert largest_object(joined) < 200_000


def largest_object(executor: RayExecutor) -> int:
    """Bytes of the cluster's object store that are taken, at most."""
    total = executor._ray.cluster_resources()["object_store_memory"]
    return int(total - executor._ray.available_resources().get("object_store_memory", total))
