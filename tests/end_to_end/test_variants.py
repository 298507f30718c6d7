"""One run over cameras that differ in everything a recording can differ in: each head covered, all else kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.end_to_end.driving import (
    CONSOLE,
    audit_of,
    covered_mask,
    decoded,
    looks_covered,
    regions_of,
    run,
    sound_of,
    streams_of,
    tags_of,
)
from tests.end_to_end.people_clips import HEADS, Picture, Turn, write_people

pytestmark = pytest.mark.sample

FRAMES = 14
IRREGULAR = [0, 33, 67, 99, 180, 181, 200, 300, 333, 360, 401, 433, 500, 517]  # milliseconds
CLEAN_DB = 30.0  # peak signal-to-noise ratio that re-encoding alone stays above


@dataclass(frozen=True)
class Variant:
    """How a camera's file is made and what its output must be."""

    file: str
    clip: dict[str, Any] = field(default_factory=dict)
    coded: Turn = lambda picture: picture
    upright: Turn = lambda picture: picture
    output: str | None = None
    codec: str = "h264"
    frames: int = FRAMES

    @property
    def camera(self) -> str:
        return Path(self.file).stem


def turned(quarters: int) -> dict[str, Any]:
    """A camera on its side: the player has to turn the coded picture by `quarters` counter-clockwise."""
    return {
        "clip": {"rotation": 90 * quarters},
        "coded": lambda picture: np.rot90(picture, -quarters),
        "upright": lambda picture: np.rot90(picture, quarters),
    }


VARIANTS = [
    Variant("plain.mp4", {"b_frames": 2}),
    Variant(
        "talkative.mp4",
        {
            "audio": "aac",
            "metadata": {"title": "Jane Doe", "comment": "OR 7"},
            "subtitles": True,
            "chapters": True,
            "frames": 20,
        },
        frames=20,
    ),
    Variant("irregular.mkv", {"time_base": Fraction(1, 1000), "pts": IRREGULAR, "audio": "libopus"}),
    Variant("late.mp4", {"time_base": Fraction(1, 90000), "pts": [450000 + 3003 * i for i in range(FRAMES)]}),
    Variant("left.mp4", **turned(1)),
    Variant("over.mov", **turned(2)),
    Variant("right.mp4", **turned(3)),
    Variant("mirror.mp4", {"flip": True}, lambda picture: picture[:, ::-1], lambda picture: picture[:, ::-1]),
    Variant("deep.mp4", {"codec": "libx265", "pix_fmt": "yuv420p10le"}, codec="hevc"),
    Variant("wide.mov", {"pix_fmt": "yuv422p"}),
    Variant("full.mp4", {"pix_fmt": "yuvj420p"}),
    Variant("odd.mp4", {"pix_fmt": "yuv444p", "size": (271, 479)}),
    Variant("odd_web.webm", {"codec": "libvpx-vp9", "size": (271, 479), "time_base": Fraction(1, 1000)}, codec="vp9"),
    Variant("film.mp4", {"codec": "libsvtav1"}, codec="av1"),
    Variant("stream.ts", {"time_base": Fraction(1, 90000)}, output="stream.mp4"),
    Variant("old.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p", "time_base": Fraction(1, 30)}, output="old.mp4"),
    Variant("single.mp4", {"frames": 1}, frames=1),
    Variant("slow.mp4", {"rate": 10, "frames": 8}, frames=8),
]
by_camera = pytest.mark.parametrize("variant", VARIANTS, ids=lambda variant: variant.camera)


@dataclass(frozen=True)
class Room:
    """The site, its results, and what the tool said."""

    videos: Path
    out: Path
    said: str
    code: int

    def output(self, variant: Variant) -> Path:
        return self.out / (variant.output or variant.file)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory, people: Picture) -> Room:
    base = tmp_path_factory.mktemp("variants")
    videos, out = base / "videos", base / "out"
    videos.mkdir()
    for variant in VARIANTS:
        options = {"frames": FRAMES} | variant.clip
        if options.get("codec", "libx264") != "libx264":
            options.setdefault("options", {"b:v": "4M"} if options["codec"] == "mjpeg" else {"crf": "16"})
        write_people(videos / variant.file, people, turn=variant.coded, **options)
    done = run("--videos", videos, "--out", out)
    return Room(videos, out, done.out + done.err, done.code)


def test_all_is_well(room: Room) -> None:
    audit = audit_of(room.out)
    assert (room.code, audit["verdict"]["well"], audit["problems"]) == (0, True, []), room.said
    assert {entry["camera"] for entry in audit["outputs"]} == {variant.camera for variant in VARIANTS}
    assert all(entry["verified"] for entry in audit["outputs"])
    assert {entry["camera"]: entry["frames"] for entry in audit["inputs"]} == {v.camera: v.frames for v in VARIANTS}
    assert (room.out / "report.html").read_text().startswith("<!")


@by_camera
def test_same_frames_at_the_same_times(room: Room, variant: Variant) -> None:
    source, output = decoded(room.videos / variant.file), decoded(room.output(variant))
    assert output.times == source.times
    assert len(output.times) == variant.frames
    assert output.pictures.shape == source.pictures.shape
    assert output.matrix == source.matrix
    assert output.codec == variant.codec
    if variant.clip.get("rotation") or variant.clip.get("flip"):
        assert source.matrix, "the variant is not what it should be"


@by_camera
def test_heads_are_covered_and_nothing_else_is_touched(room: Room, variant: Variant) -> None:
    source, output = decoded(room.videos / variant.file), decoded(room.output(variant))
    regions = regions_of(room.out, variant.camera)
    assert len(regions)
    for number in range(variant.frames):
        before, after = (variant.upright(clip.pictures[number]) for clip in (source, output))
        size = (before.shape[1], before.shape[0])
        region = covered_mask(regions, number, size)
        for head in HEADS:
            x1, y1, x2, y2 = head.box(number).astype(int)
            assert region[y1:y2, x1:x2].all(), f"frame {number}: no region over {(x1, y1, x2, y2)}"
            if head.from_the_front:
                assert looks_covered(before[y1:y2, x1:x2], after[y1:y2, x1:x2]), f"frame {number}: looks as before"
        rest = ~covered_mask(regions, number, size, margin=16)
        assert rest.mean() > 0.5
        error = float(((after[rest].astype(float) - before[rest]) ** 2).mean())
        assert 10 * np.log10(255**2 / max(error, 1e-9)) > CLEAN_DB, f"frame {number}: changed outside the regions"


@by_camera
def test_nothing_but_the_picture_is_in_the_output(room: Room, variant: Variant) -> None:
    path = room.output(variant)
    assert streams_of(path) == ["video"]
    assert tags_of(path) == {}
    assert b"Jane" not in path.read_bytes()


def test_no_private_words_in_the_reports(room: Room) -> None:
    """Folder names above the site's may name patients."""
    for name in ("audit.json", "report.html"):
        assert str(room.videos.parent) not in (room.out / name).read_text()


def test_sound_is_copied_when_asked_for(room: Room) -> None:
    done = run("--videos", room.videos, "--out", room.out, "--audio", "keep", command=CONSOLE)
    assert done.code == 0, done.out + done.err
    assert "analyse" not in done.err, "the first run's findings are used again"
    for name in ("talkative.mp4", "irregular.mkv"):
        before, after = sound_of(room.videos / name), sound_of(room.out / name)
        assert len(before) == 1
        assert before[0]
        assert after == before
        assert decoded(room.out / name).times == decoded(room.videos / name).times
        assert tags_of(room.out / name) == {}
