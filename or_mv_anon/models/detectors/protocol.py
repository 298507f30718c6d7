"""What every detector is to the rest of the program, whatever its family: a batch of pictures in, scored boxes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, Self

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import DetectionConfig, FaceConfig
from or_mv_anon.models.network_file import Engine, NetworkFile

Picture = NDArray[np.uint8]
Found = tuple[Boxes, NDArray[np.float32]]  # boxes (N, 4) in upright full-frame pixels, scores (N,), best first
Thresholds = DetectionConfig | FaceConfig


class Detector(Protocol):
    """A loaded network that finds objects of one class in single pictures. Not thread-safe."""

    @property
    def provider(self) -> str:
        """The engine, device and precision in use."""

    @property
    def on_cpu(self) -> bool:
        """Whether the processor computes it."""

    def with_settings(self, config: Thresholds) -> Self:
        """The same loaded network with another input size and other thresholds."""

    def input_size(self, width: int, height: int) -> tuple[int, int]:
        """The ``(width, height)`` in pixels at which an upright frame of `width` × `height` is to be supplied."""

    def detect(self, pictures: Sequence[Picture], *, size: tuple[int, int]) -> list[Found]:
        """Finds objects in pictures that were resized from full frames, of one camera or of several.

        Args:
            pictures: upright BGR pictures ``(h, w, 3)``.
            size: ``(width, height)`` in pixels of the full frames that they were resized from.

        Returns:
            For each picture the boxes ``(N, 4)`` float32 in upright full-frame pixels, clipped to the frame, and the
            scores ``(N,)`` of at least the configured minimum, best first.

        Raises:
            FloatingPointError: the network gave scores that are no numbers, so that nothing may be concluded.
        """


Opener = Callable[[NetworkFile, Thresholds, Engine], Detector]
