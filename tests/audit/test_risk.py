"""Which contradictions in the records become stretches to review."""

import numpy as np
import pytest

from or_mv_anon.audit.risk import risk_intervals
from or_mv_anon.core.records import Detections, FrameFlag, Frames, Provenance, RegionKind, Regions, Tracks
from tests.audit.audit_scenes import CONFIG, INSIDE, SIZE, detections_of, frames, heads, reasons, risks, track


def only(found, reason):
    chosen = [risk for risk in found if risk.reason == reason]
    assert len(chosen) == 1, reasons(found)
    return chosen[0]


def test_a_person_seen_clearly_from_the_first_to_the_last_frame_is_no_risk():
    assert risks(frames(100), track(0, 99)) == []


def test_nothing_at_all_is_no_risk():
    assert risks(frames(100), Tracks.empty()) == []
    assert risks(Frames.empty(), Tracks.empty(), missing_pts=[3]) == []


def test_a_track_that_stops_mid_picture_points_at_the_time_after_it():
    risk = only(risks(frames(100), track(0, 49)), "track_ends_inside")
    assert (risk.first_frame, risk.last_frame) == (50, 69)
    assert risk.start_s == pytest.approx(5.0)
    assert risk.end_s == pytest.approx(7.0)
    assert risk.track == 0


def test_a_track_that_starts_mid_picture_points_at_the_time_before_it():
    risk = only(risks(frames(100), track(5, 99)), "track_starts_inside")
    assert (risk.first_frame, risk.last_frame) == (0, 4)


@pytest.mark.parametrize(
    "box", [(8, 100, 100, 400), (200, 0, 300, 300), (540, 100, 633, 400), (200, 100, 300, 475), (-20, 100, 40, 300)]
)
def test_a_track_that_leaves_over_the_edge_is_no_risk(box):
    assert risks(frames(100), track(20, 49, box=box)) == []


def test_an_end_hidden_behind_another_person_weighs_half():
    alone = only(risks(frames(100), track(0, 49)), "track_ends_inside")
    both = Tracks.concat([track(0, 49), track(0, 99, track=1)])
    hidden = only(risks(frames(100), both), "track_ends_inside")
    assert hidden.severity == pytest.approx(alone.severity / 2)


def test_low_scores_in_a_row_become_one_interval():
    tracks = track(0, 99)
    score = tracks.score.copy()
    score[[20, 21, 22, 25, 26, 60]] = 0.15  # two frames between 22 and 25 are 0.2 s: joined
    found = [risk for risk in risks(frames(100), tracks.replace(score=score)) if risk.reason == "low_score"]
    assert [(risk.first_frame, risk.last_frame) for risk in found] == [(20, 26), (60, 60)]
    assert "0.15" in found[0].detail


def test_a_long_fill_is_one_risk_and_not_a_missed_detection_too():
    found = risks(frames(100), track(0, 99, filled=range(30, 45)))
    assert reasons(found) == ["filled_gap"]
    assert (found[0].first_frame, found[0].last_frame) == (30, 44)


def test_a_short_fill_is_a_missed_detection_only_where_the_detector_looked():
    tracks = track(0, 99, filled=range(30, 34))
    assert reasons(risks(frames(100), tracks)) == ["missed_by_detector"]
    flags = np.full(100, int(FrameFlag.PERSONS), np.uint8)
    flags[30:34] = 0
    assert risks(frames(100).replace(flags=flags), tracks) == []


def test_padding_at_a_tracks_ends_is_not_a_gap():
    found = risks(frames(100), track(20, 60, filled=[*range(20, 25), *range(50, 61)], box=(0, 100, 90, 400)))
    assert found == []


def test_boxes_placed_by_other_cameras_count_as_filled():
    tracks = track(0, 99, filled=range(30, 45))
    other = np.where(tracks.provenance == Provenance.INTERPOLATED, Provenance.TRANSFERRED, tracks.provenance)
    assert reasons(risks(frames(100), tracks.replace(provenance=other))) == ["filled_gap"]


def lone(*, score=0.45, box=(400, 100, 480, 300), at=(50, 51, 52)):
    held = detections_of(track(0, 99))
    extra = Detections(frame=at, box=np.tile(box, (len(at), 1)), score=np.full(len(at), score))
    return Detections.concat([held, extra])


def test_a_detection_that_no_track_holds_is_listed():
    risk = only(risks(frames(100), track(0, 99), detections=lone()), "lone_detection")
    assert (risk.first_frame, risk.last_frame, risk.track) == (50, 52, -1)


