"""What a reviewer draws is gone from the output, and nothing else of it is encoded again."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import av
import numpy as np
import pytest

from or_mv_anon.corrections.actions import Cover, Keyframe, Withdraw
from or_mv_anon.corrections.log import append, log_file
from tests.clips import write_clip
from tests.end_to_end.driving import CONSOLE, Ran, audit_of, decoded, run

pytestmark = pytest.mark.sample

BOX = (40.0, 30.0, 80.0, 60.0)
RATE, FRAMES = 8, 48  # six seconds in three segments
OPTIONS = ("--crf", 18)


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, weights: Path) -> Path:
    """A folder with the recording of one camera of an empty room, and the results of a run."""
    base = tmp_path_factory.mktemp("corrections")
    (base / "site").mkdir()
    write_clip(base / "site" / "cam1.mp4", size=(160, 120), frames=FRAMES, rate=RATE, gop=8)
    ran = anonymize(base)
    assert ran.code in (0, 1), ran.err
    assert "render" in ran.out + ran.err
    return base


@pytest.fixture
def base(finished: Path, tmp_path: Path) -> Path:
    """A copy of it, to change."""
    shutil.copytree(finished, tmp_path / "base")
    return tmp_path / "base"


def anonymize(base: Path) -> Ran:
    return run("--videos", base / "site", "--out", base / "out", *OPTIONS)


def render(base: Path) -> Ran:
    """By the results' folder alone; the recordings of a copied folder have moved."""
    return run(base / "out", "--videos", base / "site", command=(CONSOLE[0], "render"))


def kept(base: Path) -> dict[str, tuple[bytes, int]]:
    """Every rendered segment, and the outputs."""
    files = [*(base / "out" / "stages").glob("*/video-*"), *(base / "out").glob("*.mp4")]
    return {str(path.relative_to(base)): (path.read_bytes(), path.stat().st_mtime_ns) for path in sorted(files)}


def packets(video: Path) -> dict[float, bytes]:
    """What the file holds for every moment, as encoded."""
    with av.open(str(video)) as container:
        return {
            float(packet.pts * packet.time_base): bytes(packet) for packet in container.demux(video=0) if packet.size
        }


def black(video: Path) -> np.ndarray:
    """For every frame whether the box is black."""
    x1, y1, x2, y2 = map(int, BOX)
    return decoded(video).pictures[:, y1 + 2 : y2 - 2, x1 + 2 : x2 - 2].max(axis=(1, 2, 3)) < 40


def test_a_span_costs_the_segments_that_it_touches(base: Path) -> None:
    before, packets_before = kept(base), packets(base / "out" / "cam1.mp4")
    assert not black(base / "out" / "cam1.mp4").any()
    append(base / "out", Cover("cam1", (Keyframe(2.5, BOX),), hold="span", start=2.5, end=3.0), author="A")
    ran = render(base)
    assert ran.code in (0, 1), ran.err
    after = kept(base)
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"out/cam1.mp4", "out/stages/cam1/video-00001.mp4"}
    assert black(base / "out" / "cam1.mp4")[20:25].all()
    assert not black(base / "out" / "cam1.mp4")[np.r_[0:19, 26:FRAMES]].any()
    packets_after = packets(base / "out" / "cam1.mp4")
    assert {time for time in packets_after if packets_after[time] != packets_before[time]} <= set(np.arange(16, 32) / 8)
    assert all(output["verified"] for output in audit_of(base / "out")["outputs"])
    again = kept(base)
    render(base)
    assert kept(base) == again, "taken in once"


def test_this_place_always(base: Path) -> None:
    line = append(base / "out", Cover("cam1", (Keyframe(1.0, BOX),), hold="always"), author="A")
    before = kept(base)
    assert anonymize(base).code in (0, 1)
    assert black(base / "out" / "cam1.mp4").all()
    append(base / "out", Withdraw(line.id), author="A")
    render(base)
    assert kept(base)["out/cam1.mp4"][0] == before["out/cam1.mp4"][0], "as it was before"


def test_a_moment_is_its_frame_and_a_little_more(base: Path) -> None:
    append(base / "out", Cover("cam1", (Keyframe(4.0, BOX),)), author="A")
    render(base)
    assert set(np.flatnonzero(black(base / "out" / "cam1.mp4"))) == set(range(28, 37))


def test_what_was_changed_is_not_believed(base: Path) -> None:
    append(base / "out", Cover("cam1", (Keyframe(4.0, BOX),)), author="A")
    log = log_file(base / "out")
    log.write_text(log.read_text().replace('"moment"', '"always"'))
    append_one_more = log.read_text().replace("cam1", "cam2")
    log.write_text(log.read_text() + append_one_more)
    before = kept(base)
    assert render(base).refused_with("does not follow the line before it")
    assert kept(base) == before


def test_what_cannot_be_covered_is_told(base: Path) -> None:
    append(base / "out", Cover("cam9", (Keyframe(4.0, BOX),)), author="A")
    append(base / "out", Cover("cam1", (Keyframe(400.0, BOX),)), author="A")
    ran = render(base)
    assert ran.code == 1
    problems = " ".join(audit_of(base / "out")["problems"])
    assert "no such camera" in problems
    assert "outside of the recording" in problems


def test_rendering_alone_does_not_pass_corrections_over(base: Path) -> None:
    append(base / "out", Cover("cam1", (Keyframe(4.0, BOX),)), author="A")
    ran = run("--videos", base / "site", "--out", base / "out", *OPTIONS, "--render-only")
    assert ran.refused_with("cam1", "Run once without it")


@pytest.mark.slow
def test_corrections_survive_starting_afresh(base: Path) -> None:
    append(base / "out", Cover("cam1", (Keyframe(1.0, BOX),), hold="always"), author="A")
    run("--videos", base / "site", "--out", base / "out", *OPTIONS, "--overwrite")
    assert black(base / "out" / "cam1.mp4").all()
    assert len(json.loads(log_file(base / "out").read_text())) > 5


def test_a_folder_without_a_run(tmp_path: Path) -> None:
    ran = run(tmp_path, command=(CONSOLE[0], "render"))
    assert ran.refused_with("no run that could be rendered again")
