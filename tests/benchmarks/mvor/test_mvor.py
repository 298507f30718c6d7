"""MVOR's files read, associated and searched for missed people: a made-up folder of their form, and the real one."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.mvor.association import annotated, associate, detected, geometries
from benchmarks.mvor.dataset import (
    ANNOTATIONS,
    DETECTORS,
    MVOR_VARIABLE,
    Mvor,
    find_mvor,
    load_detections,
    load_mvor,
)
from benchmarks.mvor.retrieval import detector_average_precision, high_score, retrieve
from or_mv_anon.core.errors import UserError
from or_mv_anon.evaluation.association import UNKNOWN, evaluate_association

INSTANTS = 40
MATRIX = np.array([[500.0, 0, 320], [0, 500, 240], [0, 0, 1]])
BODY = np.array(  # head, neck, shoulders, hips, elbows, wrists: metres from the neck, y down
    [[0, -0.2], [0, 0], [0.2, 0], [-0.2, 0], [0.15, 0.5], [-0.15, 0.5],
     [0.25, 0.25], [-0.25, 0.25], [0.3, 0.4], [-0.3, 0.4]]
)  # fmt: skip
WEAK, STRONG = 0.2, 0.9


def poses() -> list[np.ndarray]:
    """Three cameras around a point four metres in front of the first, (4, 4) the first camera from each."""
    found = []
    for degrees in (0, 60, -50):
        turn, pose = np.radians(degrees), np.eye(4)
        pose[:3, :3] = [[np.cos(turn), 0, np.sin(turn)], [0, 1, 0], [-np.sin(turn), 0, np.cos(turn)]]
        pose[:3, 3] = np.array([0, 0, 4]) - pose[:3, :3] @ np.array([0, 0.01 * degrees, 4])
        found.append(pose)
    return found


def write_folder(folder: Path) -> Path:
    """Two people who walk about; one detector that finds the second only weakly in the third view, and a false one."""
    generator = np.random.default_rng(0)
    images, moments, rows, seen = [], [], [], []
    for instant in range(INSTANTS):
        necks = np.array([[-0.6, 0, 4], [0.6, 0, 4]]) + generator.uniform(-0.5, 0.5, (2, 3))
        bodies = necks[:, None] + np.concatenate([BODY, generator.uniform(-0.15, 0.15, (10, 1))], axis=1)
        trio = []
        for camera, pose in enumerate(poses()):
            image = 1000 * (camera + 1) + instant
            trio.append({"id": image, "cam_id": camera + 1, "day_id": 1})
            local = np.concatenate([bodies, np.ones((2, 10, 1))], axis=2) @ np.linalg.inv(pose)[:3].T
            pixels = local @ MATRIX.T
            pixels = pixels[..., :2] / pixels[..., 2:]
            for person, points in enumerate(pixels):
                low, size = points.min(axis=0), np.ptp(points, axis=0)
                box = [*low.tolist(), *size.tolist()]
                points = np.concatenate([points, np.full((10, 1), 2)], axis=1)
                rows.append({
                    "image_id": image, "id": len(rows), "person_id": person if instant else -1, "bbox": box,
                    "keypoints": points.ravel().tolist(),
                })  # fmt: skip
                weak = camera == 2 and person == 1
                seen.append({"image_id": image, "bbox": box, "score": WEAK if weak else STRONG, "points": points})
            images.append(trio[-1])
        moments.append({"images": trio})
        image = 3000 + instant
        seen.append({"image_id": image, "bbox": [600, 0, 20, 20], "score": 0.1, "points": np.zeros((10, 3))})
    cameras = {
        "intrinsics": [{"focallength": [500, 500], "principalpoint": [320, 240]}] * 3,
        "extrinsics": [pose.ravel().tolist() for pose in poses()],
    }
    content = {
        "images": images,
        "multiview_images": moments,
        "annotations": rows,
        "cameras_info": {"camParams": cameras},
    }
    (folder / ANNOTATIONS).write_text(json.dumps(content))
    boxes = [{key: row[key] for key in ("image_id", "bbox", "score")} for row in seen]
    (folder / "faster_rcnn_bbox.json").write_text(json.dumps(boxes))
    (folder / "openpose_bbox.json").write_text(json.dumps(boxes))
    (folder / "openpose_kps.json").write_text(
        json.dumps([{"image_id": row["image_id"], "coco_keypoints": as_coco(row["points"])} for row in seen])
    )
    return folder


def as_coco(points: np.ndarray) -> list[float]:
    """COCO's seventeen points that give back MVOR's ten: the nose for the head, legs left out."""
    coco = np.zeros((17, 3))
    coco[[0, 5, 6, 11, 12, 7, 8, 9, 10]] = points[[0, 2, 3, 4, 5, 6, 7, 8, 9]]
    coco[:, 2] = np.where(coco[:, 2] > 0, 0.8, 0)
    return coco.ravel().tolist()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_folder(tmp_path_factory.mktemp("mvor"))


def people_of(mvor: Mvor, describe: Callable[..., Any], *more: Any, **options: Any) -> dict:
    return {
        view.image: describe(view, *more, **options) for instant in mvor.instants for view in instant.views.values()
    }


def test_annotations_are_read(folder: Path) -> None:
    mvor = load_mvor(folder)
    assert len(mvor.instants) == INSTANTS
    view = mvor.instants[1].views[2]
    assert (view.image, view.identities.tolist()) == (2001, [0, 1])
    assert view.points.shape == (2, 10, 3)
    np.testing.assert_allclose(view.boxes[:, :2], view.points[..., :2].min(axis=1), rtol=1e-5)
    np.testing.assert_allclose(view.boxes[:, 2:], view.points[..., :2].max(axis=1), rtol=1e-5)
    assert mvor.instants[0].views[1].identities.tolist() == [UNKNOWN, UNKNOWN]


def test_keypoints_become_mvors_own(folder: Path) -> None:
    mvor, found = load_mvor(folder), load_detections(folder, "openpose")
    there = found[2001].points
    expected = mvor.instants[1].views[2].points[..., :2]
    np.testing.assert_allclose(np.delete(there[..., :2], 1, axis=1), np.delete(expected, 1, axis=1), atol=1e-6)
    np.testing.assert_allclose(there[:, 1, :2], expected[:, 2:4].mean(axis=1))
    assert not found[3001].points[-1].any()


@pytest.mark.parametrize("kind", ["calibration", "true_pairs", "estimated"])
def test_annotated_people_are_associated(folder: Path, kind: Any) -> None:
    mvor = load_mvor(folder)
    people = people_of(mvor, annotated)
    result = evaluate_association(associate(mvor, people, geometries(mvor, people, kind)))
    assert set(result.by_views) == {"cam1-cam2", "cam1-cam3", "cam2-cam3"}
    assert result.overall.image_pairs == 3 * INSTANTS
    assert result.overall.people_in_both == 3 * 2 * (INSTANTS - 1)  # nobody is known at the first instant
    assert min(result.overall.precision, result.overall.recall) > 0.85


def test_missed_people_are_brought_back(folder: Path) -> None:
    mvor, found = load_mvor(folder), load_detections(folder, "openpose")
    assert detector_average_precision(mvor, found) == 1
    assert high_score(mvor, found).score == WEAK
    people = people_of(mvor, detected, found, least_score=STRONG)
    back = retrieve(mvor, found, geometries(mvor, people, "calibration"), trusted=STRONG)
    assert (back.people, back.missed, back.reachable) == (6 * INSTANTS, INSTANTS, INSTANTS)
    assert back.retrieved > 0.85 * INSTANTS
    assert (back.promoted_right, back.weaker_right) == (1, 0.5)
    assert retrieve(mvor, found, {}, trusted=STRONG).retrieved == 0


def test_boxes_alone_are_associated(folder: Path) -> None:
    mvor, found = load_mvor(folder), load_detections(folder, "faster_rcnn")
    people = people_of(mvor, detected, found, least_score=STRONG)
    result = evaluate_association(associate(mvor, people, geometries(mvor, people, "calibration")))
    assert result.overall.precision > 0.6


def test_a_wrong_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(MVOR_VARIABLE, str(tmp_path))
    with pytest.raises(UserError, match=ANNOTATIONS):
        find_mvor()
    monkeypatch.delenv(MVOR_VARIABLE)
    assert find_mvor() is None
    (tmp_path / ANNOTATIONS).write_text("{}")
    with pytest.raises(UserError, match="not MVOR's"):
        load_mvor(tmp_path)
    with pytest.raises(UserError, match="Cannot read"):
        load_detections(tmp_path, "rfcn")


@pytest.fixture(scope="module")
def real() -> Path:
    place = find_mvor()
    if place is None:
        pytest.skip(f"MVOR's annotations are not here; name their folder in {MVOR_VARIABLE}")
    return place


def test_published_figures(real: Path) -> None:
    mvor = load_mvor(real)
    assert len(mvor.instants) == 732
    assert sum(len(view.boxes) for instant in mvor.instants for view in instant.views.values()) == 4699
    # https://github.com/CAMMA-public/MVOR publishes 0.756, 0.620, 0.512, 0.278 and 0.371. They are a little low: one
    # annotation has the number 0, which pycocotools takes for nobody.
    published = {"faster_rcnn": 0.756, "rfcn": 0.620, "alphapose": 0.512, "openpose": 0.278, "rtpose": 0.371}
    assert set(published) == set(DETECTORS)
    for name, figure in published.items():
        assert detector_average_precision(mvor, load_detections(real, name)) == pytest.approx(figure, abs=0.0012)


def test_real_people_are_associated_by_calibration(real: Path) -> None:
    mvor = load_mvor(real)
    people = people_of(mvor, annotated)
    result = evaluate_association(associate(mvor, people, geometries(mvor, people, "calibration"))).overall
    assert result.precision > 0.98
    assert result.recall > 0.94
