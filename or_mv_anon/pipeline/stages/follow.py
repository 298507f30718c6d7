"""Follows what reviewers drew and asked to be followed, in both directions from every keyframe, one drawing a job."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from or_mv_anon.core.config import ManualConfig, config_hash
from or_mv_anon.core.records import FollowedBoxes
from or_mv_anon.core.run_layout import FOLLOWED
from or_mv_anon.core.store import RunStore
from or_mv_anon.corrections.actions import Cover
from or_mv_anon.corrections.log import Line
from or_mv_anon.pipeline.context import RunContext
from or_mv_anon.pipeline.corrected import follow_stage, followed_file, is_drawn_in
from or_mv_anon.pipeline.media import CameraPlan, open_camera
from or_mv_anon.pipeline.stage import Stage, Task
from or_mv_anon.tracking.following import Picture, Way, follow
from or_mv_anon.video.segments import Segment

RULES = 1  # of following; a change follows everything anew
LEAST_SIDE = 32  # px that a drawn box has at least in the pictures in which it is looked for, if it has as many
MOST_BYTES = 256_000_000  # of pictures in memory


@dataclass(frozen=True)
class FollowJob:
    """Follow one drawn box."""

    plan: CameraPlan
    line: Line
    config: ManualConfig


@dataclass(frozen=True)
class FollowedDrawing:
    """What a `FollowJob` reports; the boxes go to the store.

    Attributes:
        seconds: of work.
        told: sentences about where it was lost.
    """

    seconds: float
    told: list[str]


def follow_drawing(job: FollowJob) -> FollowedDrawing:
    """Follow a drawn box and store where it was."""
    started = time.perf_counter()
    plan, cover, config = job.plan, job.line.action, job.config
    assert isinstance(cover, Cover)
    source = open_camera(plan.camera, plan.store)
    seconds = np.maximum.accumulate(source.times[plan.first : plan.stop]) + plan.camera.offset
    boxes = {int(np.abs(seconds - each.time).argmin()): np.array(each.box, np.float64) for each in cover.boxes}
    marks = sorted(boxes)
    first, last = _reach(cover, seconds, marks, config)
    film = _Film(job, min(float((box[2:] - box[:2]).min()) for box in boxes.values()))
    found: dict[int, tuple[np.ndarray, float]] = {number: (boxes[number], 1.0) for number in marks}
    told = []
    for number in marks:
        after = next((mark for mark in marks if mark > number), last)
        before = next((mark for mark in reversed(marks) if mark < number), first)
        for stop in (after, before):
            way = film.follow(number, boxes[number], stop, seconds)
            _join(found, way, film.scale)
            if way.lost_at is not None and stop in (first, last):
                told.append(
                    f"The box that {job.line.author} drew at {seconds[number]:.2f} s ({job.line.id}) was lost at "
                    f"{way.lost_at:.2f} s and held for {config.lost_s:g} s beyond; look what became of it."
                )
    order = sorted(found)
    record = FollowedBoxes(
        frame=np.array(order, np.int32),
        box=np.array([found[number][0] for number in order], np.float32).reshape(-1, 4),
        score=np.array([found[number][1] for number in order], np.float32),
    )
    RunStore(plan.store).write(followed_file(plan, job.line), record)
    return FollowedDrawing(time.perf_counter() - started, told)


def _reach(cover: Cover, seconds: np.ndarray, marks: list[int], config: ManualConfig) -> tuple[int, int]:
    """The first and last frame to which a box is followed at most; `marks` are those in which it was drawn."""
    start, end = cover.boxes[0].time - config.longest_follow_s, cover.boxes[-1].time + config.longest_follow_s
    if cover.hold == "span":
        assert cover.start is not None
        assert cover.end is not None
        start, end = cover.start, cover.end
    inside = np.flatnonzero((seconds >= start) & (seconds <= end))
    return min([*inside[:1].tolist(), *marks]), max([*inside[-1:].tolist(), *marks])


class _Film:
    """The camera's pictures, grey and as small as the box allows, forwards or backwards."""

    def __init__(self, job: FollowJob, side: float) -> None:
        self.source = open_camera(job.plan.camera, job.plan.store)
        self.plan, self.config = job.plan, job.config
        self.scale = min(1.0, LEAST_SIDE / max(side, 1.0))
        width, height = self.source.upright_size
        self.size = max(8, round(width * self.scale)), max(8, round(height * self.scale))
        self.at_once = max(1, int(MOST_BYTES / (self.size[0] * self.size[1])))

    def follow(self, number: int, box: np.ndarray, stop: int, seconds: np.ndarray) -> Way:
        """Follow `box` of frame `number` up to frame `stop`, the frame itself left out."""
        start = next(iter(self._pictures(number, number)), None)
        if start is None or stop == number:
            return Way([], [], [], None)
        pictures = ((n, float(seconds[n]), picture) for n, picture in self._pictures(number, stop) if n != number)
        return follow(start[1], box * self.scale, pictures, self.config)

    def _pictures(self, start: int, stop: int) -> Iterator[tuple[int, Picture]]:
        if stop >= start:
            for first in range(start, stop + 1, self.at_once):
                yield from self._read(first, min(first + self.at_once, stop + 1))
            return
        for last in range(start, stop - 1, -self.at_once):
            yield from reversed(list(self._read(max(last - self.at_once + 1, stop), last + 1)))

    def _read(self, first: int, stop: int) -> Iterator[tuple[int, Picture]]:
        segment = Segment(0, self.plan.first + first, self.plan.first + stop)
        for frame in self.source.frames(segment):
            if not frame.corrupt:
                picture = cv2.cvtColor(frame.bgr(*self.size), cv2.COLOR_BGR2GRAY)
                yield frame.index - self.plan.first, picture.astype(np.uint8)


def _join(found: dict[int, tuple[np.ndarray, float]], way: Way, scale: float) -> None:
    """Add one direction's boxes; where both directions have one, both are covered."""
    for number, box, score in zip(way.frames, way.boxes, way.scores, strict=True):
        here = box / scale
        if number in found:
            other, best = found[number]
            here = np.concatenate([np.minimum(here[:2], other[:2]), np.maximum(here[2:], other[2:])])
            score = max(score, best)
        found[number] = here, score


class FollowStage(Stage):
    """Follows drawings; a failure leaves them where they were drawn, and is told."""

    name = "follow"
    costs = "nothing"
    run = staticmethod(follow_drawing)
    writes = (FOLLOWED,)

    def tasks(self, context: RunContext) -> list[Task]:
        """One per drawing that is to be followed."""
        tasks = []
        for plan in context.cameras(self):
            for line in context.corrections_of(plan):
                if is_drawn_in(plan, line) and getattr(line.action, "follow", False):
                    key = config_hash(RULES, context.recording(plan), plan.camera.offset, line.sha256,
                                      context.spec.config.manual)  # fmt: skip
                    job = FollowJob(plan, line, context.spec.config.manual)
                    stage, files = follow_stage(plan, line), [followed_file(plan, line)]
                    tasks.append(Task(stage, key, files, job, plan.camera.name, 0))
        return tasks

    def failed(self, camera: str, text: str) -> str:
        """The sentence about a failure."""
        return f"{camera}: a drawn box could not be followed and is covered only where it was drawn. {text}"


FOLLOW = FollowStage()
