"""Tracking metrics against values worked out by hand, against TrackEval, and against numbers stored from TrackEval.

``python tests/evaluation/test_tracking_metrics.py`` stores the numbers again; TrackEval 1.3 must be installed.
"""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from or_mv_anon.core.records import Tracks
from or_mv_anon.core.truth import CameraTruth, FaceMasks, TruthFrames, TruthPeople
from or_mv_anon.evaluation.tracking_data import Moment, TrackedSequence, camera_moments, sequence
from or_mv_anon.evaluation.tracking_metrics import TrackingScores, evaluate_tracking, scores

STORED = Path(__file__).with_name("trackeval_numbers.json")
SEEDS = range(4)


def moment(people: list[int], tracks: list[int], overlap: list[list[float]]) -> Moment:
    shape = (len(people), len(tracks))
    return Moment(np.array(people, np.int64), np.array(tracks, np.int64), np.reshape(overlap, shape).astype(float))


def followed(*rows: tuple[int, float]) -> TrackedSequence:
    """One person with one track per frame: the track's number and its overlap."""
    return sequence([moment([0], [track], [[overlap]]) for track, overlap in rows])


def crowd(seed: int) -> TrackedSequence:
    """Noisy tracks of several people who come and go, with switches, false alarms and empty frames."""
    rng = np.random.default_rng(seed)
    people, moments = 5, []
    names = np.arange(people)
    for frame in range(60):
        if rng.random() < 0.05:
            names = rng.permutation(names)
        there = np.flatnonzero(rng.random(people) < (0.0 if frame % 17 == 5 else 0.8))
        seen = there[rng.random(len(there)) < 0.85]
        false = np.array([50 + frame % 3] if rng.random() < 0.3 else [], np.int64)
        tracks = np.concatenate([names[seen], false])
        overlap = rng.uniform(0.0, 0.4, (len(there), len(tracks)))
        for column, person in enumerate(seen):
            overlap[there == person, column] = rng.uniform(0.3, 1.0)
        moments.append(Moment(there.astype(np.int64), tracks.astype(np.int64), overlap))
    return sequence(moments)


def figures(result: TrackingScores) -> dict[str, float]:
    """Ours under TrackEval's names."""
    clear, identity = result.clear, result.identity
    return {
        "HOTA": result.hota.hota,
        "DetA": result.hota.det_a,
        "AssA": result.hota.ass_a,
        "LocA": result.hota.loc_a,
        "MOTA": clear.mota,
        "MOTP": clear.motp,
        "CLR_TP": clear.hits,
        "CLR_FN": clear.misses,
        "CLR_FP": clear.false_alarms,
        "IDSW": clear.switches,
        "MT": clear.mostly_tracked,
        "PT": clear.partly_tracked,
        "ML": clear.mostly_lost,
        "Frag": clear.fragmentations,
        "IDF1": identity.idf1,
        "IDTP": identity.hits,
        "IDFN": identity.misses,
        "IDFP": identity.false_alarms,
    }


def trackeval_figures(sequences: list[TrackedSequence]) -> dict[str, float]:
    metrics = pytest.importorskip("trackeval.metrics")
    results: dict[str, float] = {}
    for metric in (metrics.HOTA(), metrics.CLEAR({"PRINT_CONFIG": False}), metrics.Identity({"PRINT_CONFIG": False})):
        parts = {}
        for number, part in enumerate(sequences):
            person_length, track_length = part.lengths()
            parts[str(number)] = metric.eval_sequence(
                {
                    "num_timesteps": len(part.moments),
                    "num_gt_ids": part.people,
                    "num_tracker_ids": part.tracks,
                    "num_gt_dets": int(person_length.sum()),
                    "num_tracker_dets": int(track_length.sum()),
                    "gt_ids": [moment.people for moment in part.moments],
                    "tracker_ids": [moment.tracks for moment in part.moments],
                    "similarity_scores": [moment.overlap for moment in part.moments],
                }
            )
        for name, value in metric.combine_sequences(parts).items():
            results[name] = float(np.mean(value))
    return results


