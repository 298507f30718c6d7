"""Simulated heads from all sides: what is said of their direction is what the picture shows."""

import numpy as np
import pytest

pytest.importorskip("anny")
pytest.importorskip("moderngl")

from or_mv_anon.core.errors import UserError
from or_mv_anon.head_training.turntable import Look, turned_heads
from or_mv_anon.models.pose import Halpe26


@pytest.mark.slow
def test_a_head_faces_where_its_look_says():
    looks = [Look(yaw=0, pitch=20), Look(yaw=90, pitch=20), Look(yaw=180, pitch=20)]
    try:
        front, right, back = turned_heads(3, looks, side=64, shown=1.35)
    except UserError as error:
        pytest.skip(str(error))
    assert front.facing[2] > 0.9
    assert front.facing[1] > 0.2  # seen from above a face looks down
    assert right.facing[0] > 0.9
    assert back.facing[2] < -0.9
    ears = right.keypoints[[Halpe26.LEFT_EAR, Halpe26.RIGHT_EAR]].mean(axis=0)
    assert right.keypoints[Halpe26.NOSE][0] > ears[0] + 5
    for head in (front, right, back):
        assert 0.25 < head.present.mean() < 0.9
        assert head.present[24:40, 24:40].mean() > 0.9  # the head is in the middle
        assert head.picture[head.present].std() > 10
    assert np.abs(front.picture.astype(int) - back.picture).mean() > 5
