"""What a reviewer drew: covered as it was drawn, for as long as it was asked for, whatever any network says."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import ManualConfig, PipelineConfig
from or_mv_anon.core.records import RegionKind, Regions
from or_mv_anon.corrections.actions import Cover, Keyframe
from or_mv_anon.regions.source import CameraScene, Drawn, RegionSource


class ManualSource(RegionSource):
    """Places the boxes of corrections; zones of `never_cover` do not hold against them."""

    name = "manual"

    def place(self, scene: CameraScene, config: PipelineConfig) -> Regions:
        return drawn_regions(scene.frames.frame, scene.frames.time, scene.drawn, config.manual, size=scene.size)


def drawn_regions(
    frame: NDArray[np.int32],
    time: NDArray[np.float64],
    drawn: Sequence[Drawn],
    config: ManualConfig,
    *,
    size: tuple[int, int],
) -> Regions:
    """What drawn boxes cover.

    Args:
        frame, time: number and seconds of every frame ``(F,)``; times never fall.
        drawn: by reviewers.
        config: their margins.
        size: width and height of the upright picture in pixels.
    """
    parts = [Regions.empty()]
    for each in drawn:
        seconds = np.maximum.accumulate(time) + each.earlier
        found = np.array(sorted(each.found), np.int64)
        held = held_frames(each.cover, seconds, config)
        if each.cover.hold == "moment":
            held = held | np.isin(frame, found)
        keyframes = each.cover.boxes
        if len(found):
            there = np.flatnonzero(np.isin(frame, found)).tolist()
            keyframes = _in_order([Keyframe(float(seconds[row]), each.found[int(frame[row])]) for row in there])
        box = bx.expand(boxes_at(keyframes, seconds[held]), ratio=config.margin)
        box = bx.clip(box, width=size[0], height=size[1])
        rows = bx.area(box) > 0
        count = int(rows.sum())
        parts.append(
            Regions(
                frame=frame[held][rows],
                box=box[rows],
                kind=np.full(count, RegionKind.MANUAL),
                track=np.full(count, -1),
                uncertainty=np.zeros(count),
            )
        )
    return Regions.concat(parts)


def held_frames(cover: Cover, seconds: NDArray[np.float64], config: ManualConfig) -> NDArray[np.bool_]:
    """Mask ``(F,)`` of the frames in which a drawn box holds; every moment that it names has its frame in it.

    Args:
        cover: what was drawn.
        seconds: of the session, per frame ``(F,)``, never falling.
        config: how long a moment is.
    """
    if cover.hold == "always":
        return np.ones(len(seconds), bool)
    if cover.hold == "span":
        assert cover.start is not None
        assert cover.end is not None
        start, end = cover.start, cover.end
    else:
        start, end = cover.boxes[0].time - config.moment_s, cover.boxes[-1].time + config.moment_s
    step = float(np.median(np.diff(seconds))) if len(seconds) > 1 else 0.0  # a frame is shown until the next one
    return np.asarray((seconds > start - max(step, 1e-6)) & (seconds < end + max(step, 1e-6)))


def _in_order(keyframes: Sequence[Keyframe]) -> tuple[Keyframe, ...]:
    """Keyframes with one for each moment; frames may share a time where a recording's clock stood still."""
    return tuple({keyframe.time: keyframe for keyframe in keyframes}.values())


def boxes_at(keyframes: Sequence[Keyframe], seconds: NDArray[np.float64]) -> Boxes:
    """Boxes ``(N, 4)`` at moments ``(N,)``: evenly from keyframe to keyframe, outside of them as in the nearest."""
    times = [keyframe.time for keyframe in keyframes]
    corners = np.array([keyframe.box for keyframe in keyframes], np.float64)
    return np.stack([np.interp(seconds, times, corners[:, i]) for i in range(4)], axis=1).astype(np.float32)
