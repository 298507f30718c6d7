"""What a decoded frame's damage is called in the records."""

from __future__ import annotations

from or_mv_anon.core.records import FrameFlag
from or_mv_anon.video.frame import Frame


def damage_flags(frame: Frame) -> FrameFlag:
    """What is to be noted of a frame's damage."""
    corrupt = FrameFlag.CORRUPT if frame.corrupt else FrameFlag(0)
    return corrupt | (FrameFlag.DOUBTFUL if frame.doubtful else FrameFlag(0))
