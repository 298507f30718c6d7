"""Nothing phones home: every command runs where the network has no route, and no packet is even tried.

A network namespace of its own counts what is sent in it, whoever sends: Python, a native library, or a child process.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import cv2

from benchmarks.hostile_material import encode
from benchmarks.hostile_tool import Case, Verdict
from benchmarks.hostile_world import World

NAMESPACE = ("unshare", "--map-root-user", "--net")
COUNTERS = {"Ip": ("OutRequests", "OutNoRoutes"), "Tcp": ("ActiveOpens",), "Udp": ("OutDatagrams",)}
SCRIPT = """"$@"; code=$?; cat /proc/net/snmp > "$COUNTED"; exit $code"""


def network(world: World) -> Iterator[Case]:
    """Each command once, its weights being there already."""
    encode(world.work / "scope" / "scope.mp4", world.clips["cam1"].pictures)
    commands = {
        "anonymize": lambda folder: world.tool.job(world.pair, folder / "out"),
        "anonymize --attack": lambda folder: world.tool.job(world.videos, folder / "out", "--attack"),
        "endoscopy": lambda folder: ["endoscopy", str(world.work / "scope"), str(folder / "out"), "--save-video"],
        "endoscopy-live": lambda folder: [
            "endoscopy-live", "--input", str(world.work / "scope" / "scope.mp4"), "--output", str(folder / "out.mp4"),
            "--pace", "fast",
        ],
        "attack": lambda folder: ["attack", "--faces", str(_people(world, folder)), "--recognizers", "sface",
                                  "--method", "solid", "--attackers", "naive"],
        "doctor": lambda folder: ["doctor"],
    }  # fmt: skip
    for name in commands:

        def attempt(folder: Path, name: str = name) -> Verdict:
            if shutil.which("unshare") is None or subprocess.run([*NAMESPACE, "true"], check=False).returncode:
                return Verdict(applies=False)
            counted = folder / "counted"
            before = (*NAMESPACE, "sh", "-c", SCRIPT, "sh")
            given = commands[name](folder)
            ran = world.tool.run(*given, before=before, environment={"COUNTED": str(counted)})
            if ran.complaint or (ran.code == 2 and name != "attack"):
                return Verdict(ran.complaint or f"does not work without a network: {ran.said}")
            sent = _sent(counted.read_text())
            return Verdict(f"tries to send: {sent}" if sent else "")

        yield Case("network silence", name, attempt)


def _people(world: World, folder: Path) -> Path:
    """Pictures of the heads in the session, two of each."""
    place = folder / "people"
    place.mkdir()
    clip = world.clips["cam1"]
    for frame in (0, 4):
        for face, box in enumerate(clip.faces[frame]):
            x1, y1, x2, y2 = (int(value) for value in box)
            side = 2 * (y2 - y1)
            head = clip.pictures[frame][max(0, y1 - side) : y2 + side, max(0, x1 - side) : x2 + side]
            cv2.imwrite(str(place / f"person{face}_{frame}.png"), cv2.resize(head, None, fx=4, fy=4))
    return place


def _sent(text: str) -> str:
    """The counters of /proc/net/snmp that are not zero."""
    rows: dict[str, dict[str, int]] = {}
    lines = text.splitlines()
    for heads, values in zip(lines[::2], lines[1::2], strict=True):
        kind, _, names = heads.partition(": ")
        numbers = values.partition(": ")[2].split()
        rows[kind] = dict(zip(names.split(), map(int, numbers), strict=True))
    found = {f"{kind} {name}": rows[kind][name] for kind, names in COUNTERS.items() for name in names}
    return ", ".join(f"{name} {count}" for name, count in found.items() if count)
