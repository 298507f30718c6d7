"""What Ray costs beside this machine's own processes: per task, at start, and in the main job on one node.

Rounds are interleaved; the median counts. The main job's time is that of its stages, start and planning left out, and
is told beside that of the whole command's part in this process. Nothing else may run on the machine.

Example:
  python benchmarks/cluster_overhead.py --out overhead.json
"""

from __future__ import annotations

import argparse
import importlib
import json
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from or_mv_anon.cluster.executor import RayExecutor
from or_mv_anon.core.executor import Executor
from or_mv_anon.core.listening import Caller, heard_by
from or_mv_anon.core.resources import resource
from or_mv_anon.core.workers import WorkerPool
from or_mv_anon.pipeline.options import Options
from or_mv_anon.pipeline.plan import plan_session
from or_mv_anon.pipeline.profiles import new_context, run_session
from or_mv_anon.pipeline.spec import effective_config, resolve
from or_mv_anon.site import discover

TASKS = 400


def nothing(_: int) -> None:
    """A job that does nothing."""


def _by_name() -> Callable[[int], None]:
    """`nothing` under a name that worker processes can import; of the script itself they know nothing."""
    found: Callable[[int], None] = importlib.import_module("benchmarks.cluster_overhead").nothing
    return found


def executor_of(name: str, workers: int) -> AbstractContextManager[Executor]:
    """Either kind, not started yet."""
    return WorkerPool(workers) if name == "local" else RayExecutor(workers=workers)


def per_task(executor: Executor) -> float:
    """Milliseconds per job that does nothing, once the workers are there."""
    list(executor.run(_by_name(), list(range(8)), title="warm", frames=8))
    started = time.perf_counter()
    list(executor.run(_by_name(), list(range(TASKS)), title="tasks", frames=TASKS))
    return 1000 * (time.perf_counter() - started) / TASKS


def main_job(videos: Path, workers: int, executor: Executor) -> dict[str, Any]:
    """Seconds of the main job's stages on a recording."""
    with tempfile.TemporaryDirectory() as folder:
        options = Options(videos=videos, out=Path(folder) / "out", workers=workers)
        site = discover(videos)
        spec = resolve(options, effective_config(options), site.sessions)
        context = new_context(plan_session(site.sessions[0], options.out, spec), spec)
        context.threads = 1
        started = time.perf_counter()
        run_session(context, executor=executor)
        wall = time.perf_counter() - started
        if context.problems:
            raise SystemExit(" ".join(context.problems))
        stages = {timing.stage: timing.seconds for timing in context.timings}
    return {"wall_s": wall, "stages": stages}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--videos", type=Path, default=resource("data/simulated_session") / "recording", metavar="DIR")
    add("--workers", type=int, default=2)
    add("--rounds", type=int, default=2)
    add("--no-job", action="store_true", help="only tasks that do nothing")
    add("--out", type=Path, required=True, metavar="JSON")
    options = parser.parse_args()
    found: dict[str, dict[str, list[Any]]] = {
        name: {"start_s": [], "task_ms": [], "job": []} for name in ("local", "ray")
    }
    with heard_by(Caller()):
        for _ in range(options.rounds):
            for name in found:
                started = time.perf_counter()
                with executor_of(name, options.workers) as executor:
                    list(executor.run(_by_name(), [0], title="first", frames=1))
                    found[name]["start_s"].append(time.perf_counter() - started)
                    found[name]["task_ms"].append(per_task(executor))
                    if not options.no_job:
                        found[name]["job"].append(main_job(options.videos, options.workers, executor))
    options.out.write_text(json.dumps(found, indent=1))
    print("| | start, s | a task that does nothing, ms | main job, s |\n|---|---|---|---|")
    for name, each in found.items():
        walls = [job["wall_s"] for job in each["job"]]
        told = f"{statistics.median(walls):.1f}" if walls else ""
        print(
            f"| {name} | {statistics.median(each['start_s']):.1f} | {statistics.median(each['task_ms']):.1f} | {told} |"
        )


if __name__ == "__main__":
    main()
