"""Writes `site.toml` of a simulated site: its name and its cameras' clock offsets, as a careful user would."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from or_mv_anon.core.files import write_atomically
from or_mv_anon.site.settings import SETTINGS_NAME


def write_site_settings(folder: Path, *, name: str, offsets: Mapping[str, float]) -> None:
    """Write `folder`/site.toml with one table per camera; `offsets` are seconds by camera name."""
    lines = [f'name = "{name}"']
    for camera, offset in offsets.items():
        lines += ["", "[[camera]]", f'name = "{camera}"', f"offset_s = {offset:.6f}"]
    text = "\n".join(lines) + "\n"
    write_atomically(folder / SETTINGS_NAME, lambda part: part.write_text(text))
