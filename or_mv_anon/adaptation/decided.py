"""What reviewers decided, as labels: the only ones that a person made, and optional.

A drawn box tells where a head is, not where its person ends: a candidate that holds it is confirmed, and where there is
none the place is left undecided, so that nobody is trained as background. What is not a person is background: labels
and ignored regions there go, and the detector is taught that nobody is there.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.adaptation.pseudo_labels import NOBODY, PseudoLabels
from or_mv_anon.adaptation.results import CameraResults
from or_mv_anon.adaptation.settings import LabelConfig
from or_mv_anon.core import boxes as bx
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import ManualConfig
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import Provenance
from or_mv_anon.corrections.actions import Cover, NotAPerson
from or_mv_anon.corrections.log import Line, log_file, read, standing
from or_mv_anon.regions.nobody import SAME_PLACE
from or_mv_anon.regions.sources.manual import boxes_at, held_frames

HEAD_SHARE = 0.5  # of an upright person's box, from the top, in which the middle of the head lies
LEAST_WIDTH = 0.5  # of the drawn box, that a person's box has at least

Decided = Mapping[str, Sequence[Line]]
"""Decisions that stand, by session."""


def read_decided(folder: Path, sessions: Sequence[str]) -> dict[str, list[Line]]:
    """What was decided about recordings in the output folder of a run over them.

    Args:
        folder: of the site's results.
        sessions: names; with several of them each has a folder of its own.

    Raises:
        UserError: nothing was decided there, or the record is damaged.
    """
    places = {name: folder / name if len(sessions) > 1 else folder for name in sessions}
    found = {name: standing(read(place)) for name, place in places.items() if log_file(place).exists()}
    if not found:
        raise UserError(f"{folder} holds no decisions of reviewers; expected the output folder of a reviewed run.")
    return found


def corrected_labels(
    labels: PseudoLabels, camera: CameraResults, lines: Sequence[Line], config: LabelConfig, manual: ManualConfig
) -> PseudoLabels:
    """The labels of a camera after what reviewers decided about it, ordered by frame.

    Args:
        labels: of the camera in one window.
        camera: what was found there.
        lines: decisions about its session.
        config: how far people are trusted.
        manual: how long a moment is.
    """
    name = camera.plan.camera.name
    for action in (line.action for line in lines if getattr(line.action, "camera", None) == name):
        if isinstance(action, NotAPerson):
            labels = _without(labels, camera, action)
    for action in (line.action for line in lines if getattr(line.action, "camera", None) == name):
        if isinstance(action, Cover):
            labels = _confirmed(labels, camera, action, config, manual)
    return labels[np.lexsort((-labels.weight, labels.frame))]


def _without(labels: PseudoLabels, camera: CameraResults, action: NotAPerson) -> PseudoLabels:
    seconds = camera.seconds[labels.frame]
    inside = (seconds >= action.boxes[0].time - 1e-6) & (seconds <= action.boxes[-1].time + 1e-6)
    same = bx.paired_iou(labels.box, boxes_at(action.boxes, seconds)) >= SAME_PLACE
    return labels[~(inside & same)]


def _confirmed(
    labels: PseudoLabels, camera: CameraResults, cover: Cover, config: LabelConfig, manual: ManualConfig
) -> PseudoLabels:
    frames = np.flatnonzero(held_frames(cover, camera.seconds, manual) & camera.looked)
    drawn = boxes_at(cover.boxes, camera.seconds[frames])
    weight, evidence, provenance = labels.weight.copy(), labels.evidence.copy(), labels.provenance.copy()
    lonely = []
    for number, (frame, box) in enumerate(zip(frames.tolist(), drawn, strict=True)):
        rows = np.arange(*np.searchsorted(labels.frame, [frame, frame + 1]))
        rows = rows[_holds(labels.box[rows], box)]
        if len(rows):
            best = rows[np.lexsort((labels.score[rows], weight[rows]))[-1]]
            weight[best], evidence[best], provenance[best] = config.manual, 1, Provenance.MANUAL
        else:
            lonely.append(number)
    count = len(lonely)
    undecided = PseudoLabels(
        frame=frames[lonely],
        box=drawn[lonely],
        weight=np.zeros(count),
        evidence=np.ones(count),
        score=np.zeros(count),
        provenance=np.full(count, Provenance.MANUAL),
        track=np.full(count, NOBODY),
        identity=np.full(count, NOBODY),
    )
    known = labels.replace(weight=weight, evidence=evidence, provenance=provenance)
    joined = PseudoLabels.concat([known, undecided])
    return joined[np.argsort(joined.frame, kind="stable")]


def _holds(people: Boxes, head: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Which person boxes ``(N, 4)`` may be of the person whose head is in a drawn box ``(4,)``."""
    middle = (head[:2] + head[2:]) / 2
    inside = ((middle >= people[:, :2]) & (middle <= people[:, 2:])).all(axis=1)
    width, height = people[:, 2] - people[:, 0], people[:, 3] - people[:, 1]
    on_top = (middle[1] - people[:, 1] <= HEAD_SHARE * height) | (width > height)  # who lies has it at either end
    return np.asarray(inside & on_top & (width >= LEAST_WIDTH * (head[2] - head[0])))
