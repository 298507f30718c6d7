"""Judging identities: right ones, switched ones, and runs without any."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import numpy as np
import pytest

from or_mv_anon.core.records import Detections, Frames, Identities, Keypoints, Provenance, Regions, Tracks
from or_mv_anon.core.truth import CameraTruth, FaceMasks, TruthFrames, TruthPeople
from or_mv_anon.evaluation.identities import evaluate_identities
from or_mv_anon.evaluation.run_directory import CameraRun
from or_mv_anon.video.orientation import Orientation

FRAMES, SIZE = 6, (640, 360)
PLACES = np.array([[50, 50, 120, 250], [200, 50, 270, 250], [400, 50, 470, 250]])


def session(identities: Mapping[str, list[int]]) -> tuple[dict[str, CameraTruth], dict[str, CameraRun]]:
    """Three people who stand in front of every camera, tracked as 0, 1, 2, and who these tracks are said to be."""
    frame, person = np.repeat(np.arange(FRAMES), 3), np.tile(np.arange(3), FRAMES)
    box, count = PLACES[person], 3 * FRAMES
    people = TruthPeople.empty()
    values = {name: np.zeros((count, *shape), dtype) for name, (dtype, shape) in people.columns.items()}
    values |= {"frame": frame, "person": person + 1, "amodal_box": box, "visible_box": box}
    values["visible_fraction"] = np.ones(count)
    masks = FaceMasks(np.zeros(0, np.int32), np.zeros(0, np.int16), [], [])
    moments = np.arange(FRAMES)
    order = np.lexsort((frame, person))
    truth, runs = {}, {}
    for name, called in identities.items():
        truth[name] = CameraTruth(
            *SIZE, 5.0, TruthFrames(frame=moments, instant=moments, time=moments / 5), TruthPeople(**values), masks
        )
        runs[name] = CameraRun(
            name=name,
            size=SIZE,
            orientation=Orientation(),
            frames=Frames(frame=moments, pts=moments, time=moments / 5, flags=np.ones(FRAMES)),
            persons=Detections(frame=frame, box=box, score=np.full(count, 0.9)),
            keypoints=Keypoints.empty(),
            faces=Detections.empty(),
            tracks=Tracks(
                frame=frame[order],
                track=person[order],
                box=box[order],
                score=np.full(count, 0.9),
                provenance=np.full(count, Provenance.DETECTED),
                detection=order,
            ),
            face_tracks=Tracks.empty(),
            regions=Regions.empty(),
            identities=Identities(track=np.arange(3), identity=np.array(called), confidence=np.full(3, 0.9)),
        )
    return truth, runs


def test_right_identities() -> None:
    found = evaluate_identities(*session({"cam1": [0, 1, 2], "cam2": [0, 1, 2], "cam3": [0, 1, 2]}))
    assert found is not None
    assert (found.association.overall.precision, found.association.overall.recall) == (1.0, 1.0)
    assert found.association.overall.ipaa["100"] == 1.0
    assert found.identity.idf1 == 1.0
    assert found.switches.cross_view == 0
    assert found.association.overall.people_in_both == 3 * 3 * FRAMES


def test_two_people_taken_for_each_other() -> None:
    found = evaluate_identities(*session({"cam1": [0, 1, 2], "cam2": [1, 0, 2]}))
    assert found is not None
    assert found.association.overall.precision == pytest.approx(1 / 3)
    assert found.association.overall.recall == pytest.approx(1 / 3)
    assert found.association.overall.ipaa["100"] == 0.0
    assert found.identity.idf1 == pytest.approx(2 / 3)


def test_nobody_matched() -> None:
    found = evaluate_identities(*session({"cam1": [0, 1, 2], "cam2": [3, 4, 5]}))
    assert found is not None
    assert found.association.overall.recall == 0.0
    assert found.association.overall.matches == 0
    assert found.switches.disagreeing == 1.0


def test_two_tracks_of_one_identity_match_once() -> None:
    found = evaluate_identities(*session({"cam1": [0, 0, 2], "cam2": [0, 1, 2]}))
    assert found is not None
    assert found.association.overall.matches == 2 * FRAMES


def test_no_identities_no_figures() -> None:
    truth, runs = session({"cam1": [0, 1, 2], "cam2": [0, 1, 2]})
    runs["cam2"] = replace(runs["cam2"], identities=None)
    assert evaluate_identities(truth, runs) is None
    one = session({"cam1": [0, 1, 2]})
    assert evaluate_identities(*one) is None
