"""Writes the site model: one folder with everything that the anonymizer needs, usable at every moment.

Networks are named by their content and `model.toml` is replaced last, in one step, so a bundle that is interrupted
while it is renewed is still the one from before.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from or_mv_anon.adaptation.card import CARD, PLOT
from or_mv_anon.adaptation.work import RECORDINGS, is_work
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import explained, write_atomically
from or_mv_anon.models.registry import sha256
from or_mv_anon.models.site_model import KINDS, LAYOUT, LISTING, SCHEMA, load_site_model
from or_mv_anon.models.site_thresholds import THRESHOLDS, Thresholds

SHOWN_DIGITS = 8  # of a hash, in a file's name


@dataclass(frozen=True, kw_only=True)
class BundleParts:
    """What goes into a site model: files by role (see `models.site_model`), and what belongs to them.

    A role that `kinds` does not name has the first of `models.site_model.KINDS`.
    """

    files: Mapping[str, Path]
    kinds: Mapping[str, str] = field(default_factory=dict)
    thresholds: Mapping[str, Thresholds] = field(default_factory=dict)
    layout: Mapping[str, tuple[int, int]] = field(default_factory=dict)


def write_bundle(folder: Path, parts: BundleParts) -> None:
    """Put a site model in place; files of an earlier one that are no longer named are removed.

    Raises:
        UserError: the folder cannot be written.
    """
    with explained(folder):
        folder.mkdir(parents=True, exist_ok=True)
    lines = [f"schema = {SCHEMA}", ""]
    kept = set()
    for role, path in parts.files.items():
        digest = sha256(path)
        name = f"{role}-{digest[:SHOWN_DIGITS]}{path.suffix}"
        kept.add(name)
        if not (folder / name).exists() or sha256(folder / name) != digest:
            _copy(path, folder / name)
        kind = parts.kinds.get(role, KINDS[role][0])
        lines += [f"[{role}]", f'kind = "{kind}"', f'file = "{name}"', f'sha256 = "{digest}"', ""]
        for section, entries in parts.thresholds.get(role, {}).items():
            if not entries:
                continue
            lines += [f"[{role}.{THRESHOLDS}.{section}]", *(f"{key} = {value}" for key, value in entries.items()), ""]
    if parts.layout:
        sizes = [f'"{name}" = [{width}, {height}]' for name, (width, height) in parts.layout.items()]
        lines += [f"[{LAYOUT}]", *sizes, ""]
    text = "\n".join(lines)
    write_atomically(folder / LISTING, lambda part: part.write_text(text))
    for role in KINDS:
        for stale in folder.glob(f"{role}-*"):
            if stale.name not in kept and _is_own(stale, role):
                stale.unlink()


def refuse_strangers(folder: Path, work: Path, *, overwrite: bool) -> None:
    """Refuse a folder that holds something of another origin where a site model and the work on it are to be.

    Args:
        folder: of the site model.
        work: folder of the work.
        overwrite: an earlier adaptation's results may go.

    Raises:
        UserError: it does.
    """
    if work.is_dir() and any(work.iterdir()) and not is_work(work) and not _only_begun(work):
        raise UserError(f"{work} is not from an earlier adaptation; choose another --out.")
    names = [name for name in (LISTING, CARD, PLOT) if os.path.lexists(folder / name)]
    if not names or is_work(work):
        return
    if overwrite and LISTING in names:
        load_site_model(folder)  # refuses what is no site model, or not whole
        return
    raise UserError(
        f"{folder / names[0]} is not from an adaptation that is going on here; choose another --out"
        + (", or discard it with --overwrite." if LISTING in names else ".")
    )


def _only_begun(work: Path) -> bool:
    """Whether nothing is there but what a run leaves that was ended before it had noted anything."""
    return all(path.name == RECORDINGS for path in work.iterdir())


def _is_own(path: Path, role: str) -> bool:
    """Whether a file is named by its content, as networks of a site model are."""
    return path.is_file() and path.name == f"{role}-{sha256(path)[:SHOWN_DIGITS]}{path.suffix}"


def _copy(source: Path, target: Path) -> None:
    write_atomically(target, lambda part: shutil.copyfile(source, part))
