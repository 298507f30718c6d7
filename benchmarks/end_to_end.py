"""Frames per second of whole processes on one clip, side by side in one run on one machine.

Rows:
  limit          decode + libx264, nothing else (benchmarks/decode_encode.py): no anonymizer that re-encodes is faster
  every frame    this tool with detection on every frame
  keyframes      this tool with detection every --interval seconds; tracking fills the frames between
  fast           this tool with --fast
  every before   another checkout of this tool with detection on every frame; only with --before
  deface         deface 1.5.0 from PyPI, a face detector and blur per frame, with the same encoder settings
  deface scaled  the same with its --scale option; only with --deface-scale

The clip is looped without re-encoding to at least --frames frames, timestamps going on. Rounds are interleaved: every
row runs once per round, so that a machine that slows down slows all of them. Every row must write every frame, else
the run fails. deface offers three inference backends for CPUs; each is timed once on the clip and the fastest is used.

Example, about 20 minutes on two cores:
  python benchmarks/end_to_end.py --clip cam03.mp4 --out end_to_end.json
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.deface_tool import DEFACE_BACKENDS, DEFACE_ENVIRONMENT, deface_command, prepare_deface
from benchmarks.looping import clip_facts, count_frames, loop_clip

HERE = Path(__file__).resolve().parent
TOOL = HERE.parent / "tools" / "anonymize_multiview.py"
ROWS = ("limit", "every before", "every frame", "keyframes", "fast", "deface", "deface scaled")


@dataclass(frozen=True)
class Run:
    """One process from start to end, its children included."""

    wall_s: float
    cpu_s: float
    peak_mb: float  # of its largest process
    others_share: float | None  # share of the machine's processor time that other processes took meanwhile
    stages: list[dict[str, Any]] = field(default_factory=list)
    networks: list[str] = field(default_factory=list)


def timed(command: Sequence[str]) -> Run:
    """Run `command` to its end; SystemExit with its last lines if it fails."""
    busy = busy_seconds()
    with tempfile.TemporaryFile() as log:
        start = time.perf_counter()
        process = subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        _, status, usage = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode != 0:
            log.seek(0)
            tail = log.read().decode(errors="replace")[-2000:]
            raise SystemExit(f"{' '.join(command)}\nended with {process.returncode}:\n{tail}")
    own, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024
    after = busy_seconds()
    if busy is None or after is None:
        return Run(wall, own, peak, None)
    return Run(wall, own, peak, max(0.0, after - busy - own) / (wall * (os.cpu_count() or 1)))


def busy_seconds() -> float | None:
    """Processor seconds that all processes have used since the machine started, where the system tells."""
    try:
        user, nice, system, _, _, irq, softirq, steal = Path("/proc/stat").read_text().split()[1:9]
    except (OSError, ValueError):
        return None
    ticks = sum(map(int, (user, nice, system, irq, softirq, steal)))
    return ticks / os.sysconf("SC_CLK_TCK")


def fastest_backend(command: Path, options: argparse.Namespace, scratch: Path) -> tuple[str, dict[str, float]]:
    """deface's fastest backend on this machine, and the seconds that each took on the clip."""
    seconds = {}
    for name, arguments in DEFACE_BACKENDS.items():
        base = deface_command(command, options.clip, scratch / "backend.mp4", crf=options.crf, preset=options.preset)
        seconds[name] = timed([*base, *arguments]).wall_s
        print(f"deface with {name}: {seconds[name]:.1f} s for the clip", file=sys.stderr)
    return min(seconds, key=seconds.__getitem__), seconds


def tool_row(site: Path, out: Path, options: argparse.Namespace, extra: Sequence[str], *, tool: Path = TOOL) -> Run:
    """This tool on the folder `site`, with the seconds per stage from its audit."""
    command = [sys.executable, str(tool), "--videos", str(site), "--out", str(out), "--overwrite"]
    run = timed([*command, "--crf", str(options.crf), "--preset", options.preset, *options.tool_options, *extra])
    audit = json.loads((out / "audit.json").read_text())
    return replace(run, stages=audit["timings"], networks=[f"{m['name']} on {m['provider']}" for m in audit["models"]])


