"""Draws ground truth over a frame, for people who want to see that it is right."""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.truth import CameraTruth, decode_runs

_HEAD_TINT, _BARE_TINT = (60, 220, 255), (60, 60, 255)  # BGR: a masked face, a bare one
_SEEN, _HIDDEN = (80, 255, 80), (60, 60, 200)
_THIN = 0.15  # visible fraction below which boxes are drawn dark


def draw_truth(picture: NDArray[np.uint8], truth: CameraTruth, frame: int) -> NDArray[np.uint8]:
    """A copy of `picture` (H, W, 3) BGR with visible boxes, face pixels, keypoints and names of `frame`."""
    drawn = picture.copy()
    for row in np.flatnonzero(truth.faces.frame == frame).tolist():
        for runs, tint in ((truth.faces.face[row], _HEAD_TINT), (truth.faces.bare[row], _BARE_TINT)):
            mask = decode_runs(runs, truth.height, truth.width)
            drawn[mask] = (0.5 * drawn[mask] + 0.5 * np.array(tint)).astype(np.uint8)
    people = truth.people[truth.people.frame == frame]
    for row in range(len(people)):
        fraction = float(people.visible_fraction[row])
        if fraction == 0:
            continue
        colour = _colour(int(people.person[row])) if fraction >= _THIN else (90, 90, 90)
        left, top, right, bottom = (round(side) for side in people.visible_box[row].tolist())
        cv2.rectangle(drawn, (left, top), (right - 1, bottom - 1), colour, 1)
        label = f"{int(people.person[row])} {100 * fraction:.0f}%"
        cv2.putText(drawn, label, (left + 2, max(10, top - 3)), cv2.FONT_HERSHEY_SIMPLEX, 0.36, colour, 1, cv2.LINE_AA)
        if people.face_visible[row] > 0:
            box = [round(side) for side in people.face_box[row].tolist()]
            cv2.rectangle(drawn, (box[0], box[1]), (box[2], box[3]), (255, 255, 255), 1)
        for x, y, visibility in people.keypoints[row].tolist():
            if visibility:
                cv2.circle(drawn, (int(x), int(y)), 1, _SEEN if visibility == 2 else _HIDDEN, -1)
    return np.asarray(drawn)


def _colour(person: int) -> tuple[int, int, int]:
    hue = np.array([[[person * 47 % 180, 170, 255]]], np.uint8)
    blue, green, red = cv2.cvtColor(hue, cv2.COLOR_HSV2BGR)[0, 0].tolist()
    return blue, green, red
