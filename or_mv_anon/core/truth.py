"""Ground truth of a recording, exact to the pixel: its records and its files.

A truth folder holds `truth.json` (cameras, people, actions, where it came from) and per camera three Parquet files:
`<camera>.frames.parquet`, `<camera>.people.parquet` and `<camera>.faces.parquet`. Boxes and points are float32 pixels
of the upright picture as recorded, lens distortion included. `frame` counts the frames that are in the file, from 0.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.records import Column, Columns

TRUTH_VERSION = 1


@dataclass(frozen=True)
class TruthFrames(Columns):
    """Every frame of a camera; frames of two cameras with one `instant` show the same moment."""

    version = TRUTH_VERSION

    frame: Column
    instant: Column  # counts the session's moments from 0
    time: Column  # seconds on the camera's own clock, as its file says

    columns = {"frame": (np.int32, ()), "instant": (np.int32, ()), "time": (np.float64, ())}


@dataclass(frozen=True)
class TruthPeople(Columns):
    """One row per frame and person of whom anything would be in the picture if nothing hid it."""

    version = TRUTH_VERSION

    frame: Column
    person: Column  # identity over all cameras, from 1
    amodal_box: Column  # of the whole person, clipped to the picture
    visible_box: Column  # of the visible pixels; zeros when there are none
    visible_fraction: Column  # visible pixels over the pixels it would have with nothing in front
    head_box: Column  # amodal
    face_box: Column  # amodal, forehead to chin between the ears; zeros when out of the picture
    face_angle: Column  # degrees between where the face looks and the direction to the camera; 0 = frontal
    face_pixels: Column  # how many the face would have with nothing in front, its worn mask included
    face_visible: Column  # how many of these show
    bare_visible: Column  # how many show bare face: no mask over it
    keypoints: Column  # Halpe-26: x, y, visibility (0 outside the picture, 1 hidden, 2 seen)
    action: Column  # index into the actions of the truth
    mask: Column  # MaskState of the simulator: 0 none, 1 worn, 2 pulled down

    columns = {
        "frame": (np.int32, ()),
        "person": (np.int16, ()),
        "amodal_box": (np.float32, (4,)),
        "visible_box": (np.float32, (4,)),
        "visible_fraction": (np.float32, ()),
        "head_box": (np.float32, (4,)),
        "face_box": (np.float32, (4,)),
        "face_angle": (np.float32, ()),
        "face_pixels": (np.int32, ()),
        "face_visible": (np.int32, ()),
        "bare_visible": (np.int32, ()),
        "keypoints": (np.float32, (26, 3)),
        "action": (np.int16, ()),
        "mask": (np.uint8, ()),
    }


@dataclass(frozen=True)
class FaceMasks:
    """The visible face pixels, one row per frame and person with any, as run lengths (see `encode_runs`).

    Attributes:
        frame, person: int arrays (N,).
        face: N run-length arrays of face pixels, a worn mask over the face included.
        bare: the same without the worn mask.
    """

    frame: NDArray[np.int32]
    person: NDArray[np.int16]
    face: Sequence[NDArray[np.uint32]]
    bare: Sequence[NDArray[np.uint32]]

    def __len__(self) -> int:
        return len(self.frame)


@dataclass(frozen=True)
class CameraTruth:
    """One camera's picture size, what it shows, and, for checking estimated geometry only, its optics.

    `optics` holds one entry per stretch of time in which the camera did not move: `from_instant`, `matrix` (3, 3),
    `distortion` (k1, k2, p1, p2, k3 as in OpenCV), `rotation` (3, 3, camera from world), `translation` (3, metres).
    """

    width: int
    height: int
    fps: float
    frames: TruthFrames
    people: TruthPeople
    faces: FaceMasks
    optics: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Truth:
    """Ground truth of one session.

    Attributes:
        cameras: by camera name, as the site discovery names them.
        actions: names that `TruthPeople.action` counts.
        people: one mapping per person: `person`, `role`, and anything that describes them.
        source: what made it (seed, version, settings).
    """

    cameras: Mapping[str, CameraTruth]
    actions: Sequence[str] = ()
    people: Sequence[Mapping[str, Any]] = ()
    source: Mapping[str, Any] | None = None


def encode_runs(mask: NDArray[Any]) -> NDArray[np.uint32]:
    """Run lengths of a mask (H, W), column by column, starting with a run of zeros (COCO's uncompressed RLE)."""
    flat = np.asarray(mask, bool).T.ravel()
    changes = np.flatnonzero(np.diff(flat)) + 1
    edges = np.concatenate([[0], changes, [flat.size]])
    runs = np.diff(edges)
    if flat.size and flat[0]:
        runs = np.concatenate([[0], runs])
    return runs.astype(np.uint32)


def decode_runs(runs: NDArray[np.uint32], height: int, width: int) -> NDArray[np.bool_]:
    """The mask (H, W) that `encode_runs` took."""
    values = np.arange(len(runs)) % 2 == 1
    return np.repeat(values, runs).reshape(width, height).T


def save_truth(folder: Path, truth: Truth) -> None:
    """Write a truth folder; `truth.json` comes last, so a folder that has it is complete."""
    folder.mkdir(parents=True, exist_ok=True)
    about: dict[str, Any] = {
        "version": TRUTH_VERSION,
        "actions": list(truth.actions),
        "people": list(truth.people),
        "source": truth.source,
        "cameras": {},
    }
    for name, camera in truth.cameras.items():
        _write(folder / f"{name}.frames.parquet", camera.frames.to_table())
        _write(folder / f"{name}.people.parquet", camera.people.to_table())
        _write(folder / f"{name}.faces.parquet", _faces_table(camera.faces))
        about["cameras"][name] = {
            "width": camera.width,
            "height": camera.height,
            "fps": camera.fps,
            "optics": list(camera.optics),
        }
    text = json.dumps(about, indent=1)
    write_atomically(folder / "truth.json", lambda part: part.write_text(text))


def load_truth(folder: Path) -> Truth:
    """Read a truth folder.

    Raises:
        UserError: the folder has no complete truth, or one of another version.
    """
    try:
        about = json.loads((folder / "truth.json").read_text())
        if about["version"] != TRUTH_VERSION:
            raise UserError(f"{folder}: expected ground truth version {TRUTH_VERSION}, found {about['version']}.")
        cameras = {name: _load_camera(folder, name, entry) for name, entry in about["cameras"].items()}
    except FileNotFoundError as error:
        raise UserError(
            f"{folder}: not a complete ground truth folder, {Path(error.filename).name} is missing."
        ) from error
    except (KeyError, ValueError, pa.ArrowInvalid) as error:
        raise UserError(f"{folder}: its ground truth cannot be read ({error}).") from error
    return Truth(cameras, about["actions"], about["people"], about["source"])


def _load_camera(folder: Path, name: str, entry: Mapping[str, Any]) -> CameraTruth:
    faces = pq.read_table(folder / f"{name}.faces.parquet")
    return CameraTruth(
        entry["width"],
        entry["height"],
        entry["fps"],
        TruthFrames.from_table(pq.read_table(folder / f"{name}.frames.parquet")),
        TruthPeople.from_table(pq.read_table(folder / f"{name}.people.parquet")),
        FaceMasks(
            faces["frame"].to_numpy().astype(np.int32),
            faces["person"].to_numpy().astype(np.int16),
            [np.asarray(runs, np.uint32) for runs in faces["face"].to_pylist()],
            [np.asarray(runs, np.uint32) for runs in faces["bare"].to_pylist()],
        ),
        entry["optics"],
    )


def _faces_table(faces: FaceMasks) -> pa.Table:
    runs = pa.list_(pa.uint32())
    return pa.table(
        {
            "frame": pa.array(faces.frame, pa.int32()),
            "person": pa.array(faces.person, pa.int16()),
            "face": pa.array([np.asarray(row) for row in faces.face], runs),
            "bare": pa.array([np.asarray(row) for row in faces.bare], runs),
        }
    )


def _write(path: Path, table: pa.Table) -> None:
    write_atomically(path, lambda part: pq.write_table(table, part, compression="zstd"))
