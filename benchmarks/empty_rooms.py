"""False alarms and covered area of the shipped detectors on pictures of empty rooms.

Every picture in the folder must show nobody (look at them first): each detection is then wrong. Told are the person and
the face detector at several scores, and what the product itself would cover in single pictures, where tracking cannot
drop anything and every candidate at the configured minimum score is covered.

Example, about a minute on two cores:
  python benchmarks/empty_rooms.py --pictures empty_rooms/ --out empty_rooms.json
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from tqdm import tqdm

from benchmarks.negatives import EmptyPicture, FalseAlarms, covered_share, false_alarms
from or_mv_anon.core.boxes import Boxes
from or_mv_anon.core.config import PipelineConfig, load_config
from or_mv_anon.core.errors import UserError
from or_mv_anon.models.detectors.dense import DenseDetector
from or_mv_anon.pipeline.weights import built_in_networks
from or_mv_anon.regions.networks import load_networks
from or_mv_anon.regions.single_picture import find_regions
from or_mv_anon.video.frame import Frame
from or_mv_anon.video.images import SUFFIXES, ImageFolderSource
from or_mv_anon.video.segments import Segment

SCORES = (0.05, 0.1, 0.15, 0.2, 0.3, 0.5, 0.6, 0.7)


def look(detector: DenseDetector, frame: Frame) -> EmptyPicture:
    """One detector on one picture."""
    width, height = frame.upright_size
    boxes, scores = detector.detect([frame.bgr(*detector.input_size(width, height))], size=(width, height))[0]
    return EmptyPicture(width, height, boxes, scores)


def main() -> None:
    """Run the detectors and write what they found."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pictures", type=Path, required=True, help="folder of pictures that show nobody")
    parser.add_argument("--out", type=Path, required=True, help="JSON to write")
    parser.add_argument("--config", type=Path, help="settings other than the shipped configs/pipeline.toml")
    options = parser.parse_args()
    try:
        result = measure(options.pictures, load_config(options.config))
    except UserError as error:
        sys.exit(str(error))
    options.out.write_text(json.dumps(result, indent=1) + "\n")


def measure(folder: Path, config: PipelineConfig) -> dict[str, Any]:
    """All figures of the pictures in `folder`."""
    files = sorted(path for path in folder.iterdir() if path.suffix.lower() in SUFFIXES) if folder.is_dir() else []
    if not files:
        raise UserError(f"{folder} holds no pictures (looked for {', '.join(SUFFIXES)}).")
    low = replace(
        config,
        detection=replace(config.detection, min_score=min(SCORES)),
        face=replace(config.face, min_score=min(SCORES)),
    )
    settings = built_in_networks()
    product, sensitive = load_networks(settings, config), load_networks(settings, low)
    found: dict[str, list[EmptyPicture]] = {"persons": [], "faces": []}
    regions: list[tuple[Boxes, Frame]] = []
    for path in tqdm(files, desc="empty rooms", unit="picture"):
        frame = next(ImageFolderSource([path], fps=1).frames(Segment(0, 0, 1)))
        found["persons"].append(look(sensitive["detector"], frame))
        found["faces"].append(look(sensitive["face"], frame))
        regions.append((find_regions(frame, product, config), frame))
    tables = {name: false_alarms(pictures, scores=SCORES) for name, pictures in found.items()}
    shares = [covered_share(boxes, width=f.upright_size[0], height=f.upright_size[1]) for boxes, f in regions]
    for name, rows in tables.items():
        tell(name, rows)
    count = sum(len(boxes) for boxes, _ in regions) / len(files)
    print(f"regions of the product per picture {count:.2f}, covering {sum(shares) / len(shares):.2%} on average")
    return {
        "pictures": len(files),
        "persons_input_long_side": config.detection.input_long_side,
        "faces_input_long_side": config.face.input_long_side,
        "provider": sensitive["detector"].provider,
        **{name: [row.as_dict() for row in rows] for name, rows in tables.items()},
        "product": {"regions_per_picture": count, "covered": sum(shares) / len(shares), "worst_covered": max(shares)},
    }


def tell(name: str, rows: list[FalseAlarms]) -> None:
    """One line per threshold."""
    for row in rows:
        print(
            f"{name:8} score {row.score:4.2f}  false alarms per picture {row.per_picture:6.2f}  pictures with any "
            f"{row.pictures_with_any:4.0%}  covered {row.covered:.2%} (worst {row.worst_covered:.2%})"
        )


if __name__ == "__main__":
    main()
