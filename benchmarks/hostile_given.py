"""Recordings in a folder of the user's own, judged like those of `hostile_odd.py`."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

from benchmarks.hostile_odd import Right, judge, outputs_of
from benchmarks.hostile_tool import Case, Verdict
from benchmarks.hostile_world import World

FAULTS = {  # name in the folder of --faults -> what is right, where it is known
    "h264_bframes.avi": Right(50), "h264_bframes.mxf": Right(50), "mp4_without_ctts.mp4": Right(48),
    "h264_no_reorder_info.ts": Right(74), "ts_clock_jumps_back_10s.ts": Right(50),
    "ts_clock_restarts_same_phase.ts": Right(70), "ts_video_pid_changes.ts": Right(50, told_is_enough=True),
    "two_video_streams_small_first.mkv": Right(1, cameras=2, told_is_enough=True),
    "multipage_tiff": Right(6, told_is_enough=True),
    "pictures_numbered_in_steps_of_40": Right(30, seconds=1.2), "segments_flat": Right(1, cameras=2),
    "segments_folder_per_camera": Right(1, cameras=2),
}  # fmt: skip
NO_RECORDINGS = (".toml", ".md")


def faults(world: World) -> Iterator[Case]:
    """Everything in the folder of --faults; without a known right value, pictures are kept or the run says so."""
    for path in sorted(world.faults.iterdir()) if world.faults else ():
        if path.suffix in NO_RECORDINGS or (path / "model.toml").exists():
            continue

        def attempt(folder: Path, path: Path = path) -> Verdict:
            videos, out = folder / "videos", folder / "out"
            known = FAULTS.get(path.name)
            if not path.is_dir():
                videos.mkdir()
                shutil.copy(path, videos)
            elif known and known.cameras == 1 and not (path / "cam1").exists():
                shutil.copytree(path, videos / "cam1")
            else:
                shutil.copytree(path, videos)
            ran = world.tool.anonymize(videos, out)
            return judge(ran, out, known or Right(1, len(outputs_of(out)), told_is_enough=True))

        yield Case("given recordings", path.name, attempt)
