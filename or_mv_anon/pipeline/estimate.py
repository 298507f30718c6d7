"""What a run would take: time measured on the first frames of every camera, disk from what they encode to.

Nothing is written: the trial encodes in memory and throws the packets away.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

import av
from av.video.codeccontext import VideoCodecContext
from tqdm import tqdm

from or_mv_anon.association.trial import association_seconds
from or_mv_anon.core.config import VideoConfig
from or_mv_anon.core.listening import tell
from or_mv_anon.core.printable import printable
from or_mv_anon.core.workers import default_workers
from or_mv_anon.endoscopy.judging import judge_frames, recording_area
from or_mv_anon.pipeline.media import CameraPlan, open_camera
from or_mv_anon.pipeline.plan import SessionPlan
from or_mv_anon.pipeline.probe_models import ProbeModels
from or_mv_anon.regions.observe import observe_frames, plan_schedule
from or_mv_anon.video.encoding import Encoding, encoder_options
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.pixels import Converter
from or_mv_anon.video.source import Source

TRIAL_FRAMES = 60
COPIES = 2.1  # the segments that wait to be joined, the joined output, and the stage outputs


@dataclass(frozen=True)
class Cost:
    """Of one frame, on one worker."""

    seconds: float
    size: float  # bytes


def estimate_session(plan: SessionPlan, models: ProbeModels) -> None:
    """Print what a run over the session would do, with estimated time and disk space."""
    workers = models.spec.workers or default_workers(len(plan.cameras))
    seconds = size = 0.0
    lines = []
    for camera in tqdm(plan.cameras, desc=printable(f"{plan.session.name}: trial"), unit="camera"):
        cost = _frame_cost(camera, models)
        frames = camera.stop - camera.first
        seconds, size = seconds + cost.seconds * frames, size + cost.size * frames
        lines.append(printable(f"  {camera.camera.name}: {frames} frames -> {camera.destination}"))
    comparing = _comparing_seconds(plan, models.spec.config.association.instant_s)
    free = shutil.disk_usage(next(p for p in [plan.out.absolute(), *plan.out.absolute().parents] if p.exists())).free
    engine = models.provider(plan.cameras[0])
    tell("\n".join(lines))
    tell(
        f"Would take about {_clock(seconds / workers + comparing)} with {workers} workers on {engine}, and up to "
        f"{COPIES * size / 1e9:.2f} GB in {printable(plan.out)} ({free / 1e9:.1f} GB free). Nothing was written."
    )


def _comparing_seconds(plan: SessionPlan, instant_s: float) -> float:
    """Of finding out who is who across the cameras that show the room; one process does it."""
    rooms = [
        facts.duration * (camera.stop - camera.first) / facts.n_frames
        for camera, facts in zip(plan.cameras, plan.facts, strict=True)
        if camera.camera.kind == "room"
    ]
    if len(rooms) < 2:
        return 0.0
    return association_seconds(views=len(rooms), seconds=max(rooms), instant_s=instant_s)


def _frame_cost(plan: CameraPlan, models: ProbeModels) -> Cost:
    source = open_camera(plan.camera, plan.store, bound=False)
    frames = source.frames(plan.segments[0])
    look = _analysis(plan, source, models)
    look(islice(frames, 1))  # the first call prepares networks
    started = time.perf_counter()
    count = look(islice(frames, TRIAL_FRAMES))
    per_frame = (time.perf_counter() - started) / max(1, count)
    if plan.encoding is None:
        size = sum(path.stat().st_size for path in plan.camera.files) if isinstance(plan.camera.files, tuple) else 0
        return Cost(2 * per_frame, size / source.n_frames)
    encoded = _encoding_cost(plan, source, plan.encoding, models.spec.config.video)
    return Cost(per_frame + encoded.seconds, encoded.size)


def _analysis(plan: CameraPlan, source: Source, models: ProbeModels) -> Callable[[Iterator[Frame]], int]:
    """What analyses frames of this camera and returns their number."""
    if plan.camera.kind == "endoscope":
        judging = models.spec.endoscopy.judging
        area = recording_area(source, judging, first=plan.first, stop=plan.stop)
        return lambda frames: len(judge_frames(frames, models.scope, area, judging, first=plan.first).frames)
    schedule = plan_schedule(source.times, models.spec.config, first=plan.first, stop=plan.stop)
    return lambda frames: len(
        observe_frames(frames, models.room, schedule, models.spec.config, first=plan.first).frames
    )


def _encoding_cost(plan: CameraPlan, source: Source, encoding: Encoding, config: VideoConfig) -> Cost:
    encoder = av.CodecContext.create(encoding.encoder, "w")
    assert isinstance(encoder, VideoCodecContext)
    converter = Converter()
    started = time.perf_counter()
    count = size = 0
    for frame in islice(source.frames(plan.segments[0]), TRIAL_FRAMES):
        native = frame.native
        if not encoder.is_open:
            encoder.width, encoder.height, encoder.pix_fmt = native.width, native.height, encoding.pix_fmt
            encoder.time_base, encoder.thread_count = source.time_base, 1
            encoder.options = encoder_options(encoding.encoder, crf=config.crf, preset=config.preset, threads=1)
        if native.format.name != encoding.pix_fmt:
            native = converter.convert(native, name=encoding.pix_fmt, width=native.width, height=native.height)
        native.pict_type = av.video.frame.PictureType.NONE
        size += sum(packet.size for packet in encoder.encode(native))
        count += 1
    size += sum(packet.size for packet in encoder.encode(None))
    return Cost((time.perf_counter() - started) / max(1, count), size / max(1, count))


def _clock(seconds: float) -> str:
    hours, rest = divmod(round(seconds), 3600)
    return f"{hours}:{rest // 60:02d}:{rest % 60:02d}"
