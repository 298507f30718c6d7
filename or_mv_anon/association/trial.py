"""How long association would take on this machine, measured on people who do not exist."""

from __future__ import annotations

import math
import time

import numpy as np

from or_mv_anon.association.common_instants import CommonRows
from or_mv_anon.association.evidence import SHIFTS
from or_mv_anon.association.pair_estimate import PIECE_S
from or_mv_anon.association.pair_guesses import AT_ONCE, GUESSES, MOST_PAIRS, SAMPLES, STEADY, Candidates, score
from or_mv_anon.association.views import BodyPoint

PEOPLE = 8  # in the room
SCORING = 0.55  # of the time that geometry takes, for scoring guesses; the rest improves the best ones
TRIED_INSTANTS = 100


def association_seconds(*, views: int, seconds: float, instant_s: float) -> float:
    """Estimated seconds for a session of some length, on one core, with as many people as are usual in a room.

    Args:
        views: cameras that show the room.
        seconds: of the session.
        instant_s: seconds between instants.
    """
    pairs = views * (views - 1) // 2
    random = np.random.default_rng(0)
    candidates = min(PEOPLE**2 * math.ceil(seconds / PIECE_S), MOST_PAIRS)
    geometry = _scoring_seconds(random, candidates) * (GUESSES / AT_ONCE) / SCORING
    distances = _distance_seconds(random) * seconds / instant_s / TRIED_INSTANTS * (1 + len(SHIFTS))
    return pairs * (geometry + distances)


def _scoring_seconds(random: np.random.Generator, candidates: int) -> float:
    """Of as many guesses as are scored at once, by so many pairs of tracks."""
    shape = candidates, SAMPLES * len(STEADY)
    pair = np.arange(candidates)
    known = Candidates(
        first=pair // PEOPLE,
        second=pair % PEOPLE,
        points=random.random((2, *shape, 2)),
        weight=np.ones(shape),
        head=np.ones(shape),
        instants=np.full(candidates, SAMPLES),
        prior=np.zeros(candidates),
    )
    started = time.perf_counter()
    score(known, random.random((AT_ONCE, 3, 3)))
    return time.perf_counter() - started


def _distance_seconds(random: np.random.Generator) -> float:
    """Of comparing two cameras' people at `TRIED_INSTANTS`."""
    instant = np.repeat(np.arange(TRIED_INSTANTS), PEOPLE**2)
    rows = CommonRows(
        instant=instant,
        first=np.zeros_like(instant),
        second=np.zeros_like(instant),
        points=random.random((2, len(instant), len(BodyPoint), 2)).astype(np.float32),
        weight=np.ones((len(instant), len(BodyPoint)), np.float32),
        head=np.ones(len(instant)),
    )
    started = time.perf_counter()
    rows.distances(random.random((3, 3)))
    return time.perf_counter() - started
