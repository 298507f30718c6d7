"""A look before the run: key frames of every camera, covered, with the outlines of what is covered.

Only single pictures are looked at, so tracking cannot help; instead every candidate of the detectors is covered.
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from or_mv_anon.core.listening import tell
from or_mv_anon.core.printable import printable
from or_mv_anon.core.run_layout import PREVIEW_PICTURE
from or_mv_anon.operators.cells import cover
from or_mv_anon.pipeline.media import CameraPlan, open_camera
from or_mv_anon.pipeline.plan import SessionPlan
from or_mv_anon.pipeline.probe_models import ProbeModels
from or_mv_anon.pipeline.report import keep_output
from or_mv_anon.regions.single_picture import find_regions
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.segments import Segment

KEY_FRAMES = 6  # per camera
TILE = 480  # px, longer side of a key frame on the sheet
OUTLINE = (0, 200, 255)
"""BGR."""


def preview_session(plan: SessionPlan, models: ProbeModels) -> None:
    """Write `preview.png`: one row of key frames per camera.

    Raises:
        UserError: it cannot be written.
    """
    rows = []
    for camera in tqdm(plan.cameras, desc=printable(f"{plan.session.name}: preview"), unit="camera"):
        rows.append(_row(camera, models))
    width = max(row.shape[1] for row in rows)
    sheet = np.concatenate([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows])
    target = plan.out / PREVIEW_PICTURE
    keep_output(plan.store, target, cv2.imencode(".png", sheet)[1].tobytes())
    tell(f"Preview: {printable(target)}")
    tell("Tracking does not work on single frames, so weak candidates are covered here as well.")


def _row(plan: CameraPlan, models: ProbeModels) -> NDArray[np.uint8]:
    source = open_camera(plan.camera, plan.store, bound=False)
    count = min(KEY_FRAMES, plan.stop - plan.first)
    chosen = np.linspace(plan.first, plan.stop - 1, count + 2)[1:-1] if count < plan.stop - plan.first else range(count)
    tiles = []
    for number in np.asarray(chosen, int):
        for frame in source.frames(Segment(0, int(number), int(number) + 1)):
            tiles.append(_tile(frame, plan, models))
    if not tiles:
        return np.zeros((TILE // 2, TILE, 3), np.uint8)
    return np.concatenate(tiles, axis=1)


def _tile(frame: Frame, plan: CameraPlan, models: ProbeModels) -> NDArray[np.uint8]:
    if plan.camera.kind == "endoscope":
        regions = models.outside(frame, plan, open_camera(plan.camera, plan.store, bound=False))
    else:
        regions = find_regions(frame, models.room, models.spec.config)
    method = models.spec.method
    if method == "learned":  # heads are drawn over it only once they are followed over time
        method = models.spec.config.learned.strict
    if method == "none":
        method = "solid"
    cover(frame.planes(), frame.to_coded(regions), method, models.spec.config.operators)
    width, height = frame.upright_size
    scale = TILE / max(width, height)
    tile = np.ascontiguousarray(frame.bgr(math.ceil(width * scale), math.ceil(height * scale)))
    for x1, y1, x2, y2 in (regions * scale).astype(int).tolist():
        cv2.rectangle(tile, (x1, y1), (x2, y2), OUTLINE, 1)
    cv2.putText(
        tile, f"{plan.camera.name}  {frame.time:.1f} s", (6, 18), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (255, 255, 255), 1
    )
    return tile
