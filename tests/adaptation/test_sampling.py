"""The choice of frames: spread over time and cameras, held-out time kept apart, the same every time."""

from __future__ import annotations

import dataclasses

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from or_mv_anon.adaptation.pseudo_labels import PseudoLabels
from or_mv_anon.adaptation.sampling import Candidates, TimeUse, affordable, choose_frames, time_use
from or_mv_anon.adaptation.settings import load_adaptation_config
from or_mv_anon.core.records import Provenance
from tests.adaptation.label_scenes import SIZE, box_at

CONFIG = load_adaptation_config().sampling


def candidates(count: int, *, hard: range = range(0), people: bool = True) -> Candidates:
    frames = np.arange(count) if people else np.zeros(0, int)
    labels = PseudoLabels(
        frame=frames,
        box=np.tile(np.array(box_at(10), np.float32), (len(frames), 1)),
        weight=np.where(np.isin(frames, hard), 0.5, 1.0),
        evidence=np.ones(len(frames)),
        score=np.ones(len(frames)),
        provenance=np.where(np.isin(frames, hard), Provenance.CROSS_VIEW, Provenance.DETECTED),
        track=np.zeros(len(frames)),
        identity=np.zeros(len(frames)),
    )
    return Candidates(np.arange(count) * 0.4, np.ones(count, bool), labels, SIZE)


@given(st.integers(1, 500), st.integers(1, 100), st.integers(0, 5))
def test_a_draw_is_ascending_allowed_and_not_too_large(count: int, wished: int, seed: int) -> None:
    camera = candidates(count)
    camera = dataclasses.replace(camera, allowed=np.arange(count) % 3 != 1)
    (frames,) = choose_frames([camera], wished, config=CONFIG, seed=[seed])
    assert len(frames) <= wished
    assert (np.diff(frames) > 0).all()
    assert camera.allowed[frames].all()


def test_cameras_share_equally_and_time_is_covered() -> None:
    picks = choose_frames([candidates(1000), candidates(600)], 100, config=CONFIG, seed=[0])
    assert [len(frames) for frames in picks] == [50, 50]
    assert np.histogram(picks[0], bins=5, range=(0, 1000))[0].min() >= 8


def test_difficult_frames_come_up_more_often() -> None:
    config = dataclasses.replace(CONFIG, hard_weight=2.0)
    (frames,) = choose_frames([candidates(1000, hard=range(0, 500))], 100, config=config, seed=[0])
    assert (frames < 500).sum() > 1.5 * (frames >= 500).sum()


def test_empty_frames_are_few() -> None:
    camera = candidates(1000)
    empty = dataclasses.replace(camera, labels=camera.labels[camera.labels.frame < 200])
    (frames,) = choose_frames([empty], 100, config=CONFIG, seed=[0])
    assert (frames >= 200).sum() <= 2 * 100 * CONFIG.empty_share


def test_the_same_seed_gives_the_same_frames() -> None:
    draws = [choose_frames([candidates(500)], 40, config=CONFIG, seed=[seed])[0].tolist() for seed in (1, 1, 2)]
    assert draws[0] == draws[1] != draws[2]


@given(st.floats(10, 300), st.integers(0, 20))
def test_held_out_time_is_apart_from_training_time(length: float, seed: int) -> None:
    seconds = np.arange(0, length, 0.2)
    use = time_use(seconds, start=0, end=length, config=CONFIG, seed=[seed])
    training, held = seconds[use == TimeUse.TRAINING], seconds[use == TimeUse.HELD_OUT]
    assert len(training)
    assert len(held)
    gap = np.abs(training[:, None] - held[None, :]).min()
    assert gap >= min(CONFIG.guard_s, length / 32) - 0.2
    shifted = time_use(seconds + 0.01, start=0, end=length, config=CONFIG, seed=[seed])
    assert (shifted != use).mean() < 0.2  # another camera's frames fall into the same stretches


def test_memory_limits_the_number_of_pictures() -> None:
    config = dataclasses.replace(CONFIG, most_megabytes=1.0)
    assert affordable(100, (512, 288), config) == 2
    assert affordable(100, (5120, 2880), config) == 1
