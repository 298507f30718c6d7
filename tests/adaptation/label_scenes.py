"""Findings written down by hand: a camera whose people come and go in a few frames."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from or_mv_anon.adaptation.results import CameraResults
from or_mv_anon.core.records import Detections, Identities, Keypoints, Provenance, Tracks
from or_mv_anon.pipeline.media import CameraPlan
from or_mv_anon.site import Camera
from or_mv_anon.video.segments import Segment

SIZE = (640, 360)
STEP_S = 0.4
NOTHING = -1


def box_at(left: float, top: float = 100.0) -> list[float]:
    """A person box of 40 x 100 pixels."""
    return [left, top, left + 40, top + 100]


def findings(
    rows: list[tuple[int, int, list[float], float, Provenance]],
    *,
    frames: int = 10,
    loose: list[tuple[int, list[float], float]] = (),  # type: ignore[assignment]
    posture: float | dict[int, float] = 0.6,
    original: list[tuple[int, list[float], float]] = (),  # type: ignore[assignment]
    heads: Detections | None = None,
    first: int = 0,
    name: str = "session/cam1",
) -> CameraResults:
    """One camera.

    Args:
        rows: of tracks, as track, frame, box, score, provenance; ordered by track, then frame.
        frames: how many; all were looked at.
        loose: detections that no track claimed, as frame, box, score.
        posture: pose score of the detections, of all or by frame; negative where no pose was estimated.
        original: what the starting detector found, as frame, box, score.
        heads: that the detector found by themselves.
        first: frame of the recording that is frame 0.
        name: of the camera.
    """
    seen = [row[4] not in (Provenance.INTERPOLATED, Provenance.TRANSFERRED) for row in rows]
    number = np.cumsum(seen) - 1
    tracks = Tracks(
        track=np.array([row[0] for row in rows], np.int32),
        frame=np.array([row[1] for row in rows], np.int32),
        box=np.array([row[2] for row in rows], np.float32).reshape(-1, 4),
        score=np.array([row[3] for row in rows], np.float32),
        provenance=np.array([row[4] for row in rows], np.uint8),
        detection=np.where(seen, number, NOTHING).astype(np.int32),
    )
    found = [(row[1], row[2], row[3]) for row, there in zip(rows, seen, strict=True) if there] + list(loose)
    persons = detections(found)
    scores = np.array([posture.get(int(f), 0.6) if isinstance(posture, dict) else posture for f in persons.frame])
    posed = np.flatnonzero(scores >= 0)
    camera = Camera(name=name.rpartition("/")[2], files=Path("none.mp4"))
    plan = CameraPlan(camera, Path("store"), (Segment(0, first, first + frames),), 0, None, Path("out.mp4"))
    return CameraResults(
        plan=plan,
        name=name,
        size=SIZE,
        seconds=np.arange(frames) * STEP_S,
        looked=np.ones(frames, bool),
        persons=persons,
        keypoints=Keypoints(
            detection=posed,
            points=np.zeros((len(posed), 26, 2)),
            score=np.tile(scores[posed, None], (1, 26)),
        ),
        heads=heads,
        original=detections(list(original)),
        tracks=tracks,
        identities=Identities.empty(),
    )


def detections(rows: list[tuple[int, list[float], float]]) -> Detections:
    """Detections from frame, box, score."""
    return Detections(
        frame=np.array([row[0] for row in rows], np.int32),
        box=np.array([row[1] for row in rows], np.float32).reshape(-1, 4),
        score=np.array([row[2] for row in rows], np.float32),
    )
