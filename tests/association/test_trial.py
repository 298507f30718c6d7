"""The estimate of how long association takes."""

from or_mv_anon.association.trial import association_seconds


def test_one_view_needs_no_association():
    assert association_seconds(views=1, seconds=3600, instant_s=0.2) == 0


def test_two_views_take_time():
    assert association_seconds(views=2, seconds=1, instant_s=0.2) > 0
