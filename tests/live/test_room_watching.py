"""What a live room tells: a line a second, figures for this machine alone, and records that hold together."""

from __future__ import annotations

import json
import socket
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import Detections, RegionKind, Regions
from or_mv_anon.endoscopy.settings import load_endoscopy_config
from or_mv_anon.live.journal import Journal, Rotated, broken_at
from or_mv_anon.live.ladder import Ladder, Step
from or_mv_anon.live.memory import StillHeads
from or_mv_anon.live.room import RoomOptions
from or_mv_anon.live.room_networks import ReadyNetworks
from or_mv_anon.live.room_session import run_room
from or_mv_anon.live.room_site import load_live_site
from or_mv_anon.live.secrets import filled, read_secrets
from or_mv_anon.live.settings import load_live_config
from or_mv_anon.live.status import RoomStatus, line, prometheus
from or_mv_anon.live.status_server import answering
from or_mv_anon.live.unchanged import UnchangedPlaces
from or_mv_anon.live.watch import Fault, PictureWatch
from or_mv_anon.video.live.timeline import DRIFT_SPAN_S, Timeline
from tests.live.room_rig import RATE, fake_networks, number_of, pictures, room, write_room_clip

CONFIG, LIVE = load_config(), load_live_config()


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_room_clip(tmp_path_factory.mktemp("clip") / "a.mp4", frames=45)


