"""Which frames of a damaged file differ visibly from the sound one's, and which of them are found."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import av
import cv2
import numpy as np
from av.error import FFmpegError
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.video.index import index_video
from or_mv_anon.video.reader import VideoSource
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.video_index import VideoIndex

BLOCK = 16  # pixels
DIFFERING, LEAST_SHARE = 12.0, 0.02  # mean difference of a block's luma, and share of blocks, that one can see


def visible(sound: Path, damaged: Path, *, least: float = LEAST_SHARE) -> set[int]:
    """Ticks of the frames of `damaged` of which more than the share `least` of blocks differ from the sound one's."""
    expected = decoded(sound)
    return {
        pts
        for pts, luma in decoded(damaged).items()
        if pts in expected and luma.shape == expected[pts].shape and _differing(luma, expected[pts]) > least
    }


def decoded(path: Path) -> dict[int, NDArray[np.uint8]]:
    """The luma of every frame that a plain player shows, by its ticks."""
    shown: dict[int, NDArray[np.uint8]] = {}
    with suppress(FFmpegError), av.open(str(path)) as container:  # a file that cannot be opened shows nothing
        for packet in container.demux(video=0):
            for frame in _decode(packet):
                if frame.pts is not None:
                    plane = frame.planes[0]
                    rows = np.frombuffer(plane, np.uint8).reshape(plane.height, -1)
                    shown[frame.pts] = rows[:, : plane.width].copy()
    return shown


def before(path: Path) -> set[int]:
    """Ticks of the frames that the decoder itself calls damaged, with what is shown after them up to a keyframe."""
    flagged: set[int] = set()
    with suppress(FFmpegError), av.open(str(path)) as container:
        container.streams.video[0].codec_context.thread_count = 1
        damaged = False
        for packet in container.demux(video=0):
            for frame in _decode(packet):
                damaged = frame.is_corrupt or (damaged and not frame.key_frame)
                if damaged and frame.pts is not None:
                    flagged.add(frame.pts)
    return flagged


def found(path: Path) -> set[int]:
    """Ticks of the frames that the analysis would cover whole or leave out."""
    try:
        index = index_video(path)
    except UserError:  # not one frame decodes: there is no output
        return set(decoded(path))
    source = VideoSource(index, scrutiny="thorough")
    corrupt, doubtful = np.zeros(source.n_frames, bool), np.zeros(source.n_frames, bool)
    for frame in source.frames(Segment(0, 0, source.n_frames)):
        corrupt[frame.index], doubtful[frame.index] = frame.corrupt, frame.doubtful
    corrupt |= np.isin(index.pts, source.missing)
    reached = index.decoding.reached(index.times, corrupt, doubtful, silent=index.hides_damage)
    return set(_written_ticks(path, index)[reached].tolist()) | set(source.missing)


def _written_ticks(path: Path, index: VideoIndex) -> NDArray[np.int64]:
    """The frames' ticks as the file has them, before a clock that jumps is spliced."""
    if index.label != "number":
        return index.pts
    with av.open(str(path)) as container:
        ticks = [-1 if packet.pts is None else packet.pts for packet in container.demux(video=0) if packet.size]
    return np.array(ticks)[index.labels]


def _decode(packet: av.Packet) -> list[av.VideoFrame]:
    try:
        return packet.decode()
    except (FFmpegError, EOFError):
        return []


def _differing(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Share of blocks whose mean absolute difference can be seen."""
    size = one.shape[1] // BLOCK, one.shape[0] // BLOCK
    difference = cv2.resize(cv2.absdiff(one, other), size, interpolation=cv2.INTER_AREA)
    return float((difference > DIFFERING).mean())
