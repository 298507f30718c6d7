"""How well a drawn box is followed: heads of a simulated session, drawn once, followed in both directions.

A head is drawn, by the ground truth, in a frame in which its face counts. Counted are the frames up to --seconds away
in which its face counts: those in which the box was still held, and those in which it covers 90 % of the face.

Example: python benchmarks/following.py --recording site/recording/ --truth site/truth/ --out following.json
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from pathlib import Path

import cv2
import numpy as np

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.config import load_config
from or_mv_anon.core.truth import Truth, load_truth
from or_mv_anon.evaluation.exposure import ExposureOptions
from or_mv_anon.tracking.following import Picture, follow
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import open_source

COVERED = 0.9
EVERY_S = 2.0  # between two drawings of one head


def pictures_of(video: Path) -> list[Picture]:
    """All upright frames, grey."""
    source = open_source(video)
    frames = source.frames(Segment(0, 0, source.n_frames))
    return [cv2.cvtColor(frame.bgr(), cv2.COLOR_BGR2GRAY).astype(np.uint8) for frame in frames]


def judge_camera(pictures: list[Picture], truth: Truth, camera: str, *, seconds: float) -> Counter[str]:
    """Counts of frames over all drawings in one camera."""
    about, rules, config = truth.cameras[camera], ExposureOptions(), load_config().manual
    people, times = about.people, about.frames.time
    share = people.face_visible / np.maximum(people.face_pixels, 1)
    height = people.face_box[:, 3] - people.face_box[:, 1]
    counts = (height >= rules.min_height) & (share >= rules.min_visible_share) & (people.face_angle <= rules.max_angle)
    tally: Counter[str] = Counter()
    for person in np.unique(people.person[counts]):
        rows = np.flatnonzero((people.person == person) & counts)
        row_of = {int(people.frame[row]): int(row) for row in rows}
        last = -np.inf
        for frame, row in row_of.items():
            if times[frame] - last < EVERY_S:
                continue
            last = times[frame]
            tally["drawings"] += 1
            drawn = people.head_box[row].astype(np.float64)
            for step in (1, -1):
                stop = len(pictures) if step == 1 else -1
                numbers = [n for n in range(frame + step, stop, step) if abs(times[n] - times[frame]) <= seconds]
                way = follow(pictures[frame], drawn, ((n, float(times[n]), pictures[n]) for n in numbers), config)
                held = dict(zip(way.frames, way.boxes, strict=True))
                for number in numbers:
                    if number in row_of:
                        tally["frames"] += 1
                        tally["held"] += number in held
                        face = people.face_box[row_of[number]][None]
                        box = bx.expand(np.asarray(held.get(number, np.zeros(4)))[None], ratio=config.margin)
                        tally["covered"] += bool(bx.containment(face, box.astype(np.float32))[0, 0] >= COVERED)
    return tally


def main() -> None:
    """Print and write the counts by camera."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--recording", type=Path, required=True)
    parser.add_argument("--truth", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=3.0)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    truth = load_truth(options.truth)
    result = {}
    for camera in truth.cameras:
        pictures = pictures_of(options.recording / f"{camera}.mp4")
        result[camera] = dict(judge_camera(pictures, truth, camera, seconds=options.seconds))
        print(camera, result[camera])
    options.out.write_text(json.dumps(result, indent=1))


if __name__ == "__main__":
    main()