@pytest.fixture(scope="module")
def status(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Of a room that has run."""
    run, _ = room(tmp_path_factory.mktemp("run"), [clip, clip], fake_networks(), fast=True)
    run.run()
    return RoomStatus(run).read()


def test_a_session_writes_status_and_audit_and_hashes_its_files(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "site.toml").write_text(f'name = "theatre"\n[[camera]]\nname = "north"\ninput = "{clip}"\n')
    site = load_live_site(tmp_path / "site.toml", out=tmp_path / "out", secrets={})
    ready = ReadyNetworks(
        config=CONFIG, endoscopy=load_endoscopy_config(), networks=(fake_networks(),), classifier=None, site_model=None,
        weights=(),
    )  # fmt: skip
    log = tmp_path / "log"
    assert run_room(site, RoomOptions(fast=True), ready, LIVE, log=log, as_json=True) == 0
    told = [json.loads(text) for text in capsys.readouterr().out.splitlines()]
    assert told[-1]["event"] == "end"
    assert {"decode", "look", "decide", "cover", "encode"} <= told[-1]["stages"].keys()
    (audit,) = log.glob("audit-*.jsonl")
    records = [json.loads(text) for text in audit.read_text().splitlines()]
    assert [record["event"] for record in records] == ["start", "end"]
    assert records[1]["cameras"]["north"]["frames_out"] == 45
    (file,) = records[1]["files"]
    assert file["pictures"] == 45
    assert (tmp_path / "out" / "north" / file["file"]).stat().st_size == file["bytes"]
    assert broken_at(log) is None
    assert "://" not in audit.read_text() + (log / "status.jsonl").read_text()


def test_records_that_were_changed_or_left_out_are_noticed(status: dict[str, Any], tmp_path: Path) -> None:
    journal = Journal(tmp_path, {}, print)
    for minute in range(3):
        journal.note({**status, "time": status["time"] + 61 * minute})
    journal.close(status)
    second = Journal(tmp_path, {}, print)
    second.close(status)
    assert broken_at(tmp_path) is None
    path = sorted(tmp_path.glob("audit-*"))[0]
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], *lines[2:]]) + "\n")
    assert broken_at(tmp_path) is not None
    path.write_text("\n".join(lines).replace('"late": 0', '"late": 1') + "\n")
    assert broken_at(tmp_path) is not None


def test_a_record_that_a_kill_cut_off_does_not_spoil_the_next(status: dict[str, Any], tmp_path: Path) -> None:
    Journal(tmp_path, {}, print).close(status)
    (path,) = tmp_path.glob("audit-*")
    with path.open("a") as file:
        file.write('{"event": "minu')
    Journal(tmp_path, {}, print).close(status)
    assert broken_at(tmp_path) is None


def test_status_files_take_turns(tmp_path: Path) -> None:
    lines = Rotated(tmp_path / "status.jsonl", most_bytes=100, files=3)
    for number in range(40):
        lines.write(f"{number:020d}")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["status.1.jsonl", "status.2.jsonl", "status.jsonl"]
    assert all(path.stat().st_size <= 110 for path in tmp_path.iterdir())
    assert (tmp_path / "status.jsonl").read_text().endswith(f"{39:020d}\n")


def test_metrics_and_health_are_answered_on_this_machine_alone(status: dict[str, Any]) -> None:
    found = json.loads(json.dumps(status))
    with answering(0, lambda: found) as port:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as answer:
            text = answer.read().decode()
        assert 'or_mv_anon_frames_out_total{camera="cam1"} 45' in text
        assert "# TYPE or_mv_anon_late_total counter" in text
        for camera in found["cameras"].values():
            camera["state"] = "ok"
        found["healthy"] = True
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz") as answer:
            assert json.loads(answer.read())["healthy"]
        found["healthy"] = False
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz")
        with socket.socket() as elsewhere, pytest.raises(OSError, match="refused"):
            elsewhere.connect(("127.0.0.2", port))
        with pytest.raises(UserError, match="--status-port"), answering(port, lambda: found):
            pass


def test_the_line_for_people_names_every_camera(status: dict[str, Any]) -> None:
    text = line(status)
    assert "cam1" in text
    assert "cam2" in text
    assert "\n" not in text
    assert all(each.startswith(("# ", "or_mv_anon_")) for each in prometheus(status).splitlines())


def test_passwords_come_from_the_environment_or_a_private_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CAM_USER", "anna")
    path = tmp_path / "secrets"
    path.write_text("# of the cameras\nCAM_PASSWORD = 'p@ss/w:rd'\n")
    path.chmod(0o644)
    with pytest.raises(UserError, match="chmod 600"):
        read_secrets(path)
    path.chmod(0o600)
    secrets = read_secrets(path)
    address = filled("rtsp://${CAM_USER}:${CAM_PASSWORD}@10.0.0.7/a", secrets, "'input' of north")
    assert address == "rtsp://anna:p%40ss%2Fw%3Ard@10.0.0.7/a"
    with pytest.raises(UserError, match="needs OTHER"):
        filled("rtsp://${OTHER}@10.0.0.7/a", secrets, "'input' of north")
    with pytest.raises(UserError, match="holds a password") as refused:
        filled("rtsp://anna:SECRET@10.0.0.7/a", secrets, "'input' of north")
    assert "SECRET" not in str(refused.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "expected 1 to"),
        ('[[camera]]\nname = "a"\n', "'input' is missing"),
        ('[[camera]]\nname = "a"\ninput = "none.mp4"\n', "no file"),
        ('[[camera]]\nname = "a"\ninput = "rtsp://h/a"\noutput = "x.mp4"\n', "For files pass --out"),
        ('[[camera]]\nname = "a"\ninput = "rtsp://h/a"\noutput = "rtsp://h/a"\n', "is its input"),
        ('[[camera]]\nname = "a"\ninput = "rtsp://h/a"\n', "no 'output'"),
        ('[[camera]]\nname = "a"\ninput = 3\n', "expected text"),
    ],
)
def test_a_site_that_cannot_run_live_is_refused_in_one_sentence(text: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "site.toml").write_text(text)
    with pytest.raises(UserError, match=told):
        load_live_site(tmp_path / "site.toml", out=None, secrets={})


def test_the_ladder_goes_up_in_order_and_down_after_a_calm_while() -> None:
    ladder = Ladder(LIVE.overload, longest_interval_s=0.2, longest_gap_s=0.5)
    assert [ladder.note(now / 10, 0.3) for now in range(100)][-1] == Step.SIZE
    ladder = Ladder(LIVE.overload, longest_interval_s=0.2, longest_gap_s=0.5)
    taken = [ladder.note(now / 10, 0.5) for now in range(100)]
    assert [step for n, step in enumerate(taken) if n == 0 or step != taken[n - 1]] == list(Step)
    taken = [ladder.note(10 + now / 10, 0.02) for now in range(300)]
    assert taken[-1] == Step.NOTHING
    assert ladder.note(60.0, 0.02, late=True) == Step.CADENCE


def test_what_small_pictures_have_time_for_is_shown_again() -> None:
    """Looks that are too slow for full pictures, and quick enough for frames to be judged, do not stay covered."""
    ladder = Ladder(LIVE.overload, longest_interval_s=0.2, longest_gap_s=0.5)
    for now in range(100):
        ladder.note(now / 10, 0.5)
    assert ladder.step == Step.COVERED
    assert [ladder.note(10 + now / 10, 0.22) for now in range(300)][-1] == Step.SIZE


def regions(*boxes: tuple[float, ...]) -> Regions:
    count = len(boxes)
    return Regions(
        frame=np.zeros(count), box=np.array(boxes, np.float32).reshape(-1, 4), kind=np.full(count, RegionKind.HEAD),
        track=np.arange(count), uncertainty=np.zeros(count),
    )  # fmt: skip


def test_a_head_that_kept_still_is_remembered_and_one_that_walked_away_is_not() -> None:
    memory = StillHeads(LIVE.memory, CONFIG.static_heads)
    still, walks = (
        (100, 100, 140, 140),
        [(300 + max(0, n - 30) * 8, 100, 340 + max(0, n - 30) * 8, 140) for n in range(60)],
    )
    for n in range(60):
        memory.see(regions(still, walks[n]), n * 0.2)
    memory.see(regions(), 12.2)
    memory.see(regions(), 13.4)
    found = memory.regions(13.4)
    assert len(found) == 1
    assert (found.box[0, :2] <= 100).all()
    assert (found.box[0, 2:] >= 140).all()
    for n in range(1, 40):
        memory.see(regions(), 13.4 + n)
    assert not len(memory.regions(13.4 + 40))


def test_a_head_found_again_and_again_in_turned_pictures_is_covered() -> None:
    memory = StillHeads(LIVE.memory, CONFIG.static_heads)
    place = Detections(frame=np.zeros(1), box=np.array([[50, 50, 80, 90]], np.float32), score=np.array([0.3]))
    for n in range(4):
        assert not len(memory.regions(8.0 * n))
        memory.search(place, 8.0 * n)
    assert len(memory.regions(25.0)) == 1
    for n in range(4, 12):
        memory.search(Detections.empty(), 8.0 * n)
    assert not len(memory.regions(96.0))


def test_a_place_stays_covered_while_its_picture_is_as_when_a_head_was_found_there() -> None:
    noise = np.random.default_rng(1)
    room, head = noise.integers(0, 255, (90, 160), np.uint8), noise.integers(0, 255, (20, 20), np.uint8)
    there = room.copy()
    there[30:50, 60:80] = head
    box = np.array([[240, 120, 320, 200]], np.float32)  # of a frame four times as large
    nobody = np.zeros((0, 4), np.float32)
    places = UnchangedPlaces(LIVE.memory)

    def left(picture: NDArray[np.uint8], heads: NDArray[np.float32], time: float) -> int:
        places.see(picture, (640, 360), heads, time)
        return len(places.boxes())

    assert left(there, box, 0.0) == 0  # it is covered because it was found
    darker = (there * 0.8).astype(np.uint8)
    assert [left(darker, nobody, 0.2 * n) for n in range(1, 20)] == [1] * 19
    assert len(places.boxes_in(there, (640, 360))) == 1
    assert len(places.boxes_in(room, (640, 360))) == 0
    assert left(room, nobody, 4.0) == 0  # somebody passes
    assert left(there, nobody, 6.0) == 1
    assert left(room, nobody, 10.0) == 0
    assert left(there, nobody, 10.2) == 0  # it was found once alone, and is forgotten
    for n in range(3):
        left(there, box, 11 + 0.2 * n)
    assert left(room, nobody, 12.0) == 0
    assert left(there, nobody, 20.0) == 1
    assert left(room, nobody, 31.0) == 0
    assert left(there, nobody, 32.0) == 0


@pytest.mark.parametrize(("crf", "preset"), [("20", "ultrafast"), ("28", "superfast"), ("35", "ultrafast")])
@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_a_camera_whose_encoder_goes_on_is_frozen_and_one_with_noise_is_not(
    crf: str, preset: str, noise: float, tmp_path: Path
) -> None:
    random = np.random.default_rng(2)
    scene = cv2.resize(random.integers(40, 200, (9, 16, 3), np.uint8), (640, 360), interpolation=cv2.INTER_CUBIC)
    watch, faults = PictureWatch(LIVE.faults), []
    with av.open(str(tmp_path / "a.mkv"), "w") as container:
        options = {"crf": crf, "preset": preset, "tune": "zerolatency"}
        stream = container.add_stream("libx264", rate=10, options=options)
        stream.width, stream.height, stream.pix_fmt = 640, 360, "yuv420p"
        stream.codec_context.gop_size = 10
        for _ in range(80):
            picture = (scene + random.normal(0, noise, scene.shape)).clip(0, 255).astype(np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
        container.mux(stream.encode(None))
    with av.open(str(tmp_path / "a.mkv")) as container:
        for number, frame in enumerate(container.decode(video=0)):
            if number % 2 == 0:
                faults.append(watch.look(frame.reformat(416, 234).to_ndarray(format="bgr24"), number / 10))
    if noise == 0:
        assert set(faults[20:]) == {Fault.FROZEN}
    elif crf != "35":  # nothing is left of the noise then
        assert set(faults) == {Fault.NONE}


def test_a_camera_without_colour_is_told_until_it_shows_some() -> None:
    random = np.random.default_rng(2)
    scene = cv2.resize(random.integers(40, 200, (9, 16, 3), np.uint8), (416, 234), interpolation=cv2.INTER_CUBIC)
    grey = cv2.cvtColor(cv2.cvtColor(scene, cv2.COLOR_BGR2GRAY), cv2.COLOR_GRAY2BGR)
    cast = np.asarray(grey * [0.7, 1.0, 0.7], np.uint8)  # an image intensifier's, green all over
    watch = PictureWatch(LIVE.faults, least_colour=CONFIG.verdict.least_colour)
    known = PictureWatch(LIVE.faults)
    told = []
    for number in range(60):
        picture = grey if number < 25 else scene if number == 25 else cast if number < 50 else scene
        noisy = (picture + random.normal(0, 3, picture.shape)).clip(0, 255).astype(np.uint8)
        watch.look(noisy, number / 2)
        known.look(noisy, number / 2)
        told.append(watch.colourless)
        assert not known.colourless
    assert told == [20 <= number < 25 or 46 <= number < 50 for number in range(60)]


def test_a_room_says_that_a_camera_has_no_colour(tmp_path: Path) -> None:
    def grey(number: int, picture: Any) -> Any:
        return np.repeat(cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)[..., None], 3, axis=2)

    clips = [
        write_room_clip(tmp_path / "colour.mp4", frames=12 * RATE),
        write_room_clip(tmp_path / "grey.mp4", frames=12 * RATE, change=grey),
    ]
    run, said = room(tmp_path, clips, fake_networks(), fast=True)
    run.run()
    assert [text.split(":")[0] for text in said if "no colour" in text] == ["cam2"]


def test_nothing_of_a_camera_is_shown_until_its_turned_pictures_were_looked_at(clip: Path, tmp_path: Path) -> None:
    learning = {"memory": {"learn_looks": 3, "learn_interval_s": 0.5}}
    run, said = room(tmp_path, [clip], fake_networks(), live=learning, fast=True)
    states = [RoomStatus(run).read()["cameras"]["cam1"]["state"]]
    assert run.run() == 0, said
    whole = [number_of(picture) is None for picture in pictures(tmp_path)]
    assert whole[0]
    assert not whole[-1]
    assert whole == sorted(whole, reverse=True)
    assert run.judged["cam1"].frames.searches >= 3
    assert states == ["waiting"]


def test_a_clock_that_runs_quick_is_measured() -> None:
    timeline, random = Timeline(), np.random.default_rng(1)
    for n in range(int(12 * DRIFT_SPAN_S * 5)):
        own = n / 5
        timeline.taken(own, 100 + own * (1 - 80e-6) + random.uniform(0, 0.02))
    assert timeline.drift_ppm == pytest.approx(80, abs=15)


def test_a_password_reaches_no_message_and_no_record(
    clip: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
        (tmp_path / "site.toml").write_text(
            f'[[camera]]\nname = "north"\ninput = "{clip}"\noutput = "rtsp://${{WHO}}:${{WORD}}@127.0.0.1:{port}/a?k=${{WORD}}"\n'
            f'[[camera]]\nname = "south"\ninput = "rtsp://${{WHO}}:${{WORD}}@127.0.0.1:{port}/b"\n'
        )
        site = load_live_site(tmp_path / "site.toml", out=tmp_path / "out", secrets={"WHO": "anna", "WORD": "SE/CRET"})
        ready = ReadyNetworks(
            config=CONFIG, endoscopy=load_endoscopy_config(), networks=(fake_networks(),), classifier=None,
            site_model=None, weights=(),
        )  # fmt: skip
        assert run_room(site, RoomOptions(max_seconds=1.5), ready, LIVE, log=tmp_path / "log", as_json=True) == 0
    said = capsys.readouterr()
    written = "".join(path.read_text() for path in (tmp_path / "log").iterdir())
    for text in (said.out, said.err, written):
        assert "CRET" not in text
        assert "anna" not in text
    assert "No signal" in said.err
