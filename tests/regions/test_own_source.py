"""A new source of regions is one class and one entry of the registry: it looks, its table is kept, and it places."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from or_mv_anon.core.config import PipelineConfig, load_config
from or_mv_anon.core.records import Detections, FrameFlag, RegionKind, Regions
from or_mv_anon.core.run_layout import REGIONS, Table
from or_mv_anon.core.schedule import due
from or_mv_anon.core.store import RunStore
from or_mv_anon.pipeline.media import CameraPlan, index_camera
from or_mv_anon.pipeline.stages import analyse, place, track
from or_mv_anon.regions.registry import SOURCES
from or_mv_anon.regions.source import Batch, CameraScene, Mask, RegionSource
from or_mv_anon.site import Camera
from or_mv_anon.video.encoding import choose_encoder
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.index import index_video
from or_mv_anon.video.reader import VideoSource
from or_mv_anon.video.segments import Segment
from tests.clips import write_clip
from tests.vouching import vouch

COUNT = 12
EVERY_S = 0.2


class Brightest(RegionSource):
    """Covers the brightest pixel of every second frame and the frame behind it."""

    name = "brightest"
    table = Table("brightest", "segment", record=Detections)
    observes_by = ("detection",)

    def due(self, times: np.ndarray, detected: Mask, config: PipelineConfig) -> Mask:
        return due(times, EVERY_S)

    def observe(self, batch: Batch, due: Sequence[Frame], networks: Any, config: PipelineConfig) -> Detections:
        boxes = []
        for frame in due:
            y, x = np.unravel_index(frame.bgr().sum(axis=2).argmax(), frame.bgr().shape[:2])
            boxes.append([x, y, x + 20, y + 20])
        numbers = [batch.number(frame) for frame in due]
        return Detections(frame=numbers, box=boxes, score=np.ones(len(boxes)))

    def place(self, scene: CameraScene, config: PipelineConfig) -> Regions:
        assert scene.read is not None
        seen = scene.read(self.table)
        return Regions(
            frame=seen.frame, box=seen.box, kind=np.full(len(seen), RegionKind.ZONE),
            track=np.full(len(seen), -1), uncertainty=np.zeros(len(seen)),
        )  # fmt: skip


class Nothing:
    """A network that finds nothing."""

    provider = "a test's"
    on_cpu = True

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        return width, height

    def detect(self, pictures: Sequence[Any], *, size: tuple[int, int]) -> list[Any]:
        return [(np.zeros((0, 4), np.float32), np.zeros(0, np.float32)) for _ in pictures]


@pytest.fixture
def brightest() -> Iterator[None]:
    SOURCES.append(Brightest())
    yield
    SOURCES.pop()


def test_it_observes_and_its_regions_are_stored(
    tmp_path: Path, brightest: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    clip = write_clip(tmp_path / "cam.mp4", frames=COUNT, rate=10)
    store, camera = RunStore.open(tmp_path / "stages"), Camera(name="cam", files=clip)
    index_camera(camera, store)
    segment = Segment(0, 0, COUNT)
    plan = CameraPlan(camera, store.root, (segment,), 0, choose_encoder(index_video(clip)), tmp_path / "out.mp4")
    config = load_config(None, {"static_heads": {"interval_s": 0.0}})
    monkeypatch.setattr(analyse, "load_networks", lambda *_: _Networks())
    monkeypatch.setattr(analyse, "open_camera", lambda *_, **__: VideoSource(index_video(clip)))
    settings: Any = None
    analyse.analyse(analyse.AnalyseJob(plan, segment, settings, config))
    vouch(store)
    seen = store.read(plan.file(Brightest.table, segment), Detections)
    assert len(seen) == due(np.arange(COUNT) / float(Fraction(10)), EVERY_S).sum()
    track.track(track.TrackJob(plan, config))
    vouch(store)
    place.place(place.PlaceJob(plan, config))
    vouch(store)
    regions = store.read(plan.file(REGIONS, segment), Regions)
    np.testing.assert_array_equal(regions.box, seen.box)
    np.testing.assert_array_equal(regions.frame, seen.frame)
    assert FrameFlag(0) == Brightest.flag


class _Networks:
    batch = 1
    providers: dict[str, str] = {}

    def __getitem__(self, role: str) -> Nothing:
        return Nothing()

    def __contains__(self, role: str) -> bool:
        return False
