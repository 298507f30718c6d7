"""Re-opens a finished video and compares it with what was promised."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.video.demux import decode as decode_packets
from or_mv_anon.video.demux import main_stream, open_video, read_packets


class VerificationError(UserError):
    """An output does not hold what it must."""


def check_video(
    path: Path, expected_pts: NDArray[np.int64], *, time_base: Fraction | None = None, decode: bool = False
) -> None:
    """Compare the frames of `path` with the expected timestamps, exactly.

    Args:
        path: the finished file.
        expected_pts: (N,) ticks in display order.
        time_base: seconds per expected tick; None for the file's own.
        decode: also decode every frame.

    Raises:
        VerificationError: frames are missing, surplus, at another time, damaged, or the file cannot be read.
    """
    try:
        with open_video(path) as container:
            stream = main_stream(container, path)
            found = read_packets(container, stream)
            own = stream.time_base
    except UserError as error:
        raise VerificationError(f"The output cannot be read back: {error}") from error
    if found.error:
        raise VerificationError(f"The output {path} cannot be read to its end: {found.error}.")
    if None in found.pts:
        raise VerificationError(f"The output {path} holds frames without a timestamp.")
    assert own is not None
    _compare(path, "holds", np.sort(np.array(found.pts, np.int64)), own, expected_pts, time_base or own)
    if decode:
        _compare(path, "decodes to", _decoded(path), own, expected_pts, time_base or own)


def _decoded(path: Path) -> NDArray[np.int64]:
    with open_video(path) as container:
        stream = main_stream(container, path)
        shown = []
        for frame in decode_packets(container, stream, container.demux(stream)):
            if frame.is_corrupt:
                raise VerificationError(f"The output {path} is damaged at {frame.time:.3f} s.")
            shown.append(-1 if frame.pts is None else frame.pts)
    return np.array(shown, np.int64)


def _compare(
    path: Path, verb: str, found: NDArray[np.int64], own: Fraction, expected: NDArray[np.int64], time_base: Fraction
) -> None:
    if len(found) != len(expected):
        raise VerificationError(f"The output {path} {verb} {len(found)} frames, expected {len(expected)}.")
    ratio = time_base / own
    differing = np.flatnonzero(found * ratio.denominator != np.asarray(expected, np.int64) * ratio.numerator)
    if len(differing):
        i = int(differing[0])
        raise VerificationError(
            f"The output {path} {verb} {len(differing)} frames at another time than the input, the first is frame "
            f"{i}: {float(found[i] * own):.6f} s, expected {float(expected[i] * time_base):.6f} s."
        )
