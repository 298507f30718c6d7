"""A whole recording of one camera: what comes in as detections must come out covered."""

from dataclasses import replace

import numpy as np
import pytest

from or_mv_anon.core import boxes as box_geometry
from or_mv_anon.core.config import load_config
from or_mv_anon.core.records import Detections, Frames, Provenance, Tracks
from or_mv_anon.tracking.offline import track_camera
from tests.tracking.tracking_scenes import SIZE, crowd, make_frames, steady, walk

CONFIG = load_config().tracking
HEADS = load_config().face_tracking


def track(detections, frames, analysed=None, config=CONFIG):
    analysed = np.ones(len(frames), bool) if analysed is None else analysed
    return track_camera(detections, frames, analysed, config, size=SIZE)


def test_flicker_is_filled():
    frames = steady(60)
    person = walk(frames, start=(300, 500), velocity=(240, 30))
    shown = ~np.isin(frames.frame, [20, 21, 22, 40])
    tracks = track(person[shown], frames)
    assert tracks.track.max() == 0
    assert tracks.frame.tolist() == list(range(60))
    np.testing.assert_allclose(tracks.box, person.box, atol=0.01)
    np.testing.assert_array_equal(tracks.provenance[[20, 21, 22, 40]], Provenance.INTERPOLATED)


def test_the_backward_pass_finds_a_weak_beginning():
    frames = steady(40)
    score = np.where(frames.frame < 15, 0.2, 0.9)
    tracks = track(walk(frames, start=(300, 500), velocity=(60, 0), score=score), frames)
    assert tracks.track.max() == 0
    assert (tracks.provenance[:15] == Provenance.TRACKED).all()
    assert (tracks.provenance[15:] == Provenance.DETECTED).all()


def test_weak_boxes_that_nobody_claims_are_left_out_and_lone_ones_covered():
    frames = steady(60)
    weak, lone = (
        Detections(frame=[30], box=[[x, 100, x + 80, 300]], score=[score]) for x, score in ((100, 0.12), (900, 0.35))
    )
    tracks = track(Detections.concat([weak, lone]), frames)
    assert tracks.frame.tolist() == list(range(27, 34))
    assert tracks.detection.max() == 1
    assert (tracks.box[:, 0] <= 900).all()


def test_a_person_seen_once_but_clearly_is_padded_longer():
    seen = Detections(frame=[30], box=[[100, 100, 180, 300]], score=[0.7])
    assert track(seen, steady(60)).frame.tolist() == list(range(15, 46))


