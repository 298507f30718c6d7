"""Whether anonymizing a damaged clip shows a head that anonymizing the sound one covers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import av
import numpy as np

from benchmarks.damage_clips import RATE, RECORDING, Clip
from benchmarks.damage_judging import decoded
from or_mv_anon.core.truth import load_truth

TOOL = Path(__file__).parents[1] / "tools" / "anonymize_multiview.py"
LEAST_FACE = 20  # visible pixels of a face that counts
SHOWN, COVERED = 8.0, 20.0  # mean differences of a face's luma from the sound recording's, below and above


def shown_heads(folder: Path, clip: Clip, sound: Path, damaged: Path) -> int:
    """Number of (frame, person) whose face is covered in the sound clip's output and shows in the damaged one's."""
    truth = _people(clip)
    original = _by_number(sound)
    covered, outcome = (_by_number(_anonymized(folder, path)) for path in (sound, damaged))
    count = 0
    for number, box in truth:
        left, top, right, bottom = np.round(box).astype(int)
        part = slice(max(0, top), bottom), slice(max(0, left), right)
        if number not in original or number not in covered or number not in outcome or not original[number][part].size:
            continue
        wanted = original[number][part].astype(float)
        if np.abs(covered[number][part] - wanted).mean() < COVERED:
            continue  # not covered in the sound clip either, or black anyway
        count += bool(np.abs(outcome[number][part] - wanted).mean() < SHOWN)
    return count


def _by_number(path: Path | None) -> dict[int, np.ndarray]:
    if path is None:
        return {}
    with av.open(str(path)) as container:
        base = container.streams.video[0].time_base
    assert base is not None
    return {round(pts * base * RATE): luma for pts, luma in decoded(path).items()}


def _anonymized(folder: Path, path: Path) -> Path | None:
    """The output of the command for one file; None where it refuses."""
    out = folder / f"out_{path.stem}"
    command = [sys.executable, str(TOOL), "--videos", str(path), "--out", str(out), "--method", "solid", "--overwrite"]
    subprocess.run(command, check=False, capture_output=True)
    found = sorted(out.glob(f"{path.stem}.*"))
    return next((file for file in found if file.suffix in (".mp4", ".mkv", ".mov", ".webm", ".ts", ".avi")), None)


def _people(clip: Clip) -> list[tuple[int, np.ndarray]]:
    table = load_truth(RECORDING.parent / "truth").cameras[clip.camera].people
    rows = np.flatnonzero((table.face_visible >= LEAST_FACE) & (table.frame >= clip.first))
    return [(int(table.frame[row]) - clip.first, table.face_box[row]) for row in rows]
