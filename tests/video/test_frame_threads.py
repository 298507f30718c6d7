"""Frames of one source are asked for pictures of several sizes by several threads at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import av
import numpy as np

from or_mv_anon.live.pictures import upright_frame
from or_mv_anon.video.frame import PictureScaler

SIZES = ((64, 36), (96, 54), (320, 180))


def test_each_thread_gets_the_picture_it_asked_for() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (6, 180, 320, 3), np.uint8)
    pictures = [av.VideoFrame.from_ndarray(each, format="bgr24").reformat(format="yuv420p") for each in noise]
    alone = [[upright_frame(each, 0, 0.0).bgr(*size) for size in SIZES] for each in pictures]
    scaler = PictureScaler()
    frames = [upright_frame(each, number, 0.0, scaler=scaler) for number, each in enumerate(pictures)]

    def ask(turn: int) -> bool:
        number, size = turn % len(frames), turn % len(SIZES)
        return np.array_equal(frames[number].bgr(*SIZES[size]), alone[number][size])

    with ThreadPoolExecutor(3) as threads:
        assert all(threads.map(ask, (turn * step % 1000 for turn in range(1000) for step in (1, 3, 7))))
