"""Reads what a run of the anonymizer left in its folder: per camera what was found and what was covered.

Everything that does not fit together is refused: a figure about the wrong recording would reassure wrongly.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from or_mv_anon.audit.cases import Case, read_cases
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.manifest import Entry
from or_mv_anon.core.placed import placed_segments
from or_mv_anon.core.records import Columns, Detections, Frames, Identities, Keypoints, RegionKind, Regions, Tracks
from or_mv_anon.core.run_layout import (
    AUDIT_RECORD,
    CASES,
    FACE_TRACKS,
    FACES,
    FRAMES,
    HEADS,
    IDENTITIES,
    INDEX,
    KEYPOINTS,
    PERSONS,
    REGIONS,
    STORE_FOLDER,
    TRACKS,
    Table,
)
from or_mv_anon.core.store import MANIFEST, RunStore
from or_mv_anon.video.orientation import Orientation

Record = TypeVar("Record", bound=Columns)
JOINED: tuple[Table[Any], ...] = (FRAMES, PERSONS, FACES, HEADS, REGIONS)


@dataclass(frozen=True)
class CameraRun:
    """One camera of a run, all segments joined.

    Attributes:
        name: the camera's.
        size: width and height of the upright picture in pixels.
        orientation: how the coded picture is turned upright.
        frames: every frame.
        persons, faces, heads: detections.
        keypoints: of `persons`; `detection` counts its rows.
        tracks, face_tracks: `detection` counts the rows of `persons` and `faces`.
        regions: what is covered, the frames that rendering painted whole included.
        identities: of the tracks; None where the cameras were treated one by one.
    """

    name: str
    size: tuple[int, int]
    orientation: Orientation
    frames: Frames
    persons: Detections
    keypoints: Keypoints
    faces: Detections
    tracks: Tracks
    face_tracks: Tracks
    regions: Regions
    identities: Identities | None = None
    heads: Detections = field(default_factory=Detections.empty)


@dataclass(frozen=True)
class Run:
    """A finished run of one session.

    Attributes:
        path: its folder.
        method: that covered what was found.
        cameras: by name.
        offsets: by camera, seconds from its own clock to the session's.
        cases: what it asks a person to look at, ranked; None where it has no such list.
    """

    path: Path
    method: str
    cameras: Mapping[str, CameraRun]
    offsets: Mapping[str, float] = field(default_factory=dict)
    cases: Sequence[Case] | None = None


def load_run(path: Path) -> Run:
    """Read the output folder of one session.

    With the method `none` nothing was covered, so the regions come back empty.

    Raises:
        UserError: the folder is no finished run, or a part of it is missing or damaged.
    """
    audit = path / AUDIT_RECORD
    try:
        stages = _stages(path / STORE_FOLDER)
        about = json.loads(audit.read_text())
        method, start = about["options"]["method"], about["options"]["start"]
        inputs = {entry["camera"]: (entry["width"], entry["height"]) for entry in about["inputs"]}
        written = {entry["camera"]: path / entry["name"] for entry in about["outputs"]}
        offsets = {entry["camera"]: float(entry["offset_s"]) for entry in about.get("cameras", ())}
    except FileNotFoundError as error:
        raise UserError(
            f"{path} is not the output of a finished run: {Path(str(error.filename)).name} is missing. Pass the folder "
            "that holds report.html (with several sessions, one of them)."
        ) from error
    except (ValueError, KeyError, TypeError, OSError) as error:
        raise UserError(f"{path}: its audit.json cannot be read ({error}); run again.") from error
    cameras = {}
    store = RunStore(path / STORE_FOLDER)
    for name, size in inputs.items():
        if name not in written or not written[name].exists():
            raise UserError(f"{path}: the run has no output for {name}; what was not written cannot be evaluated.")
        cameras[name] = _load_camera(store, stages, name, size, covered=method != "none", from_start=start is None)
    cases = read_cases(store) if store.manifest.noted(CASES.file()) is not None else None
    return Run(path, method, cameras, offsets, cases)


def load_stages(folder: Path, sizes: Mapping[str, tuple[int, int]]) -> dict[str, CameraRun]:
    """The same cameras from the stage outputs alone, of a run that stopped before it rendered.

    Args:
        folder: of the stages.
        sizes: width and height of the upright picture of every camera to read.

    Raises:
        UserError: a part is missing or damaged.
    """
    try:
        stages = _stages(folder)
    except FileNotFoundError as error:
        raise UserError(f"{folder} holds no stage outputs.") from error
    store = RunStore(folder)
    return {
        name: _load_camera(store, stages, name, size, covered=True, from_start=True) for name, size in sizes.items()
    }


def _stages(folder: Path) -> Mapping[str, Entry]:
    if not (folder / MANIFEST).exists():
        raise FileNotFoundError(errno.ENOENT, "", str(folder / MANIFEST))
    return RunStore(folder).manifest.stages


def _load_camera(
    store: RunStore, stages: Mapping[str, Entry], name: str, size: tuple[int, int], *, covered: bool, from_start: bool
) -> CameraRun:
    segments = _segments(store, stages, name)
    parts = {
        table.name: table.record.concat([_read(store, table, name, number) for number in segments]) for table in JOINED
    }
    regions = parts["regions"]
    assert isinstance(regions, Regions)
    if not covered:
        regions = Regions.empty()
    elif from_start:  # otherwise rendering counts other frames than the run does
        painted = [_painted(stages, name, number, size) for number in segments]
        regions = Regions.concat([regions, *painted])
        regions = regions[np.argsort(regions.frame, kind="stable")]
    return CameraRun(
        name=name,
        size=size,
        orientation=_orientation(store, INDEX.file(name)),
        keypoints=_keypoints(store, name, segments),
        tracks=_read(store, TRACKS, name),
        face_tracks=_read(store, FACE_TRACKS, name),
        identities=_identities(store, stages, name),
        **{**parts, "regions": regions},
    )


def _read(store: RunStore, table: Table[Record], camera: str, segment: int | None = None) -> Record:
    """A table of the run; empty where none of its stages has it, as an endoscope's have no persons."""
    file = table.file(camera, segment)
    return store.read(file, table.record) if store.manifest.noted(file) is not None else table.record.empty()


