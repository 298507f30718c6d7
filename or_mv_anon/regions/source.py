"""What a source of regions is: when it looks at pixels, what it notes of them, and what it wants covered.

A source overrides what it does and leaves the rest: it may only observe, only place, or both. Everything about it lies
in its own file and in its section of configs/pipeline.toml; `registry.SOURCES` lists them all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core import boxes as bx
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import PipelineConfig
from or_mv_anon.core.records import (
    Columns,
    Detections,
    FrameFlag,
    Frames,
    Regions,
    Tracks,
    TransferredHeads,
)
from or_mv_anon.core.run_layout import Table
from or_mv_anon.corrections.actions import Cover
from or_mv_anon.models.network_file import Engine, NetworkFile
from or_mv_anon.regions.heads import Heads
from or_mv_anon.video.frame import Frame

HALF_SURE = 0.5  # uncertainty from which on a head is covered where it was proposed and where the box would have it
FACE_SCALE = 1.6  # region side ÷ face detection side: detectors frame eyebrows to chin, a head is more
Mask = NDArray[np.bool_]
Record = TypeVar("Record", bound=Columns)
Zone = tuple[float, float, float, float]  # corners in pixels of the upright frame


def head_around_face(faces: Boxes) -> Boxes:
    """Boxes of heads ``(N, 4)`` from those of their faces."""
    return bx.expand(faces, ratio=(FACE_SCALE - 1) / 2)


def as_faces(heads: Boxes, *, scale: float) -> Boxes:
    """What is followed like faces, so that its regions become heads' boxes ``(N, 4)`` grown to `scale` times."""
    return bx.expand(heads, ratio=(scale / FACE_SCALE - 1) / 2)


@dataclass
class Batch:
    """Frames of one camera that are looked at together.

    Attributes:
        frames: in display order.
        first: the recording's frame that counts as frame 0.
        seen: told of every sound picture ``(h, w, 3)`` that the person detector sees, and its time in seconds.
        persons: what the person detector found in them; later sources' records of persons name its rows.
        heads: that it found in the same pass; None where it knows people alone.
        weak_heads: the same with those that are far too weak to count alone.
    """

    frames: Sequence[Frame]
    first: int
    seen: Callable[[NDArray[np.uint8], float], None] = lambda picture, time: None
    persons: Detections = field(default_factory=Detections.empty)
    heads: Detections | None = None
    weak_heads: Detections | None = None

    def found_heads(self, heads: Detections | None, config: PipelineConfig) -> Detections | None:
        """Keep all that were found, and return those that count alone."""
        self.weak_heads = heads
        return None if heads is None else heads[heads.score >= config.detection.min_score]

    def number(self, frame: Frame) -> int:
        """The frame's number in records."""
        return frame.index - self.first

    def rows(self, frame: Frame) -> NDArray[np.intp]:
        """Rows of `persons` in a frame."""
        return np.flatnonzero(self.persons.frame == self.number(frame))


@dataclass(frozen=True)
class Proposal:
    """Where a source believes the heads of tracked people to be, one entry per row of their tracks.

    Attributes:
        box: ``(R, 4)`` in pixels of the upright frame.
        uncertainty: ``(R,)`` 0 sure, 1 nothing is known.
        kind: ``(R,)`` of the region.
        alone: it replaces other proposals wherever its uncertainty is a number, and is never joined with them.
        narrows: it knows how large the head is: it takes the place of a far larger proposal that holds it, or of one
            that rests on the box alone, and leaves every other as it is.
    """

    box: Boxes
    uncertainty: NDArray[np.float32]
    kind: NDArray[np.uint8]
    alone: bool = False
    narrows: bool = False


class Reader(Protocol):
    """Reads all that is stored of one kind about a camera."""

    def __call__(self, table: Table[Record]) -> Record:
        """All segments of a table, joined."""