def measure(options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """All rows, interleaved; the document that is written as JSON."""
    site = scratch / "site"
    site.mkdir()
    looped = site / "looped.mp4"
    frames = loop_clip(options.clip, looped, frames=options.frames)
    short = scratch / "short.mp4"
    short_frames = loop_clip(options.clip, short, frames=min(options.frames, options.deface_frames))
    asked = {"deface scaled": options.deface_scale, "every before": options.before}
    rows = [row for row in options.rows if asked.get(row, True)]
    backend: str | None = None
    trials: dict[str, float] = {}
    face: list[str] = []
    if any(row.startswith("deface") for row in rows):
        deface = prepare_deface(options.deface_venv)
        backend = options.deface_backend
        if backend is None:
            backend, trials = fastest_backend(deface, options, scratch)
        blur = deface_command(deface, short, scratch / "deface.mp4", crf=options.crf, preset=options.preset)
        face = [*blur, *DEFACE_BACKENDS[backend]]
    config = scratch / "keyframes.toml"
    config.write_text(f"[detection]\ninterval_s = {options.interval}\n")
    limit = [sys.executable, str(HERE / "decode_encode.py"), str(looped), str(scratch / "limit.mp4")]
    every, keyed, fast, before = (scratch / name for name in ("every", "keyed", "fast", "before"))
    run_row: dict[str, tuple[Callable[[], Run], Path]] = {
        "limit": (
            lambda: timed([*limit, "--crf", str(options.crf), "--preset", options.preset]),
            scratch / "limit.mp4",
        ),
        "every frame": (lambda: tool_row(site, every, options, []), every),
        "every before": (
            lambda: tool_row(site, before, options, [], tool=options.before / "tools" / TOOL.name),
            before,
        ),
        "fast": (lambda: tool_row(site, fast, options, ["--fast"]), fast),
        "keyframes": (lambda: tool_row(site, keyed, options, ["--config", str(config)]), keyed),
        "deface": (lambda: timed(face), scratch / "deface.mp4"),
        "deface scaled": (lambda: timed([*face, "--scale", options.deface_scale]), scratch / "deface.mp4"),
    }
    runs: dict[str, list[Run]] = {row: [] for row in rows}
    expected = {row: short_frames if row.startswith("deface") else frames for row in rows}
    machine = machine_facts(options.deface_venv if backend else None)
    for turn in range(options.repeats):
        for row in rows:
            start, result = run_row[row]
            runs[row].append(start())
            video = result if result.suffix else next(iter(sorted(result.rglob("looped*.mp4"))), result)
            written = count_frames(video)
            if written != expected[row]:
                raise SystemExit(f"'{row}' wrote {written} frames of {expected[row]}; its speed means nothing.")
            print(f"round {turn + 1}, {row}: {written / runs[row][-1].wall_s:.2f} frames/s", file=sys.stderr)
    return {
        "clip": {"name": options.clip.name, "frames": frames, **clip_facts(options.clip)},
        "settings": {"crf": options.crf, "preset": options.preset, "interval_s": options.interval},
        "deface": {"backend": backend, "backend_trials_s": trials, "scale": options.deface_scale},
        "machine": machine,
        "rows": {
            row: {
                "frames": expected[row],
                **speeds(expected[row], runs[row]),
                "runs": [asdict(run) for run in runs[row]],
            }
            for row in rows
        },
    }


def speeds(frames: int, runs: Sequence[Run]) -> dict[str, float]:
    """Best and median frames/s, least processor time per frame, and the most memory that one process took."""
    best = min(runs, key=lambda run: run.wall_s)
    median = statistics.median(run.wall_s for run in runs)
    return {
        "best": frames / best.wall_s,
        "median": frames / median,
        "cpu_ms_per_frame": 1000 * min(run.cpu_s for run in runs) / frames,
        "peak_mb": max(run.peak_mb for run in runs),
    }


def machine_facts(deface_venv: Path | None) -> dict[str, Any]:
    """Processor, cores and versions."""
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text().splitlines() if cpuinfo.exists() else []
    model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), None)
    ours = ("or_mv_anon", "av", "openvino", "opencv-python-headless", "numpy")
    versions = {name: metadata.version(name) for name in ours}
    if deface_venv is not None:
        listed = subprocess.check_output([deface_venv / "bin" / "pip", "list", "--format", "json"])
        wanted = {"deface", "onnxruntime-openvino", "opencv-python-headless", "imageio-ffmpeg"}
        versions |= {f"deface: {p['name']}": p["version"] for p in json.loads(listed) if p["name"] in wanted}
    cores = len(os.sched_getaffinity(0))
    return {"cpu": model or platform.processor(), "cores": cores, "python": platform.python_version(), **versions}


