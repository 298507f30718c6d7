"""Geometry that is estimated from the people in a recording, against the cameras' calibration where there is one.

Reads what the anonymizer stored about a session (its tracks and keypoints), estimates the fundamental matrix of every
pair of cameras, and tells how far points of the room are from their epipolar lines: points on a grid around the place
that the cameras look at, as far as both see them, projected with the lens distortion that the estimate ignores. Where
the estimate is refused, what it would have been is told apart (`grid_px_refused`).

Calibrations that are understood: a ground truth folder of a simulated session, Panoptic's camera_parameters.json, and
Qualisys' .qca.txt. Without one, only the estimate's own figures are told.

Example, some seconds per pair:
  python tools/anonymize_multiview.py --videos session/ --out run/
  python benchmarks/epipolar_real.py --run run/ --calibration Calib.qca.txt --out epipolar.json
"""

from __future__ import annotations

import argparse
import json
import sys
import xml.etree.ElementTree as ElementTree
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from or_mv_anon.association.build import build_view, common_instants
from or_mv_anon.association.common_instants import CommonRows, pair_rows
from or_mv_anon.association.epipolar import estimate_geometry
from or_mv_anon.association.geometry import epipolar_distance, fundamental_matrix
from or_mv_anon.association.pair_estimate import PairData, estimate
from or_mv_anon.association.progress import Progress
from or_mv_anon.association.views import PairGeometry, View
from or_mv_anon.core.config import load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.truth import load_truth
from or_mv_anon.evaluation.run_directory import load_run

Matrix = NDArray[np.float64]
GRID_STEPS = 9
GRID_REACH = 0.35  # of the cameras' median distance from the middle of the grid, on either side of it
AXIS_FLIP = np.diag([1.0, -1.0, -1.0])  # Qualisys' cameras look along -z with y up
QCA_UNIT = 64.0  # Qualisys states pixels in 64ths


@dataclass(frozen=True, eq=False)
class Calibration:
    """A camera: matrix (3, 3), distortion as in OpenCV (5,), pose (4, 4) from the camera's frame to the room's."""

    matrix: Matrix
    distortion: Matrix
    pose: Matrix

    def project(self, points: Matrix, size: tuple[int, int]) -> tuple[Matrix, NDArray[np.bool_]]:
        """Pixels (N, 2) of room points (N, 3), and which of them are in the picture."""
        inverse = np.linalg.inv(self.pose)
        seen = points @ inverse[:3, :3].T + inverse[:3, 3]
        plain = seen @ self.matrix.T
        plain = plain[:, :2] / np.where(np.abs(plain[:, 2:]) > 1e-9, plain[:, 2:], 1e-9)
        inside = (seen[:, 2] > 0) & ((plain >= 0) & (plain < size)).all(axis=1)
        pixels, _ = cv2.projectPoints(seen, np.zeros(3), np.zeros(3), self.matrix, self.distortion)
        return pixels[:, 0], inside


def read_calibration(path: Path) -> dict[str, Calibration]:
    """By camera name."""
    if path.is_dir():
        optics = {name: camera.optics[0] for name, camera in load_truth(path).cameras.items()}
        return {
            name: _from_room(each["matrix"], each["distortion"], each["rotation"], each["translation"])
            for name, each in optics.items()
        }
    if path.suffix == ".json":
        cameras = json.loads(path.read_text())["cameras"]
        return {each["name"]: _from_room(each["K"], each["distCoef"], each["R"], each["t"]) for each in cameras}
    if path.name.endswith(".qca.txt"):
        return {each.get("serial", ""): _qualisys(each) for each in ElementTree.parse(path).getroot().iter("camera")}
    raise UserError(f"{path}: expected a ground truth folder, camera_parameters.json or a .qca.txt file.")


def _from_room(matrix: Any, distortion: Any, rotation: Any, translation: Any) -> Calibration:
    pose = np.eye(4)
    pose[:3, :3], pose[:3, 3] = rotation, np.ravel(translation)
    return Calibration(np.asarray(matrix, float), np.asarray(distortion, float), np.linalg.inv(pose))


def _qualisys(camera: ElementTree.Element) -> Calibration:
    place, lens = camera.find("transform"), camera.find("intrinsic")
    assert place is not None
    assert lens is not None

    def numbers(element: ElementTree.Element, *names: str) -> list[float]:
        return [float(element.attrib[name]) for name in names]

    focal_u, focal_v, middle_u, middle_v = numbers(lens, "focalLengthU", "focalLengthV", "centerPointU", "centerPointV")
    pose = np.eye(4)
    axes = np.reshape(numbers(place, *(f"r{row}{column}" for row in (1, 2, 3) for column in (1, 2, 3))), (3, 3))
    pose[:3, :3], pose[:3, 3] = axes.T @ AXIS_FLIP, numbers(place, "x", "y", "z")
    matrix = np.array([[focal_u, 0, middle_u], [0, focal_v, middle_v], [0, 0, QCA_UNIT]]) / QCA_UNIT
    distortion = numbers(
        lens, "radialDistortion1", "radialDistortion2", "tangentalDistortion1", "tangentalDistortion2",
        "radialDistortion3",
    )  # fmt: skip
    return Calibration(matrix, np.array(distortion), pose)


