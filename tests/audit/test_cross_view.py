"""What cameras say about each other in the audit: stretches, ends of tracks, and the report's section."""

from __future__ import annotations

import dataclasses
import json

import numpy as np
import pytest

from or_mv_anon.audit.association import AssociationAudit, PairAudit, RecoveredAudit
from or_mv_anon.audit.cross_view import disagreement_risks
from or_mv_anon.audit.page import render_page
from or_mv_anon.audit.report import audit_json
from or_mv_anon.audit.risk import risk_intervals
from or_mv_anon.core.records import Disagreements, Identities, Tracks
from tests.audit.audit_scenes import CONFIG, SIZE, audit, camera, detections_of, frames, heads, reasons, track

KNOWN = PairAudit(
    first="cam1", second="cam2", start_s=0.0, stop_s=60.0, trusted=True, inliers=900, points=1000, residual=0.12,
    problem="",
)  # fmt: skip
REFUSED = dataclasses.replace(KNOWN, second="<cam3>", trusted=False, residual=float("nan"), problem="Too few people.")
TOGETHER = AssociationAudit(
    notes=("A note.",),
    pairs=(KNOWN, REFUSED),
    cameras=(RecoveredAudit(camera="cam1", tracks=9, shared=7, confirmed=12, transferred=1345, unplaced=3),),
)


def disagreements(*frame: int, identity: int = 4) -> Disagreements:
    return Disagreements(frame=frame, identity=[identity] * len(frame), uncertainty=[1.2] * len(frame))


def test_people_seen_by_others_only_are_listed_by_stretch() -> None:
    found = list(disagreement_risks(frames(100), disagreements(10, 11, 12, 40, 41), CONFIG))
    assert [(risk.first_frame, risk.last_frame) for risk in found] == [(10, 12), (40, 41)]
    assert reasons(found) == ["seen_elsewhere"] * 2
    assert "1.2 head heights" in found[0].detail


def test_two_people_are_two_stretches() -> None:
    both = Disagreements.concat([disagreements(10, 11), disagreements(10, 11, identity=5)])
    assert len(list(disagreement_risks(frames(100), both, CONFIG))) == 2


def test_somebody_hidden_for_long_does_not_outrank_everything() -> None:
    short, long = (
        next(iter(disagreement_risks(frames(1000), disagreements(*range(count)), CONFIG))) for count in (10, 900)
    )
    assert long.priority == pytest.approx(short.priority)


def test_no_frames_no_stretches() -> None:
    assert list(disagreement_risks(frames(0), disagreements(3), CONFIG)) == []


def ends(tracks: Tracks, identities: Identities | None = None) -> list[str]:
    found = risk_intervals(
        frames(40), detections_of(tracks), tracks, heads(tracks), CONFIG, size=SIZE, identities=identities
    )
    return [reason for reason in reasons(found) if reason in ("track_ends_inside", "track_starts_inside")]


def test_a_person_who_goes_on_as_another_track_is_not_lost() -> None:
    tracks = Tracks.concat([track(0, 19, track=0), track(20, 39, track=1)])
    one = Identities(track=[0, 1], identity=[6, 6], confidence=[0.9, 0.9])
    two = Identities(track=[0, 1], identity=[6, 7], confidence=[0.9, 0.9])
    assert ends(tracks, one) == []
    assert len(ends(tracks, two)) == 2
    assert len(ends(tracks)) == 2


def test_tracks_without_identity_keep_to_themselves() -> None:
    tracks = Tracks.concat([track(0, 19, track=0), track(20, 39, track=1)])
    assert len(ends(tracks, Identities.empty())) == 2


def test_the_report_tells_what_cameras_added_to_each_other() -> None:
    document = dataclasses.replace(audit(camera("cam1", frames(10), track(0, 9))), association=TOGETHER)
    page = render_page(document)
    assert "Across cameras" in page
    assert "1,345" in page
    assert "Too few people." in page
    assert "A note." in page
    assert "<cam3>" not in page
    assert "&lt;cam3&gt;" in page
    plain = audit_json(document)["association"]
    assert plain["pairs"][1]["residual"] is None
    assert plain["cameras"][0]["transferred"] == 1345


def test_a_single_camera_has_no_such_section() -> None:
    document = audit(camera("cam1", frames(10), track(0, 9)))
    assert "Across cameras" not in render_page(document)
    assert audit_json(document)["association"] is None


def test_what_a_stage_noted_comes_back() -> None:
    noted = dataclasses.replace(TOGETHER, pairs=(KNOWN,))
    assert AssociationAudit.from_facts(json.loads(json.dumps(dataclasses.asdict(noted)))) == noted


def test_several_stretches_of_a_pair_show_their_time() -> None:
    moved = dataclasses.replace(TOGETHER, pairs=(KNOWN, dataclasses.replace(KNOWN, start_s=60.0, stop_s=90.0)))
    document = dataclasses.replace(audit(camera("cam1", frames(10), track(0, 9))), association=moved)
    assert "0:01:30.0" in render_page(document)
    assert np.count_nonzero(["0:01:00.0" in row for row in render_page(document).split("<tr>")]) == 2
