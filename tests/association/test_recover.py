"""Somebody whom one camera misses and others see is covered there; nothing that a camera found itself is lost."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from or_mv_anon.association.recover import Recovered, recover
from or_mv_anon.core.records import Provenance, Tracks
from tests.association.recovery_scenes import CONFIG, RATE, STEP_S, MissedPerson, missed_person

FRAMES = round(RATE * STEP_S)  # per instant


@pytest.fixture(scope="module")
def missed() -> MissedPerson:
    return missed_person()


@pytest.fixture(scope="module")
def recovered(missed: MissedPerson) -> Recovered:
    return recover(missed.camera, missed.scene, CONFIG)


def of_person(missed: MissedPerson, recovered: Recovered) -> Tracks:
    """The new rows of whoever was missed."""
    tracks = recovered.identities.track[recovered.identities.identity == missed.person]
    new = recovered.tracks.provenance == Provenance.TRANSFERRED
    return recovered.tracks[new & np.isin(recovered.tracks.track, tracks)]


def test_a_missed_person_is_covered_in_every_frame(missed: MissedPerson, recovered: Recovered) -> None:
    frames = set(of_person(missed, recovered).frame.tolist())
    assert frames >= set(range(missed.start * FRAMES, missed.stop * FRAMES - FRAMES + 1))


def test_the_head_lies_in_the_box_that_gets_covered(missed: MissedPerson, recovered: Recovered) -> None:
    heads = recovered.heads
    mine = np.isin(heads.track, of_person(missed, recovered).track)
    by_frame = dict(zip(heads.frame[mine].tolist(), heads.box[mine], strict=True))
    inside = 0
    for instant, (point, _) in missed.heads.items():
        box = by_frame[instant * FRAMES]
        inside += bool((box[:2] <= point).all() and (point <= box[2:]).all())
        sides = (box[2:] - box[:2]) / missed.heads[instant][1]
        assert (sides < 6).all(), "a covered place of many heads is of no use"
    assert inside == len(missed.heads)


def test_every_transferred_row_has_its_head_and_its_identity(recovered: Recovered) -> None:
    new = recovered.tracks[recovered.tracks.provenance == Provenance.TRANSFERRED]
    assert (new.frame == recovered.heads.frame).all()
    assert (new.track == recovered.heads.track).all()
    assert set(new.track.tolist()) <= set(recovered.identities.track.tolist())
    assert len(set(recovered.identities.track.tolist())) == len(recovered.identities)


def test_what_the_camera_found_itself_stays(missed: MissedPerson, recovered: Recovered) -> None:
    old = recovered.tracks[recovered.tracks.provenance != Provenance.TRANSFERRED]
    assert (old.frame == missed.camera.tracks.frame).all()
    assert (old.track == missed.camera.tracks.track).all()
    assert (old.box == missed.camera.tracks.box).all()


def test_tracks_have_no_gaps_and_stay_in_the_picture(missed: MissedPerson, recovered: Recovered) -> None:
    new = recovered.tracks[recovered.tracks.provenance == Provenance.TRANSFERRED]
    for track in np.unique(new.track):
        assert (np.diff(new.frame[new.track == track]) == 1).all()
    assert (new.frame < len(missed.camera.seconds)).all()
    for box in (new.box, recovered.heads.box):
        assert (box >= 0).all()
        assert (box <= [*missed.camera.size, *missed.camera.size]).all()
        assert (box[:, 2:] >= box[:, :2]).all()


def test_people_whom_the_camera_sees_are_not_covered_twice(missed: MissedPerson, recovered: Recovered) -> None:
    identity = dict(zip(recovered.identities.track.tolist(), recovered.identities.identity.tolist(), strict=True))
    old = recovered.tracks.provenance != Provenance.TRANSFERRED
    person = np.array([identity[track] for track in recovered.tracks.track.tolist()])
    near = round(CONFIG.join_s / 2 * RATE)  # frames by which a stretch goes on beyond what it rests on
    for who in np.unique(person[~old]):
        seen = recovered.tracks.frame[old & (person == who)]
        added = recovered.tracks.frame[~old & (person == who)]
        unseen = np.setdiff1d(np.arange(len(missed.camera.seconds)), seen)
        assert np.abs(added[:, None] - unseen).min(axis=1).max() <= near


def test_weak_boxes_that_others_confirm_are_marked() -> None:
    missed = missed_person()
    owner = {
        track: identity
        for track, identity in zip(
            missed.scene.association.identities["cam1"].track.tolist(),
            missed.scene.association.identities["cam1"].identity.tolist(),
            strict=True,
        )
    }
    weak = missed.camera.tracks.track[0]
    mine = missed.camera.tracks.track == weak
    provenance = np.where(mine, Provenance.TRACKED, missed.camera.tracks.provenance)
    camera = dataclasses.replace(missed.camera, tracks=missed.camera.tracks.replace(provenance=provenance))
    found = recover(camera, missed.scene, CONFIG).tracks[: len(provenance)]
    assert owner[int(weak)] < 1000, "a track of somebody"
    assert (found.provenance[mine] == Provenance.CROSS_VIEW).all()
    assert (found.provenance[~mine] == Provenance.DETECTED).all()


def test_an_unsure_identity_brings_nobody_back() -> None:
    missed = missed_person(confidence=0.3)
    assert len(recover(missed.camera, missed.scene, CONFIG).heads) == 0


def test_two_cameras_cannot_place_anybody_in_one_of_them() -> None:
    missed = missed_person(cameras=2)
    assert len(recover(missed.camera, missed.scene, CONFIG).heads) == 0


def test_no_transfer_when_it_is_switched_off(missed: MissedPerson) -> None:
    off = dataclasses.replace(CONFIG, transfer=False)
    found = recover(missed.camera, missed.scene, off)
    assert len(found.tracks) == len(missed.camera.tracks)
    assert len(found.heads) == 0


def test_a_place_known_too_badly_is_told_instead_of_covered(missed: MissedPerson) -> None:
    strict = dataclasses.replace(CONFIG, most_uncertainty=0.01)
    found = recover(missed.camera, missed.scene, strict)
    assert len(found.heads) == 0
    told = found.disagreements
    frames = told.frame[told.identity == missed.person]
    assert len(np.intersect1d(frames, np.arange(missed.start * FRAMES, missed.stop * FRAMES))) > 20


def test_the_same_result_twice(missed: MissedPerson, recovered: Recovered) -> None:
    again = recover(missed.camera, missed.scene, CONFIG)
    assert (again.heads.box == recovered.heads.box).all()
