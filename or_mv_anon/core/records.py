"""The data that flows between stages: frozen records of equal-length columns, and their Parquet schemas.

Every record belongs to one camera of one session. `frame` counts decoded frames from 0 in display order and is the
key into `Frames`, which alone holds timestamps. Boxes and points are float32 pixels of the upright frame.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Any, ClassVar, Self

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

SCHEMA_VERSION = 2
LARGEST_PLACE = 1e6  # px from the picture's corner; a box beyond it is damage
BACKGROUND_CELLS = (32, 48, 4)  # rows and columns of cells, and directions of edges
Column = NDArray[Any]  # converted to the dtype and checked for the shape that the record's `columns` state


class Provenance(IntEnum):
    """How a box came to be; later stages trust lower numbers more."""

    DETECTED = 0  # the detector was sure (score at or above the high threshold)
    TRACKED = 1  # a low-score detection that a track claimed
    INTERPOLATED = 2  # filled between two observations of a track, or padded at its ends
    CROSS_VIEW = 3  # a low-score detection claimed by the same person in another camera
    TRANSFERRED = 4  # nothing detected here: placed by other cameras' geometry
    MANUAL = 5  # a person said so; among labels alone


class RegionKind(IntEnum):
    """What a covered region stands for."""

    HEAD = 0  # head located by trusted keypoints
    BOX_TOP = 1  # head placed at the top of a person box, keypoints not trusted
    PERSON = 2  # whole person box: lying, tiny or otherwise unclear
    FACE = 3  # a face detection
    ZONE = 4  # a zone that the site asks to cover always
    FRAME = 5  # the whole picture
    MANUAL = 6  # drawn by a person


class FrameFlag(IntFlag):
    """What happened to a frame in the analysis."""

    PERSONS = 1  # the person detector ran
    POSE = 2  # the pose model ran on this frame's detections
    FACES = 4  # the face detector ran
    CORRUPT = 8  # damage reaches the frame: it is covered whole
    FAILED = 16  # an exception: the frame is covered whole
    STATIC_HEADS = 32  # heads were looked for in turned pictures
    DOUBTFUL = 64  # looks damaged if damage is known to be near
    HEADS = 128  # the person detector ran, and it is one that knows heads


@dataclass(frozen=True)
class Columns:
    """Base of the records: arrays of one length, indexed together by a mask, a slice or row numbers."""

    columns: ClassVar[dict[str, tuple[Any, tuple[int, ...]]]]  # name -> (dtype, shape of one row)
    version: ClassVar[int] = SCHEMA_VERSION  # of its table; what is no part of a run folder has its own
    sorted_by: ClassVar[str | None] = None  # the column that never falls
    values: ClassVar[dict[str, type[IntEnum] | type[IntFlag]]] = {}  # columns that hold nothing but these
    gaps: ClassVar[tuple[str, ...]] = ()  # columns in which a number may be missing

    def __post_init__(self) -> None:
        size = len(self)
        for name, (dtype, shape) in self.columns.items():
            value = np.asarray(getattr(self, name), dtype)
            if value.shape != (size, *shape):
                raise ValueError(f"{type(self).__name__}.{name}: expected shape {(size, *shape)}, got {value.shape}")
            object.__setattr__(self, name, value)

    def check(self, frames: range | None = None) -> None:
        """Look whether the rows can be what a stage wrote: such numbers, in such an order.

        Args:
            frames: those that the rows may be about, if the record is about frames.

        Raises:
            ValueError: they cannot.
        """
        rows: dict[str, Column] = {name: getattr(self, name) for name in self.columns}
        for name, value in rows.items():
            if np.issubdtype(value.dtype, np.floating) and name not in self.gaps and not np.isfinite(value).all():
                self._refuse(name, "holds what is no number")
        box = rows.get("box", np.zeros((0, 4)))
        if np.abs(box).max(initial=0) > LARGEST_PLACE or (box[:, :2] > box[:, 2:]).any():
            self._refuse("box", "holds what is no box")
        for name, kind in self.values.items():
            known = [*kind] if issubclass(kind, IntEnum) else np.arange(2 * max(kind))
            if not np.isin(rows[name], known).all():
                self._refuse(name, "holds an unknown value")
        if self.sorted_by is not None and (np.diff(rows[self.sorted_by].astype(np.int64)) < 0).any():
            self._refuse(self.sorted_by, "is out of order")
        first, stop = (0, np.inf) if frames is None else (frames.start, frames.stop)
        frame = rows.get("frame", np.zeros(0))
        if ((frame < first) | (frame >= stop)).any():
            self._refuse("frame", "holds frames that are not there")

    def _refuse(self, name: str, why: str) -> None:
        raise ValueError(f"{type(self).__name__}.{name} {why}")

    def __len__(self) -> int:
        return len(getattr(self, next(iter(self.columns))))

    def __getitem__(self, rows: Any) -> Self:
        return type(self)(**{name: getattr(self, name)[rows] for name in self.columns})

    def replace(self, **changes: Any) -> Self:
        """A copy with some columns replaced."""
        return dataclasses.replace(self, **changes)

    @classmethod
    def empty(cls) -> Self:
        """A record of no rows."""
        return cls(**{name: np.zeros((0, *shape), dtype) for name, (dtype, shape) in cls.columns.items()})

    @classmethod
    def concat(cls, parts: Sequence[Self]) -> Self:
        """The rows of `parts`, one after another."""
        if not parts:
            return cls.empty()
        return cls(**{name: np.concatenate([getattr(part, name) for part in parts]) for name in cls.columns})

    @classmethod
    def schema(cls) -> pa.Schema:
        """The Arrow schema, with the record's name and version as metadata."""
        fields = []
        for name, (dtype, shape) in cls.columns.items():
            kind = pa.from_numpy_dtype(np.dtype(dtype))
            fields.append(pa.field(name, pa.list_(kind, int(np.prod(shape))) if shape else kind, nullable=False))
        return pa.schema(fields, metadata={"record": cls.__name__, "version": str(cls.version)})

    def to_table(self) -> pa.Table:
        """The record as an Arrow table; rows of several numbers become fixed-size lists."""
        arrays = []
        for name, (_, shape) in self.columns.items():
            flat = pa.array(np.ascontiguousarray(getattr(self, name)).reshape(-1))
            arrays.append(pa.FixedSizeListArray.from_arrays(flat, int(np.prod(shape))) if shape else flat)
        return pa.Table.from_arrays(arrays, schema=self.schema())

    @classmethod
    def from_table(cls, table: pa.Table) -> Self:
        """The record that `to_table` wrote.

        Raises:
            ValueError: the table holds another record or another schema version.
        """
        found = {k.decode(): v.decode() for k, v in (table.schema.metadata or {}).items()}
        if found.get("record") != cls.__name__ or found.get("version") != str(cls.version):
            raise ValueError(
                f"expected {cls.__name__} version {cls.version}, "
                f"found {found.get('record')} version {found.get('version')}"
            )
        data = {}
        for name, (_, shape) in cls.columns.items():
            column = table.column(name).combine_chunks()
            if shape:
                data[name] = column.flatten().to_numpy().reshape(-1, *shape)
            else:
                data[name] = column.to_numpy()
        return cls(**data)


