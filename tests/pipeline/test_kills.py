"""Killed anywhere, under changing settings: the next run's output is that of a run that nothing disturbed."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from or_mv_anon.core.config import PipelineConfig, load_config
from or_mv_anon.core.executor import InProcess
from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.records import BlockHashes, Detections, Frames, Regions, Tracks
from or_mv_anon.core.run_layout import (
    BACKGROUNDS,
    BLOCKS,
    CAMERA_AUDIT,
    CASES,
    EDGE_HEADS,
    EMBEDDINGS,
    FACE_TRACKS,
    FACES,
    FRAMES,
    HEADS,
    KEYPOINTS,
    PASSING_HEADS,
    PERSONS,
    REGIONS,
    STATIC_HEADS,
    TRACKS,
)
from or_mv_anon.core.seals import signature
from or_mv_anon.core.store import RunStore
from or_mv_anon.corrections.actions import Cover, Keyframe, Withdraw
from or_mv_anon.corrections.log import append, read
from or_mv_anon.endoscopy.settings import load_endoscopy_config
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.covering import Rendered
from or_mv_anon.pipeline.media import CameraPlan
from or_mv_anon.pipeline.plan import SessionPlan
from or_mv_anon.pipeline.profiles import new_context, run_session
from or_mv_anon.pipeline.spec import RunSpec
from or_mv_anon.pipeline.stages.analyse import ANALYSE, Analysed, AnalyseJob
from or_mv_anon.pipeline.stages.cases import LIST_CASES, Found
from or_mv_anon.pipeline.stages.finish import FINISH, Finished, FinishJob
from or_mv_anon.pipeline.stages.hash import HASH, Hashed, HashJob
from or_mv_anon.pipeline.stages.place import PLACE, Placed, PlaceJob
from or_mv_anon.pipeline.stages.render import RENDER, RenderedSegment, RenderJob
from or_mv_anon.pipeline.stages.track import TRACK, Tracked
from or_mv_anon.regions.placing import by_frame
from or_mv_anon.regions.source import Drawn
from or_mv_anon.regions.sources.manual import drawn_regions
from or_mv_anon.site import Camera, Session
from or_mv_anon.video.segments import Segment

ENDOSCOPY = load_endoscopy_config(None)
COUNT, LENGTH = 3, 4  # segments, and frames in each
A = ("solid", 0.5)  # method, and a setting of the tracking
OTHERS = [("none", 0.5), ("solid", 0.7)]


class Killed(BaseException):
    """The process is gone: nothing that it would have done any more is done."""


class Disk:
    """Counts what is done to files; from the `left`-th time on nothing is done any more."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = -1
        for name in ("replace", "rename", "unlink", "fsync", "rmdir"):
            monkeypatch.setattr(os, name, partial(self._do, name, getattr(os, name)))

    def _do(self, name: str, do: Callable[..., Any], *arguments: Any, **more: Any) -> Any:
        if self.left == 0:
            raise Killed
        self.left -= 1
        return None if name == "fsync" else do(*arguments, **more)


def analyse(job: AnalyseJob) -> Analysed:
    store, name = RunStore(job.plan.store), partial(job.plan.file, segment=job.segment)
    frame = np.array(job.plan.numbers(job.segment))
    assert isinstance(job.plan.camera.files, Path)
    score = np.full(LENGTH, job.plan.camera.files.read_bytes()[job.segment.number] / 255)
    store.write(name(FRAMES), Frames(frame=frame, pts=frame, time=frame * 0.1, flags=np.ones(LENGTH)))
    store.write(name(PERSONS), Detections(frame=frame, box=np.tile((0, 0, 4, 8), (LENGTH, 1)), score=score))
    for table in (HEADS, PASSING_HEADS, EDGE_HEADS, KEYPOINTS, EMBEDDINGS, BACKGROUNDS, FACES, STATIC_HEADS):
        store.write(name(table), table.record.empty())
    return Analysed(0.0, [], [], {})


def track(job: Any) -> Tracked:
    store, plan = RunStore(job.plan.store), job.plan
    persons = Detections.concat([store.read(plan.file(PERSONS, each), Detections) for each in plan.segments])
    zero = np.zeros(len(persons))
    tracks = Tracks(
        frame=persons.frame, track=zero, box=persons.box, score=persons.score * job.config.tracking.high_score,
        provenance=zero, detection=zero,
    )  # fmt: skip
    store.write(plan.file(TRACKS), tracks)
    store.write(plan.file(FACE_TRACKS), Tracks.empty())
    return Tracked(0.0)


