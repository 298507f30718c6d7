"""Every kind of fault ends with the code that says what is to be done, and with one sentence that names it.

0: complete. 1: complete as far as it goes, with something to look at. 2: nothing could be done with it.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from or_mv_anon.cli import tool
from tests.clips import write_packets, write_together
from tests.end_to_end.driving import Ran, audit_of, decoded
from tests.end_to_end.people_clips import Picture, write_people

pytestmark = pytest.mark.sample

TRANSPORT = {"time_base": Fraction(1, 90_000), "frames": 6}
Make = Callable[[Path, Picture], object]


@pytest.fixture
def anonymize(tmp_path: Path, people: Picture, capfd: pytest.CaptureFixture[str]) -> Callable[[Make], Ran]:
    """Makes the recordings of one kind and runs the whole command over them, in this process."""

    def run(make: Make) -> Ran:
        (tmp_path / "site").mkdir()
        make(tmp_path / "site", people)
        arguments = ["--videos", str(tmp_path / "site"), "--out", str(tmp_path / "out"), "--workers", "1"]
        capfd.readouterr()
        code = tool("or_mv_anon.pipeline.cli", arguments)
        said = capfd.readouterr()
        return Ran(code, said.out, said.err)

    return run


def lost(site: Path, people: Picture, suffix: str, **clip: Any) -> None:
    sound = write_people(site.parent / f"sound{suffix}", people, frames=12, **clip)
    write_packets(sound, site / f"cam1{suffix}", lambda number, data: None if number == 8 else data)


def shortened(site: Path, people: Picture) -> None:
    sound = write_people(site.parent / "sound.mp4", people, frames=12)
    write_packets(sound, site / "cam1.mp4", lambda number, data: data[: len(data) // 2] if number == 8 else data)


def flipped(site: Path, people: Picture) -> None:
    sound = write_people(site.parent / "sound.mkv", people, frames=12, codec="libx265", options={})
    bits = np.random.default_rng(3)

    def flip(number: int, data: bytes) -> bytes:
        changed = bytearray(data)
        for place in bits.integers(len(data) // 2, len(data), 20 * (number in (7, 8))):
            changed[place] ^= 1 << int(bits.integers(8))
        return bytes(changed)

    write_packets(sound, site / "cam1.mkv", flip, container_options={"write_crc32": "0"})


def joined(site: Path, people: Picture, *, half: bool = False, back: bool = False) -> None:
    """Two transport streams behind one another: the second smaller, or with a clock that begins anew."""
    parts = []
    for part in range(2):
        ticks = [3000 * (number + (0 if back else 6 * part)) for number in range(6)]
        turn = {"turn": lambda picture: picture[::2, ::2]} if half and part else {}
        parts.append(write_people(site.parent / f"{part}.ts", people, first=6 * part, pts=ticks, **turn, **TRANSPORT))
    (site / "cam1.ts").write_bytes(b"".join(part.read_bytes() for part in parts))


def two_pictures(site: Path, people: Picture) -> None:
    large, small = (write_people(site.parent / f"{step}.mp4", people[:, ::step, ::step], frames=4) for step in (1, 2))
    write_together((small, large), site / "cam1.mkv")


def cut(site: Path, people: Picture, suffix: str, share: float) -> None:
    path = write_people(site / f"cam1{suffix}", people, frames=12)
    path.write_bytes(path.read_bytes()[: int(path.stat().st_size * share)])


def replaced(site: Path, people: Picture, old: bytes, new: bytes) -> None:
    path = write_people(site / "cam1.mp4", people, frames=4)
    assert old in path.read_bytes()
    path.write_bytes(path.read_bytes().replace(old, new))


def with_an_empty_one(site: Path, people: Picture) -> None:
    write_people(site / "cam1.mp4", people, frames=4)
    (site / "cam2.mp4").write_bytes(b"")


def sound_alone(site: Path, people: Picture) -> None:
    with av.open(str(site / "cam1.mp4"), "w") as output:
        stream: Any = output.add_stream("aac", rate=48000)
        frame = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        frame.sample_rate = 48000
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            output.mux(packet)


def garbage(site: Path, people: Picture) -> None:
    sound = write_people(site.parent / "sound.mp4", people, frames=4)
    write_packets(sound, site / "cam1.mp4", lambda number, data: b"\0\0\0\5" + b"\xff" * 5)


COMPLETE: dict[str, tuple[str, int, Make]] = {  # kind: (a word of the note on it, pictures, how it is made)
    "sound": ("", 12, lambda site, people: write_people(site / "cam1.mp4", people, frames=12)),
    "B-frames in AVI": ("", 12, lambda site, people: write_people(
        site / "cam1.avi", people, frames=12, b_frames=2, time_base=Fraction(1, 30))),
    "another size on the way": ("change in size", 12, lambda site, people: joined(site, people, half=True)),
    "a clock that goes back": ("clock jumps", 12, lambda site, people: joined(site, people, back=True)),
}  # fmt: skip
TO_LOOK_AT: dict[str, tuple[str, Make]] = {  # kind: (words of the problem, how it is made)
    "a lost packet in MP4": ("damaged", lambda site, people: lost(site, people, ".mp4")),
    "a lost packet in Matroska": ("damaged", lambda site, people: lost(
        site, people, ".mkv", time_base=Fraction(1, 1000))),
    "a lost packet of AV1": ("damaged", lambda site, people: lost(
        site, people, ".mp4", codec="libsvtav1", options={})),
    "a packet cut short": ("damaged", shortened),
    "flipped bits in HEVC": ("damaged", flipped),
    "cut off": ("cut off", lambda site, people: cut(site, people, ".mkv", 0.7)),
    "two pictures in one file": ("Left out: 0", two_pictures),
    "one of two cameras empty": ("cam2.mp4 is empty", with_an_empty_one),
}  # fmt: skip
SHOWN_ELSEWHERE = {
    "sound", "B-frames in AVI", "a lost packet in Matroska", "a packet cut short", "cut off",
    "two pictures in one file", "one of two cameras empty",
}  # fmt: skip
REFUSED: dict[str, tuple[str, Make]] = {  # kind: (words of the sentence, how it is made)
    "empty": ("is empty", lambda site, people: (site / "cam1.mp4").write_bytes(b"")),
    "text": ("cannot be read as video", lambda site, people: (site / "cam1.mp4").write_text("no video\n" * 99)),
    "never finished": ("cut off", lambda site, people: cut(site, people, ".mp4", 0.5)),
    "an unknown codec": ("o decoder", lambda site, people: replaced(site, people, b"avc1", b"zz99")),
    "sound alone": ("no video stream", sound_alone),
    "nothing decodes": ("can be decoded", garbage),
    "a playlist": ("playlist", lambda site, people: (site / "cam1.mp4").write_text("#EXTM3U\n#EXTINF:1,\nx.ts\n")),
    "no recording at all": ("site", lambda site, people: (site / "notes.txt").write_text("none")),
}


def usually(kinds: dict[str, Any]) -> list[Any]:
    """Those that no other test here shows run always, the others with the slow tests."""
    return [pytest.param(kind, marks=pytest.mark.slow if kind in SHOWN_ELSEWHERE else ()) for kind in kinds]


@pytest.mark.parametrize("kind", usually(COMPLETE))
def test_complete(anonymize: Callable[[Make], Ran], tmp_path: Path, kind: str) -> None:
    word, pictures, make = COMPLETE[kind]
    ran = anonymize(make)
    audit = audit_of(tmp_path / "out")
    assert ran.code == 0, ran.out + ran.err
    assert audit["verdict"]["well"]
    assert audit["problems"] == []
    assert [note for note in audit["notes"] if word in note] or not word
    output = next(path for path in (tmp_path / "out").iterdir() if path.stem == "cam1")
    assert len(decoded(output).times) == pictures


@pytest.mark.parametrize("kind", usually(TO_LOOK_AT))
def test_complete_with_something_to_look_at(anonymize: Callable[[Make], Ran], tmp_path: Path, kind: str) -> None:
    words, make = TO_LOOK_AT[kind]
    ran = anonymize(make)
    audit = audit_of(tmp_path / "out")
    assert ran.code == 1, ran.out + ran.err
    assert not audit["verdict"]["well"]
    (problem,) = [problem for problem in audit["problems"] if words in problem]
    assert problem.endswith(".")
    assert words in ran.out + ran.err
    assert "Internal error" not in ran.out + ran.err
    assert next(path for path in (tmp_path / "out").iterdir() if path.stem == "cam1")


@pytest.mark.parametrize("kind", REFUSED)
def test_refused(anonymize: Callable[[Make], Ran], tmp_path: Path, kind: str) -> None:
    words, make = REFUSED[kind]
    assert anonymize(make).refused_with(words)
    assert not [path for path in (tmp_path / "out").glob("*") if path.stem == "cam1"]
