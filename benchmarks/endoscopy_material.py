"""Collects labelled pictures of endoscopy and of rooms in one table for training and for `benchmarks/endoscopy.py`.

Nothing is copied but single frames of videos. Groups stay whole in one split; groups that are named for no split are
trained on. A picture's group is what its name says before the first `_` (the first two parts for names that begin
with a --two-part prefix); --family gathers groups, also by the beginning of their names.

Example:
  python benchmarks/endoscopy_material.py --inside inside/ --two-part dn \\
    --family hospital_a=m2cai16,cholec80,dn_cholec --family hospital_b=kvasirseg,dn_kvasir,dn_hyper \\
    --outside room=empty_room/ --outside terrace=terrace.mp4 --frames 24 \\
    --test hospital_b,room --calibrate artnet,terrace --out material/
"""

from __future__ import annotations

import argparse
import csv
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import cv2
import numpy as np
from tqdm import tqdm

from or_mv_anon.core.errors import UserError
from or_mv_anon.endoscopy.training.material import PICTURES, Sample, load_material
from or_mv_anon.site.layout import VIDEO_SUFFIXES
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import open_source

TABLE = "all.csv"


def group_of(name: str, *, families: Mapping[str, Sequence[str]], two_part: Sequence[str] = ()) -> str:
    """The group of a file name: the family with the longest fitting beginning, or the name's own beginning."""
    starts = [(len(start), start, family) for family, members in families.items() for start in members]
    if fitting := [entry for entry in starts if name.startswith(entry[1])]:
        return max(fitting)[2]
    parts = Path(name).stem.split("_")
    return "_".join(parts[:2]) if parts[0] in two_part else parts[0]


def pictures_below(folder: Path) -> list[Path]:
    """All pictures of a folder and the folders in it.

    Raises:
        UserError: there are none.
    """
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in PICTURES)
    if not found:
        raise UserError(f"{folder} holds no pictures ({', '.join(sorted(PICTURES))}).")
    return found


def frames_of(video: Path, folder: Path, *, count: int) -> Iterator[Path]:
    """At most `count` frames, spread evenly over the video, written to `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    source = open_source(video)
    wanted = np.zeros(source.n_frames, bool)
    wanted[np.linspace(0, source.n_frames - 1, count).astype(int)] = True
    for frame in source.frames(Segment(0, 0, source.n_frames), wanted=wanted):
        if not frame.corrupt:
            path = folder / f"{video.stem}-{frame.index:06d}.jpg"
            cv2.imwrite(str(path), frame.bgr(*frame.upright_size))
            yield path


def collect(options: argparse.Namespace) -> list[Sample]:
    """All samples with their groups and splits.

    Raises:
        UserError: a place is empty, or a split names a group that does not occur.
    """
    families = {name: members.split(",") for name, members in (_pair(text) for text in options.family)}
    samples = [
        (path, False, group_of(path.name, families=families, two_part=options.two_part))
        for folder in options.inside
        for path in pictures_below(folder)
    ]
    for group, place in (_pair(text) for text in options.outside):
        where = Path(place)
        videos = [where] if where.suffix.lower() in VIDEO_SUFFIXES else []
        if where.is_dir():
            videos = sorted(path for path in where.rglob("*") if path.suffix.lower() in VIDEO_SUFFIXES)
        for video in tqdm(videos, desc=group, unit="video", disable=not videos):
            folder = options.out / "frames" / group / video.parent.name
            samples += [(path, True, group) for path in frames_of(video, folder, count=options.frames)]
        if not videos:
            samples += [(path, True, group) for path in pictures_below(where)]
    splits: dict[str, str] = {}
    for split, names in (("test", options.test), ("calibrate", options.calibrate)):
        for name in filter(None, names.split(",")):
            if splits.setdefault(name, split) != split:
                raise UserError(f"Group {name} is in two splits.")
    groups = {group for _, _, group in samples}
    if unknown := set(splits) - groups:
        raise UserError(f"No such group: {', '.join(sorted(unknown))}; there are {', '.join(sorted(groups))}.")
    return [Sample(path.resolve(), outside, group, splits.get(group, "train")) for path, outside, group in samples]


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--inside", type=Path, action="append", required=True, metavar="DIR", help="pictures from inside the body")
    add("--outside", action="append", required=True, metavar="GROUP=DIR|VIDEO", help="pictures or videos of one source")
    add("--family", action="append", default=[], metavar="NAME=A,B", help="beginnings of names that belong together")
    add("--two-part", action="append", default=[], metavar="PREFIX", help="names whose group is their first two parts")
    add("--test", default="", metavar="A,B", help="groups to test on")
    add("--calibrate", default="", metavar="A,B", help="groups to calibrate on")
    add("--frames", type=int, default=12, metavar="N", help="of each video, spread over it (default: 12)")
    add("--out", type=Path, required=True, metavar="DIR", help=f"gets {TABLE}, and frames/ of the videos")
    options = parser.parse_args()
    try:
        options.out.mkdir(parents=True, exist_ok=True)
        write_table(options.out / TABLE, collect(options))
    except UserError as error:
        sys.exit(f"error: {error}")


def write_table(path: Path, samples: Sequence[Sample]) -> None:
    """Write the table, read it again to be sure of it, and tell how many pictures each group has."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("path", "label", "group", "split"))
        writer.writerows((s.path, "outside" if s.outside else "inside", s.group, s.split) for s in samples)
    counts = Counter((s.split, "outside" if s.outside else "inside", s.group) for s in load_material(path))
    for (split, label, group), count in sorted(counts.items()):
        print(f"{split:10} {label:8} {group:24} {count:5}")


def _pair(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not (name and equals and value):
        raise UserError(f"'{text}': expected NAME=VALUE.")
    return name, value


if __name__ == "__main__":
    main()
