"""How the cost of the main job grows: seconds and memory by cameras and by minutes of recording.

The session that ships is looped without re-encoding; beyond four cameras its cameras come again under other names.
Every row is a run of the whole tool as a process of its own. Memory is that of all its processes at the worst moment,
pages that they share counted once (PSS); psutil, which comes with the extra `cluster`, tells it. Nothing else may run
on the machine.

Example, about a quarter of an hour on two cores:
  python -m benchmarks.cost_growth --cameras 1 2 4 8 --minutes 1 10 --out cost_growth.json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import Any

import psutil

from benchmarks.looping import clip_facts, loop_clip
from or_mv_anon.core.resources import resource

EVERY_S = 0.5  # seconds between looks at the memory


class Memory(threading.Thread):
    """Watches the memory of a process and of all that it starts."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self.worst = 0

    def run(self) -> None:
        """Until the process has ended."""
        try:
            while self._process.is_running() and self._process.status() != psutil.STATUS_ZOMBIE:
                family = [self._process, *self._process.children(recursive=True)]
                self.worst = max(self.worst, sum(map(held, family)))
                time.sleep(EVERY_S)
        except psutil.NoSuchProcess:
            pass


def held(process: psutil.Process) -> int:
    """Bytes that a process holds; 0 of one that has just ended."""
    try:
        return int(process.memory_full_info().pss)
    except psutil.Error:
        return 0


def write_session(recording: Path, folder: Path, *, cameras: int, minutes: float) -> int:
    """A session of so many cameras and minutes; its frames."""
    clips = sorted(recording.glob("*.mp4"))
    folder.mkdir(parents=True)
    total = 0
    for number in range(cameras):
        clip = clips[number % len(clips)]
        frames = round(60 * minutes * float(clip_facts(clip)["fps"]))
        total += loop_clip(clip, folder / f"cam{number + 1}.mp4", frames=frames)
    return total


def cost(recording: Path, work: Path, *, cameras: int, minutes: float, workers: int) -> dict[str, Any]:
    """One run."""
    site, out = work / f"site-{cameras}-{minutes:g}", work / f"out-{cameras}-{minutes:g}"
    frames = write_session(recording, site, cameras=cameras, minutes=minutes)
    command = [sys.executable, "-m", "or_mv_anon", "anonymize", "--videos", str(site), "--out", str(out)]
    started = time.perf_counter()
    with subprocess.Popen([*command, "--workers", str(workers)], stdout=subprocess.DEVNULL) as run:
        memory = Memory(run.pid)
        memory.start()
    seconds = time.perf_counter() - started
    memory.join()
    if run.returncode not in (0, 1):
        raise SystemExit(f"the run over {site.name} ended with exit code {run.returncode}")
    timings = {each["stage"]: each["seconds"] for each in json.loads((out / "audit.json").read_text())["timings"]}
    return {
        "cameras": cameras,
        "minutes": minutes,
        "frames": frames,
        "seconds": seconds,
        "memory": memory.worst,
        "stages": timings,
    }


def markdown(rows: list[dict[str, Any]]) -> str:
    """The table."""
    stages = list(dict.fromkeys(stage for row in rows for stage in row["stages"]))
    lines = [
        f"| cameras | minutes | frames | seconds | ms a frame | memory | {' | '.join(stages)} |",
        "|---" * (6 + len(stages)) + "|",
    ]
    for row in rows:
        shares = [f"{1000 * row['stages'].get(stage, 0.0) / row['frames']:.1f}" for stage in stages]
        lines.append(
            f"| {row['cameras']} | {row['minutes']:g} | {row['frames']:,} | {row['seconds']:.0f} "
            f"| {1000 * row['seconds'] / row['frames']:.1f} | {row['memory'] / 1e9:.2f} GB | {' | '.join(shares)} |"
        )
    return "\n".join([*lines, "", "The columns of stages are milliseconds a frame, too."])


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--cameras", type=int, nargs="+", default=[1, 2, 4, 8], metavar="N", help="each for one minute")
    add("--minutes", type=float, nargs="+", default=[1, 10], metavar="M", help="each with one camera")
    add("--recording", type=Path, default=resource("data/simulated_session") / "recording", metavar="DIR")
    add("--workers", type=int, default=2, help="processes (default: 2)")
    add("--out", type=Path, required=True, metavar="JSON", help="where the figures go")
    options = parser.parse_args()
    wanted = dict.fromkeys([*((cameras, 1.0) for cameras in options.cameras), *((1, m) for m in options.minutes)])
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory() as work:
        for cameras, minutes in wanted:
            rows.append(cost(options.recording, Path(work), cameras=cameras, minutes=minutes, workers=options.workers))
            options.out.write_text(json.dumps({"command": sys.argv, "rows": rows}, indent=1) + "\n")
            print(f"{cameras} cameras, {minutes:g} minutes: {rows[-1]['seconds']:.0f} s", file=sys.stderr, flush=True)
    print(markdown(rows))


if __name__ == "__main__":
    main()
