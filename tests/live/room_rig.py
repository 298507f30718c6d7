"""A room for tests: clips in which every frame carries its number and somebody's face, and networks that know both.

The face is yellow, which nothing else in the picture is: where any yellow comes out, an unprotected frame went out.
The frame's number is a strip of black and white blocks: where it can be read, the frame was not covered whole.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import av
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.config import load_config
from or_mv_anon.endoscopy.settings import load_endoscopy_config
from or_mv_anon.live.room import RoomOptions, RoomRun
from or_mv_anon.live.room_site import load_live_site
from or_mv_anon.live.settings import load_live_config
from or_mv_anon.models.pose import Halpe26
from or_mv_anon.regions.networks import Networks

SIZE = 320, 192
RATE = 15
EPOCH = 1_773_492_060.0  # the wall clock of quick runs: a minute after a full hour, at which another file begins
BITS, BLOCK = 12, 16  # of the number's strip; px
BODY_WIDTH, BODY_HEIGHT, HEAD = 36, 100, 24  # px
Picture = NDArray[np.uint8]


def draw(number: int, *, where: float | None = None, seed: int = 0) -> Picture:
    """Frame `number`, RGB; `where` is the middle of the person, None for one who walks to and fro."""
    noise = np.random.default_rng(seed)
    blocks = noise.integers(60, 150, (SIZE[1] // 16, SIZE[0] // 16, 1), np.uint8)
    picture = np.repeat(np.kron(blocks[..., 0], np.ones((16, 16), np.uint8))[..., None], 3, axis=2)
    middle = 160 + 90 * np.sin(number / 12) if where is None else where
    left, top = round(middle - BODY_WIDTH / 2), 40
    picture[top : top + BODY_HEIGHT, left : left + BODY_WIDTH] = (200, 30, 200)
    head = round(middle - HEAD / 2)
    picture[top : top + HEAD, head : head + HEAD] = (230, 220, 20)
    for bit in range(BITS):
        picture[-BLOCK:, bit * BLOCK : (bit + 1) * BLOCK] = 235 if number >> bit & 1 else 20
    return picture


def write_room_clip(
    path: Path, *, frames: int, rate: int = RATE, first: int = 0, still: Callable[[int], int] = lambda number: number,
    change: Callable[[int, Picture], Picture] = lambda number, picture: picture, seed: int = 0, gop: int = 15,
) -> Path:  # fmt: skip
    """A clip. `still` says which frame is drawn in a frame's place, `change` what becomes of it."""
    with av.open(str(path), "w") as container:
        options = {"crf": "12", "preset": "ultrafast", "tune": "zerolatency"}
        stream = container.add_stream("libx264", rate=rate, options=options)
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.gop_size = gop
        for number in range(frames):
            picture = change(number, draw(first + still(number), seed=seed))
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


class FakeDetector:
    """Finds the magenta body; `before` is called before each look, and may wait or raise."""

    provider = "a test's, on a CPU"
    on_cpu = True

    def __init__(self, before: Callable[[int], None] = lambda count: None) -> None:
        self.looks = 0
        self._before = before

    def with_settings(self, config: Any) -> Self:
        return self

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        return width, height

    def detect(self, pictures: Sequence[Picture], *, size: tuple[int, int]) -> list[Any]:
        found = []
        for picture in pictures:
            self.looks += 1
            self._before(self.looks)
            blue, green, red = (picture[..., channel].astype(int) for channel in range(3))
            rows, columns = np.nonzero((red - green > 70) & (blue - green > 70))
            boxes = np.zeros((0, 4), np.float32)
            if len(rows) > 100:
                box = [columns.min(), rows.min(), columns.max() + 1, rows.max() + 1]
                box[1] = min(box[1], box[3] - BODY_HEIGHT)
                boxes = np.array([box], np.float32)
            found.append((boxes, np.full(len(boxes), 0.9, np.float32)))
        return found


class FakeFaces(FakeDetector):
    """Finds no face."""

    def detect(self, pictures: Sequence[Picture], *, size: tuple[int, int]) -> list[Any]:
        return [(np.zeros((0, 4), np.float32), np.zeros(0, np.float32)) for _ in pictures]


