"""What the whole tool covers of single pictures: faces by tag, and how much of the rest.

Every picture becomes a short recording of a session of its own and goes through the main job, so that tracking and
smoothing have their part in it; nothing can be known from other cameras. With --seconds 20 --rate 1 what keeps still is
looked for, too, in pictures in which everything does. A face is covered when at least 95 % of its box lie in regions.
What is covered for nothing is the share of the picture that regions hold and no labelled head does; it is also told by
the kind of region, for the pixels that no surer kind holds.

Example:
  python benchmarks/covered_pictures.py --pictures DIR/or_pictures --work work/ --out covered.json
  python benchmarks/covered_pictures.py --pictures DIR/or_pictures --work other/ --out other.json --config changed.toml
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.picture_files import picture_files, read_picture
from or_mv_anon.api import anonymize
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import RegionKind, Regions
from or_mv_anon.evaluation.run_directory import load_run

SECONDS, RATE = 2.4, 5.0
COVERED = 0.95
KINDS = (RegionKind.HEAD, RegionKind.FACE, RegionKind.BOX_TOP, RegionKind.PERSON)  # the surer ones first


@dataclass(frozen=True)
class Face:
    """A labelled face: in which picture, whose, and how much of it is covered."""

    picture: str
    person: str
    tags: list[str]
    covered: float


def write_recordings(pictures: Path, folder: Path, *, seconds: float, rate: float) -> list[str]:
    """A recording of every picture, each the one camera of a session; the sessions' names."""
    files = picture_files(pictures / "images")
    for file in files:
        camera = folder / file.stem / "cam"
        camera.mkdir(parents=True, exist_ok=True)
        for number in range(round(seconds * rate)):
            (camera / f"{number:04d}{file.suffix}").write_bytes(file.read_bytes())
    (folder / "site.toml").write_text(f'[[camera]]\nname = "cam"\nfps = {rate}\n')
    return [file.stem for file in files]


def painted(regions: Regions, kinds: tuple[int, ...], size: tuple[int, int]) -> NDArray[np.bool_]:
    """The pixels (h, w) that regions of some kinds hold."""
    mask = np.zeros(size[::-1], bool)
    for box in regions.box[np.isin(regions.kind, kinds)].round().astype(int).clip(0):
        mask[box[1] : box[3], box[0] : box[2]] = True
    return mask


def judge(
    name: str, run: Path, people: list[dict[str, Any]], size: tuple[int, int]
) -> tuple[list[Face], dict[str, float]]:
    """One picture's faces, and the shares of it that are covered for nothing, in all and by kind."""
    (camera,) = load_run(run).cameras.values()
    regions = camera.regions[camera.regions.frame == len(camera.frames) // 2]
    covered = painted(regions, tuple(RegionKind), size)
    faces = []
    for person in people:
        if "face" in person:
            left, top, right, bottom = map(int, person["face"])
            faces.append(Face(name, person["id"], person["tags"], float(covered[top:bottom, left:right].mean())))
    heads = np.zeros_like(covered)
    for person in people:
        for box in (person.get("head"), person.get("face")):
            if box is not None:
                heads[int(box[1]) : int(box[3]), int(box[0]) : int(box[2])] = True
    shares, before = {"all": float((covered & ~heads).mean())}, heads
    for kind in KINDS:
        here = painted(regions, (kind,), size)
        shares[kind.name.lower()], before = float((here & ~before).mean()), before | here
    return faces, shares


def parse(argv: list[str] | None = None) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, metavar="DIR", help="holds images/ and labels.json")
    parser.add_argument("--work", type=Path, required=True, metavar="DIR", help="recordings and outputs, kept")
    parser.add_argument("--out", type=Path, required=True, metavar="JSON")
    parser.add_argument(
        "--seconds", type=float, default=SECONDS, metavar="S", help=f"of a recording (default: {SECONDS})"
    )
    parser.add_argument("--rate", type=float, default=RATE, metavar="N", help=f"pictures a second (default: {RATE})")
    parser.add_argument("--config", type=Path, metavar="TOML", help="changes to configs/pipeline.toml")
    parser.add_argument("--detector", type=Path, metavar="ONNX", help="finds people instead of the built-in one")
    return parser.parse_args(argv)


def main(argv: list[str] | None = None) -> int:
    """Cover, judge, tell."""
    options = parse(argv)
    labels = json.loads((options.pictures / "labels.json").read_text())["pictures"]
    recordings, out = options.work / "recordings", options.work / "covered"
    names = write_recordings(options.pictures, recordings, seconds=options.seconds, rate=options.rate)
    config = {} if options.config is None else {"config": options.config}
    detector = {} if options.detector is None else {"detector": (options.detector,)}
    anonymize(recordings, out, **config, **detector)
    faces: list[Face] = []
    shares: list[dict[str, float]] = []
    for file, name in zip(picture_files(options.pictures / "images"), names, strict=True):
        height, width = read_picture(file).shape[:2]
        found, share = judge(name, out / name, labels[name]["people"], (width, height))
        faces += found
        shares.append({"picture": name} | share)  # type: ignore[dict-item]
    tags = Counter(tag for face in faces for tag in ("all", *face.tags))
    kept = Counter(tag for face in faces if face.covered >= COVERED for tag in ("all", *face.tags))
    mean = {kind: float(np.mean([share[kind] for share in shares])) for kind in shares[0] if kind != "picture"}
    print("faces covered: " + ", ".join(f"{tag} {kept[tag]} of {count}" for tag, count in tags.most_common()))
    print("covered for nothing: " + ", ".join(f"{kind} {100 * share:.1f} %" for kind, share in mean.items()))
    for face in faces:
        if face.covered < COVERED:
            print(f"  {face.picture}, {face.person}: {100 * face.covered:.0f} % covered ({', '.join(face.tags)})")
    content = {
        "command": sys.argv,
        "faces": [asdict(face) for face in faces],
        "covered_for_nothing": shares,
        "mean": mean,
    }
    options.out.write_text(json.dumps(content, indent=1))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except UserError as error:
        sys.exit(str(error))
