"""Progress adds up to the whole, whatever the parts tell."""

import pytest

from or_mv_anon.association.progress import Progress


def test_a_part_that_tells_nothing_is_done_at_its_end():
    told = []
    whole = Progress(told.append)
    with whole.part(0.25):
        assert told == []
    assert told == [0.25]


def test_a_part_that_tells_too_much_counts_once():
    told = []
    whole = Progress(told.append)
    with whole.part(0.5) as part:
        for _ in range(3):
            part.advance(0.5)
    assert sum(told) == 0.5


def test_parts_of_parts_add_up_to_the_whole():
    told = []
    whole = Progress(told.append)
    for _ in range(2):
        with whole.part(0.5) as half:
            half.advance(0.1)
            with half.part(0.4) as inner:
                inner.advance(0.5)
    assert sum(told) == pytest.approx(1)
    assert all(share > 0 for share in told)


def test_what_failed_is_not_told_as_done():
    told = []
    with pytest.raises(ValueError, match="gone"), Progress(told.append).part(0.5):
        raise ValueError("gone")
    assert told == []
