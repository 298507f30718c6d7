"""Recordings as they come: damaged, cut off, of different lengths. Good cameras are done, bad ones are named."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import av
import pytest

from tests.end_to_end.driving import Ran, audit_of, covered_mask, decoded, looks_covered, regions_of, run
from tests.end_to_end.people_clips import HEADS, SIZE, Picture, write_people, write_picture_folder

pytestmark = pytest.mark.sample

FAULTS = Path(__file__).parents[2] / ".." / "shared" / "data" / "faults"


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory, people: Picture) -> tuple[Path, Path, Ran]:
    """A site with good and bad cameras, the results, and how the run ended."""
    base = tmp_path_factory.mktemp("damaged")
    site, out = base / "Jane Doe", base / "out"
    site.mkdir()
    good = write_people(site / "good.mp4", people, frames=12).read_bytes()
    write_people(site / "longer.mp4", people, frames=20, rate=15)
    whole = write_people(base / "whole.mkv", people, frames=24)
    (site / "cut.mkv").write_bytes(whole.read_bytes()[: whole.stat().st_size * 2 // 3])
    holes = bytearray(write_people(base / "holes.mp4", people, frames=24, b_frames=0).read_bytes())
    holes[len(holes) // 2 : len(holes) // 2 + 600] = bytes(600)
    (site / "holes.mp4").write_bytes(holes)
    (site / "empty.mp4").write_bytes(b"")
    (site / "text.mp4").write_text("no video at all\n" * 50)
    (site / "unfinished.mp4").write_bytes(good[: len(good) // 2])
    return site, out, run("--videos", site, "--out", out)


def test_the_verdict_names_every_bad_camera(damaged: tuple[Path, Path, Ran]) -> None:
    _, out, ran = damaged
    audit = audit_of(out)
    assert ran.code == 1
    assert not audit["verdict"]["well"]
    for word in ("empty.mp4 is empty", "text.mp4", "unfinished.mp4"):
        assert [problem for problem in audit["problems"] if word in problem], word
        assert word in ran.out + ran.err
    assert "good" not in " ".join(audit["problems"])


def test_good_cameras_are_done(damaged: tuple[Path, Path, Ran]) -> None:
    site, out, _ = damaged
    for name in ("good.mp4", "longer.mp4"):
        assert decoded(out / name).times == decoded(site / name).times
    written = {path.name for path in out.iterdir()} - {"audit.json", "report.html", "stages"}
    assert written == {"good.mp4", "longer.mp4", "cut.mkv", "holes.mp4"}


def test_a_recording_that_was_cut_off_is_done_as_far_as_it_goes(damaged: tuple[Path, Path, Ran]) -> None:
    site, out, _ = damaged
    source, output = decoded(site / "cut.mkv"), decoded(out / "cut.mkv")
    assert 6 < len(source.times) < 24
    assert output.times == source.times
    assert [problem for problem in audit_of(out)["problems"] if "cut off" in problem or "stopped" in problem]


def test_damaged_frames_are_covered_whole(damaged: tuple[Path, Path, Ran]) -> None:
    """After the damage the decoder shows smeared pictures until the next keyframe: nobody can tell where heads are."""
    site, out, _ = damaged
    regions = regions_of(out, "holes")
    camera = next(camera for camera in audit_of(out)["cameras"] if camera["camera"] == "holes")
    source, output = decoded(site / "holes.mp4"), decoded(out / "holes.mp4")
    assert set(output.times) <= set(source.times)
    whole = [n for n in range(24) if covered_mask(regions, n, SIZE).all()]
    assert camera["summary"]["corrupt_frames"] + camera["summary"]["failed_frames"] > 0
    assert len(whole) >= camera["summary"]["corrupt_frames"]
    for number in set(range(24)) - set(whole):
        for head in HEADS:
            x1, y1, x2, y2 = head.box(number).astype(int)
            assert covered_mask(regions, number, SIZE)[y1:y2, x1:x2].all()


@pytest.mark.skipif(not FAULTS.is_dir(), reason="needs ../shared/data/faults")
def test_damage_without_a_word_from_the_decoder_shows_nobody(tmp_path: Path, weights: Path) -> None:
    """The body is garbage in which nobody is detected, the head above it is intact."""
    out = tmp_path / "out"
    ran = run("--videos", FAULTS / "hevc_46.mkv", "--out", out, "--method", "solid")
    assert ran.code == 1
    assert "damaged" in ran.out + ran.err
    assert audit_of(out)["cameras"][0]["summary"]["corrupt_frames"] == 15
    with av.open(str(out / "hevc_46.mkv")) as container:
        assert all(frame.to_ndarray(format="gray").max() < 40 for frame in container.decode(video=0))


def test_reports_do_not_repeat_folder_names(damaged: tuple[Path, Path, Ran]) -> None:
    site, out, _ = damaged
    for name in ("audit.json", "report.html"):
        assert site.parent.name not in (out / name).read_text()


def test_nothing_usable_is_one_sentence(tmp_path: Path, weights: Path) -> None:
    site = tmp_path / "site"
    site.mkdir()
    (site / "cam1.mp4").write_bytes(b"")
    assert run("--videos", site, "--out", tmp_path / "out").refused_with("cam1.mp4", "empty")


def test_one_bad_session_does_not_stop_the_others(tmp_path: Path, people: Picture) -> None:
    site, out = tmp_path / "site", tmp_path / "out"
    for number in (1, 2, 3):
        (site / f"session{number}").mkdir(parents=True)
    write_people(site / "session1" / "cam.mp4", people, frames=2)
    (site / "session2" / "cam.mp4").write_bytes(b"")
    write_people(site / "session3" / "cam.mp4", people, frames=2)
    ran = run("--videos", site, "--out", out)
    assert ran.code == 1, ran.err
    assert "session2" in ran.out + ran.err
    for name in ("session1", "session3"):
        assert len(decoded(out / name / "cam.mp4").times) == 2
        assert audit_of(out / name)["verdict"]["well"]


def test_a_picture_that_cannot_be_read(tmp_path: Path, people: Picture) -> None:
    folder = write_picture_folder(tmp_path / "site" / "cam1", people, suffix=".jpg", count=5)
    (folder / "000002.jpg").write_bytes((folder / "000001.jpg").read_bytes()[:500])
    ran = run("--videos", tmp_path / "site", "--out", tmp_path / "out")
    assert ran.code == 1
    assert audit_of(tmp_path / "out")["problems"]
    written = {path.name for path in (tmp_path / "out" / "cam1").iterdir()}
    assert {"000000.jpg", "000001.jpg", "000003.jpg", "000004.jpg"} <= written


def test_a_recording_that_changes_size(tmp_path: Path, people: Picture) -> None:
    """Cameras that were set up anew while recording: the output keeps the first size, heads stay covered."""
    site, out = tmp_path / "site", tmp_path / "out"
    site.mkdir()
    clock = {"time_base": Fraction(1, 90000), "frames": 6}
    large = write_people(tmp_path / "1.ts", people, pts=[3000 * i for i in range(6)], **clock)
    halved = {"turn": lambda picture: picture[::2, ::2], "first": 6}
    small = write_people(tmp_path / "2.ts", people, pts=[3000 * i for i in range(6, 12)], **halved, **clock)
    (site / "cam.ts").write_bytes(large.read_bytes() + small.read_bytes())
    ran = run("--videos", site, "--out", out)
    assert ran.code in (0, 1), ran.err
    output, regions = decoded(out / "cam.mp4"), regions_of(out, "cam")
    assert output.pictures.shape == (12, SIZE[1], SIZE[0], 3)
    for number in range(12):
        for head in HEADS:
            x1, y1, x2, y2 = head.box(number).astype(int)
            assert covered_mask(regions, number, SIZE)[y1:y2, x1:x2].all()
            if head.from_the_front:
                assert looks_covered(people[number, y1:y2, x1:x2], output.pictures[number, y1:y2, x1:x2])
