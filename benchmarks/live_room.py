"""How a live room fares on this machine: lateness, looks, latency, and what each stage costs per camera's frame.

    python benchmarks/live_room.py --session data/simulated_session/recording --cameras 4 --size 1280x720 --rate 15 \
        --seconds 600 --work DIR --out live_room.json

The cameras of a session are enlarged, played to and fro and repeated, and read as files at their own pace. The command
runs as its users run it, as a process of its own. With --device cuda the same is measured on a GPU.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np

from tests.live.test_soak import resident_mb

ROOT = Path(__file__).resolve().parents[1]
STAGES = ("decode", "look", "decide", "across", "cover", "encode")


def write_camera(source: Path, target: Path, *, size: tuple[int, int], rate: int, seconds: float) -> None:
    """A session's video to and fro, again and again, in another size and rate."""
    with av.open(str(source)) as container:
        frames = [frame.reformat(*size, "yuv420p") for frame in container.decode(video=0)]
        usual = float(container.streams.video[0].average_rate or 10)
    order = [*range(len(frames)), *range(len(frames) - 2, 0, -1)]
    once = round(len(order) / usual * rate)
    packets = []
    with av.open(str(target.with_suffix(".once.mkv")), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "23", "preset": "veryfast", "bf": "0"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.gop_size = 2 * rate
        stream.time_base = stream.codec_context.time_base = Fraction(1, rate)
        for number in range(once):
            frame = frames[order[int(number / rate * usual) % len(order)]]
            frame.pts, frame.time_base, frame.pict_type = number, Fraction(1, rate), 0
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with av.open(str(target.with_suffix(".once.mkv"))) as container, av.open(str(target), "w") as output:
        stream = output.add_stream_from_template(container.streams.video[0])
        packets = [(bytes(packet), packet.is_keyframe) for packet in container.demux(video=0) if packet.size]
        for number in range(round(seconds * rate)):
            content, key = packets[number % len(packets)]
            packet = av.Packet(content)
            packet.pts = packet.dts = number
            packet.time_base, packet.is_keyframe, packet.stream = Fraction(1, rate), key, stream
            output.mux(packet)
    target.with_suffix(".once.mkv").unlink()


def memory_mb(process: int) -> float:
    """Of a process and of those that its first thread has started."""
    with suppress(OSError):  # it has ended
        children = Path(f"/proc/{process}/task/{process}/children").read_text().split()
        return sum(map(resident_mb, [process, *map(int, children)]))
    return 0.0


def measure(folder: Path, arguments: list[str]) -> dict[str, Any]:
    """Run the command over the site in `folder`; its last words, and every second's status."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    process = subprocess.Popen(
        [sys.executable, "-m", "or_mv_anon", "live", "--site", str(folder / "site.toml"), "--out", str(folder / "out"),
         "--progress", "json", *arguments],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    seconds, memory, end = [], [], {}
    assert process.stdout is not None
    for text in process.stdout:
        row = json.loads(text)
        if row.get("event") == "end":
            end = row
        elif "event" not in row:
            seconds.append(row)
        memory.append(memory_mb(process.pid))
    code = process.wait()
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"code": code, "cpu_s": cpu, "seconds": seconds, "end": end, "memory_mb": memory}


def summary(found: dict[str, Any], *, warm_s: int = 5) -> dict[str, Any]:
    """What counts."""
    last, running = found["seconds"][-1], found["seconds"][warm_s:-2] or found["seconds"]
    cameras = {}
    for name, camera in last["cameras"].items():
        looks = [second["cameras"][name]["looks_per_s"] for second in running]
        keys = ("frames_in", "frames_out", "late", "covered", "latency_p50_s", "latency_p95_s", "latency_p99_s")
        cameras[name] = {key: camera[key] for key in keys} | {
            "looks_per_s": float(np.mean(looks)), "least_looks_per_s": float(np.percentile(looks, 5)),
            "unsent": sum(each["lost"] for each in camera["outputs"]),
        }  # fmt: skip
    frames = sum(camera["frames_in"] for camera in cameras.values())
    stages = {
        name: round(1000 * spent["cpu_s"] / frames, 3)
        for name, spent in found["end"]["stages"].items()
        if name in STAGES
    }
    memory = found["memory_mb"]
    return {
        "exit_code": found["code"],
        "cameras": cameras,
        "overload": sorted({second["overload"] for second in found["seconds"]}),
        "cpu_ms_per_camera_frame": stages,
        "process_cpu_ms_per_camera_frame": round(1000 * found["cpu_s"] / frames, 2),
        "memory_mb": [round(memory[len(memory) // 10]), round(max(memory))] if memory else [],
    }


def main() -> None:
    """Make the material, run, write the JSON and print it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--session", type=Path, required=True, metavar="DIR", help="folder of a recording: cam1.mp4, ...")
    add("--cameras", type=int, default=4)
    add("--size", default="1280x720", metavar="WxH")
    add("--rate", type=int, default=15)
    add("--seconds", type=float, default=60.0)
    add("--work", type=Path, required=True, metavar="DIR", help="for material and outputs")
    add("--out", type=Path, required=True, metavar="JSON")
    add("--material-only", action="store_true", help="make the material and end")
    add("more", nargs="*", help="further options of the command, after --")
    parsed = parser.parse_args()
    width, height = map(int, parsed.size.split("x"))
    parsed.work.mkdir(parents=True, exist_ok=True)
    videos = sorted(parsed.session.glob("cam*.mp4"))[: parsed.cameras]
    tables = []
    for video in videos:
        target = parsed.work / f"{video.stem}.mkv"
        if not target.exists():
            write_camera(video, target, size=(width, height), rate=parsed.rate, seconds=parsed.seconds)
        tables.append(f'[[camera]]\nname = "{video.stem}"\ninput = "{target.absolute()}"\n')
    (parsed.work / "site.toml").write_text("\n".join(tables))
    if parsed.material_only:
        return
    found = summary(measure(parsed.work, ["--max-seconds", str(parsed.seconds), *parsed.more]))
    content = {"size": parsed.size, "rate": parsed.rate, "seconds": parsed.seconds, "options": parsed.more, **found}
    parsed.out.write_text(json.dumps(content, indent=2) + "\n")
    print(json.dumps(content, indent=2))


if __name__ == "__main__":
    main()
