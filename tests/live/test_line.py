"""The parts of the live line: frames wait, are decided about in time or leave undecided, and memory has an end."""

from __future__ import annotations

import threading

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.live.judge import BORDER_S, RunningBorder
from or_mv_anon.live.line import DelayLine, Held
from or_mv_anon.live.meter import Meter
from or_mv_anon.live.pictures import GREY, Fitter, protected, slate, upright_frame
from or_mv_anon.video.live import places
from or_mv_anon.video.live.places import parse_input, parse_output
from or_mv_anon.video.live.timeline import LARGEST_JITTER, Timeline

CONFIG = load_config()


def held(time: float) -> Held:
    return Held(time, upright_frame(av.VideoFrame(16, 16, "yuv420p"), 0, time))


def luma(frame: av.VideoFrame) -> np.ndarray:
    return frame.to_ndarray()[: frame.height]


def test_frames_leave_in_order_when_they_are_due_decided_or_not() -> None:
    line = DelayLine(patient=False)
    for time in (0.0, 0.1, 0.2):
        line.put(held(time))
    assert [frame.time for frame in line.take_due(0.1)] == [0.0, 0.1]
    assert [frame.shown()[1] for frame in line.take_due(1.0)] == [None]


def test_a_full_line_forgets_its_oldest_frames_and_tells_the_judge_of_the_hole() -> None:
    line = DelayLine(patient=False, capacity=3)
    for time in range(5):
        line.put(held(time))
    assert line.dropped == 2
    taken, hole = line.take_unjudged(8) or ([], False)
    assert ([frame.time for frame in taken], hole) == ([2, 3, 4], True)
    assert [frame.time for frame in line.take_due(9)] == [2, 3, 4]


def test_a_patient_line_lets_the_reader_wait() -> None:
    line = DelayLine(patient=True, capacity=2)
    reader = threading.Thread(target=lambda: [line.put(held(time)) for time in range(4)], daemon=True)
    reader.start()
    reader.join(0.2)
    assert reader.is_alive()
    assert [frame.time for frame in line.take_due(0)] == [0]
    line.take_due(1)
    reader.join(2)
    assert not reader.is_alive()
    assert line.dropped == 0


def test_waiting_for_decisions_ends_when_the_line_is_full_of_undecided_frames() -> None:
    line = DelayLine(patient=True, capacity=2)
    line.put(held(0.0))
    line.put(held(0.0))
    line.take_unjudged(8)
    waiting = threading.Thread(target=line.wait_decided, args=(0.0,), daemon=True)
    waiting.start()
    waiting.join(2)
    assert not waiting.is_alive()


def test_a_closed_line_takes_nothing_and_ends_the_judge() -> None:
    line = DelayLine(patient=False)
    line.close()
    line.put(held(0.0))
    assert line.take_unjudged(8) is None
    assert line.finished