def test_crossing_people_keep_their_tracks():
    frames = steady(90)
    people = [
        walk(frames, start=(300, 500), velocity=(300, 0), noise=1.5, seed=1),
        walk(frames, start=(1200, 520), velocity=(-300, 0), noise=1.5, seed=2),
    ]
    tracks = track(Detections.concat(people), frames)
    assert tracks.track.max() == 1
    for number in (0, 1):
        assert len(set((tracks.detection[tracks.track == number] // 90).tolist())) == 1


def test_a_long_gap_splits_and_both_ends_are_padded():
    frames = steady(240)
    person = walk(frames, start=(500, 500), velocity=(0, 0))
    tracks = track(person[(frames.frame < 60) | (frames.frame >= 180)], frames)
    assert tracks.track.max() == 1
    assert tracks.frame[tracks.track == 0].tolist() == list(range(75))
    assert tracks.frame[tracks.track == 1].tolist() == list(range(165, 240))
    padded = tracks.box[tracks.detection < 0]
    assert (box_geometry.containment(person.box[:1], padded) > 0.999).all()
    assert (box_geometry.area(padded) < 1.6 * box_geometry.area(person.box[:1])).all()


def test_a_standing_person_is_filled_beyond_the_trackers_buffer():
    frames = steady(150)
    person = walk(frames, start=(500, 500), velocity=(0, 0), noise=1)
    tracks = track(person[(frames.frame < 50) | (frames.frame >= 100)], frames)
    assert tracks.track.max() == 0
    assert tracks.frame.tolist() == list(range(150))


@pytest.mark.parametrize("rate", [5, 15])
def test_a_small_head_that_walks_and_is_seen_now_and_then_is_covered_between(rate):
    frames = steady(4 * rate, rate)
    head = walk(frames, start=(300, 200), velocity=(45, 0), size=(11, 11), score=0.25)
    seen = np.isin(frames.frame, [rate, rate + 2 * rate // 5, 2 * rate, 3 * rate])
    tracks = track(head[seen], frames, config=HEADS)
    for frame in range(rate, 3 * rate + 1):
        off = np.abs(tracks.box[tracks.frame == frame] - head.box[frame]).max(axis=1)
        assert off.min() < 0.01, frame


@pytest.mark.parametrize(
    ("seconds", "way", "size"),
    [(1.6, 5, 12), (0.4, 60, 12), (0.4, 10, 30)],
    ids=["too long ago", "too far to walk", "another size"],
)
def test_nothing_is_covered_between_heads_that_nobody_who_walks_has(seconds, way, size):
    frames = steady(60, 10)
    last = 20 + round(10 * seconds)
    boxes = [[300, 200, 312, 212], [306 + way, 200, 306 + way + size, 200 + size]]
    seen = Detections(frame=[20, last], box=boxes, score=[0.3, 0.3])
    without = track(seen, frames, config=replace(HEADS, walk_s=0.0))
    assert len(track(seen, frames, config=HEADS)) == len(without)


@pytest.mark.parametrize("rate", [5, 15, 30])
@pytest.mark.parametrize(("start", "velocity"), [((150, 40), (-160, 0)), ((1800, 960), (60, 170))])
@pytest.mark.parametrize("backward", [False, True], ids=["leaves", "comes in"])
def test_a_head_on_its_way_out_is_covered_until_it_is_gone(rate, start, velocity, backward):
    frames = steady(3 * rate, rate)
    head = walk(frames, start=start, velocity=velocity, size=(30, 36))
    found = np.abs(frames.time) <= 0.41
    if backward:
        head, found = head.replace(box=head.box[::-1]), found[::-1]
    tracks = track(head[found], frames, config=HEADS)
    inside = box_geometry.clip(head.box, width=SIZE[0], height=SIZE[1])
    assert (~found & (box_geometry.area(inside) > 0)).sum() >= rate // 3
    for frame in np.flatnonzero(box_geometry.area(inside) > 1).tolist():
        covering = tracks.box[tracks.frame == frame]
        assert box_geometry.containment(inside[[frame]], covering).max() > 0.99, frame


@pytest.mark.parametrize(
    ("x", "speed"), [(900, 160), (300, 160), (40, 12), (40, 0), (80, 700)],
    ids=["mid-picture", "too far to go", "slow", "stands", "jumps"],
)  # fmt: skip
def test_who_does_not_leave_within_a_second_is_not_followed_to_the_edge(x, speed):
    frames = steady(60, 15)
    head = walk(frames, start=(x, 500), velocity=(-speed, 0), size=(30, 36))[frames.frame < 4]
    without = track(head, frames, config=replace(HEADS, leave_s=0.0))
    assert len(track(head, frames, config=HEADS)) == len(without)


def test_who_goes_on_as_another_track_has_not_left():
    frames = steady(30, 5)
    boxes = [[60, 500, 90, 536], [40, 500, 70, 536], [15, 500, 45, 536]]
    seen = Detections(frame=[10, 11, 12], box=boxes, score=[0.3, 0.3, 0.3])
    beyond = track(seen, frames, config=HEADS)
    beyond = beyond[beyond.track > track(seen, frames, config=replace(HEADS, leave_s=0.0)).track.max()]
    assert set(beyond.frame.tolist()) == {13}


def test_padding_follows_a_walker_and_ends_at_the_edge():
    frames = steady(60)
    person = walk(frames, start=(600, 500), velocity=(400, 0))
    tracks = track(person[frames.frame < 40], frames)
    padding = tracks[tracks.frame >= 40]
    assert padding.frame.tolist() == list(range(40, 55))
    ahead = box_geometry.containment(person.box[40:46], padding.box[:6]).diagonal()
    assert (ahead > 0.85).all()
    leaving = walk(frames, start=(1800, 500), velocity=(200, 0))
    outside = track(leaving, frames)
    assert (outside.box[outside.detection < 0][:, 2] <= SIZE[0]).all()
    gone = Detections(frame=[30], box=[[2000, 100, 2100, 300]], score=[0.9])
    assert track(gone, frames).frame.tolist() == [30]


def test_padding_grows_faster_where_people_leave_the_picture():
    frames = steady(60)

    def widths(x):
        seen = Detections(frame=[30], box=[[x, 500, x + 60, 560]], score=[0.9])
        tracks = track(seen, frames)
        after = tracks[tracks.frame == 45]
        return float(after.box[0, 3] - after.box[0, 1])

    assert widths(5) > 1.5 * widths(900)
    assert widths(SIZE[0] - 65) == pytest.approx(widths(5))


@pytest.mark.parametrize("every", [3, 6, 15])
def test_keyframe_mode_covers_all_frames(every):
    frames = steady(120)
    people = [
        walk(frames, start=(300, 500), velocity=(150, 0), seed=1, noise=1),
        walk(frames, start=(1500, 520), velocity=(-100, 20), seed=2, noise=1),
    ]
    analysed = frames.frame % every == 0
    found = Detections.concat(people)
    tracks = track(found[analysed[found.frame]], frames, analysed)
    assert tracks.track.max() == 1
    assert len(tracks) == 240
    for person in people:
        best = [box_geometry.iou(person.box[[f]], tracks.box[tracks.frame == f]).max() for f in range(105)]
        assert min(best) > 0.9


def test_sparse_keyframes_leave_no_frame_between_them_open():
    """One glance a second: the box must last until the detector looks again, although padding is shorter."""
    frames = steady(90)
    found = Detections(frame=[30], box=[[500, 300, 620, 600]], score=[0.9])
    tracks = track(found, frames, frames.frame % 30 == 0)
    assert tracks.frame.tolist() == list(range(1, 60))


def test_variable_frame_rate_interpolates_by_time():
    rng = np.random.default_rng(8)
    frames = make_frames(np.cumsum(rng.choice([1 / 60, 1 / 30, 1 / 10], 90)))
    person = walk(frames, start=(300, 500), velocity=(150, 0))
    shown = rng.random(90) > 0.25
    shown[[0, 89]] = True
    tracks = track(person[shown], frames)
    assert tracks.track.max() == 0
    np.testing.assert_allclose(tracks.box, person.box, atol=0.01)


def test_a_clock_that_stands_or_steps_back_is_survived():
    times = np.arange(60) / 30
    times[20:25] = times[19]
    times[30] = 0.2
    frames = make_frames(times)
    person = walk(steady(60), start=(300, 500), velocity=(0, 0))
    tracks = track(person[frames.frame % 3 != 1], frames)
    assert np.unique(tracks.frame).tolist() == list(range(60))


@pytest.mark.parametrize("count", [0, 1, 5])
def test_nothing_to_track(count):
    assert len(track(Detections.empty(), steady(count))) == 0


def test_one_frame():
    found = Detections(frame=[0, 0], box=[[0, 0, 50, 90], [200, 0, 250, 90]], score=[0.9, 0.31])
    tracks = track(found, steady(1))
    assert tracks.track.tolist() == [0, 1]
    assert sorted(tracks.detection.tolist()) == [0, 1]


def test_no_padding_when_the_settings_say_so():
    found = Detections(frame=[5], box=[[0, 0, 50, 90]], score=[0.9])
    assert track(found, steady(10), config=replace(CONFIG, pad_s=0.0)).frame.tolist() == [5]


def test_progress_counts_up_to_all_frames():
    frames = steady(50)
    done: list[int] = []
    track_camera(
        walk(frames, start=(500, 500), velocity=(0, 0)),
        frames,
        np.ones(50, bool),
        CONFIG,
        size=SIZE,
        progress=done.append,
    )
    assert done == sorted(done)
    assert done[-1] == 50


@pytest.mark.parametrize(
    ("detections", "frames", "message"),
    [
        (Detections(frame=[9], box=[[0, 0, 9, 9]], score=[0.9]), steady(5), "frames 0 to 4"),
        (Detections(frame=[1], box=[[0, 0, np.nan, 9]], score=[0.9]), steady(5), "finite boxes"),
        (Detections.empty(), make_frames(np.array([0, np.nan])), "finite time"),
    ],
)
def test_broken_input_is_refused(detections, frames: Frames, message):
    with pytest.raises(ValueError, match=message):
        track(detections, frames)


def test_result_survives_storage():
    detections, frames = crowd(1)
    tracks = track(detections, frames)
    stored = Tracks.from_table(tracks.to_table())
    np.testing.assert_array_equal(stored.box, tracks.box)
