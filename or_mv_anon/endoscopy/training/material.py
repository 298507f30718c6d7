"""Labelled pictures for training: which they are, what they show, and which must stay on one side of a split.

A table (CSV with the columns `path`, `label` and, if wanted, `group` and `split`), or a folder with the sub-folders
`inside` and `outside`. A label is `inside` or `outside`; paths are relative to the table or the folder. Pictures of
one group (a hospital, a patient, a recording) never part: two frames of one operation resemble each other more than
any two operations do.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from or_mv_anon.core.errors import UserError

PICTURES = {".jpg", ".jpeg", ".png", ".bmp", ".tif", ".tiff", ".webp"}
LABELS = {"inside": False, "outside": True}
SPLITS = ("train", "calibrate", "test")


@dataclass(frozen=True)
class Sample:
    """One labelled picture."""

    path: Path
    outside: bool
    group: str
    split: str = ""  # one of SPLITS, or empty: to be drawn by group

    def read(self) -> NDArray[np.uint8]:
        """The picture, BGR (H, W, 3).

        Raises:
            UserError: it cannot be read.
        """
        picture = cv2.imread(str(self.path), cv2.IMREAD_COLOR)
        if picture is None:
            raise UserError(f"{self.path} is not a picture that can be read.")
        return np.asarray(picture, np.uint8)


def load_material(source: Path, *, families: Sequence[Sequence[str]] = ()) -> list[Sample]:
    """All samples of a table or folder, in a stable order.

    Args:
        source: the CSV file or the folder.
        families: groups that belong together; each is renamed to the first of its family.

    Raises:
        UserError: the source is missing or empty, a label or split is unknown, a picture is missing, or the given
            splits part a group.
    """
    if source.is_dir():
        samples = _from_folder(source)
    elif source.is_file():
        samples = _from_table(source)
    else:
        raise UserError(f"{source} does not exist; expected a CSV file or a folder with inside/ and outside/.")
    names = {member: family[0] for family in families for member in family}
    samples = [replace(sample, group=names.get(sample.group, sample.group)) for sample in samples]
    for label, outside in LABELS.items():
        if not any(sample.outside == outside for sample in samples):
            raise UserError(f"{source} holds no picture labelled '{label}'; training needs both.")
    splits: dict[str, str] = {}
    for sample in samples:
        if splits.setdefault(sample.group, sample.split) != sample.split:
            raise UserError(f"{source}: group '{sample.group}' is in two splits; a group must stay whole.")
    return samples


def draw_splits(samples: Sequence[Sample], shares: Mapping[str, float], *, seed: int) -> list[Sample]:
    """Give every group that has no split one, whole groups at a time, each label on its own.

    Args:
        samples: see `load_material`.
        shares: wished share of pictures per split; a group goes where most is missing, largest group first, groups of
            one size in an order drawn by `seed`.
    """
    rng = np.random.default_rng(seed)
    drawn: dict[str, str] = {sample.group: sample.split for sample in samples if sample.split}
    for outside in LABELS.values():
        mine = [sample for sample in samples if sample.outside == outside]
        sizes: dict[str, int] = {}
        for sample in mine:
            sizes[sample.group] = sizes.get(sample.group, 0) + 1
        filled = {split: sum(sizes[g] for g in sizes if drawn.get(g) == split) for split in shares}
        order = sorted(sorted(set(sizes) - set(drawn)), key=lambda group: (-sizes[group], rng.random()))
        for group in order:
            split = max(shares, key=lambda split: shares[split] * len(mine) - filled[split])
            drawn[group] = split
            filled[split] += sizes[group]
    return [replace(sample, split=drawn[sample.group]) for sample in samples]


def of_split(samples: Iterable[Sample], split: str) -> list[Sample]:
    """The samples of one split."""
    return [sample for sample in samples if sample.split == split]


def _from_table(table: Path) -> list[Sample]:
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    if not rows or not {"path", "label"} <= set(rows[0]):
        raise UserError(f"{table} is no table with the columns path and label.")
    samples = []
    for number, row in enumerate(rows, start=2):
        where = f"{table}, line {number}"
        if row["label"] not in LABELS:
            raise UserError(f"{where}: label '{row['label']}'; expected {' or '.join(LABELS)}.")
        split = row.get("split") or ""
        if split and split not in SPLITS:
            raise UserError(f"{where}: split '{split}'; expected one of {', '.join(SPLITS)}.")
        path = table.parent / row["path"]
        if not path.is_file():
            raise UserError(f"{where}: {path} does not exist.")
        samples.append(Sample(path, LABELS[row["label"]], row.get("group") or _group(Path(path.name)), split))
    return samples


def _from_folder(folder: Path) -> list[Sample]:
    return [
        Sample(path, outside, _group(path.relative_to(folder / label)))
        for label, outside in LABELS.items()
        for path in sorted((folder / label).rglob("*"))
        if path.suffix.lower() in PICTURES
    ]


def _group(path: Path) -> str:
    """The sub-folder that a picture lies in, or what its name says before the first underscore."""
    return path.parts[0] if len(path.parts) > 1 else path.stem.split("_")[0]
