"""Names that are awkward, and files of the user's own: nothing of theirs is lost, nothing odd reaches the terminal."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2

from benchmarks.hostile_tool import Case, Verdict
from benchmarks.hostile_world import World

NAMES = (
    b"timing.mp4", b"geometry.json.mp4", b"manifest.json.mp4", b"audit.json.mp4", b"report.html.mp4", b"stages.mp4",
    b"-rf.mp4", b"\xff\xfe.mp4", b"caf\xe9.mp4", b"a\x1b[2Jb.mp4", b"a\x1b]0;title\x07.mp4", b"line\nbreak.mp4",
    b"tab\t.mp4", b"<script>alert(1)</script>.mp4".replace(b"/", b"\xe2\x88\x95"), b"\"quotes'.mp4", b"%d%s%n.mp4",
    b"{0}{name}.mp4", b"$(touch x).mp4", b"a;b&c|d.mp4", b"concat:a.mp4", b"http:a.mp4", b"a:b.mp4", b" lead.mp4",
    b"trail .mp4", b"trail..mp4", b"CON.mp4", b"\xe2\x80\xae4pm.mp4", b"e\xcc\x81.mp4", b"x" * 240 + b".mp4",
    b"*.mp4", b"[1].mp4", b"a\\b.mp4", b"cam 1.mp4", b"cam1.partial.mp4", b"cam1.mp4.mp4",
)  # fmt: skip


def names(world: World) -> Iterator[Case]:
    """One camera of an awkward name."""
    for name in NAMES:

        def attempt(folder: Path, name: bytes = name) -> Verdict:
            videos, out = folder / "videos", folder / "out"
            videos.mkdir()
            shutil.copy(world.videos / "cam1.mp4", os.fsencode(videos) + b"/" + name)
            ran = world.tool.anonymize(videos, out)
            if ran.complaint:
                return Verdict(ran.complaint)
            if any(ord(sign) < 32 and sign not in "\n\r\t" for sign in ran.out + ran.err):
                return Verdict("control signs reach the terminal")
            report = out / "report.html"
            if report.exists() and "<script>alert" in report.read_text(errors="replace"):
                return Verdict("a script in the report")
            if ran.code == 0 and not [path for path in out.glob("*.*") if path.suffix == ".mp4"]:
                return Verdict("ends with 0 and no video")
            strays = {path.name for path in folder.iterdir()} - {"videos", "out"}
            return Verdict(f"writes beside the output: {strays}" if strays else "")

        yield Case("names", repr(name)[1:60], attempt)
    yield Case("names", "b.avi beside a folder b.mp4/", lambda folder: _beside(world, folder))


def _beside(world: World, folder: Path) -> Verdict:
    videos = folder / "videos"
    _pictures(world, videos / "b.mp4")
    shutil.copy(world.videos / "cam1.mp4", videos / "b.avi")
    return Verdict(world.tool.anonymize(videos, folder / "out").complaint)


def _pictures(world: World, folder: Path, count: int = 2) -> Path:
    folder.mkdir(parents=True)
    for number, picture in enumerate(world.clips["cam1"].pictures[:count]):
        cv2.imwrite(str(folder / f"{number:06d}.png"), picture)
    return folder


def data_loss(world: World) -> Iterator[Case]:
    """Whatever lies in or around the output folder and is not this tool's stays as it is."""
    for name, prepare in PLACES.items():
        for options in ((), ("--overwrite",), ("--render-only",)):

            def attempt(
                folder: Path, prepare: Callable[[World, Path], tuple[Path, Path]] = prepare, options: tuple = options
            ) -> Verdict:
                videos, out = prepare(world, folder)
                before = {path: _digest(path) for path in folder.rglob("*") if path.is_file()}
                ran = world.tool.anonymize(videos, out, *options)
                lost = [path.relative_to(folder) for path, digest in before.items() if _digest(path) != digest]
                return Verdict(ran.complaint or (f"lost or changed: {', '.join(map(str, lost[:3]))}" if lost else ""))

            yield Case("data loss", f"{name}{''.join(f', {o}' for o in options)}", attempt)


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "missing"


def _mvor(world: World, folder: Path) -> tuple[Path, Path]:
    for camera in ("cam1", "cam2"):
        _pictures(world, folder / "day1" / camera / "color")
    return folder / "day1", folder / "day1"


def _camera_folders(world: World, folder: Path) -> tuple[Path, Path]:
    _pictures(world, folder / "site" / "cam1")
    return folder / "site", folder / "site"


def _in_place(world: World, folder: Path) -> tuple[Path, Path]:
    shutil.copytree(world.videos, folder / "videos")
    return folder / "videos", folder / "videos"


def _inside(world: World, folder: Path) -> tuple[Path, Path]:
    videos, _ = _in_place(world, folder)
    return videos, videos / "anonymous"


def _around(world: World, folder: Path) -> tuple[Path, Path]:
    shutil.copytree(world.videos, folder / "out" / "videos")
    return folder / "out" / "videos", folder / "out"


def _own(*names: str) -> Callable[[World, Path], tuple[Path, Path]]:
    def prepare(world: World, folder: Path) -> tuple[Path, Path]:
        videos, _ = _in_place(world, folder)
        for name in names:
            path = folder / "out" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(b"the user's own")
        return videos, folder / "out"

    return prepare


def _linked(world: World, folder: Path) -> tuple[Path, Path]:
    videos, _ = _in_place(world, folder)
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere" / "own.mp4").write_bytes(b"the user's own")
    (folder / "out").mkdir()
    (folder / "out" / "cam1.mp4").symlink_to(folder / "elsewhere" / "own.mp4")
    return videos, folder / "out"


PLACES: dict[str, Callable[[World, Path], tuple[Path, Path]]] = {
    "the output is an MVOR session": _mvor,
    "the output is a session of pictures": _camera_folders,
    "the output is the session": _in_place,
    "the output is inside the session": _inside,
    "the session is inside the output": _around,
    "an own file where a video goes": _own("cam1.mp4"),
    "an own folder where a video goes": _own("cam1.mp4/holiday.jpg"),
    "own report and audit": _own("report.html", "audit.json"),
    "own files in stages/": _own("stages/notes.txt", "stages/cam1/thesis.txt"),
    "own files beside": _own("notes.txt", "holiday/1.jpg"),
    "a link where a video goes": _linked,
}
