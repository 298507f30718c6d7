"""Files that change under the tool: two runs in one output folder, inputs and outputs that somebody replaces."""

from __future__ import annotations

import json
import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.hostile_hook import Moment, happened
from benchmarks.hostile_material import encode, shown
from benchmarks.hostile_tool import Case, Ran, Verdict
from benchmarks.hostile_world import World

MOMENTS = {  # after which operation of the covering run the input is replaced
    "its index is stored": r"rename stages/.*index\.json$",
    "analysis": r"rename stages/.*(faces|persons)-[^ ]*$",
    "tracking": r"rename stages/.*tracks\.parquet$",
    "placing": r"rename stages/.*regions-[^ ]*$",
    "the first segment": r"rename stages/.*video-[^ ]*$",
}


def two_runs(world: World) -> Iterator[Case]:
    """A run that covers and one that does not write to one folder at once."""
    draws = world.draws("two runs")
    for number in range(world.limit):
        delay, covering_first = draws.random() * 0.7, number % 2 == 0

        def attempt(folder: Path, delay: float = delay, covering_first: bool = covering_first) -> Verdict:
            out = folder / "out"
            methods = ["solid", "none"] if covering_first else ["none", "solid"]
            runs = []
            for method in methods:
                runs.append(world.tool.start(*world.tool.job(world.videos, out, "--method", method)))
                if method == methods[0]:
                    time.sleep(delay * world.seconds_of(world.clean))
            ended = [world.tool.wait(process) for process in runs]
            complaint = next((ran.complaint for ran in ended if ran.complaint), "")
            if complaint or _method_of(out) != "solid":
                return Verdict(complaint)
            exposed = world.exposed(out)
            return Verdict(f"{exposed} faces shown where the audit says solid" if exposed else "", exposed)

        order = "covering first" if covering_first else "covering second"
        yield Case("two runs in one folder", f"{order}, {delay:.0%} of a run later", attempt)


def _method_of(out: Path) -> str:
    """The method that the audit in `out` claims; "" without an audit."""
    try:
        text = (out / "audit.json").read_text()
        found = json.dumps(json.loads(text))
    except (OSError, ValueError):
        return ""
    return next((name for name in ("solid", "none") if f'"method": "{name}"' in found), "")


def changing_input(world: World) -> Iterator[Case]:
    """The recording is replaced by another of equal size and time, while the tool is at work or between runs."""
    for name, pattern in MOMENTS.items():
        for between in (False, True):

            def attempt(folder: Path, pattern: str = pattern, between: bool = between) -> Verdict:
                videos, out, hook = folder / "videos", folder / "out", folder / "hook"
                target, other = _pair_of_equal_size(world, videos / "cam1.mp4", folder / "other.mp4")
                swap = None if between else (other, target)
                moment = Moment(number=1, pattern=pattern, after=True, swap=swap)
                ran = world.tool.anonymize(videos, out, environment=moment.environment(hook, out))
                if not happened(hook):
                    return Verdict(applies=False)
                if between:
                    _replace(target, other)
                    ran = world.tool.anonymize(videos, out)
                verdict = _judge_replaced(world, ran, out) if between else world.judge(ran, out)
                exposed = len(shown({"cam1": world.other}, {"cam1": out / "cam1.mp4"}) - world.missed_of_other)
                if verdict.why or not exposed:
                    return verdict
                return Verdict(f"{exposed} faces of the other recording shown, exit code {ran.code}", exposed)

            how = "the run is killed, the input replaced" if between else "the input is replaced"
            yield Case("input replaced", f"after {name} {how}", attempt)


def _judge_replaced(world: World, ran: Ran, out: Path) -> Verdict:
    """The input was the other recording throughout the last run: what that shows undisturbed is nobody's leak."""
    if ran.complaint:
        return Verdict(ran.complaint)
    found = shown({"cam1": world.clips["cam1"]}, {"cam1": out / "cam1.mp4"}) - world.missed - world.same_in_other
    return Verdict(f"{len(found)} faces shown, exit code {ran.code}", len(found)) if found else Verdict()


def _pair_of_equal_size(world: World, target: Path, other: Path) -> tuple[Path, Path]:
    """Two recordings, the smaller one padded with an empty MP4 box."""
    encode(target, world.clips["cam1"].pictures)
    encode(other, world.other.pictures)
    small, large = sorted((target, other), key=lambda file: file.stat().st_size)
    for file in (large, small):  # a box has at least 8 bytes
        missing = large.stat().st_size + 8 - file.stat().st_size if file is small else 8
        with file.open("ab") as end:
            end.write(missing.to_bytes(4, "big") + b"free" + bytes(missing - 8))
    return target, other


def _replace(target: Path, other: Path) -> None:
    """Other content under a file's name, its time kept."""
    before = target.stat()
    shutil.copyfile(other, target)
    os.utime(target, ns=(before.st_atime_ns, before.st_mtime_ns))


def changed_output(world: World) -> Iterator[Case]:
    """A finished output is replaced or damaged, its time kept, and the tool is asked again."""
    source = world.videos / "cam1.mp4"
    half = {"cut in half": 0.5, "cut by a tenth": 0.9, "emptied": 0.0}
    for name in ("replaced by the recording", "replaced by the recording at its size", "a bit flipped", *half):
        for options in ((), ("--render-only",)):

            def attempt(folder: Path, name: str = name, options: tuple[str, ...] = options) -> Verdict:
                videos, out = world.copy(folder)
                target, before = out / "cam1.mp4", (out / "cam1.mp4").read_bytes()
                content = bytearray(source.read_bytes() if name.startswith("replaced") else before)
                if name.endswith("size"):
                    content = content[: len(before)] + bytes(max(0, len(before) - len(content)))
                elif name == "a bit flipped":
                    content[len(content) // 2] ^= 1
                elif name in half:
                    content = content[: int(len(content) * half[name])]
                changed = folder / "changed.mp4"
                changed.write_bytes(content)
                _replace(target, changed)
                return world.judge_same(world.tool.anonymize(videos, out, *options), out)

            yield Case("output replaced", f"{name}{', --render-only' if options else ''}", attempt)
