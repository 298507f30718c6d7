"""Doubts of one camera on small made-up records: which are raised, when to look, and which are worth most."""

from dataclasses import replace

import numpy as np
import pytest

from or_mv_anon.audit.cover_ends import cover_ends
from or_mv_anon.audit.evidence import CameraEvidence
from or_mv_anon.audit.intervals import RiskInterval
from or_mv_anon.audit.open_candidates import open_candidates
from or_mv_anon.audit.told_risks import told_risks
from or_mv_anon.audit.whole_looks import whole_looks
from or_mv_anon.core.records import Detections, FrameFlag, Identities, Provenance, RegionKind, Regions, Tracks
from tests.audit.audit_scenes import RATE, SIZE, frames

HEAD = (300.0, 200.0, 340.0, 240.0)
COUNT = 200  # frames: 20 s


def covered(first, last, box=HEAD, *, step=(0.0, 0.0), track=-2, kind=RegionKind.FACE):
    number = np.arange(first, last + 1)
    moved = np.tile(step, 2) * (number - first)[:, None]
    return Regions(
        frame=number,
        box=np.array(box) + moved,
        kind=np.full(len(number), kind),
        track=np.full(len(number), track),
        uncertainty=np.full(len(number), 0.2),
    )


def followed(regions, *, score=0.8):
    """The tracks that the regions stand for, seen in every frame."""
    count = len(regions)
    return Tracks(
        frame=regions.frame,
        track=np.where(regions.track < -1, -2 - regions.track, regions.track),
        box=regions.box,
        score=np.full(count, score),
        provenance=np.full(count, Provenance.TRACKED),
        detection=np.full(count, -1),
    )


def evidence(*parts, offset=0.0, **more):
    regions = Regions.concat(parts)
    regions = regions[np.argsort(regions.frame, kind="stable")]
    faces = Regions.concat([part for part in parts if len(part) and part.track[0] < -1])
    people = Regions.concat([part for part in parts if len(part) and part.track[0] >= 0])
    content = {"tracks": followed(people), "heads": followed(faces), **more}
    return CameraEvidence(name="cam1", size=SIZE, frames=frames(COUNT), offset=offset, regions=regions, **content)


def first_look(doubts, reason):
    return min((doubt for doubt in doubts if doubt.reason == reason), key=lambda doubt: doubt.start, default=None)


def worth(scene):
    return sum(doubt.severity for doubt in cover_ends(scene, border_px=8))


def test_a_still_head_whose_cover_ends_is_looked_at_just_after():
    found = list(cover_ends(evidence(covered(0, 79), offset=0.5), border_px=8))
    look = first_look(found, "cover_ends")
    assert look.start == pytest.approx(8.5)  # session seconds
    assert look.end == pytest.approx(9.1, abs=0.11)
    assert look.box == HEAD
    assert look.severity > 0.3
    assert [doubt for doubt in found if doubt.reason == "cover_begins"] == []  # it was there from the first frame


def test_a_still_head_that_is_found_late_is_looked_at_just_before():
    look = first_look(cover_ends(evidence(covered(100, COUNT - 1)), border_px=8), "cover_begins")
    assert look.start < look.end <= 10.0
    latest = max(doubt.end for doubt in cover_ends(evidence(covered(100, COUNT - 1)), border_px=8))
    assert latest == pytest.approx(10.0)


def test_nothing_is_in_doubt_where_another_cover_takes_over():
    assert worth(evidence(covered(0, 79), covered(80, COUNT - 1, track=-3))) == 0


def test_a_place_that_is_covered_again_is_in_doubt_for_the_gap_alone():
    found = list(cover_ends(evidence(covered(0, 79), covered(100, COUNT - 1, track=-3)), border_px=8))
    assert max(doubt.until for doubt in found) <= 10.0
    assert min(doubt.start for doubt in found) >= 8.0


