"""What the review needs to know of a finished run: its cameras, and when each of their frames was taken.

Frame numbers come from the timestamps that the run stored, never from what a player makes of a time: whatever is asked
for by session time is one exact frame of each camera.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from or_mv_anon.audit.report import sealed_outputs
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.manifest import Manifest
from or_mv_anon.core.placed import placed_segments
from or_mv_anon.core.records import Frames
from or_mv_anon.core.run_layout import AUDIT_RECORD, FRAMES, MANIFEST, STORE_FOLDER
from or_mv_anon.core.seals import Seal
from or_mv_anon.core.stage_files import StageFiles

SAME_S = 1e-4  # seconds that two clocks of one moment may differ by rounding; far less than any frame lasts
ONLY_FRAME_S = 0.04


@dataclass(frozen=True, eq=False)
class ReviewedCamera:
    """One camera of a finished run.

    Attributes:
        name: of the camera.
        output: its covered video, or folder of pictures.
        seal: what the run vouches for: the output's hash.
        size: width and height of the upright picture in pixels.
        times: ``(N,)`` seconds of the output's frames on its own clock, as the run stored them.
        seconds: ``(N,)`` of the same frames on the session's clock, never falling.
        numbers: ``(N,)`` how the run counts them; some may be missing in the output.
        end: when the last frame ends, session seconds.
        offset: seconds between the output's clock and the session's.
        shift_s: seconds that the output's clock is behind the recording's.
    """

    name: str
    output: Path
    seal: Seal
    size: tuple[int, int]
    times: NDArray[np.float64]
    seconds: NDArray[np.float64]
    numbers: NDArray[np.int64]
    end: float
    offset: float
    shift_s: float

    def __len__(self) -> int:
        """Frames of the output."""
        return len(self.seconds)

    def frame_at(self, second: float) -> int | None:
        """The output's frame that is on screen at a moment of the session; None where the camera shows nothing."""
        place = int(np.searchsorted(self.seconds, second + SAME_S, side="right")) - 1
        return place if place >= 0 and second < self.end - SAME_S else None

    def until(self, frame: int) -> float:
        """When a frame of the output gives way to the next, session seconds."""
        return float(self.seconds[frame + 1]) if frame + 1 < len(self) else self.end


@dataclass(frozen=True, eq=False)
class ReviewedRun:
    """A finished run of one session: where it lies, what its audit says, and its cameras in order."""

    out: Path
    audit: Mapping[str, Any]
    cameras: tuple[ReviewedCamera, ...]

    @property
    def store(self) -> StageFiles:
        """The stage outputs, for reading."""
        return StageFiles(self.out / STORE_FOLDER)

    @property
    def session(self) -> str:
        """The session's name."""
        return str(self.audit["session"])

    @property
    def span(self) -> tuple[float, float]:
        """When the first camera begins and the last one ends, session seconds."""
        return min(float(each.seconds[0]) for each in self.cameras), max(each.end for each in self.cameras)

    def camera(self, name: str) -> ReviewedCamera:
        """The camera of this name.

        Raises:
            UserError: there is none.
        """
        for camera in self.cameras:
            if camera.name == name:
                return camera
        raise UserError(f"There is no camera {name[:60]!r} in this run.")


def read_run(out: Path) -> ReviewedRun:
    """The finished run in an output folder.

    Raises:
        UserError: there is none, nothing of it is covered, or what is known of it is gone or damaged.
    """
    audit = _audit(out)
    if audit["options"]["method"] == "none":
        raise UserError(f"{out} was made with --method none: nothing in it is covered, so there is nothing to review.")
    store = StageFiles(out / STORE_FOLDER)
    if not (store.root / MANIFEST).is_file():
        raise UserError(f"{out} holds no {STORE_FOLDER}/: it was purged. Run the anonymizer again to review it.")
    seals = sealed_outputs(out / AUDIT_RECORD)
    sizes = {entry["camera"]: (int(entry["width"]), int(entry["height"])) for entry in audit["inputs"]}
    about = {entry["camera"]: entry for entry in audit["cameras"]}
    cameras = tuple(
        _camera(store, entry["camera"], out / entry["name"], seals[entry["name"]], sizes, about, audit)
        for entry in audit["outputs"]
    )
    if not cameras:
        raise UserError(f"{out} holds no finished video; run the anonymizer again.")
    return ReviewedRun(out, audit, cameras)


def _audit(out: Path) -> dict[str, Any]:
    try:
        audit: dict[str, Any] = json.loads((out / AUDIT_RECORD).read_bytes())
        for name in ("session", "options", "inputs", "outputs", "cameras"):
            audit[name]
        return audit
    except FileNotFoundError as error:
        below = sorted(path.parent.name for path in out.glob(f"*/{AUDIT_RECORD}"))
        hint = f" It holds several sessions; pass one of them: {', '.join(below)}." if below else ""
        raise UserError(f"{out} is not the output of a finished run: {AUDIT_RECORD} is missing.{hint}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{out}: its {AUDIT_RECORD} cannot be read ({error}); run the anonymizer again.") from error


def _camera(
    store: StageFiles,
    name: str,
    output: Path,
    seal: Seal,
    sizes: Mapping[str, tuple[int, int]],
    about: Mapping[str, Any],
    audit: Mapping[str, Any],
) -> ReviewedCamera:
    segments = placed_segments(store.manifest.stages, name)
    frames = Frames.concat([store.read(FRAMES.file(name, segment), Frames) for segment in segments])
    if not len(frames) or name not in about:
        raise UserError(f"{store.root} does not say when the frames of {name} were taken; run the anonymizer again.")
    offset, began = float(about[name]["offset_s"]), float(about[name]["start_s"])
    shift = _shift(audit["options"]["start"], offset, began - offset)
    missing = _missing(store.manifest, name)
    if missing:  # in ticks of the recording; a tick is what the table's times and ticks make of it
        tick = _tick(frames)
        frames = frames[~np.isin(frames.pts, np.array(missing, np.int64) - round(shift / tick))]
    seconds = np.maximum.accumulate(frames.time) + shift + offset
    steps = np.diff(seconds)
    last = float(np.median(steps)) if len(steps) else ONLY_FRAME_S
    return ReviewedCamera(
        name=name,
        output=output,
        seal=seal,
        size=sizes[name],
        times=frames.time,
        seconds=seconds,
        numbers=frames.frame.astype(np.int64),
        end=float(seconds[-1]) + last,
        offset=offset,
        shift_s=shift,
    )


def _shift(start: float | None, offset: float, began: float) -> float:
    """Seconds that were taken off the recording's timestamps; `began` is the first of them."""
    if start is not None and start - offset > 0:
        return float(start) - offset
    return min(began, 0.0)


def _missing(manifest: Manifest, camera: str) -> list[int]:
    rendered = [entry for name, entry in manifest.stages.items() if name.startswith(f"{camera}/render/")]
    return sorted({int(pts) for entry in rendered for pts in entry.facts.get("missing", [])})


def _tick(frames: Frames) -> float:
    """Seconds per tick."""
    ticks = int(frames.pts[-1] - frames.pts[0])
    return float(frames.time[-1] - frames.time[0]) / ticks if ticks else 1.0
