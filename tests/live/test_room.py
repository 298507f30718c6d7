"""A room's cameras, live: every frame out at its time, its heads covered; what cannot be judged is covered whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from or_mv_anon.core.config import load_config
from or_mv_anon.endoscopy.classifier import OutOfBodyClassifier
from or_mv_anon.endoscopy.settings import load_endoscopy_config
from or_mv_anon.live.room import RoomOptions, RoomRun
from or_mv_anon.live.room_site import load_live_site
from or_mv_anon.live.settings import load_live_config
from tests.endoscopy.scope_clips import write_scope_clip
from tests.endoscopy.tiny_oob_network import write_tiny_network
from tests.live.live_runs import shows_room, shows_scope
from tests.live.room_rig import (
    RATE,
    fake_networks,
    number_of,
    pictures,
    room,
    shows_face,
    times,
    write_room_clip,
)

FRAMES = 45


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_room_clip(tmp_path_factory.mktemp("clip") / "a.mp4", frames=FRAMES)


def test_the_clip_shows_a_face_in_every_frame_and_its_number(clip: Path, tmp_path: Path) -> None:
    (tmp_path / "out" / "cam1").mkdir(parents=True)
    (tmp_path / "out" / "cam1" / "a.mp4").write_bytes(clip.read_bytes())
    shown = pictures(tmp_path)
    assert all(map(shows_face, shown))
    assert [number_of(picture) for picture in shown] == list(range(FRAMES))


def test_two_cameras_fast_every_frame_once_at_its_time_without_a_face(clip: Path, tmp_path: Path) -> None:
    run, said = room(tmp_path, [clip, clip], fake_networks(), fast=True)
    assert run.run() == 0, said
    for camera in ("cam1", "cam2"):
        shown = pictures(tmp_path, camera)
        assert [number_of(picture) for picture in shown] == list(range(FRAMES))
        assert not any(map(shows_face, shown))
        assert np.allclose(times(tmp_path, camera), np.arange(FRAMES) / RATE, atol=1e-4)


def test_a_process_beside_decides_the_same(clip: Path, tmp_path: Path) -> None:
    found = []
    for beside in (False, True):
        run, _ = room(tmp_path / str(beside), [clip, clip], fake_networks(), fast=True, beside=beside)
        assert run.run() == 0
        found.append([pictures(tmp_path / str(beside), camera) for camera in ("cam1", "cam2")])
    assert any(number_of(picture) is not None for picture in found[0][0])
    np.testing.assert_array_equal(*found)


def test_at_its_own_pace_frames_leave_at_their_time_plus_the_delay(clip: Path, tmp_path: Path) -> None:
    run, said = room(tmp_path, [clip, clip], fake_networks(), delay=2.0)
    assert run.run() == 0, said
    for name, camera in run.cameras.items():
        meter, shown = camera.meter, pictures(tmp_path, name)
        assert meter.frames_in == FRAMES
        latency = meter.latency(0.01)  # of the earliest
        assert latency is not None
        assert latency >= 1.99
        assert not any(map(shows_face, shown))
        assert any(number_of(picture) is not None for picture in shown)
        assert len(shown) - meter.slates + meter.skipped + meter.unsent == FRAMES


def test_a_detector_that_fails_now_and_then_covers_what_it_did_not_see(clip: Path, tmp_path: Path) -> None:
    def fail(count: int) -> None:
        if armed and 3 <= count < 9:
            raise RuntimeError("lens fogged")

    armed: list[bool] = []
    networks = fake_networks(fail)
    run, said = room(tmp_path, [clip], networks, fast=True)
    armed.append(True)
    networks["detector"].looks = 0
    assert run.run() == 1
    assert any("lens fogged" in text for text in said)
    shown = pictures(tmp_path)
    assert len(shown) == FRAMES
    assert not any(map(shows_face, shown))
    assert any(number_of(picture) is None for picture in shown)
    assert any(number_of(picture) is not None for picture in shown)


def test_an_endoscope_of_the_same_room_is_covered_outside_the_body(clip: Path, tmp_path: Path) -> None:
    outside = range(50, 80)
    scope = write_scope_clip(tmp_path / "scope.mp4", outside=outside, frames=130, rate=25)
    network = write_tiny_network(tmp_path / "tiny.onnx")
    (tmp_path / "site.toml").write_text(
        f'[[camera]]\nname = "room"\ninput = "{clip}"\n'
        f'[[camera]]\nname = "scope"\nkind = "endoscope"\ninput = "{scope}"\nalways_cover = [[0, 0, 64, 40]]\n'
    )
    run = RoomRun(
        load_live_site(tmp_path / "site.toml", out=tmp_path / "out", secrets={}), RoomOptions(fast=True),
        config=load_config(), live=load_live_config(), networks=[fake_networks()], endoscopy=load_endoscopy_config(),
        classifier=OutOfBodyClassifier(network), say=print,
    )  # fmt: skip
    assert run.run() == 0
    assert not any(map(shows_face, pictures(tmp_path, "room")))
    shown = [picture[..., ::-1] for picture in pictures(tmp_path, "scope")]
    assert len(shown) == 130
    assert not any(map(shows_room, shown))
    assert all(picture[4:36, 4:60].mean() < 20 for picture in shown)
    assert {n for n, picture in enumerate(shown) if shows_scope(picture)} >= {*range(36), *range(100, 130)}