def place(job: PlaceJob) -> Placed:
    store, plan = RunStore(job.plan.store), job.plan
    tracks = store.read(plan.file(TRACKS), Tracks)
    for each in plan.segments:
        here = tracks[np.isin(tracks.frame, plan.numbers(each))]
        zero = np.zeros(len(here))
        regions = Regions(frame=here.frame, box=here.box, kind=zero, track=zero, uncertainty=here.score)
        regions = by_frame(Regions.concat([regions, drawn(job, plan.numbers(each))]))
        store.write(plan.file(REGIONS, each), regions)
    store.write_text(plan.file(CAMERA_AUDIT), "{}")
    return Placed(0.0)


def drawn(job: PlaceJob, numbers: range) -> Regions:
    frame = np.array(numbers)
    covers = [Drawn(line.action, 0.0) for line in job.corrections if isinstance(line.action, Cover)]
    return drawn_regions(frame, frame * 0.1, covers, job.config.manual, size=(100, 100))


def list_cases(job: Any) -> Found:
    store = RunStore(job.plans[0].store)
    regions = [plan.read(REGIONS, each) for plan in job.plans for each in plan.segments]
    store.write_text(CASES.file(), str(len(Regions.concat(regions))))
    return Found(0.0, 0)


def render(job: RenderJob) -> RenderedSegment:
    store, plan = RunStore(job.plan.store), job.plan
    regions = store.read(plan.file(REGIONS, job.segment), Regions, frames=plan.numbers(job.segment))
    text = f"{job.segment.number} {job.method} {regions.uncertainty.tolist()} {regions.kind.tolist()}\n"
    write_atomically(store.path(plan.segment_file(job.segment)), lambda path: path.write_text(text))
    return RenderedSegment(0.0, Rendered(), [])


def finish(job: FinishJob) -> Finished:
    store, plan = RunStore(job.plan.store), job.plan
    names = [plan.segment_file(each) for each in plan.segments]
    store.require(names)
    text = "".join((store.root / name).read_text() for name in names)
    write_atomically(store.path(plan.joined_file), lambda path: path.write_text(text))
    return Finished(0.0, [], [])


def hash_input(job: HashJob) -> Hashed:
    assert isinstance(job.plan.camera.files, Path)
    data = job.plan.camera.files.read_bytes()
    RunStore(job.plan.store).write(job.plan.file(BLOCKS), BlockHashes.empty())
    return Hashed(hashlib.sha256(data).hexdigest(), len(data))


@dataclass
class Tool:
    """The real way through the stages, with jobs that are quick; every run opens everything anew."""

    folder: Path
    disk: Disk

    def run(self, setting: tuple[str, float], *, kill_at: int = -1) -> str | None:
        """The output after a run; None if it was killed at its `kill_at`-th operation on files."""
        self.disk.left = kill_at
        try:
            run = self._session(*setting)
            run_session(run, executor=InProcess())
            assert run.problems == []
            assert FINISH.done(run, run.plan.cameras[0])
            return run.plan.cameras[0].destination.read_text()
        except Killed:
            return None
        finally:
            self.disk.left = -1
            self._look()

    def segments(self) -> dict[str, tuple[bytes, int]]:
        """Content and time of every rendered segment that was kept."""
        files = sorted((self.folder / "out" / "stages" / "cam").glob("video-*"))
        return {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in files}

    def _session(self, method: Any, high_score: float) -> RunContext:
        out = self.folder / "out"
        out.mkdir(exist_ok=True)
        store = RunStore.open(out / "stages")
        source = self.folder / "cam.bin"
        source.write_bytes(bytes([90, 120, 150]))
        segments = tuple(Segment(n, n * LENGTH, (n + 1) * LENGTH) for n in range(COUNT))
        camera = Camera(name="cam", files=source)
        plan = CameraPlan(camera, store.root, segments, 0, None, out / "cam.txt", signature(source))
        session = SessionPlan(Session(name="s", cameras=(camera,)), out, store, [plan])
        return new_context(session, RunSpec(config=config(high_score), endoscopy=ENDOSCOPY, method=method))

    def _look(self) -> None:
        """Whatever is there at this moment is known to be this tool's, and is claimed only if it is right."""
        out = self.folder / "out"
        if (out / "stages" / "manifest.json").exists():
            store = RunStore.open(out / "stages")
            assert not (out / "cam.txt").exists() or store.owns("../cam.txt")
            assert [name for stage in store.manifest.stages for name in store.changed(stage) if alive(name)] == []