def test_still_heads_are_worth_more_than_walking_ones_and_those_more_than_taken_over_ones():
    still = worth(evidence(covered(0, 79)))
    walking = worth(evidence(covered(0, 79, (100, 200, 140, 240), step=(3, 0))))
    way_on = covered(78, COUNT - 1, (336, 200, 376, 240), step=(1, 0), track=-3)
    taken_over = worth(evidence(covered(0, 79, (100, 200, 140, 240), step=(3, 0)), way_on))
    assert still > 10 * walking > 10 * taken_over


def test_who_walks_out_of_the_picture_is_not_missed_but_who_lies_at_its_edge_is():
    at_edge = (595.0, 200.0, 635.0, 240.0)
    assert worth(evidence(covered(0, 79, (355, 200, 395, 240), step=(3, 0)))) == 0
    assert worth(evidence(covered(0, 79, at_edge))) > 0


def test_who_walks_along_an_edge_has_not_left():
    """At the upper edge, to the right, the head cut off; the same walk upwards, over the edge, is one who leaves."""
    top = (300.0, 0.0, 340.0, 30.0)
    along, out = evidence(covered(0, 40, top, step=(3.0, 0.0))), evidence(covered(0, 40, top, step=(3.0, -1.0)))
    inside = evidence(covered(0, 40, HEAD, step=(3.0, 0.0)))
    assert worth(out) == 0
    assert 0 < worth(along) < worth(inside)
    (doubt,) = (each for each in cover_ends(along, border_px=8) if each.reason == "cover_ends")
    assert doubt.start == pytest.approx(41 / RATE)


def test_what_was_followed_for_long_is_worth_more_than_what_was_seen_for_a_moment():
    assert worth(evidence(covered(10, 79))) > 2 * worth(evidence(covered(70, 79)))


def test_a_person_is_named():
    regions = covered(0, 79, track=4, kind=RegionKind.HEAD)
    identities = Identities(track=[4], identity=[7], confidence=[0.9])
    look = first_look(cover_ends(evidence(regions, identities=identities), border_px=8), "cover_ends")
    assert (look.track, look.identity) == (4, 7)


def test_without_regions_nothing_ends():
    assert list(cover_ends(evidence(), border_px=8)) == []


def detected(box, score, *numbers):
    count = len(numbers)
    return Detections(frame=numbers, box=np.tile(box, (count, 1)), score=np.full(count, score))


def test_a_head_candidate_in_the_open_is_in_doubt_and_a_covered_one_is_not():
    (found,) = open_candidates(evidence(candidates=detected(HEAD, 0.8, 50)))
    assert found.reason == "open_candidate"
    assert found.start <= 5.0 < found.end
    assert list(open_candidates(evidence(covered(0, COUNT - 1), candidates=detected(HEAD, 0.8, 50)))) == []


def test_candidates_that_recur_are_one_doubt_worth_more():
    (once,) = open_candidates(evidence(candidates=detected(HEAD, 0.5, 60)))
    (often,) = open_candidates(evidence(candidates=detected(HEAD, 0.5, 20, 40, 60, 80)))
    assert often.severity > 2 * once.severity
    assert often.until == pytest.approx(8.0)


def test_two_candidates_in_one_frame_count_once():
    both = Detections.concat([detected(HEAD, 0.5, 60), detected(HEAD, 0.5, 60)])
    (once,) = open_candidates(evidence(candidates=detected(HEAD, 0.5, 60)))
    (twice,) = open_candidates(evidence(candidates=both))
    assert once.severity == pytest.approx(twice.severity)


def looked_for_heads(scene):
    """The same, with a network that knows heads in every frame."""
    return replace(scene, frames=frames(COUNT, flags=FrameFlag.PERSONS | FrameFlag.HEADS))


def test_what_never_looks_like_a_head_upright_is_worth_less_where_heads_were_looked_for():
    candidates = detected(HEAD, 0.5, 20, 40, 60, 80)
    (unknown,) = open_candidates(evidence(candidates=candidates))
    (never,) = open_candidates(looked_for_heads(evidence(candidates=candidates)))
    once = looked_for_heads(evidence(candidates=candidates, upright=detected(HEAD, 0.12, 50)))
    (seen,) = open_candidates(once)
    assert seen.severity >= unknown.severity > 5 * never.severity
    assert worth(evidence(covered(0, 79))) > 2 * worth(looked_for_heads(evidence(covered(0, 79))))
    found = looked_for_heads(evidence(covered(0, 79), upright=detected(HEAD, 0.3, 60)))
    assert worth(found) == worth(evidence(covered(0, 79)))