def test_a_weak_detection_or_a_double_of_a_tracked_box_is_not_listed():
    assert risks(frames(100), track(0, 99), detections=lone(score=0.29)) == []
    assert risks(frames(100), track(0, 99), detections=lone(box=INSIDE)) == []


def test_a_doubled_box_in_another_frame_is_listed():
    found = risks(frames(100), track(0, 40), detections=lone(box=INSIDE, at=(90,)))
    assert only(found, "lone_detection").first_frame == 90


def test_an_uncertain_head_is_listed_but_an_uncertain_face_is_not():
    tracks = track(0, 99)
    uncertainty = np.zeros(100)
    uncertainty[40:50] = 0.9
    risk = only(risks(frames(100), tracks, regions=heads(tracks, uncertainty=uncertainty)), "uncertain_head")
    assert (risk.first_frame, risk.last_frame) == (40, 49)
    faces = heads(tracks, uncertainty=uncertainty, kind=RegionKind.FACE)
    assert risks(frames(100), tracks, regions=faces) == []


def test_a_followed_person_without_a_region_ranks_first():
    tracks = track(0, 99)
    regions = heads(tracks)
    found = risks(frames(100), tracks, regions=regions[(regions.frame < 30) | (regions.frame >= 60)])
    assert found[0].reason == "not_covered"
    assert (found[0].first_frame, found[0].last_frame, found[0].severity) == (30, 59, 1.0)


@pytest.mark.parametrize("flag", [FrameFlag.FAILED, FrameFlag.CORRUPT])
def test_frames_covered_whole_are_listed_and_need_no_other_region(flag):
    flags = np.full(100, int(FrameFlag.PERSONS), np.uint8)
    flags[10:13] |= int(flag)
    tracks = track(0, 99)
    regions = heads(tracks)
    found = risks(
        frames(100).replace(flags=flags), tracks, regions=regions[(regions.frame < 10) | (regions.frame > 12)]
    )
    assert reasons(found) == ["frame_covered"]
    assert (found[0].first_frame, found[0].last_frame) == (10, 12)


def test_a_region_of_the_whole_frame_is_listed():
    whole = Regions(frame=[5], box=[(0, 0, *SIZE)], kind=[RegionKind.FRAME], track=[-1], uncertainty=[1])
    assert reasons(risks(frames(100), Tracks.empty(), regions=whole)) == ["frame_covered"]


def test_frames_that_nobody_searched_are_listed_when_long():
    flags = np.full(100, int(FrameFlag.PERSONS), np.uint8)
    flags[20:24] = 0
    assert risks(frames(100).replace(flags=flags), Tracks.empty()) == []
    flags[20:40] = 0
    found = risks(frames(100).replace(flags=flags), Tracks.empty())
    assert [(risk.reason, risk.first_frame, risk.last_frame) for risk in found] == [("not_analysed", 20, 39)]


def test_a_single_frame_that_nobody_searched_is_listed():
    assert reasons(risks(frames(1, flags=0), Tracks.empty())) == ["not_analysed"]


def test_missing_frames_are_placed_between_their_neighbours():
    risk = only(risks(frames(100), Tracks.empty(), missing_pts=[4250, 4260]), "missing_frames")
    assert (risk.first_frame, risk.last_frame) == (42, 43)
    assert "2 undecodable frames" in risk.detail


def test_variable_frame_rate_is_measured_in_seconds():
    time = np.concatenate([np.arange(50) * 0.01, 0.5 + np.arange(50) * 0.5])
    found = risks(frames(100).replace(time=time), track(0, 99, filled=range(60, 64)))
    risk = only(found, "filled_gap")
    assert (risk.start_s, risk.end_s) == (pytest.approx(5.5), pytest.approx(7.5))


def test_rows_about_frames_that_were_never_decoded_are_ignored():
    assert reasons(risks(frames(50), track(0, 99))) == []


def test_order_of_rows_does_not_matter():
    tracks = Tracks.concat([track(3, 49, filled=range(20, 24)), track(10, 80, track=1, score=0.2)])
    shuffled = np.random.default_rng(0).permutation(len(tracks))
    detections = detections_of(tracks)
    straight = risk_intervals(frames(100), detections, tracks, heads(tracks), CONFIG, size=SIZE)
    mixed = risk_intervals(frames(100), detections, tracks[shuffled], heads(tracks[shuffled]), CONFIG, size=SIZE)
    assert mixed == straight
    assert len(straight) >= 5


def test_most_urgent_comes_first():
    found = risks(frames(200), Tracks.concat([track(3, 49), track(0, 199, track=1, score=0.2)]))
    assert [risk.priority for risk in found] == sorted((risk.priority for risk in found), reverse=True)
