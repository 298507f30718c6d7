"""How a live room is, in figures: for the line that people read, for machines, for the record of every minute."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

from or_mv_anon.live.judged_camera import JudgedCamera
from or_mv_anon.live.ladder import Step
from or_mv_anon.live.room import RoomRun
from or_mv_anon.live.room_camera import RoomCamera

COUNTS = (
    "frames_in", "frames_out", "covered", "late", "not_judged", "failures", "skipped", "slates", "unsent", "reconnects",
    "output_reconnects", "clock_jumps", "holes", "moves",
)  # fmt: skip
SHARES = (("p50", 0.5), ("p95", 0.95), ("p99", 0.99))


class RoomStatus:
    """Reads a run; figures of rates are over the time since the call before."""

    def __init__(self, run: RoomRun) -> None:
        self._run = run
        self._before: dict[str, tuple[float, int, int]] = {}  # by camera: when, looks, frames that left

    def read(self) -> dict[str, Any]:
        """Everything, as plain values."""
        run, now = self._run, time.time()
        step = Step.NOTHING if run.judge is None else run.judge.ladder.step
        judging = run.judge is None or run.judge.judging
        cameras = {name: self._camera(name, camera) for name, camera in run.cameras.items()}
        return {
            "time": round(now, 3),
            "room": run.name,
            "delay_s": run.delay,
            "overload": step.word,
            "judging": judging,
            "healthy": judging and step < Step.COVERED and all(each["state"] == "ok" for each in cameras.values()),
            "cameras": cameras,
        }

    def _camera(self, name: str, camera: RoomCamera) -> dict[str, Any]:
        judged = self._run.judged.get(name)
        meter, now = camera.meter, time.monotonic()
        looks = 0 if judged is None else judged.looks
        when, looks_before, out_before = self._before.get(name, (now, looks, meter.frames_out))
        self._before[name] = now, looks, meter.frames_out
        passed = max(now - when, 1e-6)
        return {
            "kind": camera.spec.kind,
            "state": state_of(camera, judged),
            "outputs": [{"written": sink.written, "lost": sink.lost, "problem": sink.problem} for sink in camera.sinks],
            "looks_per_s": round((looks - looks_before) / passed, 2),
            "frames_per_s": round((meter.frames_out - out_before) / passed, 2),
            "people": None if judged is None else judged.people,
            "uncovered_elsewhere": 0 if self._run.across is None else self._run.across.uncovered.get(name, 0),
            "disagrees": [] if self._run.across is None else _partners(name, self._run.across.astray),
            "clock": "sender" if camera.reader.by_sender else "arrival",
            "drift_ppm": camera.reader.drift_ppm,
            **{f"latency_{word}_s": meter.latency(share) for word, share in SHARES},
            **{count: getattr(meter, count) for count in COUNTS},
        }


def state_of(camera: RoomCamera, judged: JudgedCamera | None) -> str:
    """One word for how a camera is."""
    if camera.line.finished:
        return "ended"
    if camera.reader.size is None:
        return "waiting"
    if camera.meter.silent:
        return "no signal"
    if judged is not None and judged.fault:
        return str(judged.fault)
    if judged is not None and judged.frames.learning:
        return "learning"
    if judged is not None and judged.watch.colourless:
        return "no colour"
    return "output" if camera.problems else "ok"


def _partners(name: str, pairs: Iterable[tuple[str, str]]) -> list[str]:
    """Cameras with which one does not agree."""
    return sorted(other for pair in pairs if name in pair for other in pair if other != name)


def line(status: dict[str, Any]) -> str:
    """One line for people."""
    clock = time.strftime("%H:%M:%S", time.localtime(status["time"]))
    parts = [f"{clock} {'healthy' if status['healthy'] else 'LOOK'}, doing {status['overload']}"]
    for name, camera in status["cameras"].items():
        out = max(1, camera["frames_out"])
        latency = camera["latency_p99_s"]
        shown = "" if latency is None else f" p99 {latency * 1000:.0f} ms"
        people = "" if camera["people"] is None else f", {camera['people']} people"
        parts.append(
            f"{name} {camera['state']}{shown}, {camera['looks_per_s']:.0f} looks/s{people}, "
            f"whole {100 * camera['covered'] / out:.1f} %, late {camera['late']}, lost {camera['reconnects']}"
        )
    return " | ".join(parts)


def prometheus(status: dict[str, Any]) -> str:
    """The same as Prometheus reads it (text format 0.0.4)."""
    rows = [("up", "gauge", "", 1.0), ("healthy", "gauge", "", float(status["healthy"]))]
    words = [step.word for step in Step]
    rows.append(("overload_step", "gauge", "", float(words.index(status["overload"]))))
    for name, camera in status["cameras"].items():
        label = f'camera="{_escaped(name)}"'
        rows.append(("camera_ok", "gauge", label, float(camera["state"] == "ok")))
        rows += [("looks_per_second", "gauge", label, camera["looks_per_s"])]
        rows += [("frames_per_second", "gauge", label, camera["frames_per_s"])]
        if camera["people"] is not None:
            rows.append(("people", "gauge", label, float(camera["people"])))
        for word, share in SHARES:
            if camera[f"latency_{word}_s"] is not None:
                rows.append(("latency_seconds", "gauge", f'{label},quantile="{share:g}"', camera[f"latency_{word}_s"]))
        rows += [(f"{count}_total", "counter", label, float(camera[count])) for count in COUNTS]
        rows.append(("output_lost_total", "counter", label, float(sum(each["lost"] for each in camera["outputs"]))))
    lines, seen = [], set()
    for metric, kind, labels, value in sorted(rows, key=lambda row: row[0]):
        if metric not in seen:
            lines.append(f"# TYPE or_mv_anon_{metric} {kind}")
            seen.add(metric)
        lines.append(f"or_mv_anon_{metric}{{{labels}}} {value:g}" if labels else f"or_mv_anon_{metric} {value:g}")
    return "\n".join(lines) + "\n"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
