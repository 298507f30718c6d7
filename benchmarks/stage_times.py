"""Where each millisecond of a camera-frame goes, stage by stage, in one process on one thread.

Runs the main job on a recording with a clock around the parts that can be told apart: decoding, every source of regions
and its network, covering, encoding, checking, the tables of the run folder. Times are exclusive: what a part calls that
is a part itself is not counted twice. What is left of a stage is `rest`. Times are the processor's, of all threads, so
that waiting for a disk or for another process counts nothing; a busy machine makes them longer all the same.

Examples:
  python benchmarks/stage_times.py --out profile.json
  python benchmarks/stage_times.py --videos room/ --detect-every 0.2 --out profile.json
"""

from __future__ import annotations

import argparse
import json
import platform
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Any
from unittest import mock

from or_mv_anon.core import seals
from or_mv_anon.core.config import load_config
from or_mv_anon.core.executor import InProcess
from or_mv_anon.core.resources import resource
from or_mv_anon.core.stage_files import StageFiles
from or_mv_anon.models.runtime import OnnxRuntimeModel, OpenVinoModel
from or_mv_anon.pipeline import covering
from or_mv_anon.pipeline.options import Options
from or_mv_anon.pipeline.plan import plan_session
from or_mv_anon.pipeline.profiles import new_context, run_session
from or_mv_anon.pipeline.spec import effective_config, resolve
from or_mv_anon.pipeline.stages import render
from or_mv_anon.regions.networks import load_networks
from or_mv_anon.regions.registry import observing
from or_mv_anon.site import discover
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.reader import VideoSource
from or_mv_anon.video.writer import SegmentWriter

Call = Callable[..., Any]
NETWORK = "network"  # of the part that asks it


class Ledger:
    """Exclusive seconds and calls by stage and part."""

    def __init__(self) -> None:
        self.seconds: dict[tuple[str, str], float] = defaultdict(float)
        self.calls: dict[tuple[str, str], int] = defaultdict(int)
        self.wall: dict[str, float] = defaultdict(float)
        self.stage = ""
        self._parts: list[str] = []
        self._since = 0.0

    @contextmanager
    def part(self, name: str) -> Iterator[None]:
        """Time within the block is this part's, but for what other parts take within it."""
        if name == NETWORK:
            name = f"{self._parts[-1] if self._parts else 'other'}: {NETWORK}"
        elif name == "decode" and "check" in self._parts:
            name = "check: decode"
        self._charge()
        self._parts.append(name)
        self.calls[self.stage, name] += 1
        try:
            yield
        finally:
            self._charge()
            self._parts.pop()

    def _charge(self) -> None:
        now = time.process_time()
        if self._parts:
            self.seconds[self.stage, self._parts[-1]] += now - self._since
        self._since = now

    def around(self, name: str, call: Call) -> Call:
        """`call` as a part."""

        @wraps(call)
        def timed(*arguments: Any, **more: Any) -> Any:
            with self.part(name):
                return call(*arguments, **more)

        return timed

    def around_each(self, name: str, call: Call) -> Call:
        """A generator function, every step of which is a part."""

        @wraps(call)
        def timed(*arguments: Any, **more: Any) -> Iterator[Any]:
            with self.part(name):
                steps = iter(call(*arguments, **more))
            while True:
                with self.part(name):
                    try:
                        step = next(steps)
                    except StopIteration:
                        return
                yield step

        return timed