def grid(cameras: Mapping[str, Calibration]) -> Matrix:
    """Points (N, 3) around the point that is nearest to where all cameras look."""
    centres = np.stack([camera.pose[:3, 3] for camera in cameras.values()])
    ahead = np.stack([camera.pose[:3, 2] for camera in cameras.values()])
    across = np.eye(3) - ahead[:, :, None] * ahead[:, None, :]
    middle = np.linalg.solve(across.sum(axis=0), (across @ centres[..., None]).sum(axis=0)[:, 0])
    reach = GRID_REACH * float(np.median(np.linalg.norm(centres - middle, axis=1)))
    steps = np.linspace(-reach, reach, GRID_STEPS)
    return np.asarray(middle + np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3))


def views_of(path: Path) -> list[View]:
    """The cameras of a run as association sees them, on the clocks of the recordings."""
    config = load_config()
    cameras = load_run(path).cameras.values()
    times = [camera.frames.time - camera.frames.time.min(initial=np.inf) for camera in cameras]
    instants = common_instants(times, step_s=config.association.instant_s)
    return [
        build_view(
            camera.name,
            camera.size,
            times=clock,
            instants=instants,
            tracks=camera.tracks,
            persons=camera.persons,
            keypoints=camera.keypoints,
            trusted_score=config.pose.trusted_score,
        )
        for camera, clock in zip(cameras, times, strict=True)
    ]


def errors(
    matrix: Matrix | None, first: tuple[Matrix, NDArray[np.bool_]], second: tuple[Matrix, NDArray[np.bool_]]
) -> list[float] | None:
    """Median and 90th percentile of the grid's epipolar distance in pixels; None without a matrix or common points."""
    seen = first[1] & second[1]
    if matrix is None or not seen.any():
        return None
    off = epipolar_distance(matrix, first[0][seen], second[0][seen])
    return [round(float(value), 2) for value in np.percentile(off, [50, 90])]


def measure(run: Path, calibration: Path | None, seed: int) -> list[dict[str, Any]]:
    """A row per pair of cameras and stretch."""
    views = views_of(run)
    sizes = {view.name: view.size for view in views}
    known = read_calibration(calibration) if calibration else {}
    if missing := [name for name in sizes if known and name not in known]:
        raise UserError(f"{calibration} does not know {', '.join(missing)}; it knows {', '.join(known)}.")
    shown = {name: known[name].project(grid({n: known[n] for n in sizes}), sizes[name]) for name in sizes if known}
    with tqdm(total=100, unit="%") as bar:
        geometry = estimate_geometry(views, seed=seed, progress=Progress(lambda share: bar.update(100 * share)))
    rows = [_row(stretch, known, shown) for stretches in geometry.values() for stretch in stretches]
    by_name = {view.name: view for view in views}
    for row in rows:
        if known and row["problem"]:
            first, second = row["views"]
            row["grid_px_refused"] = errors(_best(by_name[first], by_name[second], seed), shown[first], shown[second])
    return rows


def _best(first: View, second: View, seed: int) -> Matrix | None:
    """What explains two views' people best, trusted or not."""
    common = np.intersect1d(first.observations.instant, second.observations.instant)
    rows = CommonRows.concat(list(pair_rows(first, second, common)))
    instant_s = load_config().association.instant_s
    data = PairData.of(rows, (first.size, second.size), None, instant_s=instant_s)
    return estimate(data, np.random.default_rng(seed)).best


def _row(
    stretch: PairGeometry, known: Mapping[str, Calibration], shown: Mapping[str, tuple[Matrix, NDArray[np.bool_]]]
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "views": list(stretch.views),
        "instants": stretch.stop - stretch.start,
        "points": stretch.points,
        "inliers": stretch.inliers,
        "residual_heads": None if np.isnan(stretch.residual) else round(stretch.residual, 3),
        "problem": stretch.problem,
    }
    if known:
        first, second = stretch.views
        true = fundamental_matrix((known[first].matrix, known[first].pose), (known[second].matrix, known[second].pose))
        row["grid_px"] = errors(stretch.matrix, shown[first], shown[second])
        row["grid_px_calibration"] = errors(true, shown[first], shown[second])
    return row


def main() -> None:
    """Estimate, compare and write the figures."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--run", type=Path, required=True, help="output folder of the anonymizer for one session")
    parser.add_argument("--calibration", type=Path, help="of the same cameras, by name")
    parser.add_argument("--seed", type=int, default=0, help="of the guesses (default: 0)")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    options = parser.parse_args()
    try:
        rows = measure(options.run, options.calibration, options.seed)
    except UserError as error:
        sys.exit(str(error))
    options.out.write_text(json.dumps(rows, indent=1) + "\n")
    for row in rows:
        print(json.dumps(row))


if __name__ == "__main__":
    main()