@dataclass(frozen=True)
class Frames(Columns):
    """Every decoded frame of a camera: timestamp in the stream's own ticks, and what the analysis did to it."""

    frame: Column
    pts: Column
    time: Column  # seconds: pts × time_base
    flags: Column  # FrameFlag

    columns = {
        "frame": (np.int32, ()),
        "pts": (np.int64, ()),
        "time": (np.float64, ()),
        "flags": (np.uint8, ()),
    }
    sorted_by = "frame"
    values = {"flags": FrameFlag}

    def check(self, frames: range | None = None) -> None:
        """The same, and that there is a row for each of `frames`."""
        super().check(frames)
        if frames is not None and not np.array_equal(self.frame, frames):
            self._refuse("frame", "does not hold every frame once")

    def has(self, flag: FrameFlag) -> NDArray[np.bool_]:
        """Mask of the frames that carry `flag`."""
        return (self.flags & np.uint8(flag)) != 0


@dataclass(frozen=True)
class Detections(Columns):
    """Boxes that a detector emitted in single frames (persons or faces)."""

    frame: Column
    box: Column
    score: Column  # [0, 1]

    columns = {"frame": (np.int32, ()), "box": (np.float32, (4,)), "score": (np.float32, ())}
    sorted_by = "frame"


@dataclass(frozen=True)
class Keypoints(Columns):
    """Body keypoints of detections, in Halpe-26 order (see `or_mv_anon.models.pose`)."""

    detection: Column  # row of the camera's Detections
    points: Column  # pixels
    score: Column  # SimCC maximum: the model's own scale, about 0-1 but not a probability

    columns = {
        "detection": (np.int32, ()),
        "points": (np.float32, (26, 2)),
        "score": (np.float32, (26,)),
    }


@dataclass(frozen=True)
class Tracks(Columns):
    """One row per person and frame of one camera, ordered by track, then frame; a track has no gaps."""

    frame: Column
    track: Column
    box: Column
    score: Column  # of the detection; for filled rows the weaker neighbour's
    provenance: Column  # Provenance
    detection: Column  # row of the camera's Detections, or -1 where nothing was detected

    columns = {
        "frame": (np.int32, ()),
        "track": (np.int32, ()),
        "box": (np.float32, (4,)),
        "score": (np.float32, ()),
        "provenance": (np.uint8, ()),
        "detection": (np.int32, ()),
    }
    sorted_by = "track"
    values = {"provenance": Provenance}


