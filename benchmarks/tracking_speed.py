"""How many frames per second tracking handles: each pass, the whole of it, and the public `trackers` package beside it.

``python benchmarks/tracking_speed.py --out tracking_speed.json`` prints a table and writes the numbers. The recording
is generated from a seed: people on curved paths with jitter, missed and weak boxes and false alarms. The `trackers`
package (PyPI, Apache-2.0) is measured on the first part of the same recording when it is importable.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from or_mv_anon.core.config import TrackingConfig, load_config
from or_mv_anon.core.records import Detections, FrameFlag, Frames
from or_mv_anon.tracking.offline import follow, track_camera

RATE = 30.0
SIZE = (1920, 1080)


def recording(*, count: int, people: int, seed: int) -> tuple[Detections, Frames]:
    """Detections and frames of a generated recording of `count` frames."""
    rng = np.random.default_rng(seed)
    seconds = np.arange(count) / RATE
    frames = Frames(
        frame=np.arange(count), pts=np.arange(count), time=seconds, flags=np.full(count, int(FrameFlag.PERSONS))
    )
    parts = []
    for _ in range(people):
        angle = seconds[:, None] * rng.uniform(0.1, 0.5, 2) + rng.uniform(0, 2 * np.pi, 2)
        centre = np.array(SIZE) / 2 + np.array([800, 250]) * np.sin(angle)
        height = rng.uniform(250, 450)
        half = np.array([0.2, 0.5]) * height
        box = (np.concatenate([centre - half, centre + half], axis=1) + rng.normal(0, 3, (count, 4))).astype(np.float32)
        score = np.where(rng.random(count) < 0.1, rng.uniform(0.1, 0.5, count), rng.beta(8, 2, count))
        seen = rng.random(count) > 0.04
        parts.append(Detections(frame=frames.frame[seen], box=box[seen], score=score[seen]))
    alarms = np.sort(rng.integers(0, count, count // 5))
    corner = rng.uniform(0, (1700, 800), (len(alarms), 2))
    box = np.concatenate([corner, corner + rng.uniform(40, 250, (len(alarms), 2))], axis=1)
    parts.append(Detections(frame=alarms, box=box, score=rng.uniform(0.1, 0.6, len(alarms))))
    detections = Detections.concat(parts)
    return detections[np.argsort(detections.frame, kind="stable")], frames


def trackers_pass(detections: Detections, count: int, config: TrackingConfig) -> None:
    """One forward pass of `trackers.ByteTrackTracker` over the first `count` frames."""
    import supervision
    from trackers import ByteTrackTracker

    tracker = ByteTrackTracker(
        lost_track_buffer=round(config.lost_buffer_s * 30),
        frame_rate=RATE,
        track_activation_threshold=config.new_track_score,
        minimum_iou_threshold=config.match_iou,
        high_conf_det_threshold=config.high_score,
    )
    bounds = np.searchsorted(detections.frame, np.arange(count + 1))
    for frame in range(count):
        rows = slice(bounds[frame], bounds[frame + 1])
        tracker.update(supervision.Detections(xyxy=detections.box[rows], confidence=detections.score[rows]))


def rate_of(task: Callable[[], Any], frames: int, *, repeats: int) -> float:
    """Frames per second of the fastest of `repeats` runs."""
    best = float("inf")
    for _ in range(repeats):
        start = time.perf_counter()
        task()
        best = min(best, time.perf_counter() - start)
    return frames / best


def measure(*, count: int, people: int, seed: int, repeats: int, trackers_frames: int) -> dict[str, Any]:
    """All rates of one generated recording, as plain values."""
    config = load_config().tracking
    detections, frames = recording(count=count, people=people, seed=seed)
    looked = np.ones(count, bool)
    rates = {
        "forward": rate_of(lambda: follow(detections, frames.time, looked, config), count, repeats=repeats),
        "backward": rate_of(
            lambda: follow(detections, frames.time, looked, config, backward=True), count, repeats=repeats
        ),
        "offline": rate_of(lambda: track_camera(detections, frames, looked, config, size=SIZE), count, repeats=repeats),
    }
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    try:
        import trackers  # noqa: F401
    except ImportError:
        pass
    else:
        first = min(trackers_frames, count)
        rates["trackers forward"] = rate_of(lambda: trackers_pass(detections, first, config), first, repeats=repeats)
    return {
        "frames": count,
        "people": people,
        "detections": len(detections),
        "seed": seed,
        "repeats": repeats,
        "frames_per_second": {name: round(rate, 1) for name, rate in rates.items()},
        "peak_memory_mb": round(peak_mb),
        "python": platform.python_version(),
        "numpy": np.__version__,
        "processor": platform.processor() or platform.machine(),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=9000, help="length of the recording (default 9000: 5 minutes)")
    parser.add_argument("--people", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--repeats", type=int, default=2, help="the fastest run counts (default 2)")
    parser.add_argument("--trackers-frames", type=int, default=1500, help="frames given to the trackers package")
    parser.add_argument("--out", type=Path, help="where to write the numbers as JSON")
    arguments = parser.parse_args()
    result = measure(
        count=arguments.frames,
        people=arguments.people,
        seed=arguments.seed,
        repeats=arguments.repeats,
        trackers_frames=arguments.trackers_frames,
    )
    print(f"{result['frames']} frames, {result['people']} people, {result['detections']} detections")
    for name, rate in result["frames_per_second"].items():
        print(f"  {name:<18}{rate:>10.0f} frames/s")
    print(f"  peak memory       {result['peak_memory_mb']:>10} MB")
    if "trackers forward" not in result["frames_per_second"]:
        print("  (the trackers package is not installed: not compared)")
    if arguments.out:
        arguments.out.write_text(json.dumps(result, indent=2) + "\n")


if __name__ == "__main__":
    main()