@given(
    some.lists(some.floats(0, 0.4), min_size=1, max_size=60),
    some.floats(-1e5, 1e5),
    some.lists(some.floats(-3, 3), max_size=3),
)
def test_times_never_go_back_and_never_lie_in_the_future(
    jitter: list[float], offset: float, jumps: list[float]
) -> None:
    timeline, last, arrival = Timeline(), float("-inf"), 0.0
    for number, late in enumerate(jitter):
        own = offset + number / 25 + sum(jumps[: number // 20])
        arrival = max(arrival, 1000 + number / 25 + late)
        taken = timeline.taken(own, arrival)
        assert last <= taken <= arrival
        assert taken >= min(arrival - LARGEST_JITTER - 1e-3, max(last, arrival)) or taken == last
        last = taken


def test_an_even_stream_has_even_times_although_it_arrives_unevenly() -> None:
    timeline = Timeline()
    random = np.random.default_rng(3)
    late = random.uniform(0, 0.1, 200)
    late[0] = 0
    times = [timeline.taken(500 + n / 25, 10 + n / 25 + late[n]) for n in range(200)]
    assert np.allclose(np.diff(times), 0.04, atol=2e-3)


def test_a_covered_copy_holds_no_detail_and_leaves_the_frame_alone() -> None:
    noise = np.random.default_rng(1).integers(0, 256, (96, 160, 3), np.uint8)
    frame = Fitter((160, 96))(av.VideoFrame.from_ndarray(noise, format="bgr24"))
    before = luma(frame).copy()
    for method in ("pixelate", "blur", "solid"):
        picture, problem = protected(upright_frame(frame, 0, 0.0), None, Fitter((160, 96)), method, CONFIG.operators)
        hidden = luma(picture).astype(float)
        assert problem is None
        assert hidden.std() < 12
        assert before.std() > 40
    assert np.array_equal(luma(frame), before)


def test_fitting_keeps_grey_and_turns_full_range_into_limited() -> None:
    full = av.VideoFrame(64, 48, "yuvj420p")
    for plane, value in zip(full.planes, (255, 128, 128), strict=True):
        np.frombuffer(plane, np.uint8)[...] = value
    fitted = Fitter((32, 32))(full)
    assert (fitted.width, fitted.height, fitted.format.name) == (32, 32, "yuv420p")
    assert abs(int(luma(fitted)[16, 16]) - 235) <= 2


def test_a_fitted_frame_is_passed_on_without_a_copy() -> None:
    frame = av.VideoFrame(32, 32, "yuv420p")
    assert Fitter((32, 32))(frame) is frame


def test_the_slate_has_words_on_grey() -> None:
    picture = luma(slate((160, 96)))
    assert picture.shape == (96, 160)
    assert np.median(picture) == GREY
    assert picture.max() > 180


def test_a_border_stays_through_a_dark_moment_and_goes_with_another_source() -> None:
    border = RunningBorder()
    scope = np.zeros((96, 160, 3), np.uint8)
    scope[10:90, 30:130] = 120
    assert border.area(scope, 0.0) == (30, 10, 130, 90)
    assert border.area(scope // 20, 1.0) == (30, 10, 130, 90)
    whole = np.full_like(scope, 120)
    assert border.area(whole, 2.0) == (0, 0, 160, 96)
    for second in range(3, 3 + int(3 * BORDER_S)):
        area = border.area(scope, float(second))
    assert area == (30, 10, 130, 90)
    assert border.area(np.full((50, 60, 3), 120, np.uint8), 500.0) == (0, 0, 60, 50)


def test_latencies_come_out_as_percentiles() -> None:
    meter = Meter()
    assert meter.latency(0.5) is None
    for number in range(1, 101):
        meter.note_latency(number / 1000)
    meter.note_latency(1e9)
    assert meter.latency(0.5) == pytest.approx(0.051, abs=2e-3)
    assert meter.latency(0.95) == pytest.approx(0.096, abs=2e-3)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("nowhere.mp4", "no file"),
        ("/dev/video987", "no device"),
        ("ftp://host/a", "no stream"),
        ("rtsp://", "no stream"),
    ],
)
def test_inputs_that_cannot_be_are_told(text: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        parse_input(text)


def test_outputs_that_cannot_be_are_told(tmp_path) -> None:
    there = tmp_path / "there.mp4"
    there.write_bytes(b"x")
    for text, told in (
        (str(there), "there already"),
        (str(tmp_path / "a.avi"), "expected a file"),
        (str(tmp_path / "none" / "a.mp4"), "does not exist"),
        ("http://host/a", "no stream"),
    ):
        with pytest.raises(UserError, match=told):
            parse_output(text, overwrite=False)
    assert parse_output(str(there), overwrite=True).format == "mp4"


def test_srt_is_refused_with_advice_where_ffmpeg_lacks_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(places, "_knows_srt", lambda: False)
    with pytest.raises(UserError, match="srtsrc") as refused:
        parse_input("srt://host:9000?passphrase=SECRET")
    assert "SECRET" not in str(refused.value)
    monkeypatch.setattr(places, "_knows_srt", lambda: True)
    for parse in (parse_input, lambda text: parse_output(text, overwrite=False)):
        assert parse("srt://host:9000").format == "mpegts"


def test_passwords_are_not_shown() -> None:
    place = parse_input("rtsp://surgeon:secret@10.0.0.7:554/scope?x=1")
    assert "secret" in place.address
    assert place.shown == "rtsp://10.0.0.7:554/scope?..."


def test_a_full_line_moves_on_when_the_judge_no_longer_works_even_if_nobody_says_so() -> None:
    line = DelayLine(patient=True, capacity=2)
    for time in (0.0, 1.0):
        line.put(held(time))
    line.unjudged_now()
    line.busy = True
    waiting = threading.Thread(target=line.wait_decided, args=(5.0,), daemon=True)
    waiting.start()
    waiting.join(0.1)
    assert waiting.is_alive()
    line.busy = False
    waiting.join(20)
    assert not waiting.is_alive()
