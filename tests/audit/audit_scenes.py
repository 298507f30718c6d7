"""Small made-up records for the audit's tests: one camera at 10 frames per second, 640 × 480."""

import numpy as np

from or_mv_anon.audit.document import Audit, CameraAudit, InputVideo, ModelUsed, OutputVideo, StageTiming
from or_mv_anon.audit.risk import risk_intervals
from or_mv_anon.audit.summary import summarize
from or_mv_anon.core.config import RiskConfig
from or_mv_anon.core.records import Detections, FrameFlag, Frames, Provenance, RegionKind, Regions, Tracks

SIZE = (640, 480)
RATE = 10
INSIDE = (200.0, 100.0, 300.0, 400.0)
CONFIG = RiskConfig(low_score=0.3, min_s=0.2, border_px=8.0)


def frames(count, *, flags=FrameFlag.PERSONS):
    number = np.arange(count)
    return Frames(frame=number, pts=number * 100, time=number / RATE, flags=np.full(count, int(flags), np.uint8))


def track(first, last, *, track=0, box=INSIDE, score=0.9, filled=()):
    """A person standing still in frames `first` to `last`; in `filled` frames nothing was detected."""
    number = np.arange(first, last + 1)
    blank = np.isin(number, list(filled))
    return Tracks(
        frame=number,
        track=np.full(len(number), track),
        box=np.tile(box, (len(number), 1)),
        score=np.full(len(number), score),
        provenance=np.where(blank, Provenance.INTERPOLATED, Provenance.DETECTED),
        detection=np.where(blank, -1, number),
    )


def detections_of(tracks):
    """One detection row for every frame number, so that `Tracks.detection` is the frame number."""
    count = int(tracks.frame.max(initial=-1)) + 1
    return Detections(
        frame=np.arange(count), box=np.tile((0.0, 0.0, 1.0, 1.0), (count, 1)), score=np.zeros(count, np.float32)
    )


def heads(tracks, *, uncertainty=0.0, kind=RegionKind.HEAD):
    """A 50 × 50 region for every row of the tracks."""
    count = len(tracks)
    corner = tracks.box[:, :2]
    return Regions(
        frame=tracks.frame,
        box=np.concatenate([corner, corner + 50], axis=1),
        kind=np.full(count, kind),
        track=tracks.track,
        uncertainty=np.broadcast_to(uncertainty, count),
    )


def risks(frames, tracks, *, detections=None, regions=None, config=CONFIG, missing_pts=()):
    return risk_intervals(
        frames,
        detections_of(tracks) if detections is None else detections,
        tracks,
        heads(tracks) if regions is None else regions,
        config,
        size=SIZE,
        missing_pts=missing_pts,
    )


def reasons(found):
    return [risk.reason for risk in found]


def camera(name, frames, tracks, regions=None, *, found=None):
    regions = heads(tracks) if regions is None else regions
    return CameraAudit(
        camera=name,
        offset_s=0.0,
        start_s=0.0,
        duration_s=len(frames) / RATE,
        summary=summarize(frames, tracks, regions, size=SIZE),
        risks=tuple(risks(frames, tracks, regions=regions) if found is None else found),
    )


def audit(*cameras, problems=(), verified=True, written=None):
    names = [entry.camera for entry in cameras]
    return Audit(
        session="morning",
        tool_version="0.1.0",
        created="2024-03-11T09:00:00+00:00",
        settings={"risk": {"low_score": 0.3}},
        options={"method": "pixelate", "start": None},
        inputs=tuple(
            InputVideo(
                camera=name, name=f"{name}.mp4", sha256="a" * 64, bytes=1234, frames=10, duration_s=1.0,
                width=640, height=480, codec="h264",
            )
            for name in names
        ),
        outputs=tuple(
            OutputVideo(
                camera=name, name=f"{name}.mp4", sha256="b" * 64, bytes=1234, codec="h264", encoder="libx264",
                verified=verified, verification="10 frames read back.",
            )
            for name in (names if written is None else written)
        ),
        models=(
            ModelUsed(
                role="person detector", name="tiny", sha256="c" * 64, licence="Apache-2.0", provider="OpenVINO",
                precision="f32",
            ),
        ),
        versions={"Python": "3.11"},
        timings=(StageTiming(stage="analyse", frames=100, seconds=4.0),),
        cameras=tuple(cameras),
        problems=tuple(problems),
    )  # fmt: skip