class Timed(InProcess):
    """Does jobs in this process and notes what every stage's took."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def run(self, function: Any, jobs: Sequence[Any], *, title: str, **more: Any) -> Iterator[tuple[Any, Any]]:
        """See `Executor.run`."""
        self._ledger.stage = title.rpartition(" ")[2]
        for job in jobs:
            started = time.process_time()
            found = list(super().run(function, [job], title=title, **more))
            self._ledger.wall[self._ledger.stage] += time.process_time() - started
            yield from found


@contextmanager
def clocks(ledger: Ledger) -> Iterator[None]:
    """A clock around every part, for the length of the block."""
    each: list[tuple[Any, str, str]] = [
        (Frame, "bgr", "colours and size"),
        (OpenVinoModel, "infer", NETWORK),
        (OnnxRuntimeModel, "infer", NETWORK),
        (SegmentWriter, "write", "encode"),
        (SegmentWriter, "__exit__", "encode"),
        (covering, "cover_frame", "cover"),
        (covering, "showing", "check"),
        (StageFiles, "read", "tables"),
        (StageFiles, "write", "tables"),
        (seals, "fingerprint", "hash files"),
    ]
    each += [(type(source), "observe", source.name) for source in observing()]
    patches = [mock.patch.object(place, name, ledger.around(part, getattr(place, name))) for place, name, part in each]
    patches += [
        mock.patch.object(VideoSource, "frames", ledger.around_each("decode", VideoSource.frames)),
        mock.patch.object(render, "read_back", ledger.around_each("check", render.read_back)),
        mock.patch("or_mv_anon.regions.networks.load_networks", ledger.around("start", load_networks)),
        mock.patch("or_mv_anon.pipeline.stages.analyse.load_networks", ledger.around("start", load_networks)),
    ]
    for patch in patches:
        patch.start()
    try:
        yield
    finally:
        for patch in reversed(patches):
            patch.stop()


def profile(videos: Path, *, detect_every: float | None = None, config: Path | None = None) -> dict[str, Any]:
    """Milliseconds per camera-frame by stage and part, of a run over the first session in `videos`."""
    ledger = Ledger()
    with tempfile.TemporaryDirectory() as folder:
        options = Options(videos=videos, out=Path(folder) / "out", detect_every=detect_every, workers=1, config=config)
        site = discover(options.videos)
        spec = resolve(options, effective_config(options), site.sessions)
        started = time.process_time()
        plan = plan_session(site.sessions[0], options.out, spec)
        index_s = time.process_time() - started
        context = new_context(plan, spec)
        context.threads = 1
        with clocks(ledger):
            run_session(context, executor=Timed(ledger))
        if context.problems:
            raise SystemExit("The run had problems: " + " ".join(context.problems))
        frames = sum(map(len, plan.cameras))
        providers = sorted({engine for stage in context.store.manifest.stages.values()
                            for engine in (stage.facts.get("providers") or {}).values()})  # fmt: skip
    rows = [{"stage": "index", "part": "packets", "ms": 1000 * index_s / frames, "calls": 1}]
    for stage, wall in ledger.wall.items():
        parts = {part: seconds for (of, part), seconds in ledger.seconds.items() if of == stage}
        parts["rest"] = max(0.0, wall - sum(parts.values()))
        rows += [
            {"stage": stage, "part": part, "ms": 1000 * seconds / frames, "calls": ledger.calls[stage, part]}
            for part, seconds in sorted(parts.items(), key=lambda item: -item[1])
        ]
    size = plan.facts[0].upright_size
    return {"frames": frames, "cameras": len(plan.cameras), "size": size, "networks": providers, "rows": rows}


def table(found: dict[str, Any]) -> str:
    """The rows as Markdown, those under a hundredth of a millisecond left out."""
    total = sum(row["ms"] for row in found["rows"])
    lines = ["| stage | part | processor ms per camera-frame | share |", "|---|---|---|---|"]
    lines += [
        f"| {row['stage']} | {row['part']} | {row['ms']:.2f} | {row['ms'] / total:.1%} |"
        for row in found["rows"]
        if row["ms"] >= 0.01
    ]
    return "\n".join([*lines, f"| all | | {total:.2f} | |"])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--videos", type=Path, default=resource("data/simulated_session") / "recording", metavar="DIR",
        help="recording (default: the simulated session that ships)")  # fmt: skip
    add("--detect-every", type=float, metavar="S", help="as for the main job")
    add("--config", type=Path, metavar="TOML", help="as for the main job")
    add("--out", type=Path, required=True, metavar="JSON", help="where the figures go")
    options = parser.parse_args()
    load_config(options.config)
    found = profile(options.videos, detect_every=options.detect_every, config=options.config)
    found |= {"processor": _processor(), "python": platform.python_version(), "detect_every": options.detect_every}
    options.out.write_text(json.dumps(found, indent=1))
    print(table(found))


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    main()