def table(results: dict[str, Any]) -> str:
    """The results as Markdown."""
    rows = results["rows"]
    lines = [
        "| row | frames | best frames/s | median | CPU ms/frame | of the limit | times deface | the same by CPU | MB |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in rows.items():
        share = f"{row['best'] / rows['limit']['best']:.0%}" if "limit" in rows else ""
        times = f"{row['best'] / rows['deface']['best']:.1f}" if "deface" in rows else ""
        by_cpu = f"{rows['deface']['cpu_ms_per_frame'] / row['cpu_ms_per_frame']:.1f}" if "deface" in rows else ""
        lines.append(
            f"| {name} | {row['frames']} | {row['best']:.2f} | {row['median']:.2f} "
            f"| {row['cpu_ms_per_frame']:.1f} | {share} | {times} | {by_cpu} | {row['peak_mb']:.0f} |"
        )
    for name, row in rows.items():
        best = min(row["runs"], key=lambda run: run["wall_s"])
        if best["stages"]:
            told = ", ".join(f"{stage['stage']} {stage['seconds']:.2f} s" for stage in best["stages"])
            lines += ["", f"'{name}' took {best['wall_s']:.2f} s: {told}. Networks: {'; '.join(best['networks'])}."]
    clip, machine, settings = results["clip"], results["machine"], results["settings"]
    backend = results["deface"]["backend"]
    others = max(run["others_share"] or 0.0 for row in rows.values() for run in row["runs"])
    lines += [
        "",
        f"{clip['name']}, {clip['size']}, looped; libx264 {settings['preset']}, "
        f"crf {settings['crf']}; {machine['cpu']}, {machine['cores']} cores (other processes took up to {others:.0%}).",
    ]
    if backend is not None:
        fastest = ", its fastest backend here" if results["deface"]["backend_trials_s"] else ""
        lines.append(f"deface runs on {backend}{fastest}.")
    return "\n".join(lines)


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--clip", type=Path, required=True, help="an H.264 clip with people; `make demo` fetches four")
    add("--out", type=Path, required=True, metavar="JSON", help="where the results go")
    add("--frames", type=int, default=600, help="loop the clip to at least this many frames (default: 600)")
    add("--deface-frames", type=int, default=600, help="the same for deface, which is slow (default: 600)")
    add("--repeats", type=int, default=3, help="rounds (default: 3)")
    add("--rows", nargs="+", choices=ROWS, default=list(ROWS), metavar="ROW", help=f"some of: {', '.join(ROWS)}")
    add("--interval", type=float, default=0.1, metavar="S", help="seconds between detections in 'keyframes' (0.1)")
    add("--crf", type=int, default=20, help="constant quality of every row (default: 20)")
    add("--preset", default="veryfast", help="libx264 preset of every row (default: veryfast)")
    add("--deface-backend", choices=list(DEFACE_BACKENDS), help="deface's backend (default: the fastest, by trying)")
    add("--before", type=Path, metavar="DIR", help="another checkout of this tool, whose time is to be told as well")
    add("--deface-scale", metavar="WxH", help="also time deface with its network input scaled to this size")
    add("--deface-venv", type=Path, default=DEFACE_ENVIRONMENT, metavar="DIR",
        help="deface's own environment, made on first use (default: in the cache folder)")  # fmt: skip
    add("--tool-options", nargs=argparse.REMAINDER, default=[], help="everything after this goes to this tool's rows")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="end_to_end-") as scratch:
        results = measure(options, Path(scratch))
    options.out.write_text(json.dumps(results, indent=2) + "\n")
    print(table(results))


if __name__ == "__main__":
    main()