def test_an_upright_head_in_the_open_is_in_doubt_the_surer_the_more():
    (weak,) = open_candidates(evidence(upright=detected(HEAD, 0.14, 50)))
    (surer,) = open_candidates(evidence(upright=detected(HEAD, 0.3, 50)))
    assert surer.severity > 2 * weak.severity
    assert list(open_candidates(evidence(covered(0, COUNT - 1), upright=detected(HEAD, 0.3, 50)))) == []


def test_a_weak_face_is_somebodys_where_a_head_is_covered_before_and_after():
    covers = covered(0, 79), covered(90, COUNT - 1, track=-3)
    (between,) = open_candidates(evidence(*covers, faces=detected(HEAD, 0.3, 85)))
    (before,) = open_candidates(evidence(covers[1], faces=detected(HEAD, 0.3, 85)))
    (long_after,) = open_candidates(evidence(*covers, faces=detected((50, 50, 80, 80), 0.3, 85)))
    assert between.severity > 10 * before.severity == 10 * long_after.severity
    assert between.start <= 8.5 < between.end


def test_people_who_are_followed_and_heads_too_large_are_no_candidates():
    body = (280.0, 190.0, 360.0, 440.0)
    head = covered(0, COUNT - 1, (100, 100, 140, 140), track=0, kind=RegionKind.HEAD)
    tracks = followed(covered(0, COUNT - 1, body, track=0))
    assert list(open_candidates(evidence(head, tracks=tracks, persons=detected(body, 0.9, 50)))) == []
    large = detected((200, 100, 400, 300), 0.8, 50)
    assert list(open_candidates(evidence(head, tracks=tracks, candidates=large))) == []


def test_risk_intervals_become_doubts_with_the_place_to_look_at():
    scene = evidence(covered(0, COUNT - 1, track=3, kind=RegionKind.HEAD), offset=1.0)
    risk = RiskInterval(2.0, 12.0, 20, 119, "filled_gap", 3, 0.6, "")
    found = list(told_risks(scene, [risk]))
    assert len(found) == 2
    assert found[0].box == HEAD
    assert 3.0 < found[0].start < found[0].end < 8.0
    assert sum(doubt.severity for doubt in found) == pytest.approx(10 * 0.6 * 0.03)


@pytest.mark.parametrize("reason", ["frame_covered", "out_of_body"])
def test_where_the_whole_picture_is_covered_nothing_is_to_be_reviewed(reason):
    risk = RiskInterval(2.0, 12.0, 20, 119, reason, -1, 1.0, "")
    assert list(told_risks(evidence(), [risk])) == []


def test_the_rate_of_frames_is_the_scenes():
    assert evidence().clock.ends[-1] == pytest.approx(COUNT / RATE)


@pytest.mark.parametrize(("seconds", "looks"), [(20, 2), (1500, 2), (6000, 10)])
def test_whole_looks_stand_for_all_of_a_recording(seconds, looks):
    rate = RATE if seconds < 100 else 1
    every = frames(seconds * rate)
    every = every.replace(time=every.frame / rate)
    scene = CameraEvidence(name="cam1", size=SIZE, frames=every, offset=3.0, regions=Regions.empty())
    found = list(whole_looks(scene))
    assert len(found) == looks
    assert all(doubt.box is None and doubt.reason == "no_colour" for doubt in found)
    assert found[0].start == pytest.approx(3 + seconds / looks / 2 - 0.3, abs=0.01)
    assert found[-1].until == pytest.approx(3 + seconds, abs=0.2)
    assert sum(doubt.severity for doubt in found) == pytest.approx(0.1 * seconds, rel=0.01)
    assert not list(whole_looks(replace(scene, frames=frames(0))))
