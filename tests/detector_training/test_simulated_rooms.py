"""Rooms with cameras of any kind are learned from, and each kind is kept in a file of its own."""

from argparse import ArgumentTypeError

import numpy as np
import pytest

from or_mv_anon.detector_training.simulated_rooms import make_room
from or_mv_anon.detector_training.train import SimulatedRoom


@pytest.mark.parametrize("text", ["5001", "5001-infrared", "5001-old"])
def test_a_room_is_named_as_it_is_written(text):
    assert str(SimulatedRoom.parse(text)) == text


@pytest.mark.parametrize("text", ["5001-night", "room", ""])
def test_what_names_no_room_is_told(text):
    with pytest.raises(ArgumentTypeError, match="expected a seed"):
        SimulatedRoom.parse(text)


@pytest.mark.slow
def test_pictures_of_infrared_cameras_have_no_colour(tmp_path):
    pytest.importorskip("anny")
    pytest.importorskip("moderngl")
    usual, infrared = (
        make_room(tmp_path / f"{sensor}.npz", seed=3001, cameras=1, moments=1, sensor=sensor).pictures[0].astype(int)
        for sensor in ("usual", "infrared")
    )
    assert infrared.shape == usual.shape
    assert np.ptp(infrared, axis=-1).max() <= 2
    assert np.ptp(usual, axis=-1).max() > 20
