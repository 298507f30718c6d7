"""When cameras began, where the names of their recordings' parts say so: a recorder writes the time of each part."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from or_mv_anon.site.model import Camera
from or_mv_anon.site.part_names import wall_clock


def started_by_name(cameras: Sequence[Camera], *, keep: Collection[str]) -> tuple[list[Camera], list[str]]:
    """The cameras with offsets by which the earliest starts at 0, and notes about those that start later.

    Only where every camera's first file carries a time and some recording comes in parts: those names are a
    recorder's, whose clock all of them share.

    Args:
        cameras: of one session.
        keep: names of those whose offset is given.
    """
    clocks = {camera.name: wall_clock(camera.source.stem) for camera in cameras}
    in_parts = any(isinstance(camera.files, tuple) and not camera.holds_pictures for camera in cameras)
    known = [clock for clock in clocks.values() if clock is not None]
    if not in_parts or len(known) < len(cameras):
        return list(cameras), []
    moved, notes = [], []
    for camera in cameras:
        later = (clocks[camera.name] or 0.0) - min(known)
        if later and camera.name not in keep:
            notes.append(f"{camera.name} starts {later:g} s after the first camera, as the names of its files say.")
            camera = replace(camera, offset=later)
        moved.append(camera)
    return moved, notes
