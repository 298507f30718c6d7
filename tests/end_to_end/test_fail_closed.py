"""What breaks while a frame is looked at, covered or encoded: the frame is black in the file, and listed."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from or_mv_anon.core.config import PipelineConfig, load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import FrameFlag, RegionKind, Regions
from or_mv_anon.core.run_layout import REGIONS
from or_mv_anon.core.store import RunStore
from or_mv_anon.operators import line
from or_mv_anon.operators.cells import Method
from or_mv_anon.pipeline import covering
from or_mv_anon.pipeline.covering import RegionsByFrame, Rendered, Writer, render_segment
from or_mv_anon.pipeline.media import CameraPlan, index_camera
from or_mv_anon.pipeline.stages import analyse, place, track
from or_mv_anon.regions.observe import observe_frames, plan_schedule
from or_mv_anon.regions.sources.head import HEAD_NETWORK
from or_mv_anon.site import Camera
from or_mv_anon.video.encoding import choose_encoder
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.index import index_video
from or_mv_anon.video.reader import VideoSource
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.writer import SegmentWriter
from tests.clips import write_clip
from tests.end_to_end.driving import decoded
from tests.vouching import vouch

COUNT = 8
SIZE = (96, 64)
BOX = (32, 16, 64, 48)
BROKEN = 3
NOTHING = (np.zeros((0, 4), np.float32), np.zeros(0, np.float32))


@pytest.fixture
def source(tmp_path: Path) -> VideoSource:
    return VideoSource(index_video(write_clip(tmp_path / "cam.mp4", frames=COUNT, size=SIZE, options={"crf": "5"})))


@pytest.fixture
def config() -> PipelineConfig:
    return load_config(None, {"static_heads": {"interval_s": 0.0}})


@dataclass
class FakeNetwork:
    """Finds one person or face in every picture, and fails at its `fails_at`-th call."""

    fails_at: int = -1
    calls: int = field(default=0, init=False)

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        return width, height

    def _count(self) -> None:
        self.calls += 1
        if self.calls - 1 == self.fails_at:
            raise RuntimeError("out of memory")

    def detect(self, pictures: list[Any], *, size: tuple[int, int]) -> list[tuple[NDArray[Any], NDArray[Any]]]:
        self._count()
        return [(np.array([BOX], np.float32), np.array([0.9], np.float32)) for _ in pictures]

    def estimate(self, picture: NDArray[Any], boxes: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
        self._count()
        return np.zeros((len(boxes), 26, 2), np.float32), np.zeros((len(boxes), 26), np.float32)

    def embed(self, picture: NDArray[Any], boxes: NDArray[Any]) -> NDArray[Any]:
        self._count()
        return np.zeros((len(boxes), 512), np.float32)


@dataclass
class FakeNetworks:
    by_role: dict[str, FakeNetwork]
    batch: int = 1
    providers: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, role: str) -> FakeNetwork:
        return self.by_role.get(role, FakeNetwork())

    def __contains__(self, role: str) -> bool:
        return role != HEAD_NETWORK


@pytest.mark.parametrize(
    ("role", "source_name"),
    [("detector", "persons"), ("pose", "keypoints"), ("face", "faces"), ("embedder", "embeddings")],
)
def test_a_network_that_fails_on_one_frame(
    source: VideoSource, config: PipelineConfig, role: str, source_name: str
) -> None:
    networks: Any = FakeNetworks({role: FakeNetwork(fails_at=1)})
    schedule = plan_schedule(source.times, config, first=0, stop=COUNT)
    looked = schedule[source_name]
    frame = int(np.flatnonzero(looked)[1])
    found = observe_frames(source.frames(Segment(0, 0, COUNT)), networks, schedule, config)
    assert found.frames == list(range(COUNT))
    assert [number for number, flags in zip(found.frames, found.flags, strict=True) if flags & FrameFlag.FAILED] == [
        frame
    ]
    assert len(found.problems) == 1
    assert f"frame {frame}" in found.problems[0]
    assert "out of memory" in found.problems[0]


def test_a_failing_batch_covers_all_its_frames(source: VideoSource, config: PipelineConfig) -> None:
    networks: Any = FakeNetworks({"detector": FakeNetwork(fails_at=1)}, batch=3)
    schedule = plan_schedule(source.times, config, first=0, stop=COUNT)
    found = observe_frames(source.frames(Segment(0, 0, COUNT)), networks, schedule, config)
    failed = [number for number, flags in zip(found.frames, found.flags, strict=True) if flags & FrameFlag.FAILED]
    assert failed == [3, 4, 5]


@dataclass
class GappySource:
    """A source that cannot decode some frames."""

    source: VideoSource
    lost: tuple[int, ...]
    missing: list[int] = field(default_factory=list)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.source, name)

    def frames(self, segment: Segment, **options: Any) -> Iterator[Frame]:
        self.missing += [int(self.source.pts[number]) for number in self.lost]
        return (frame for frame in self.source.frames(segment, **options) if frame.index not in self.lost)


def test_what_the_first_pass_could_not_judge_is_covered_whole(
    tmp_path: Path, source: VideoSource, config: PipelineConfig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Even if the second pass can decode it."""
    store = RunStore.open(tmp_path / "stages")
    camera = Camera(name="cam", files=source.path)
    assert index_camera(camera, store).n_frames == COUNT
    segment = Segment(0, 0, COUNT)
    plan = CameraPlan(camera, store.root, (segment,), 0, choose_encoder(source.index), tmp_path / "out.mp4")
    networks: Any = FakeNetworks({"detector": FakeNetwork(fails_at=BROKEN)})
    settings: Any = None
    with monkeypatch.context() as patch:
        patch.setattr(analyse, "load_networks", lambda *_: networks)
        patch.setattr(analyse, "open_camera", lambda *_, **__: GappySource(source, lost=(5,)))
        analyse.analyse(analyse.AnalyseJob(plan, segment, settings, config))
    vouch(store)
    track.track(track.TrackJob(plan, config))
    vouch(store)
    place.place(place.PlaceJob(plan, config))
    vouch(store)
    regions = store.read(plan.file(REGIONS, segment), Regions)
    whole = regions[regions.kind == RegionKind.FRAME]
    assert whole.frame.tolist() == [BROKEN, *range(5, COUNT)], "what may depend on a lost frame is covered with it"
    assert (whole.box == [0, 0, *SIZE]).all()


