"""The built-in detector in 8-bit integers finds whom it finds as it is."""

from __future__ import annotations

import av
import numpy as np

from or_mv_anon.core.boxes import iou
from or_mv_anon.core.config import load_config
from or_mv_anon.core.resources import resource
from or_mv_anon.models.detectors.people_and_heads import PeopleAndHeadsDetector
from or_mv_anon.models.detectors.protocol import Found
from or_mv_anon.models.registry import fetch
from or_mv_anon.pipeline.weights import QUICKER

EVERY = 24  # frames of each camera
SURE = 0.3  # score


def found_in_session(name: str) -> list[tuple[Found, Found]]:
    detector = PeopleAndHeadsDetector(fetch(name), load_config().detection, device="cpu", threads=1)
    found = []
    for video in sorted((resource("data/simulated_session") / "recording").glob("*.mp4")):
        with av.open(str(video)) as container:
            for frame in list(container.decode(video=0))[::EVERY]:
                size = detector.input_size(frame.width, frame.height)
                picture = frame.reformat(*size, "bgr24").to_ndarray()
                found += detector.detect_classes([picture], size=(frame.width, frame.height))
    return found


def test_in_eight_bits_it_finds_the_same() -> None:
    exact, rounded = (found_in_session(name) for name in next(iter(QUICKER.items())))
    for number in (0, 1):
        wanted, got = [each[number] for each in exact], [each[number][0] for each in rounded]
        kept = [
            iou(boxes[scores >= SURE], other).max(axis=1, initial=0)
            for (boxes, scores), other in zip(wanted, got, strict=True)
        ]
        assert len(np.concatenate(kept)) > 50
        assert (np.concatenate(kept) > 0.7).mean() > 0.98