class FakePose:
    """Places the head at the top of every box."""

    provider = "a test's, on a CPU"

    def estimate(self, picture: Picture, boxes: NDArray[np.float32]) -> tuple[Any, Any]:
        points = np.zeros((len(boxes), len(Halpe26), 2), np.float32)
        scores = np.zeros((len(boxes), len(Halpe26)), np.float32)
        middle, scale = (boxes[:, 0] + boxes[:, 2]) / 2, (boxes[:, 3] - boxes[:, 1]) / BODY_HEIGHT
        for point, across, down in (
            (Halpe26.NOSE, 0, 12), (Halpe26.LEFT_EYE, 3, 9), (Halpe26.RIGHT_EYE, -3, 9), (Halpe26.LEFT_EAR, 8, 10),
            (Halpe26.RIGHT_EAR, -8, 10), (Halpe26.HEAD_TOP, 0, 0), (Halpe26.NECK, 0, 26),
            (Halpe26.LEFT_SHOULDER, 16, 30), (Halpe26.RIGHT_SHOULDER, -16, 30),
        ):  # fmt: skip
            points[:, point] = np.stack([middle + across * scale, boxes[:, 1] + down * scale], axis=1)
            scores[:, point] = 0.9
        return points, scores

    def estimate_together(self, looks: Sequence[tuple[Picture, NDArray[np.float32]]]) -> tuple[Any, Any]:
        found = [self.estimate(*look) for look in looks]
        return np.concatenate([points for points, _ in found]), np.concatenate([scores for _, scores in found])


def fake_networks(before: Callable[[int], None] = lambda count: None) -> Networks:
    """Networks that see the tests' clips."""
    return Networks({"detector": FakeDetector(before), "pose": FakePose(), "face": FakeFaces()})


def room(
    folder: Path, clips: Sequence[Path | str], networks: Networks, *, live: dict[str, dict[str, Any]] | None = None,
    site: str = "", beside: bool = False, **options: Any,
) -> tuple[RoomRun, list[str]]:  # fmt: skip
    """A run over `clips`, whose outputs go to `folder`/out; and what it says. `beside`: see `RoomRun`."""
    folder.mkdir(exist_ok=True, parents=True)
    tables = "".join(
        f'[[camera]]\nname = "cam{n}"\ninput = "{clip}"\n{site.replace("CAM", str(n))}\n'
        for n, clip in enumerate(clips, 1)
    )
    (folder / "site.toml").write_text(tables)
    said: list[str] = []
    run = RoomRun(
        load_live_site(folder / "site.toml", out=folder / "out", secrets={}), RoomOptions(**options),
        config=load_config(), live=load_live_config(None, {"memory": {"learn_looks": 0}, **(live or {})}),
        networks=[networks], endoscopy=load_endoscopy_config(), classifier=None, say=said.append,
        beside=beside,
    )  # fmt: skip
    if run.clock._epoch is not None:
        run.clock._epoch = EPOCH
    return run, said


def pictures(folder: Path, camera: str = "cam1") -> list[Picture]:
    """All pictures that came out of a camera, RGB, in order."""
    found = []
    for path in sorted((folder / "out" / camera).glob("*.mp4*")):
        with av.open(str(path), format="mp4") as container:
            try:
                found += [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
            except av.error.FFmpegError:
                continue
    return found


def times(folder: Path, camera: str = "cam1") -> list[float]:
    """Timestamps of the pictures of a camera's only file."""
    (path,) = (folder / "out" / camera).glob("*.mp4")
    with av.open(str(path)) as container:
        return [float(frame.pts * frame.time_base) for frame in container.decode(video=0)]


def shows_face(picture: Picture) -> bool:
    """Whether any of the yellow face can be seen."""
    red, green, blue = (picture[..., channel].astype(int) for channel in range(3))
    return bool(((red > 150) & (green > 140) & (blue < 110)).sum() > 8)


def number_of(picture: Picture) -> int | None:
    """The frame's number; None if the picture was covered whole, or is a slate."""
    middle = picture[-BLOCK // 2, BLOCK // 2 : BITS * BLOCK : BLOCK].mean(axis=1)
    if np.ptp(picture[-BLOCK // 2, :, 0].astype(int)) < 60:
        return None
    return sum(int(level > 128) << bit for bit, level in enumerate(middle))


def wait_until(what: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait until `what` is true."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def in_background(run: RoomRun) -> threading.Thread:
    """Let it run in another thread."""
    thread = threading.Thread(target=run.run, daemon=True)
    thread.start()
    return thread


@contextmanager
def running(run: RoomRun) -> Iterator[None]:
    """Let it run meanwhile, and end it then."""
    thread = in_background(run)
    try:
        yield
    finally:
        run.ask_to_stop()
        thread.join(60)
    assert not thread.is_alive()


def send(port: int, numbers: range, stop: threading.Event) -> None:
    """Send frames in real time, as a camera does."""
    with av.open(f"udp://127.0.0.1:{port}?pkt_size=1316", "w", format="mpegts") as container:
        stream: Any = container.add_stream("libx264", rate=RATE, options={"tune": "zerolatency", "crf": "12"})
        stream.width, stream.height, stream.pix_fmt = *SIZE, "yuv420p"
        stream.codec_context.gop_size = 5
        for number in numbers:
            if stop.wait(1 / RATE):
                return
            container.mux(stream.encode(av.VideoFrame.from_ndarray(draw(number), format="rgb24")))
