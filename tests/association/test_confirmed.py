"""Weak tracks count as confirmed where other cameras place their person's head, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest

from or_mv_anon.association.recover import agreement, with_confirmed
from or_mv_anon.association.transfer import Places
from or_mv_anon.association.views import BodyPoint, Observations
from or_mv_anon.core.records import Identities, Provenance, Tracks

BOX = (100.0, 100.0, 160.0, 280.0)
COUNT = 10
IDENTITIES = Identities(track=[3], identity=[7], confidence=[0.9])


def placed(centre: tuple[float, float], *, identity: int = 7, count: int = COUNT) -> Places:
    return Places(
        instant=np.arange(count),
        identity=np.full(count, identity),
        centre=np.tile(centre, (count, 1)),
        covariance=np.tile(np.eye(2), (count, 1, 1)),
        misfit=np.zeros(count),
        confidence=np.ones(count),
    )


def observations() -> Observations:
    points = len(BodyPoint)
    return Observations(
        instant=np.arange(COUNT),
        track=np.full(COUNT, 3),
        box=np.tile(BOX, (COUNT, 1)),
        score=np.full(COUNT, 0.2),
        points=np.zeros((COUNT, points, 2)),
        weight=np.zeros((COUNT, points)),
        head=np.full(COUNT, 25),
    )


def tracks(provenance: Provenance = Provenance.TRACKED) -> Tracks:
    return Tracks(
        frame=np.arange(COUNT),
        track=np.full(COUNT, 3),
        box=np.tile(BOX, (COUNT, 1)),
        score=np.full(COUNT, 0.2),
        provenance=np.full(COUNT, provenance),
        detection=np.arange(COUNT),
    )


def provenance_after(places: Places, *, before: Provenance = Provenance.TRACKED, least: int = 2) -> set[int]:
    votes = agreement(places, observations(), IDENTITIES)
    return set(with_confirmed(tracks(before), votes, least=least).provenance.tolist())


def test_a_head_placed_at_the_top_of_the_box_confirms_it() -> None:
    assert provenance_after(placed((130, 120))) == {Provenance.CROSS_VIEW}


@pytest.mark.parametrize(
    "places",
    [placed((130, 270)), placed((300, 120)), placed((130, 120), identity=8), Places.empty()],
    ids=["feet", "elsewhere", "somebody else", "nothing"],
)
def test_anything_else_does_not(places: Places) -> None:
    assert provenance_after(places) == {Provenance.TRACKED}


def test_a_moment_of_agreement_is_too_little() -> None:
    assert provenance_after(placed((130, 120), count=1)) == {Provenance.TRACKED}


def test_boxes_that_were_clear_need_no_confirmation() -> None:
    assert provenance_after(placed((130, 120)), before=Provenance.DETECTED) == {Provenance.DETECTED}


def test_filled_rows_stay_filled() -> None:
    assert provenance_after(placed((130, 120)), before=Provenance.INTERPOLATED) == {Provenance.INTERPOLATED}


def test_no_tracks_at_all() -> None:
    votes = agreement(placed((130, 120)), Observations.empty(), Identities.empty())
    assert len(with_confirmed(Tracks.empty(), votes, least=2)) == 0