@dataclass(frozen=True)
class Observed:
    """All that was observed of one camera, read when it is asked for.

    Attributes:
        frames: every frame.
        size: width and height of the upright picture in pixels.
        read: a source's table, all segments joined; of records about persons the rows of all of them count on.
    """

    frames: Frames
    size: tuple[int, int]
    read: Reader


@dataclass(frozen=True)
class Drawn:
    """What a reviewer drew in one camera.

    Attributes:
        cover: as it was drawn; times are seconds of the session.
        earlier: seconds that the session's clock shows at time 0 of `Frames`.
        found: frame -> where it was found in that frame's picture, if it was to be followed.
    """

    cover: Cover
    earlier: float
    found: Mapping[int, Zone] = field(default_factory=dict)


@dataclass(frozen=True)
class CameraScene:
    """What is known of one camera when its regions are placed.

    Attributes:
        frames: every frame.
        size: width and height of the upright picture in pixels.
        heads: of some of the person detections.
        tracks: of persons.
        faces: tracks of heads that no person track stands for.
        transferred: heads that other cameras place, one per row of `tracks` with that provenance.
        always: zones that are covered in every frame.
        drawn: what reviewers drew.
        read: see `Observed`; None where nothing is stored.
    """

    frames: Frames
    size: tuple[int, int]
    heads: Heads
    tracks: Tracks
    faces: Tracks
    transferred: TransferredHeads = field(default_factory=TransferredHeads.empty)
    always: Sequence[Zone] = ()
    drawn: Sequence[Drawn] = ()
    read: Reader | None = None


class RegionSource:
    """One source of regions; see the module.

    Attributes:
        name: of the source.
        table: that holds what it observes; None for a source that does not look at pixels.
        flag: set on the frames that it looked at.
        weights: role -> registered weights of the networks that it cannot do without.
        observes_by, follows_by, places_by: sections of configs/pipeline.toml that each of its results rests on.
    """

    name: ClassVar[str]
    table: ClassVar[Table[Any] | None] = None
    flag: ClassVar[FrameFlag] = FrameFlag(0)
    weights: ClassVar[Mapping[str, str]] = {}
    observes_by: ClassVar[tuple[str, ...]] = ()
    follows_by: ClassVar[tuple[str, ...]] = ()
    places_by: ClassVar[tuple[str, ...]] = ()

    def open(self, files: Mapping[str, NetworkFile], config: PipelineConfig, engine: Engine) -> dict[str, Any]:
        """Load its networks, by their role."""
        return {}

    def due(self, times: NDArray[np.float64], detected: Mask, config: PipelineConfig) -> Mask:
        """Frames ``(F,)`` that it looks at.

        Args:
            times: seconds of the frames ``(F,)``.
            detected: those in which persons are detected.
            config: for its interval.
        """
        return np.zeros(len(times), bool)

    def observe(self, batch: Batch, due: Sequence[Frame], networks: Any, config: PipelineConfig) -> Columns | None:
        """What it notes of the frames `due` of a batch, a record of its table; None where it does not look.

        Args:
            batch: to which the frames belong.
            due: those that it is to look at.
            networks: see `networks.Networks`.
            config: its thresholds.
        """
        return None

    def settle(self, read: Reader, times: Mapping[int, float], config: PipelineConfig) -> Columns | None:
        """What is kept of all that it noted of a part of the recording; None for everything.

        Args:
            read: all that was noted in its table, in the order of the frames.
            times: seconds, by the frames' numbers.
            config: its thresholds.
        """
        return None

    def follow(self, observed: Observed, config: PipelineConfig) -> Tracks | None:
        """Tracks of heads that it follows by itself over the whole recording, apart from persons."""
        return None

    def propose(self, scene: CameraScene, people: Tracks, config: PipelineConfig) -> Proposal | None:
        """Where the heads of `people`, some of the scene's whole person tracks, are."""
        return None

    def place(self, scene: CameraScene, config: PipelineConfig) -> Regions | None:
        """Regions that need no person track."""
        return None