def test_one_perfect_track() -> None:
    result = scores(followed((7, 1.0), (7, 1.0), (7, 1.0)))
    assert (result.hota.hota, result.clear.mota, result.identity.idf1) == (1, 1, 1)
    assert result.clear.mostly_tracked == 1


def test_one_switch_by_hand() -> None:
    result = scores(followed((1, 1.0), (1, 1.0), (2, 1.0), (2, 1.0)))
    assert (result.clear.switches, result.clear.fragmentations) == (1, 0)
    assert result.clear.mota == 0.75
    assert result.identity.idf1 == 0.5  # only one of the two tracks may be the person: 2 hits, 2 misses, 2 false
    assert result.hota.det_a == 1
    assert result.hota.ass_a == pytest.approx(0.5)  # every hit's track shares 2 of the 4 frames of the union
    assert result.hota.hota == pytest.approx(np.sqrt(0.5))


def test_overlap_of_0_6_by_hand() -> None:
    result = scores(followed((1, 0.6), (1, 0.6)))
    assert result.clear.motp == pytest.approx(0.6)
    assert result.hota.det_a == pytest.approx(12 / 19)  # a hit at the thresholds 0.05 to 0.60
    assert result.hota.loc_a == pytest.approx((12 * 0.6 + 7) / 19)


def test_break_miss_and_false_alarm_by_hand() -> None:
    data = sequence(
        [
            moment([0], [1], [[1.0]]),
            moment([0], [1], [[0.3]]),  # too far off: a miss and a false alarm
            moment([0], [1], [[1.0]]),
            moment([0], [], []),
            moment([], [9], []),
        ]
    )
    result = scores(data)
    assert (result.clear.hits, result.clear.misses, result.clear.false_alarms) == (2, 2, 2)
    assert (result.clear.switches, result.clear.fragmentations, result.clear.partly_tracked) == (0, 1, 1)
    assert result.clear.mota == 0
    assert result.identity.as_dict()["idf1"] == 0.5


def test_the_last_track_is_kept_over_a_closer_one() -> None:
    data = sequence([moment([0], [1], [[0.9]]), moment([0], [1, 2], [[0.6, 0.9]])])
    assert scores(data).clear.switches == 0


def test_nothing_there() -> None:
    nobody_tracked = scores(sequence([moment([0, 1], [], [])]))
    assert (nobody_tracked.clear.misses, nobody_tracked.clear.mostly_lost, nobody_tracked.identity.idf1) == (2, 2, 0)
    assert nobody_tracked.hota.hota == 0
    nobody_there = scores(sequence([moment([], [3], [])]))
    assert nobody_there.clear.false_alarms == 1
    assert nobody_there.clear.as_dict()["mota"] is None


@pytest.mark.parametrize("seed", SEEDS)
def test_figures_are_those_stored_from_trackeval(seed: int) -> None:
    stored = json.loads(STORED.read_text())[str(seed)]
    assert figures(scores(crowd(seed))) == pytest.approx(stored, abs=1e-9)


def test_several_sequences_are_those_stored_from_trackeval() -> None:
    stored = json.loads(STORED.read_text())["all"]
    assert figures(scores(*(crowd(seed) for seed in SEEDS))) == pytest.approx(stored, abs=1e-9)


overlaps = st.sampled_from([0.0, 0.2, 0.45, 0.5, 0.55, 0.8, 1.0])


