"""What saturates first when many rooms are anonymized on many nodes: a discrete model, fed with measured task times.

Tasks go through the stages of the main job as `cluster/executor.py` runs them: the pass over the packets where the run
was started, then hash, analyse, track, associate, place, render, finish, each stage of a session after the one before.
A task waits for a core, then its bytes queue at the storage, then it computes. Dispatching takes the starting machine a
fixed time per task. The model knows no failures, no network but the storage's, and no difference between nodes; the
pass over the packets takes its own stream, and nothing from the storage's total.

Task times are those of benchmarks/stage_times.py on one thread, `--dispatch-ms` that of benchmarks/cluster_overhead.py.

Example:
  python benchmarks/cluster_model.py --profile profile.json --dispatch-ms 3 --out model.json
"""

from __future__ import annotations

import argparse
import heapq
import json
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

ORDER = ("hash", "analyse", "track", "associate", "place", "render", "finish")
PER_SEGMENT = ("analyse", "render")
READS = {"hash": 1, "analyse": 1, "render": 1}  # times the input's bytes
WRITES = {"render": 2, "finish": 3}  # times the output's bytes: written and read back; joined and checked
HOUR, MBIT = 3600.0, 1e6 / 8


@dataclass(frozen=True)
class Load:
    """What is to be done in a day.

    Attributes:
        rooms, cameras, hours: of recording.
        fps: of every camera.
        mbit: per second of recording and camera, in the input and in the output.
        segment_s: length of a segment.
        ms: of one thread per camera-frame, by stage, and for `index` of the pass over the packets.
        dispatch_s: of the starting machine per task.
        at_once: sessions that one starting machine drives.
        drivers: starting machines.
    """

    rooms: int
    cameras: int
    hours: float
    fps: float
    mbit: float
    segment_s: float
    ms: dict[str, float]
    dispatch_s: float
    at_once: int
    drivers: int

    def seconds(self, stage: str, length_s: float) -> float:
        """One thread's time for so many seconds of one camera."""
        return self.ms.get(stage, 0.0) / 1000 * self.fps * length_s

    def bytes(self, stage: str, length_s: float) -> float:
        """What is read and written for so many seconds of one camera."""
        return (READS.get(stage, 0) + WRITES.get(stage, 0)) * self.mbit * MBIT * length_s


@dataclass(frozen=True)
class Machines:
    """What there is to do it with.

    Attributes:
        nodes, cores: and of each.
        storage: bytes per second of all nodes together.
        stream: bytes per second that one reader gets.
    """

    nodes: int
    cores: int
    storage: float
    stream: float


@dataclass(frozen=True)
class Outcome:
    """How it went: hours until everything is done, and how busy each resource was, from 0 to 1."""

    nodes: int
    hours: float
    cores: float
    storage: float
    starting: float

    @property
    def first(self) -> str:
        """What is busiest."""
        busy = {"cores": self.cores, "storage": self.storage, "starting machine": self.starting}
        return max(busy, key=busy.__getitem__)


Task = tuple[float, float]  # seconds of a core, bytes


def stage_tasks(load: Load, stage: str) -> list[Task]:
    """The tasks of one stage of one session."""
    length = load.hours * HOUR
    if stage == "associate":
        return [(load.cameras * load.seconds(stage, length), 0.0)]
    if stage not in PER_SEGMENT:
        return [(load.seconds(stage, length), load.bytes(stage, length))] * load.cameras
    count = max(1, round(length / load.segment_s))
    each = length / count
    return [(load.seconds(stage, each), load.bytes(stage, each))] * (count * load.cameras)


