"""Everything that lies in a run folder: what it is called, what it is about, and the record that it holds.

Nothing else spells these names. `docs/file-formats.md` describes them, and a test holds it to what stands here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Generic, Literal, TypeVar

from or_mv_anon.core.records import (
    Backgrounds,
    BlockHashes,
    Columns,
    Detections,
    Disagreements,
    Embeddings,
    FollowedBoxes,
    Frames,
    Identities,
    Judgements,
    Keypoints,
    Regions,
    Tracks,
    TransferredHeads,
    Verdicts,
)

STORE_FOLDER = "stages"
MANIFEST = "manifest.json"  # of the stages' folder
CORRECTIONS = "corrections.jsonl"  # beside the outputs: what people decided, which no run ever writes over
AUDIT_RECORD, REPORT_PAGE, PREVIEW_PICTURE = "audit.json", "report.html", "preview.png"  # beside the outputs

About = Literal["segment", "drawing", "camera", "session"]
Record = TypeVar("Record", bound=Columns)


@dataclass(frozen=True)
class Stored:
    """A kind of file among the stage outputs.

    Attributes:
        name: its stem.
        about: what one of them is about.
        suffix: of the file; None where it follows the output's.
    """

    name: str
    about: About
    suffix: str | None = ".json"

    def file(self, camera: str = "", segment: int | None = None, *, suffix: str | None = None) -> str:
        """The name of one of them in the store.

        Args:
            camera: that it is about.
            segment: its number, of what is about a segment or a drawing.
            suffix: where it follows the output's.
        """
        folder = "" if self.about == "session" else f"{camera}/"
        number = "" if segment is None else f"-{segment:05d}"
        return f"{folder}{self.name}{number}{self.suffix if suffix is None else suffix}"

    def segment_of(self, file: str, camera: str) -> int | None:
        """The number of the segment of a camera that `file` is about; None where it is of another kind."""
        number = file.removeprefix(f"{camera}/{self.name}-").removesuffix(self.suffix or "")
        return int(number) if number.isdecimal() and self.file(camera, int(number)) == file else None


@dataclass(frozen=True)
class Table(Stored, Generic[Record]):
    """A kind of table, and the record that each of its files holds."""

    suffix: str | None = ".parquet"
    record: type[Record] = field(kw_only=True)


INDEX = Stored("index", "camera")
BLOCKS = Table("blocks", "camera", record=BlockHashes)
FRAMES = Table("frames", "segment", record=Frames)
PERSONS = Table("persons", "segment", record=Detections)
HEADS = Table("heads", "segment", record=Detections)
PASSING_HEADS = Table("passing_heads", "segment", record=Detections)
EDGE_HEADS = Table("edge_heads", "segment", record=Detections)
FACES = Table("faces", "segment", record=Detections)
STATIC_HEADS = Table("static_heads", "segment", record=Detections)
KEYPOINTS = Table("keypoints", "segment", record=Keypoints)
EMBEDDINGS = Table("embeddings", "segment", record=Embeddings)
BACKGROUNDS = Table("backgrounds", "segment", record=Backgrounds)
TRACKS = Table("tracks", "camera", record=Tracks)
FACE_TRACKS = Table("face_tracks", "camera", record=Tracks)
RECOVERED = Table("recovered", "camera", record=Tracks)
IDENTITIES = Table("identities", "camera", record=Identities)
TRANSFERRED = Table("transferred", "camera", record=TransferredHeads)
DISAGREEMENTS = Table("disagreements", "camera", record=Disagreements)
GEOMETRY = Stored("geometry", "session")
JUDGEMENTS = Table("judgements", "segment", record=Judgements)
VERDICTS = Table("verdicts", "camera", record=Verdicts)
REGIONS = Table("regions", "segment", record=Regions)
CAMERA_AUDIT = Stored("audit", "camera")
VIDEO = Stored("video", "segment", suffix=None)
JOINED = Stored("joined", "camera", suffix=None)
FORMER = Stored("former", "camera", suffix=None)
LABELS = Stored("labels", "camera")
CASES = Stored("cases", "session")  # what a person should look at
FOLLOWED = Table("followed", "drawing", record=FollowedBoxes)  # numbered by its line in CORRECTIONS
ASKED = Stored("asked", "session")  # the options that the run was given

STORED: dict[str, Stored] = {kind.name: kind for kind in list(globals().values()) if isinstance(kind, Stored)}
TABLES: dict[str, Table[Columns]] = {name: kind for name, kind in STORED.items() if isinstance(kind, Table)}
