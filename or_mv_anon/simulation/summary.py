"""The table that the simulator prints when a site is made."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from or_mv_anon.core.truth import CameraTruth
from or_mv_anon.simulation.output_folder import OutputFolder
from or_mv_anon.simulation.simulate import Made

_KILOBIT = 1000 / 8  # bytes


def summarize(out: Path, made: Made) -> str:
    """Several lines: people, cameras, hours, speed, and where the site is."""
    folder = OutputFolder(out)
    roles = Counter(str(person.get("role", "person")) for person in made.truth.people)
    lines = [
        f"{len(made.truth.people)} people: " + ", ".join(f"{n} {r}" if n > 1 else r for r, n in roles.items()),
        f"{'camera':<8} {'frames':>6} {'fps':>5} {'size':>10} {'kbit/s':>7} {'people/frame':>13} {'faces/frame':>12}",
    ]
    for name, camera in made.truth.cameras.items():
        lines.append(_camera_line(name, camera, (folder.recording / f"{name}.mp4").stat().st_size))
    hours = sum(len(camera.frames) / camera.fps for camera in made.truth.cameras.values()) / 3600
    lines.append(f"{hours:.4f} camera hours in {folder.recording}, ground truth in {folder.truth}")
    if made.device is None:
        lines.append("It was all there already: nothing was rendered.")
    else:
        each = made.seconds / max(1, made.pictures)
        rate = 60 / each if each else 0.0
        lines.append(f"{made.pictures} pictures, {each:.3f} s each ({rate:.0f} a minute), rendered on {made.device}")
    return "\n".join(lines)


def _camera_line(name: str, camera: CameraTruth, size: int) -> str:
    frames = len(camera.frames)
    rate = size / _KILOBIT / (frames / camera.fps)
    people = int(np.count_nonzero(camera.people.visible_fraction > 0)) / frames
    faces = int(np.count_nonzero(camera.people.face_visible > 0)) / frames
    picture = f"{camera.width}x{camera.height}"
    return f"{name:<8} {frames:>6} {camera.fps:>5g} {picture:>10} {rate:>7.0f} {people:>13.1f} {faces:>12.1f}"