def simulate(load: Load, machines: Machines) -> Outcome:
    """Run the model."""
    total = machines.nodes * machines.cores
    free, storage_free, used, moved, started = total, 0.0, 0.0, 0.0, 0.0
    driver_free, sending = [0.0] * load.drivers, [0.0] * load.drivers
    ready: deque[tuple[int, Task]] = deque()
    ends: list[tuple[float, int]] = []  # (time, session); a session of -1 - n is the end of n's pass over the packets
    stages: list[Iterator[str]] = [iter(ORDER) for _ in range(load.rooms)]
    left = [0] * load.rooms
    waiting = deque(range(load.rooms))
    now = 0.0

    def begin(at: float, driver: int) -> None:
        nonlocal started
        if not waiting:
            return
        session = waiting.popleft()
        size = load.cameras * load.mbit * MBIT * load.hours * HOUR
        reading = size / machines.stream + load.cameras * load.seconds("index", load.hours * HOUR)
        begun = max(at, driver_free[driver])  # one pass at a time
        driver_free[driver] = begun + reading
        started += reading
        heapq.heappush(ends, (begun + reading, -1 - session))

    def go_on(session: int) -> bool:
        stage = next(stages[session], None)
        if stage is None:
            return False
        tasks = stage_tasks(load, stage)
        left[session] = len(tasks)
        ready.extend((session, task) for task in tasks)
        return True

    for number in range(min(load.rooms, load.at_once * load.drivers)):
        begin(0.0, number % load.drivers)
    while ends:
        now, session = heapq.heappop(ends)
        if session < 0:
            go_on(-1 - session)
        else:
            free += 1
            left[session] -= 1
            if not left[session] and not go_on(session):
                begin(now, session % load.drivers)
        while free and ready:
            of, (seconds, size) = ready.popleft()
            driver = of % load.drivers
            sent = sending[driver] = max(now, sending[driver]) + load.dispatch_s
            started += load.dispatch_s
            storage_free = max(storage_free, sent) + size / machines.storage
            read = max(storage_free, sent + size / machines.stream) if size else sent
            free -= 1
            used += seconds
            moved += size
            heapq.heappush(ends, (read + seconds, of))
    return Outcome(
        machines.nodes,
        now / HOUR,
        used / (total * now),
        moved / (machines.storage * now),
        started / (load.drivers * now),
    )


def table(outcomes: Sequence[Outcome]) -> str:
    """As Markdown."""
    lines = [
        "| nodes | hours for a day | cores | storage | starting machine | saturates first |",
        "|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {each.nodes} | {each.hours:.1f} | {each.cores:.0%} | {each.storage:.0%} | {each.starting:.0%} "
        f"| {each.first} |"
        for each in outcomes
    ]
    return "\n".join(lines)


def stage_ms(profile: dict[str, Any]) -> dict[str, float]:
    """Milliseconds per camera-frame by stage."""
    found: dict[str, float] = {}
    for row in profile["rows"]:
        found[row["stage"]] = found.get(row["stage"], 0.0) + row["ms"]
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--profile", type=Path, required=True, metavar="JSON", help="of benchmarks/stage_times.py")
    add("--dispatch-ms", type=float, required=True, help="of the starting machine per task")
    add("--rooms", type=int, default=100)
    add("--cameras", type=int, default=4, help="per room")
    add("--hours", type=float, default=10.0, help="of recording per room")
    add("--fps", type=float, default=30.0)
    add("--mbit", type=float, default=8.0, help="per second and camera, of input and output")
    add("--nodes", type=int, nargs="+", default=[10, 30, 100, 300, 1000])
    add("--cores", type=int, default=32, help="per node")
    add("--storage-gb", type=float, default=5.0, help="gigabytes per second of all nodes together")
    add("--stream-gb", type=float, default=1.0, help="gigabytes per second that one reader gets")
    add("--drivers", type=int, nargs="+", default=[1, 10], help="machines from which runs are started")
    add("--associate-s", type=float, metavar="S",
        help="of one session, where it is known not to grow with the frames (default: by the profile)")  # fmt: skip
    add("--out", type=Path, required=True, metavar="JSON")
    options = parser.parse_args()
    ms = stage_ms(json.loads(options.profile.read_text()))
    if options.associate_s is not None:
        frames = options.fps * options.hours * HOUR * options.cameras
        ms["associate"] = 1000 * options.associate_s / frames
    found = []
    for drivers in options.drivers:
        load = Load(options.rooms, options.cameras, options.hours, options.fps, options.mbit, 30.0, ms,
                    options.dispatch_ms / 1000, 16, drivers)  # fmt: skip
        outcomes = [
            simulate(load, Machines(nodes, options.cores, options.storage_gb * 1e9, options.stream_gb * 1e9))
            for nodes in options.nodes
        ]
        print(f"started from {drivers} machine{'s' if drivers > 1 else ''}:\n{table(outcomes)}\n")
        found.append({"load": asdict(load), "outcomes": [asdict(each) | {"first": each.first} for each in outcomes]})
    options.out.write_text(json.dumps(found, indent=1))


if __name__ == "__main__":
    main()
