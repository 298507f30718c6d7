"""Finished runs whose pictures say which frame of which camera they are, to be read back where they are shown."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from benchmarks.looping import loop_clip
from or_mv_anon.audit.cases import Case, cases_json
from or_mv_anon.core.records import Frames, Identities, RegionKind, Regions, Tracks
from or_mv_anon.core.seals import seal
from or_mv_anon.core.store import RunStore
from or_mv_anon.pipeline.media import hash_camera, index_camera
from or_mv_anon.site import Camera

SIZE = (320, 180)
RATE = 25
BITS = 16  # of the code: 12 for the frame, 4 for the camera
CELL = 20  # px of the picture at `SIZE`


def coded_picture(camera: int, frame: int, size: tuple[int, int] = SIZE) -> NDArray[np.uint8]:
    """A picture (height, width, 3) BGR with a row of black and white cells that tell camera and frame."""
    picture = np.full((size[1], size[0], 3), 90, np.uint8)
    picture[:, :, camera % 3] = 140
    code, cell = camera << 12 | frame, CELL * size[0] // SIZE[0]
    for bit in range(BITS):
        picture[cell : 2 * cell, bit * cell : (bit + 1) * cell] = 255 if code >> bit & 1 else 0
    left = 5 * frame % (size[0] - 40)
    picture[size[1] // 2 : size[1] // 2 + 40, left : left + 40] = (40, 220, 240)
    return picture


def code_in(picture: NDArray[Any]) -> tuple[int, int]:
    """The camera and the frame that a picture (height, width, any) of whatever size says it is of."""
    cell = CELL * picture.shape[1] / SIZE[0]
    code = 0
    for bit in range(BITS):
        middle = picture[round(1.3 * cell) : round(1.7 * cell), round((bit + 0.3) * cell) : round((bit + 0.7) * cell)]
        code |= int(middle[..., :3].mean() > 128) << bit
    return code >> 12, code & 0xFFF


@dataclass(frozen=True)
class View:
    """A camera of a made-up run: its frames, when they were taken, and which of them the output lacks."""

    frames: int = 60
    offset: float = 0.0
    start: float = 0.0
    missing: tuple[int, ...] = ()
    rate: int = RATE
    gop: int = 100
    turn: int | None = None  # frames after which the pictures repeat; None for never
    codec: str = "libx264"
    encoder: Mapping[str, str] = field(default_factory=lambda: {"preset": "ultrafast", "crf": "18", "bf": "2"})
    picture: Callable[[int, int, tuple[int, int]], NDArray[np.uint8]] = coded_picture  # of (camera, frame, size)


def write_reviewed(
    out: Path,
    views: Mapping[str, View],
    *,
    size: tuple[int, int] = SIZE,
    cases: Sequence[Case] | None = None,
    recordings: Path | None = None,
) -> Path:
    """A finished run with such cameras, and its recordings where a folder is given for them."""
    store = RunStore.open(out / "stages")
    audit: dict[str, Any] = {
        "schema": "or_mv_anon/audit/1",
        "verdict": {"sentence": "Finished."},
        "session": "morning",
        "created": "2020-01-01T00:00:00+00:00",
        "options": {"method": "solid", "start": None},
        "settings": {"tracking": {"new_track_score": 0.5}},
        "inputs": [],
        "outputs": [],
        "cameras": [],
    }
    for number, (name, view) in enumerate(views.items()):
        output = write_coded(out / f"{name}.mp4", number, view, size=size)
        if recordings is not None:
            whole = View(view.frames, start=view.start, rate=view.rate)
            camera = Camera(name=name, files=write_coded(recordings / f"{name}.mp4", number, whole, size=size))
            index_camera(camera, store)
            hash_camera(camera, store.root)
            store.finish(f"{name}/hash", "x", files=[f"{name}/blocks.parquet"])
        _write_tables(store, name, view, size)
        sealed = seal(output).seal
        audit["inputs"].append({"camera": name, "width": size[0], "height": size[1]})
        audit["outputs"].append({"camera": name, "name": output.name, "sha256": sealed.sha256, "bytes": sealed.size})
        seconds = list(range(int(view.start), int(view.start + view.frames / view.rate) + 1))
        series = {"second": seconds, "covered": [0.1] * len(seconds), "people": [1] * len(seconds)}
        about = {"camera": name, "offset_s": view.offset, "start_s": view.offset + view.start}
        audit["cameras"].append({**about, "duration_s": view.frames / view.rate, "summary": {"series": series}})
    if cases is not None:
        store.keep("cases", "cases.json", cases_json(cases))
    (out / "audit.json").write_text(json.dumps(audit))
    return out


def write_coded(path: Path, number: int, view: View, *, size: tuple[int, int]) -> Path:
    """A video of coded pictures."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if view.turn is not None:
        once = write_coded(path.with_suffix(".once.mp4"), number, replace(view, frames=view.turn, turn=None), size=size)
        loop_clip(once, path, frames=view.frames)
        once.unlink()
        return path
    clock = Fraction(1, 512 * view.rate)
    options = {"video_track_timescale": str(clock.denominator), "movie_timescale": str(clock.denominator)}
    with av.open(str(path), "w", options=options) as container:
        stream: Any = container.add_stream(view.codec, rate=view.rate, width=size[0], height=size[1], time_base=clock)
        stream.pix_fmt = "yuv420p"
        stream.options = dict(view.encoder)
        stream.codec_context.gop_size = view.gop
        stream.codec_context.thread_count = 1
        for frame in range(view.frames):
            if frame in view.missing:
                continue
            image = av.VideoFrame.from_ndarray(view.picture(number, frame, size), format="bgr24")
            image = image.reformat(format="yuv420p")
            image.pts, image.time_base = _ticks(view, frame), clock
            container.mux(stream.encode(image))
        container.mux(stream.encode(None))
    return path


