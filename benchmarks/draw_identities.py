"""Who is who, drawn over the anonymized frames of a run: for looking at association and recovery on real video.

One row per moment, one column per camera. People of one number are one identity, in one colour, in all cameras; a thick
frame is somebody whom this camera did not find and others placed. Thin white frames are the covered regions.

Example:
  python benchmarks/draw_identities.py --run out/ --times 20 50 --out identities.png
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.records import Provenance, Tracks
from or_mv_anon.core.run_layout import STORE_FOLDER
from or_mv_anon.core.store import RunStore
from or_mv_anon.evaluation.run_directory import CameraRun, Run, load_run
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import open_source

Picture = NDArray[np.uint8]
HEIGHT = 480  # px of a frame on the sheet
HUES = 12
WHITE = (255, 255, 255)  # BGR


def sheet(run: Run, seconds: Sequence[float], *, least_score: float) -> Picture:
    """All cameras (columns) at all moments (rows), seconds from the start of each recording; people of some score."""
    outputs = {
        each["camera"]: run.path / each["name"] for each in json.loads((run.path / "audit.json").read_text())["outputs"]
    }
    people = {name: _people(run, camera) for name, camera in run.cameras.items()}
    rows = []
    for moment in tqdm(seconds, unit="moment"):
        tiles = [tile(camera, people[name], outputs[name], moment, least_score) for name, camera in run.cameras.items()]
        rows.append(np.concatenate(tiles, axis=1))
    width = max(row.shape[1] for row in rows)
    return np.concatenate([np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows])


def tile(camera: CameraRun, people: Tracks, output: Path, moment: float, least_score: float) -> Picture:
    """One camera's frame nearest to a moment, from its anonymized output."""
    times = camera.frames.time - camera.frames.time.min()
    number = int(np.abs(times - moment).argmin())
    scale = HEIGHT / camera.size[1]
    (frame,) = open_source(output).frames(Segment(0, number, number + 1))
    picture = np.ascontiguousarray(frame.bgr(round(camera.size[0] * scale), HEIGHT))
    for box in camera.regions.box[camera.regions.frame == number] * scale:
        _frame(picture, box, WHITE, 1)
    numbers = _numbers(camera)
    shown = (people.frame == number) & (people.score >= least_score)
    for row in np.flatnonzero(shown):
        identity = numbers.get(int(people.track[row]), -1)
        placed = people.provenance[row] == Provenance.TRANSFERRED
        corner = _frame(picture, people.box[row] * scale, _colour(identity), 4 if placed else 1)
        cv2.putText(
            picture, str(identity), (corner[0], max(corner[1] - 4, 16)), cv2.FONT_HERSHEY_SIMPLEX, 0.7,
            _colour(identity), 2, cv2.LINE_AA,
        )  # fmt: skip
    cv2.putText(picture, f"{camera.name} {times[number]:.1f} s", (6, HEIGHT - 8), cv2.FONT_HERSHEY_SIMPLEX, 0.5, WHITE)
    return picture


def _people(run: Run, camera: CameraRun) -> Tracks:
    """A camera's people, those whom others brought back included."""
    if camera.identities is None:
        return camera.tracks
    return RunStore(run.path / STORE_FOLDER).read(f"{camera.name}/recovered.parquet", Tracks)


def _numbers(camera: CameraRun) -> dict[int, int]:
    """Identities by track."""
    if camera.identities is None:
        return {}
    return dict(zip(camera.identities.track.tolist(), camera.identities.identity.tolist(), strict=True))


def _frame(picture: Picture, box: NDArray[Any], colour: tuple[int, int, int], width: int) -> tuple[int, int]:
    x1, y1, x2, y2 = box.astype(int).tolist()
    cv2.rectangle(picture, (x1, y1), (x2, y2), colour, width)
    return x1, y1


def _colour(identity: int) -> tuple[int, int, int]:
    hue = np.array([[[identity % HUES * 180 // HUES, 230, 255]]], np.uint8)
    blue, green, red = cv2.cvtColor(hue, cv2.COLOR_HSV2BGR)[0, 0].tolist()
    return blue, green, red


def main() -> None:
    """Read the run and write the sheet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="output folder of the anonymizer for one session")
    parser.add_argument("--times", type=float, nargs="+", required=True, metavar="S", help="seconds from the start")
    parser.add_argument("--least-score", type=float, default=0.4, help="of people who are drawn (default: 0.4)")
    parser.add_argument("--out", type=Path, required=True, help="PNG to write")
    options = parser.parse_args()
    try:
        run = load_run(options.run)
        if run.method == "none":
            raise UserError(f"{options.run} was made with --method none; only anonymized frames are drawn.")
        picture = sheet(run, options.times, least_score=options.least_score)
        write_atomically(options.out, lambda path: path.write_bytes(cv2.imencode(".png", picture)[1].tobytes()))
    except UserError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
