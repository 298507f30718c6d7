"""What the anonymizer's stages found in one camera during one window, read back from their store."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.records import Detections, FrameFlag, Identities, Keypoints, Tracks
from or_mv_anon.core.run_layout import FRAMES, HEADS, IDENTITIES, KEYPOINTS, PERSONS, RECOVERED, TRACKS
from or_mv_anon.core.store import RunStore
from or_mv_anon.pipeline.artifacts import read_joined, session_seconds
from or_mv_anon.pipeline.media import CameraPlan, open_camera


@dataclass(frozen=True, kw_only=True)
class CameraResults:
    """One camera in one window; `frame` counts from the window's first frame of this camera.

    Attributes:
        plan: the camera's part of the recording.
        name: of session and camera.
        size: width and height of the upright picture in pixels.
        seconds: session time of every frame (F,).
        looked: frames in which the detector ran and nothing failed (F,).
        persons: detections, down to the lowest score that is kept.
        keypoints: of detections, by the built-in pose network.
        heads: that the detector found by themselves, ordered by frame; None from one that knows people alone.
        original: what the starting detector found in the same frames.
        tracks: people with everything that was recovered.
        identities: who they are across cameras; empty with one camera.
    """

    plan: CameraPlan
    name: str
    size: tuple[int, int]
    seconds: NDArray[np.float64]
    looked: NDArray[np.bool_]
    persons: Detections
    keypoints: Keypoints
    heads: Detections | None
    original: Detections
    tracks: Tracks
    identities: Identities


def load_results(plan: CameraPlan, *, session: str, original: Path) -> CameraResults:
    """Read what a run over a window left.

    Args:
        plan: the camera's part of the run.
        session: the recording's session.
        original: store of the run over the same window with the starting detector.

    Raises:
        UserError: a stored file is missing or damaged.
    """
    frames = read_joined(plan, FRAMES)
    associated = RunStore(plan.store).manifest.noted(plan.file(RECOVERED)) is not None
    heads = read_joined(plan, HEADS) if frames.has(FrameFlag.HEADS).any() else None
    bad = frames.has(FrameFlag.FAILED) | frames.has(FrameFlag.CORRUPT)
    return CameraResults(
        plan=plan,
        name=camera_name(session, plan),
        size=open_camera(plan.camera, plan.store).upright_size,
        seconds=session_seconds(plan, frames),
        looked=frames.has(FrameFlag.PERSONS) & ~bad,
        persons=read_joined(plan, PERSONS),
        keypoints=read_joined(plan, KEYPOINTS),
        heads=heads,
        original=read_joined(replace(plan, store=original), PERSONS),
        tracks=plan.read(RECOVERED if associated else TRACKS),
        identities=plan.read(IDENTITIES) if associated else Identities.empty(),
    )


def camera_name(session: str, plan: CameraPlan) -> str:
    """One name for a camera of a session."""
    return f"{session}/{plan.camera.name}"
