"""The attack on the output compares the right frames, and what it needs is asked for before the job starts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import Identities, Regions
from or_mv_anon.core.run_layout import IDENTITIES
from or_mv_anon.core.store import RunStore
from or_mv_anon.pipeline import spec, weights
from or_mv_anon.pipeline.media import CameraPlan, hash_camera, index_camera
from or_mv_anon.pipeline.options import Options
from or_mv_anon.pipeline.stages import attack
from or_mv_anon.site import Camera
from or_mv_anon.video.encoding import choose_encoder
from or_mv_anon.video.index import index_video
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import open_source
from tests.clips import write_clip
from tests.vouching import vouch

COUNT, FIRST, STOP = 20, 4, 18
LOST = 9  # a frame of the recording that its output lacks
CONFIG = load_config().attack


@pytest.fixture
def plan(tmp_path: Path) -> CameraPlan:
    """Frames 4 to 17 of a recording, in two segments; the output lacks frame 9."""
    options = {"size": (64, 48), "options": {"crf": "5"}}
    source = write_clip(tmp_path / "cam.mp4", frames=COUNT, **options)
    store = RunStore.open(tmp_path / "stages")
    camera = Camera(name="cam", files=source)
    index_camera(camera, store)
    hash_camera(camera, store.root)
    vouch(store)
    (tmp_path / "out").mkdir()
    output = write_clip(tmp_path / "out" / "cam.mp4", frames=STOP - FIRST - 1, **options)
    segments = (Segment(0, FIRST, 10), Segment(1, 10, STOP))
    return CameraPlan(camera, store.root, segments, 0, choose_encoder(index_video(source)), output)


def test_frames_are_numbered_alike_before_and_after(plan: CameraPlan) -> None:
    pts = open_source(plan.camera.source).pts
    asked = np.array([1, 4, 5, 6, 13])
    original = [(number, frame.pts) for number, frame in attack._original_frames(plan, asked)]
    assert original == [(number, int(pts[FIRST + number])) for number in asked.tolist()]
    output = list(attack._output_frames(plan, (int(pts[LOST]),), asked))
    assert [number for number, _ in output] == [1, 4, 6, 13], "number 5 is the lost frame"
    assert [frame.index for _, frame in output] == [1, 4, 5, 12]


def test_without_association_every_track_is_somebody_else(plan: CameraPlan) -> None:
    regions = Regions(
        frame=np.zeros(4), box=np.zeros((4, 4)), kind=np.zeros(4), track=[3, 5, -1, -7], uncertainty=np.zeros(4)
    )
    other = CameraPlan(Camera(name="b", files=Path("b.mp4")), plan.store, plan.segments, 0, None, Path("b.mp4"))
    job = attack.AttackJob((plan, other), ((), ()), False, CONFIG, None)
    mine, theirs = (attack._identities(each, regions, job) for each in (plan, other))
    assert set(mine) == set(theirs) == {3, 5}
    assert not set(mine.values()) & set(theirs.values())


def test_associated_tracks_are_who_they_are(plan: CameraPlan) -> None:
    known = Identities(track=[3, 5], identity=[8, 8], confidence=[1, 1])
    store = RunStore.open(plan.store)
    store.write(plan.file(IDENTITIES), known)
    vouch(store)
    job = attack.AttackJob((plan,), ((),), True, CONFIG, None)
    assert attack._identities(plan, Regions.empty(), job) == {3: 8, 5: 8}


def test_what_the_attack_lacks_is_told_before_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_: Any, **__: Any) -> Path:
        raise UserError("sface is not here.")

    monkeypatch.setattr(weights, "fetch", nowhere)
    monkeypatch.setattr(spec, "find_weights", lambda *_: [])
    options = {"videos": Path("in"), "out": Path("out")}
    config = spec.effective_config(Options(**options))
    spec.resolve(Options(**options), config, [])
    with pytest.raises(UserError, match="sface is not here"):
        spec.resolve(Options(**options, attack=True), config, [])