@dataclass
class Rig:
    """Renders the clip with one region per frame, through a writer that may be told to misbehave."""

    source: VideoSource
    path: Path
    spoil: Callable[[int, Frame], None] = lambda turn, frame: None
    turns: int = 0

    def render(self, regions: Regions | None = None, method: Method = "solid") -> Rendered:
        segment = Segment(0, 0, COUNT)
        return render_segment(
            lambda: self.source.frames(segment),
            self._writer,
            lambda: VideoSource(index_video(self.path)).frames(segment),
            RegionsByFrame(one_box_per_frame() if regions is None else regions, first=0),
            method,
            load_config(None, {}).operators,
        )

    @contextlib.contextmanager
    def _writer(self) -> Iterator[Writer]:
        self.turns += 1
        encoding = choose_encoder(self.source.index)
        with SegmentWriter(self.path, self.source.index, encoding, crf=5, preset="ultrafast") as writer:
            yield SpoilingWriter(writer, self.spoil, self.turns)


@dataclass
class SpoilingWriter:
    writer: SegmentWriter
    spoil: Callable[[int, Frame], None]
    turn: int

    def write(self, frame: Frame) -> None:
        self.spoil(self.turn, frame)
        self.writer.write(frame)


def one_box_per_frame() -> Regions:
    return Regions(
        frame=np.arange(COUNT),
        box=np.tile(np.array(BOX, np.float32), (COUNT, 1)),
        kind=np.zeros(COUNT),
        track=np.zeros(COUNT),
        uncertainty=np.zeros(COUNT),
    )