def _segments(store: RunStore, stages: Mapping[str, Entry], name: str) -> list[int]:
    if not (numbers := placed_segments(stages, name)):
        raise UserError(f"{store.root}: no regions were placed for {name}; run the anonymizer again.")
    return numbers


def _keypoints(store: RunStore, name: str, segments: Sequence[int]) -> Keypoints:
    parts, before = [], 0
    for number in segments:
        part = _read(store, KEYPOINTS, name, number)
        parts.append(part.replace(detection=part.detection + before))
        before += len(_read(store, PERSONS, name, number))
    return Keypoints.concat(parts)


def _identities(store: RunStore, stages: Mapping[str, Entry], name: str) -> Identities | None:
    """Those of the run's last association; a file of an earlier one with other cameras is left alone."""
    file = IDENTITIES.file(name)
    if any(file in stage.files for stage in stages.values()):
        return store.read(file, IDENTITIES.record)
    return None


def _painted(stages: Mapping[str, Entry], name: str, number: int, size: tuple[int, int]) -> Regions:
    """Whole-picture regions of the frames that rendering covered for its own reasons."""
    rendered = stages.get(f"{name}/render/{number:05d}")
    result = {} if rendered is None else rendered.facts.get("result", {})
    whole = sorted({*result.get("damaged", []), *result.get("blanked", [])})
    count = len(whole)
    return Regions(
        frame=np.array(whole, np.int32),
        box=np.tile(np.array([0, 0, *size], np.float32), (count, 1)),
        kind=np.full(count, RegionKind.FRAME),
        track=np.full(count, -1),
        uncertainty=np.ones(count),
    )


def _orientation(store: RunStore, index: str) -> Orientation:
    if store.manifest.noted(index) is None:  # pictures stand upright
        return Orientation()
    facts = store.read_json(index)
    return Orientation(rotation=facts["rotation"], flip=facts["flip"])