@st.composite
def sequences(draw: st.DrawFn) -> TrackedSequence:
    moments = []
    for _ in range(draw(st.integers(1, 6))):
        people = draw(st.lists(st.integers(0, 3), max_size=3, unique=True))
        tracks = draw(st.lists(st.integers(0, 3), max_size=3, unique=True))
        # distinct overlaps: between equal ones the assignment is free, and so are the figures
        noise = np.random.default_rng(draw(st.integers(0, 2**32 - 1))).uniform(0, 1e-3, (len(people), len(tracks)))
        cells = len(people) * len(tracks)
        overlap = np.reshape(draw(st.lists(overlaps, min_size=cells, max_size=cells)), noise.shape)
        moments.append(moment(people, tracks, np.clip(overlap - noise, 0, 1)))
    return sequence(moments)


@settings(max_examples=100)
@given(sequences())
def test_figures_are_trackevals(data: TrackedSequence) -> None:
    if not data.people or not data.tracks:
        return  # TrackEval leaves some figures of such sequences at 0
    ours, theirs = figures(scores(data)), trackeval_figures([data])
    if not ours["CLR_TP"]:
        ours["MOTP"] = 0.0  # ours is not a number
    assert ours == pytest.approx({name: theirs[name] for name in ours}, abs=1e-9)


@settings(max_examples=50)
@given(sequences())
def test_figures_stay_in_range(data: TrackedSequence) -> None:
    result = scores(data)
    people, tracks = (int(length.sum()) for length in data.lengths())
    for value in (result.hota.hota, result.hota.det_a, result.hota.ass_a, result.hota.loc_a):
        assert 0 <= value <= 1 + 1e-9
    assert result.clear.hits + result.clear.misses == result.identity.hits + result.identity.misses == people
    assert result.clear.hits + result.clear.false_alarms == tracks
    everyone = result.clear.mostly_tracked + result.clear.partly_tracked + result.clear.mostly_lost
    assert everyone == data.people


def room(rows: list[tuple[int, int, list[float], float]], frames: int) -> CameraTruth:
    """One camera with people of (frame, person, box, visible fraction)."""
    columns = {}
    for name, (dtype, shape) in TruthPeople.columns.items():
        columns[name] = np.zeros((len(rows), *shape), dtype)
    columns["frame"], columns["person"] = np.array([row[0] for row in rows]), np.array([row[1] for row in rows])
    columns["amodal_box"] = columns["visible_box"] = np.array([row[2] for row in rows])
    columns["visible_fraction"] = np.array([row[3] for row in rows])
    moments = np.arange(frames)
    nothing = FaceMasks(np.zeros(0, np.int32), np.zeros(0, np.int16), [], [])
    return CameraTruth(640, 360, 25.0, TruthFrames(moments, moments, moments / 25), TruthPeople(**columns), nothing)


def test_tracks_of_ignored_people_do_not_count() -> None:
    seen, hidden = [100.0, 50, 160, 250], [300.0, 50, 360, 250]
    camera = room([(f, p, box, v) for f in (0, 1) for p, box, v in ((1, seen, 1.0), (2, hidden, 0.01))], 2)
    tracks = Tracks(
        frame=[0, 1, 0, 1, 1],
        track=[5, 5, 6, 6, 7],
        box=[seen, seen, hidden, hidden, [500, 50, 560, 250]],
        score=np.ones(5),
        provenance=np.zeros(5),
        detection=-np.ones(5),
    )
    result = evaluate_tracking({"cam1": camera}, {"cam1": tracks})
    assert (result.overall.clear.hits, result.overall.clear.false_alarms) == (2, 1)
    assert [len(moment.tracks) for moment in camera_moments(camera, tracks)] == [1, 2]
    assert result.by_camera["cam1"].identity.idf1 == pytest.approx(4 / 5)
    json.dumps(result.as_dict(), allow_nan=False)


if __name__ == "__main__":
    stored = {str(seed): [crowd(seed)] for seed in SEEDS} | {"all": [crowd(seed) for seed in SEEDS]}
    names = list(figures(scores(crowd(0))))
    numbers = {key: trackeval_figures(parts) for key, parts in stored.items()}
    STORED.write_text(
        json.dumps({key: {name: found[name] for name in names} for key, found in numbers.items()}, indent=1)
    )