def alive(name: str) -> bool:
    """Whether a stage's file may be asked for: rendered segments go when the output is in its place, outputs move."""
    return "video-" not in name and "cam.txt" not in name


def config(high_score: float) -> PipelineConfig:
    shipped = load_config()
    return dataclasses.replace(shipped, tracking=dataclasses.replace(shipped.tracking, high_score=high_score))


@pytest.fixture
def tool(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Tool]:
    quick: dict[Any, Any] = {HASH: hash_input, ANALYSE: analyse, TRACK: track, PLACE: place, LIST_CASES: list_cases}
    quick |= {RENDER: render, FINISH: finish}
    for stage, run in quick.items():
        monkeypatch.setattr(type(stage), "run", staticmethod(run))
    disk = Disk(monkeypatch)

    def make(name: str) -> Tool:
        (tmp_path / name).mkdir()
        return Tool(tmp_path / name, disk)

    return make


@pytest.mark.parametrize("other", OTHERS)
def test_killed_at_any_moment_between_two_settings(tool: Callable[[str], Tool], other: tuple[str, float]) -> None:
    expected = tool("straight").run(A)
    assert expected is not None
    assert tool("other").run(other) not in (expected, None)
    for moment in range(10_000):
        there = tool(f"from-{moment}")
        assert there.run(A) == expected
        ended = there.run(other, kill_at=moment) is not None
        assert there.run(A) == expected, moment
        if ended:
            break
    assert moment > 20


@pytest.mark.parametrize("other", OTHERS)
def test_killed_again_and_again(tool: Callable[[str], Tool], other: tuple[str, float]) -> None:
    draw = np.random.default_rng(7)
    expected = tool("straight").run(A)
    for turn in range(40):
        there = tool(f"turn-{turn}")
        for setting in (A, other, A, other)[turn % 2 : turn % 2 + 3]:
            there.run(setting, kill_at=int(draw.integers(120)))
        assert there.run(A) == expected, turn


SECOND = Cover("cam", (Keyframe(0.5, (0.0, 0.0, 9.0, 9.0)),), hold="span", start=0.5, end=0.6)  # of three segments


def corrected(tool: Tool, *actions: Cover) -> None:
    (tool.folder / "out").mkdir(exist_ok=True)
    for action in actions:
        append(tool.folder / "out", action, author="A")


def test_only_the_segments_that_a_correction_touches_are_rendered_again(tool: Callable[[str], Tool]) -> None:
    there = tool("corrected")
    plain = there.run(A)
    before = there.segments()
    assert len(before) == COUNT
    corrected(there, SECOND)
    after, expected = there.run(A), tool("straight")
    corrected(expected, SECOND)
    assert after == expected.run(A) != plain
    changed = [name for name, kept in there.segments().items() if kept != before[name]]
    assert changed == ["video-00001"]
    append(there.folder / "out", Withdraw(read(there.folder / "out")[0].id), author="A")
    assert there.run(A) == plain


def test_a_segment_that_was_lost_or_changed_is_rendered_again(tool: Callable[[str], Tool]) -> None:
    there = tool("corrected")
    there.run(A)
    kept = there.folder / "out" / "stages" / "cam"
    (kept / "video-00000").unlink()
    (kept / "video-00002").write_text("a face")
    corrected(there, SECOND)
    after, expected = there.run(A), tool("straight")
    corrected(expected, SECOND)
    assert after == expected.run(A)


def test_nothing_uncovered_is_kept(tool: Callable[[str], Tool]) -> None:
    there = tool("none")
    there.run(("none", 0.5))
    assert there.segments() == {}


@pytest.mark.slow
def test_killed_at_any_moment_while_a_correction_is_taken_in(tool: Callable[[str], Tool]) -> None:
    plain = tool("plain").run(A)
    straight = tool("straight")
    corrected(straight, SECOND)
    expected = straight.run(A)
    for moment in range(10_000):
        there = tool(f"from-{moment}")
        assert there.run(A) == plain
        before = there.segments()
        corrected(there, SECOND)
        ended = there.run(A, kill_at=moment) is not None
        assert there.run(A) == expected, moment
        kept = {name for name, found in there.segments().items() if found == before[name]}
        assert kept == {"video-00000", "video-00002"}, moment
        if moment % 5 == 0:
            append(there.folder / "out", Withdraw(read(there.folder / "out")[0].id), author="A")
            there.run(A, kill_at=moment)
            assert there.run(A) == plain, moment
        if ended:
            break
    assert moment > 20
