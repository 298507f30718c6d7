"""Who is seen when in a camera, and what is covered in a frame: read from the run's tables a piece at a time."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.placed import placed_segments
from or_mv_anon.core.records import Identities, RegionKind, Regions, Tracks
from or_mv_anon.core.run_layout import FRAMES, IDENTITIES, RECOVERED, REGIONS, TRACKS
from or_mv_anon.core.stage_files import StageFiles
from or_mv_anon.corrections.actions import Place
from or_mv_anon.corrections.log import Line
from or_mv_anon.corrections.persons import NEAR_S, Persons, followed_at, places_in, who_is_who
from or_mv_anon.review.run_folder import ReviewedCamera, ReviewedRun
from or_mv_anon.tracking.clear import ever_clear

MOST_KEYFRAMES = 40  # by which a track is told to another run
TABLES_AT_HAND = 8


def persons(run: ReviewedRun, lines: Sequence[Line]) -> Persons:
    """Who is who in the run after the decisions that stand."""
    identities: dict[str, Identities] = {}
    found: dict[Place, int] = {}
    for camera in run.cameras:
        identities[camera.name] = _identities(run.store, camera.name)
        if places := places_in(lines, camera.name):
            found |= followed_at(places, _tracks(run.store, camera.name), _seconds(camera))
    return who_is_who(lines, identities, found)


def presences(run: ReviewedRun, camera: ReviewedCamera) -> list[dict[str, Any]]:
    """The people of a camera who were clearly seen, or confirmed by other cameras, at least once.

    Returns:
        One entry per track: `track`, `start` and `end` in session seconds.
    """
    tracks = _tracks(run.store, camera.name)
    if not len(tracks):
        return []
    first = np.flatnonzero(np.diff(tracks.track, prepend=-1))
    last = np.append(first[1:], len(tracks)) - 1
    clear = ever_clear(tracks, float(run.audit["settings"]["tracking"]["new_track_score"]))[tracks.track[first]]
    entries = zip(tracks.track[first], tracks.frame[first], tracks.frame[last], clear, strict=True)
    return [
        {
            "track": int(track),
            "start": _second(camera, int(begin)),
            "end": camera.until(_row(camera, int(end))),
        }
        for track, begin, end, seen in entries
        if seen
    ]


def keyframes_of(run: ReviewedRun, camera: ReviewedCamera, track: int) -> list[dict[str, Any]]:
    """Where a track was: at most `MOST_KEYFRAMES` of `time` (session seconds) and `box`, in order of time."""
    tracks = _tracks(run.store, camera.name)
    tracks = tracks[tracks.track == track]
    rows = np.unique(np.linspace(0, len(tracks) - 1, min(MOST_KEYFRAMES, len(tracks))).astype(int))
    kept = tracks[rows]
    return [
        {"time": _second(camera, frame), "box": box}
        for frame, box in zip(kept.frame.tolist(), kept.box.tolist(), strict=True)
    ]


def box_of(run: ReviewedRun, camera: ReviewedCamera, track: int, time: float) -> list[float] | None:
    """Where a track is at a moment of the session, or in its frame nearest to it; None where it is not near."""
    tracks = _tracks(run.store, camera.name)
    tracks = tracks[tracks.track == track]
    apart = np.abs(_seconds(camera)[tracks.frame] - time)
    if not len(tracks) or apart.min() > NEAR_S:
        return None
    return [float(value) for value in tracks.box[int(apart.argmin())]]


def covered_places(run: ReviewedRun, camera: ReviewedCamera, frame: int) -> list[dict[str, Any]]:
    """What is covered in a frame, as the run counts it: `box`, `kind`, `track` (-1 for none) and `uncertainty`."""
    name = _table_with(run.store, camera.name, frame)
    if name is None:
        return []
    regions = _regions(str(run.store.root), name, run.store.manifest.noted(name))
    regions = regions[regions.frame == frame]
    return [
        {"box": box, "kind": RegionKind(kind).name.lower(), "track": track, "uncertainty": round(doubt, 3)}
        for box, kind, track, doubt in zip(
            regions.box.tolist(),
            regions.kind.tolist(),
            regions.track.tolist(),
            regions.uncertainty.tolist(),
            strict=True,
        )
    ]


def _seconds(camera: ReviewedCamera) -> NDArray[np.float64]:
    """Of the session, by the number that the run counts a frame as."""
    return np.interp(np.arange(int(camera.numbers[-1]) + 1), camera.numbers, camera.seconds)


def _second(camera: ReviewedCamera, number: int) -> float:
    return float(camera.seconds[_row(camera, number)])


def _row(camera: ReviewedCamera, number: int) -> int:
    """The output's frame that the run counts as `number`, or the next one where the output has none."""
    return min(int(np.searchsorted(camera.numbers, number)), len(camera) - 1)


def _tracks(store: StageFiles, camera: str) -> Tracks:
    for kind in (RECOVERED, TRACKS):
        if store.manifest.noted(kind.file(camera)) is not None:
            return store.read(kind.file(camera), Tracks)
    return Tracks.empty()


def _identities(store: StageFiles, camera: str) -> Identities:
    if store.manifest.noted(IDENTITIES.file(camera)) is None:
        return Identities.empty()
    return store.read(IDENTITIES.file(camera), Identities)


def _table_with(store: StageFiles, camera: str, frame: int) -> str | None:
    segments = placed_segments(store.manifest.stages, camera)
    sealed = [store.manifest.noted(FRAMES.file(camera, segment)) for segment in segments]
    stops = list(accumulate(0 if seal is None else seal.rows or 0 for seal in sealed))
    place = int(np.searchsorted(stops, frame, side="right"))
    return REGIONS.file(camera, segments[place]) if place < len(segments) else None


@lru_cache(maxsize=TABLES_AT_HAND)
def _regions(root: str, name: str, _: object) -> Regions:
    return StageFiles(Path(root)).read(name, Regions)