def case(number: int, start: float, end: float, *cameras: str, **more: Any) -> Case:
    """A case; `more` are other fields of it."""
    about = {"identity": None, "tracks": (), "boxes": {}, "reasons": ("track_ends_inside",), "severity": 1.0}
    what = f"Case {number}: look whether a face is visible."
    return Case(
        id=f"{number:010x}", start=start, end=end, cameras=cameras, **{**about, "what": what, "review_s": 5.0, **more}
    )


def _ticks(view: View, frame: int) -> int:
    return round(view.start * 512 * view.rate) + 512 * frame


def _write_tables(store: RunStore, name: str, view: View, size: tuple[int, int]) -> None:
    frame = np.arange(view.frames)
    pts = np.array([_ticks(view, each) for each in frame])
    frames = Frames(frame=frame, pts=pts, time=pts / (512 * view.rate), flags=np.ones(view.frames))
    box = np.tile(np.array([10, 60, 50, 100], np.float32), (view.frames, 1))
    regions = Regions(
        frame=frame, box=box, kind=np.full(view.frames, RegionKind.HEAD), track=np.zeros(view.frames),
        uncertainty=np.zeros(view.frames),
    )  # fmt: skip
    tracks = Tracks(
        frame=frame, track=np.zeros(view.frames), box=box, score=np.full(view.frames, 0.9),
        provenance=np.zeros(view.frames), detection=np.zeros(view.frames),
    )  # fmt: skip
    half = view.frames // 2
    placed = []
    for part, rows in ((0, slice(0, half)), (1, slice(half, None))):
        store.write(f"{name}/frames-{part:05d}.parquet", frames[rows])
        store.write(f"{name}/regions-{part:05d}.parquet", regions[rows])
        placed.append(f"{name}/regions-{part:05d}.parquet")
        gone = [int(pts[each]) for each in view.missing]
        store.finish(f"{name}/analyse/{part:05d}", "x", files=[f"{name}/frames-{part:05d}.parquet"])
        store.finish(f"{name}/render/{part:05d}", "x", files=[], facts={"missing": gone if part == 0 else []})
    store.write(f"{name}/tracks.parquet", tracks)
    store.write(
        f"{name}/identities.parquet", Identities(track=np.zeros(1), identity=np.full(1, 3), confidence=np.ones(1))
    )
    store.finish(f"{name}/track", "x", files=[f"{name}/tracks.parquet", f"{name}/identities.parquet"])
    store.finish(f"{name}/place", "x", files=placed)