@pytest.fixture
def rig(tmp_path: Path, source: VideoSource) -> Rig:
    return Rig(source, tmp_path / "rendered.mp4")


def assert_black_frames(rig: Rig, black: list[int]) -> None:
    """The frames in `black` are black whole, in all others the region alone is."""
    before, after = decoded(rig.source.path), decoded(rig.path)
    assert after.times == before.times
    x1, y1, x2, y2 = BOX
    for number in range(COUNT):
        if number in black:
            assert after.pictures[number].max() < 16
        else:
            assert after.pictures[number, y1:y2, x1:x2].max() < 40
            assert np.abs(after.pictures[number, 52:].astype(int) - before.pictures[number, 52:]).mean() < 5


def test_nothing_breaks(rig: Rig) -> None:
    result = rig.render()
    assert (result.frames, result.regions, result.blanked, result.problems) == (COUNT, COUNT, [], [])
    assert rig.turns == 1
    assert_black_frames(rig, [])


def test_an_operator_that_raises(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def cover(*arguments: Any, **options: Any) -> Any:
        calls.append(arguments)
        if len(calls) == BROKEN + 1:
            arguments[0][0].pixels[:2] = 7  # half done when it breaks
            raise ValueError("no such thing")
        return original(*arguments, **options)

    original = line.cover
    monkeypatch.setattr(line, "cover", cover)
    result = rig.render()
    assert result.blanked == [BROKEN]
    assert len(result.problems) == 1
    assert f"frame {BROKEN}" in result.problems[0]
    assert "no such thing" in result.problems[0]
    assert_black_frames(rig, [BROKEN])


def test_regions_that_make_no_sense(rig: Rig) -> None:
    regions = one_box_per_frame()
    box = regions.box.copy()
    box[BROKEN, 2] = np.nan
    result = rig.render(regions.replace(box=box))
    assert result.blanked == [BROKEN]
    assert_black_frames(rig, [BROKEN])


def test_damaged_frames_are_covered_whole_whatever_the_regions_say(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    original = rig.source.frames

    def frames(segment: Segment) -> Iterator[Frame]:
        for frame in original(segment):
            frame.corrupt = frame.index == BROKEN
            yield frame

    monkeypatch.setattr(rig.source, "frames", frames)
    rig.render()
    assert_black_frames(rig, [BROKEN])


def uncover(rig: Rig, *, turns: int) -> Callable[[int, Frame], None]:
    """Puts the source's picture back into one frame just before it is encoded, in the first `turns` rounds."""
    clear: list[NDArray[Any]] = []
    for frame in rig.source.frames(Segment(0, BROKEN, BROKEN + 1)):
        clear = [plane.pixels.copy() for plane in frame.planes()]

    def spoil(turn: int, frame: Frame) -> None:
        if frame.index == BROKEN and turn <= turns:
            for plane, pixels in zip(frame.planes(), clear, strict=True):
                plane.pixels[...] = pixels

    return spoil


def test_an_encoder_that_loses_what_was_drawn(rig: Rig) -> None:
    rig.spoil = uncover(rig, turns=1)
    result = rig.render()
    assert rig.turns == 2
    assert result.blanked == [BROKEN]
    assert f"frame {BROKEN}" in result.problems[0]
    assert_black_frames(rig, [BROKEN])


def test_an_encoder_that_loses_it_every_time(rig: Rig) -> None:
    rig.spoil = uncover(rig, turns=covering.ROUNDS)
    with pytest.raises(UserError, match=f"1 frames.*first: {BROKEN}"):
        rig.render()


def test_frames_that_cannot_be_read_back(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    original = covering._failed_frames

    def read_part(written: Any, *others: Any) -> set[int]:
        return original(list(written)[:-1], *others)

    monkeypatch.setattr(covering, "_failed_frames", read_part)
    with pytest.raises(UserError):
        rig.render()
