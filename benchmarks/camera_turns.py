"""Whether turned cameras are told from fixed ones: recordings of fixed cameras as they are, and turned halfway.

A turn is made of the recording itself: from the middle on, a share of the picture's width is cut off at its left, or a
share of every side, and the rest is stretched to the old size. Darkness is the picture at 0.3 times its brightness.

Example:
  python benchmarks/camera_turns.py --videos DIR/multiview data/simulated_session/recording --out camera_turns.json
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from or_mv_anon.regions.background import HEIGHT, WIDTH, describe, turns
from or_mv_anon.site.layout import VIDEO_SUFFIXES
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.source import open_source

Picture = NDArray[np.uint8]
MOMENTS = 24
NEAR = 2  # moments by which a turn may be dated wrongly


def cut_left(share: float) -> Callable[[Picture], Picture]:
    """A camera turned to the right by a share of its picture."""
    return lambda picture: picture[:, round(share * picture.shape[1]) :]


def cut_around(share: float) -> Callable[[Picture], Picture]:
    """A camera whose lens was zoomed."""

    def zoomed(picture: Picture) -> Picture:
        down, across = (round(share * side) for side in picture.shape[:2])
        return picture[down:-down, across:-across]

    return zoomed


def darker(picture: Picture) -> Picture:
    """The lamps are dimmed."""
    return np.asarray((0.3 * picture).astype(np.uint8))


CHANGES: dict[str, tuple[Callable[[Picture], Picture], bool]] = {  # name -> what is done, whether it is a turn
    "fixed": (lambda picture: picture, False),
    "dimmed": (darker, False),
    **{f"turned by {100 * share:.0f} %": (cut_left(share), True) for share in (0.03, 0.05, 0.1, 0.3)},
    "zoomed by 5 %": (cut_around(0.05), True),
}


def pictures(video: Path) -> list[Picture]:
    """MOMENTS pictures of a recording, evenly spread."""
    source = open_source(video)
    wanted = np.zeros(source.n_frames, bool)
    wanted[np.linspace(0, source.n_frames - 1, MOMENTS).astype(int)] = True
    return [frame.bgr() for frame in source.frames(Segment(0, 0, source.n_frames), wanted=wanted)]


def noted(picture: Picture) -> Picture:
    """What is kept of a picture."""
    return describe(cv2.resize(picture, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA))  # type: ignore[arg-type]


def main(argv: list[str] | None = None) -> int:
    """Look at every recording under every change."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--videos", type=Path, nargs="+", required=True, metavar="DIR")
    parser.add_argument("--out", type=Path, required=True, metavar="JSON")
    options = parser.parse_args(argv)
    videos = [path for folder in options.videos for path in sorted(folder.rglob("*")) if path.suffix in VIDEO_SUFFIXES]
    found: dict[str, list[bool]] = {name: [] for name in CHANGES}
    for video in tqdm(videos):
        seen = pictures(video)
        half = len(seen) // 2
        for name, (change, is_turn) in CHANGES.items():
            cells = np.stack([noted(picture if n < half else change(picture)) for n, picture in enumerate(seen)])
            at = turns(cells)
            found[name].append(bool(len(at) == 1 and abs(at[0] - half) <= NEAR) if is_turn else len(at) == 0)
    print("| what happens halfway | cameras | told rightly |\n|---|---|---|")
    for name, right in found.items():
        print(f"| {name} | {len(right)} | {sum(right)} |")
    options.out.write_text(json.dumps({"command": sys.argv, "videos": list(map(str, videos)), "right": found}))
    return 0


if __name__ == "__main__":
    sys.exit(main())
