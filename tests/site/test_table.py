"""The table shown before any work, and the session clock behind it."""

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.site import Camera, Session, describe, session_window


@dataclass(frozen=True)
class Stream:
    codec: str = "h264"
    upright_size: tuple[int, int] = (1920, 1080)
    n_frames: int = 250
    start_time: float = 0.0
    duration: float = 10.0
    average_rate: Fraction | None = Fraction(25)
    truncated: str | None = None


def camera(name: str, offset: float = 0.0) -> Camera:
    return Camera(name=name, files=Path(f"/site/{name}.mp4"), offset=offset)


def session(*cameras: Camera, notes: tuple[str, ...] = ()) -> Session:
    return Session(name="day1", cameras=cameras, notes=notes)


def test_window_uses_stream_time_plus_offset() -> None:
    window = session_window(
        session(camera("a", offset=-2.0), camera("b")), [Stream(start_time=5.0), Stream(start_time=1.0, duration=4.0)]
    )
    assert (window.start, window.end, window.overlap) == (1.0, 13.0, (3.0, 5.0))


seconds = st.floats(-1e4, 1e4)


@given(st.lists(st.tuples(seconds, seconds, st.floats(0.01, 1e4)), min_size=1, max_size=5))
def test_overlap_is_when_every_camera_runs(clocks: list[tuple[float, float, float]]) -> None:
    cameras = [camera(f"c{i}", offset) for i, (offset, _, _) in enumerate(clocks)]
    window = session_window(session(*cameras), [Stream(start_time=s, duration=d) for _, s, d in clocks])
    runs = [(offset + start, offset + start + length) for offset, start, length in clocks]
    assert all(window.start <= start and end <= window.end for start, end in runs)
    if window.overlap is None:
        assert any(a[1] <= b[0] for a in runs for b in runs)
    else:
        middle = sum(window.overlap) / 2
        assert all(start <= middle <= end for start, end in runs)


def test_indexes_must_match_cameras() -> None:
    with pytest.raises(ValueError, match="argument"):
        session_window(session(camera("a"), camera("b")), [Stream()])


def test_rows_say_what_was_found() -> None:
    text = describe(
        session(camera("north"), camera("south", offset=1.25), notes=("/site: ignored a.txt.",)),
        [Stream(), Stream(upright_size=(1080, 1920), codec="hevc", n_frames=299, duration=9.9, average_rate=None)],
    )
    north = next(line for line in text.splitlines() if line.startswith("north"))
    south = next(line for line in text.splitlines() if line.startswith("south"))
    assert north.split() == ["north", "north.mp4", "1920x1080", "25.00", "h264", "250", "10.00", "s", "0.000", "s"]
    assert south.split() == ["south", "south.mp4", "1080x1920", "?", "hevc", "299", "9.90", "s", "1.250", "s"]
    assert "all cameras together for 8.75 s, from 1.250 s to 10.000 s" in text
    assert "shifted by +1.250 s" in text
    assert "ignored a.txt" in text
    assert "WARNING" not in text


def test_lone_camera_has_no_notes() -> None:
    assert "- " not in describe(session(camera("a")), [Stream()])


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (Stream(start_time=10.0), "WARNING: no moment is seen by all cameras"),
        (Stream(duration=3750.26), "Lengths differ: 10.00 s (a) to 1:02:30.3 (b)"),
        (Stream(average_rate=Fraction(30000, 1001)), "Frame rates differ (a 25.00, b 29.97)"),
        (Stream(truncated="The file ends in the middle."), "WARNING: b: The file ends in the middle."),
    ],
)
def test_oddities_are_named(other: Stream, expected: str) -> None:
    assert expected in describe(session(camera("a"), camera("b")), [Stream(), other])
    assert expected not in describe(session(camera("a"), camera("b")), [Stream(), Stream()])


def test_zone_beyond_the_picture_is_a_warning() -> None:
    inside = Camera(name="a", files=Path("a.mp4"), always=((0, 0, 1920, 1080),))
    beyond = Camera(name="a", files=Path("a.mp4"), never=((0, 0, 100, 1081),))
    assert "1 zone always covered" in describe(session(inside), [Stream()])
    assert "WARNING" not in describe(session(inside), [Stream()])
    assert "WARNING: a: the zone [0, 0, 100, 1081] reaches beyond" in describe(session(beyond), [Stream()])


def test_pictures_that_are_not_numbered_alike_are_a_warning() -> None:
    def pictures(name: str, *numbers: int) -> Camera:
        return Camera(name=name, files=tuple(Path(f"/s/{name}/{name}_{n:04d}.jpg") for n in numbers), fps=1.0)

    alike = describe(session(pictures("c1", 4, 7, 9), pictures("c2", 4, 7, 9)), [Stream(), Stream()])
    missing = describe(session(pictures("c1", 4, 7, 9), pictures("c2", 4, 9)), [Stream(), Stream()])
    assert "WARNING" not in alike
    assert "1 per second (the default" in alike
    assert "WARNING: the cameras' pictures are not numbered alike" in missing
    assert "c1 (1), c2 (0)" in missing
