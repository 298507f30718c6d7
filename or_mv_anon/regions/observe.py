"""The first pass over the pixels: every source looks at the frames that are due for it.

A frame in which anything fails is flagged and later covered whole; the others go on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import Columns, FrameFlag
from or_mv_anon.core.run_layout import PERSONS, Table
from or_mv_anon.regions.networks import Networks
from or_mv_anon.regions.registry import observing
from or_mv_anon.regions.scene_change import SceneChange
from or_mv_anon.regions.source import Batch, Mask, Record
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.frame_flags import damage_flags


@dataclass(frozen=True)
class Schedule:
    """Which frames of a recording each source looks at, as masks over all its frames.

    It depends on the recording's timestamps alone, not on how the work is split.
    """

    masks: Mapping[str, Mask]

    def __getitem__(self, source: str) -> Mask:
        return self.masks[source]

    @property
    def any(self) -> Mask:
        """Frames that any source looks at."""
        everything: Mask = np.any(list(self.masks.values()), axis=0)
        return everything


def plan_schedule(times: NDArray[np.float64], config: PipelineConfig, *, first: int, stop: int) -> Schedule:
    """Frames to look at.

    Args:
        times: seconds of all frames of the recording.
        config: for the intervals.
        first: the first frame that is processed.
        stop: the frame behind the last one.
    """
    part = times[first:stop]
    masks: dict[str, Mask] = {}
    detected = np.zeros(len(part), bool)
    for source in observing():
        mask = np.zeros(len(times), bool)
        mask[first:stop] = source.due(part, detected, config)
        masks[source.name] = mask
        if source.table is PERSONS:
            detected = mask[first:stop]
    return Schedule(masks)


@dataclass
class Observations:
    """What the sources noted of some frames, in the order of the frames.

    Attributes:
        frames: their numbers.
        flags: what happened to each of them.
        tables: records by source.
        problems: sentences about what failed.
        moving: stretches in which something moves, seconds from and to.
        colour: of the most colourful picture, see `SceneChange`.
    """

    frames: list[int] = field(default_factory=list)
    flags: list[int] = field(default_factory=list)
    tables: dict[str, list[Columns]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    moving: list[tuple[float, float]] = field(default_factory=list)
    colour: float = 0.0

    def add(self, other: Observations) -> None:
        """Append later frames; records about persons are renumbered."""
        persons = sum(map(len, self.tables.get(PERSONS.name, ())))
        for name, parts in other.tables.items():
            for part in parts:
                if "detection" in part.columns:
                    part = part.replace(detection=part.detection + persons)  # type: ignore[attr-defined]
                self.tables.setdefault(name, []).append(part)
        for name in ("frames", "flags", "problems"):
            getattr(self, name).extend(getattr(other, name))

    def table(self, table: Table[Record]) -> Record:
        """All that the source of a table noted."""
        return table.record.concat(self.tables.get(table.name, []))  # type: ignore[arg-type]  # each under its name


def observe_frames(
    frames: Iterator[Frame],
    networks: Networks,
    schedule: Schedule,
    config: PipelineConfig,
    *,
    first: int = 0,
    done: Callable[[int], None] = lambda count: None,
) -> Observations:
    """Let every source look at `frames`.

    Args:
        frames: in display order.
        networks: to run.
        schedule: which frames each source looks at, indexed by `Frame.index`.
        config: thresholds.
        first: index that is counted as frame 0.
        done: called with the number of frames that were looked at since the last call.
    """
    found, change = Observations(), SceneChange(config.verdict.least_change)
    times: dict[int, float] = {}
    while batch := list(islice(frames, networks.batch)):
        try:
            found.add(_observe_batch(Batch(batch, first, seen=change.look), networks, schedule, config))
        except Exception as error:  # fail closed: whatever went wrong, these frames are covered whole
            numbers = [frame.index - first for frame in batch]
            problem = f"frame {numbers[0]}: analysis failed, covered whole ({type(error).__name__}: {error})"
            found.add(Observations(numbers, [int(FrameFlag.FAILED)] * len(batch), problems=[problem]))
        times |= {frame.index - first: frame.time for frame in batch}
        done(len(batch))
    for source in observing():
        if (kept := source.settle(found.table, times, config)) is not None:
            found.tables[source.name] = [kept]
    change.finish()
    found.moving, found.colour = change.stretches, change.colour
    return found


def _observe_batch(batch: Batch, networks: Networks, schedule: Schedule, config: PipelineConfig) -> Observations:
    flags = {frame.index: damage_flags(frame) for frame in batch.frames}
    tables: dict[str, list[Columns]] = {}
    for source in observing():
        due = [frame for frame in batch.frames if schedule[source.name][frame.index]]
        noted = source.observe(batch, due, networks, config) if due else None
        if noted is None:
            continue
        if len(noted):
            tables[source.name] = [noted]
        for frame in due:
            flags[frame.index] |= source.flag
    numbers = [batch.number(frame) for frame in batch.frames]
    return Observations(numbers, [int(flags[frame.index]) for frame in batch.frames], tables)
