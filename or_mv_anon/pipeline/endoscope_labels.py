"""The labels of one recording: what is outside the body, frame by frame, with everything that it rests on.

`labels` and `frames` are as ROBAN writes them, so scripts for that tool read these files too. The same recording,
network and settings give the same bytes.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon import __version__
from or_mv_anon.audit.intervals import Clock
from or_mv_anon.core.records import FrameFlag, Frames, Judgements, Verdicts

FORMAT = "or_mv_anon/endoscopy_labels/1"
SUFFIX = "_labels.json"
PROBABILITY_DIGITS, TIME_DIGITS = 5, 6


def labels_of(
    frames: Frames,
    judgements: Judgements,
    verdicts: Verdicts,
    *,
    settings: Mapping[str, Any],
    hashes: Mapping[str, str],
    network: str,
    start_s: float = 0.0,
) -> dict[str, Any]:
    """What the labels file holds.

    Args:
        frames: all frames of the recording.
        judgements: what the network said of each.
        verdicts: what was decided.
        settings: section to key to value.
        hashes: of the recording, the network and the settings.
        network: the engine, device and precision that it ran on.
        start_s: seconds added to the frames' times, which gives those of the recording itself.
    """
    outside = verdicts.covered.astype(bool)
    flagged = frames.has(FrameFlag.FAILED | FrameFlag.CORRUPT)
    return {
        "format": FORMAT,
        "version": __version__,
        "meaning": "1 = outside the body or not to be judged, margins included; 0 = inside",
        "labels": outside.astype(int).tolist(),
        "frames": frames.frame.tolist(),
        "probabilities": _numbers(judgements.probability, PROBABILITY_DIGITS),
        "posteriors": _numbers(verdicts.posterior, PROBABILITY_DIGITS),
        "looked": judgements.looked.tolist(),
        "timestamps": _numbers(frames.time + start_s, TIME_DIGITS),
        "not_judged": frames.frame[flagged].tolist(),
        "segments": _segments(frames, outside, start_s),
        "network": network,
        "settings": dict(settings),
        "hashes": dict(hashes),
    }


def labels_text(labels: Mapping[str, Any]) -> str:
    """The labels file's text, one key per line."""
    lines = [f"{json.dumps(key)}: {json.dumps(value, allow_nan=False)}" for key, value in labels.items()]
    return "{\n" + ",\n".join(lines) + "\n}\n"


def _segments(frames: Frames, outside: NDArray[np.bool_], start_s: float) -> list[dict[str, float | int]]:
    """Stretches of one label, in order, with their first and last frame; the end is that of the last frame."""
    clock = Clock.of(frames)
    begin = np.flatnonzero(np.r_[True, outside[1:] != outside[:-1]]) if len(outside) else np.zeros(0, int)
    stretches = []
    for first, last in zip(begin.tolist(), [*(begin[1:] - 1).tolist(), len(outside) - 1], strict=False):
        start, end = clock.span(int(frames.frame[first]), int(frames.frame[last]))
        stretches.append(
            {
                "label": int(outside[first]),
                "first_frame": int(frames.frame[first]),
                "last_frame": int(frames.frame[last]),
                "start_s": round(start + start_s, TIME_DIGITS),
                "end_s": round(end + start_s, TIME_DIGITS),
            }
        )
    return stretches


def _numbers(values: NDArray[np.floating], digits: int) -> list[float | None]:
    return [None if math.isnan(value) else round(value, digits) for value in values.tolist()]
