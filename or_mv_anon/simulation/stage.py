"""What making a recording needs of a simulated site: cameras, and a scene that can be shown at any moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.simulation.cameras.placing import Camera
from or_mv_anon.simulation.rendering.renderer import Picture
from or_mv_anon.simulation.scene import View
from or_mv_anon.simulation.truth_maker import Subject


class Stage(Protocol):
    """What making a recording needs of a simulated site."""

    @property
    def cameras(self) -> Sequence[Camera]:
        """The site's cameras."""

    @property
    def actions(self) -> Sequence[str]:
        """Names that `Subject.action` counts."""

    @property
    def descriptions(self) -> Sequence[Mapping[str, Any]]:
        """The people, as the ground truth keeps them."""

    def set_time(self, time: float) -> list[Subject]:
        """Show the moment `time`, in session seconds; returns the people who are in the room."""

    def render(self, view: View) -> Picture:
        """What a pinhole camera sees of this moment."""

    def alone(self, view: View, person: int) -> NDArray[np.uint8]:
        """Which surfaces of a person it would see if nothing else were there."""
