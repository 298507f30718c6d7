"""Runs the tool as users do, and looks at its results with nothing but a decoder."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray

from or_mv_anon.core.records import Regions

REPOSITORY = Path(__file__).resolve().parents[2]
TOOL = (sys.executable, str(REPOSITORY / "tools" / "anonymize_multiview.py"))
CONSOLE = (str(Path(sys.executable).with_name("or-mv-anon")), "anonymize")
PROGRESS = re.compile(r"\d+%\||: \d+ of \d+ frames")
QUICK = Path(__file__).with_name("quick.toml")
PATIENCE = 300  # seconds
LEAST_CHANGE = 10.0  # levels of 255; re-encoding alone changes the face in the clips by 3-6, covering it by 15-25
DETAIL_KEPT = 0.5  # share of the fine structure; re-encoding alone keeps 0.8-1.0, covering it at most 0.2
NEUTRAL_TAGS = {"major_brand", "minor_version", "compatible_brands", "language", "handler_name"}
NEUTRAL_TAGS |= {"vendor_id", "DURATION"}


@dataclass(frozen=True)
class Ran:
    """How a run of the tool ended."""

    code: int
    out: str
    err: str

    @property
    def sentences(self) -> list[str]:
        """What was said on stderr, progress bars left out."""
        lines = re.split("[\r\n]", self.err)
        return [line for line in lines if line.strip() and not PROGRESS.search(line)]

    def refused_with(self, *words: str) -> bool:
        """Whether it ended in one clear sentence on stderr that holds all `words`."""
        assert self.code == 2, (self.code, self.out, self.err)
        assert len(self.sentences) == 1, self.err
        sentence = self.sentences[0]
        assert sentence.startswith("error: "), sentence
        assert sentence.endswith("."), sentence
        assert "Internal error" not in sentence
        missing = [word for word in words if word not in sentence]
        assert not missing, f"{missing} not in: {sentence}"
        return True


def run(
    *arguments: object,
    command: Sequence[str] = TOOL,
    environment: Mapping[str, str] | None = None,
    before: Callable[[], None] | None = None,
) -> Ran:
    """Run the tool as a process of its own, on two workers and without looks for still heads.

    Unless `arguments` say otherwise: such looks take a quarter of the time of a run over so few frames.
    """
    usual = [] if "--workers" in arguments else ["--workers", "2"]
    chosen = {"--config", "--model", "--fast"} & set(arguments) or "render" in command
    usual += [] if chosen else ["--config", str(QUICK)]
    done = subprocess.run(
        [*command, *map(str, arguments), *usual],
        capture_output=True, text=True, timeout=PATIENCE, check=False, preexec_fn=before, env=environment,
    )  # fmt: skip
    assert "Traceback" not in done.stdout + done.stderr, done.stderr
    return Ran(done.returncode, done.stdout, done.stderr)


def audit_of(out: Path) -> dict[str, Any]:
    """The audit of a finished run."""
    content: dict[str, Any] = json.loads((out / "audit.json").read_text())
    return content


@dataclass(frozen=True)
class Clip:
    """A decoded video: times in seconds, pictures (N, height, width, 3) BGR as coded."""

    times: list[Fraction]
    pictures: NDArray[np.uint8]
    matrix: bytes | None
    codec: str
    pix_fmt: str


def decoded(path: Path) -> Clip:
    """All frames of a video."""
    times, pictures, matrix, pix_fmt = [], [], None, ""
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        for frame in container.decode(stream):
            assert frame.pts is not None
            times.append(frame.pts * Fraction(frame.time_base))
            pictures.append(frame.to_ndarray(format="bgr24"))
            side: Any = frame.side_data.get("DISPLAYMATRIX")
            matrix, pix_fmt = None if side is None else bytes(side), frame.format.name
        return Clip(times, np.stack(pictures), matrix, stream.codec_context.codec.canonical_name, pix_fmt)


def sound_of(path: Path) -> list[list[tuple[Fraction, bytes]]]:
    """Per audio stream the (time in seconds, bytes) of every packet."""
    with av.open(str(path)) as container:
        numbers = {stream.index: number for number, stream in enumerate(container.streams.audio)}
        tracks: list[list[tuple[Fraction, bytes]]] = [[] for _ in numbers]
        for packet in container.demux(list(container.streams.audio)) if numbers else ():
            if packet.size:
                assert packet.pts is not None
                tracks[numbers[packet.stream_index]].append((packet.pts * Fraction(packet.time_base), bytes(packet)))
    return tracks


def streams_of(path: Path) -> list[str]:
    """Kinds of all streams, and "chapters" if there are any."""
    with av.open(str(path)) as container:
        return [stream.type for stream in container.streams] + ["chapters"] * bool(container.chapters())


def tags_of(path: Path) -> dict[str, str]:
    """Metadata of the container and all streams that tells more than how the file is built."""
    with av.open(str(path)) as container:
        found = dict(container.metadata)
        for stream in container.streams:
            found |= stream.metadata
    return {key: value for key, value in found.items() if key not in NEUTRAL_TAGS and value != "Lavf"}


def regions_of(out: Path, camera: str) -> Regions:
    """What the run decided to cover, in upright pixels, frame 0 being the first of the output."""
    files = sorted((out / "stages" / camera).glob("regions-*.parquet"))
    return Regions.concat([Regions.from_table(pq.read_table(file)) for file in files])


def covered_mask(regions: Regions, frame: int, size: tuple[int, int], *, margin: float = 0) -> NDArray[np.bool_]:
    """Which pixels (height, width) of the upright `frame` lie in a region, or within `margin` pixels of one."""
    mask = np.zeros((size[1], size[0]), bool)
    for x1, y1, x2, y2 in regions.box[regions.frame == frame].tolist():
        left, top = max(0, int(np.floor(x1 - margin))), max(0, int(np.floor(y1 - margin)))
        mask[top : max(0, int(np.ceil(y2 + margin))), left : max(0, int(np.ceil(x2 + margin)))] = True
    return mask


def looks_covered(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Whether a small cut-out (height, width, 3) of the output no longer shows what it did in the source."""
    source, output = before.astype(np.float32), after.astype(np.float32)
    fine, kept = (picture - cv2.blur(picture, (5, 5)) for picture in (source, output))
    share = float((fine * kept).sum() / max((fine**2).sum(), 1e-6))
    return float(np.abs(output - source).mean()) > LEAST_CHANGE and share < DETAIL_KEPT


def fingerprints(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and time of every file of a result folder, the stage outputs left out."""
    return {
        str(path.relative_to(folder)): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file() and "stages" not in path.parts
    }