@dataclass(frozen=True)
class Embeddings(Columns):
    """Appearance of some detections: unit vectors of a re-identification network (see `models/embedder.py`)."""

    detection: Column  # row of the camera's Detections
    vector: Column

    columns = {"detection": (np.int32, ()), "vector": (np.float32, (512,))}


@dataclass(frozen=True)
class Backgrounds(Columns):
    """Coarse gradients of a camera's picture at some frames (see `regions/background.py`)."""

    frame: Column
    cells: Column  # strength of the edges by place and direction, relative to the surroundings

    columns = {"frame": (np.int32, ()), "cells": (np.uint8, BACKGROUND_CELLS)}
    sorted_by = "frame"


@dataclass(frozen=True)
class Identities(Columns):
    """Who each track of a camera is, one row per track: equal numbers in two cameras mean one person."""

    track: Column
    identity: Column  # from 0, counted over the session
    confidence: Column  # [0, 1] that the track belongs with the others of its identity; 0 for an identity of one track

    columns = {"track": (np.int32, ()), "identity": (np.int32, ()), "confidence": (np.float32, ())}


@dataclass(frozen=True)
class TransferredHeads(Columns):
    """Heads that other cameras' geometry places here; one row per row of `Tracks` with provenance `TRANSFERRED`."""

    frame: Column
    track: Column
    box: Column  # the head, grown by how uncertain its place is
    uncertainty: Column  # standard deviation of the head's centre in head heights

    columns = {
        "frame": (np.int32, ()),
        "track": (np.int32, ()),
        "box": (np.float32, (4,)),
        "uncertainty": (np.float32, ()),
    }


@dataclass(frozen=True)
class Disagreements(Columns):
    """People whom other cameras see, who should be in this picture too, and whom nothing covers here."""

    frame: Column
    identity: Column
    uncertainty: Column  # standard deviation of the head's centre in head heights

    columns = {"frame": (np.int32, ()), "identity": (np.int32, ()), "uncertainty": (np.float32, ())}


@dataclass(frozen=True)
class FollowedBoxes(Columns):
    """Where a drawn box was found, ordered by frame."""

    frame: Column
    box: Column
    score: Column  # correlation with what was drawn or last seen; 0 where it was only held

    columns = {"frame": (np.int32, ()), "box": (np.float32, (4,)), "score": (np.float32, ())}
    sorted_by = "frame"


@dataclass(frozen=True)
class Regions(Columns):
    """What gets covered, ordered by frame."""

    frame: Column
    box: Column
    kind: Column  # RegionKind
    track: Column  # person track that the region protects, -1 for none, -2 - n for face track n
    uncertainty: Column  # [0, 1]: 0 sure of the head's place, 1 nothing but a guess

    columns = {
        "frame": (np.int32, ()),
        "box": (np.float32, (4,)),
        "kind": (np.uint8, ()),
        "track": (np.int32, ()),
        "uncertainty": (np.float32, ()),
    }
    sorted_by = "frame"
    values = {"kind": RegionKind}


@dataclass(frozen=True)
class Judgements(Columns):
    """What the network said of every frame of a recording."""

    frame: Column
    probability: Column  # of being outside the body; NaN where the frame could not be judged
    looked: Column  # 1 where the network saw this very frame, 0 where its neighbours stand for it

    columns = {"frame": (np.int32, ()), "probability": (np.float32, ()), "looked": (np.uint8, ())}
    sorted_by = "frame"
    gaps = ("probability",)


@dataclass(frozen=True)
class Verdicts(Columns):
    """What was decided about every frame of a recording."""

    frame: Column
    posterior: Column  # probability of being outside given all frames
    covered: Column  # 0 or 1

    columns = {"frame": (np.int32, ()), "posterior": (np.float64, ()), "covered": (np.uint8, ())}


@dataclass(frozen=True)
class BlockHashes(Columns):
    """SHA-256 of every stretch of `BLOCK` bytes of one file or of several, one after another."""

    file: Column  # counts the files
    size: Column  # bytes; less than `BLOCK` at the end of a file
    digest: Column

    columns = {"file": (np.int32, ()), "size": (np.int32, ()), "digest": (np.uint8, (32,))}

    @classmethod
    def of(cls, blocks: list[tuple[int, int, bytes]]) -> Self:
        """From (file, size, digest) of every block."""
        return cls(
            file=np.array([file for file, _, _ in blocks], np.int32),
            size=np.array([size for _, size, _ in blocks], np.int32),
            digest=np.frombuffer(b"".join(digest for _, _, digest in blocks), np.uint8).reshape(-1, 32),
        )

    def of_file(self, number: int) -> Self:
        """Those of one file."""
        return self[slice(*np.searchsorted(self.file, [number, number + 1]))]
