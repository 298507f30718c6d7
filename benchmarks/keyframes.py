"""What keyframes at short distances cost and gain: size, encoding, and decoding a picture at a random place.

Pictures of every clip are encoded by the tool's own writer with its settings, nothing covered, once for every distance,
in turns. Then single pictures at random frames are decoded the way the review page does, on one thread. A clip named
`generated` is made first: the grainy room of benchmarks/review_hour.py. Prints JSON; `--json` also writes it.

    python benchmarks/keyframes.py generated CLIP [CLIP ...] --every 250 50 25 12 --json keyframes.json
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from benchmarks.review_hour import RATE, SIZE, grainy_picture
from or_mv_anon.core.config import load_config
from or_mv_anon.core.seals import Seal
from or_mv_anon.review.covered_video import CoveredVideo
from or_mv_anon.review.proxy import proxy_size
from or_mv_anon.review.run_folder import ReviewedCamera
from or_mv_anon.review.still_reader import StillReader
from or_mv_anon.video.encoding import choose_encoder
from or_mv_anon.video.index import index_video
from or_mv_anon.video.reader import VideoSource
from or_mv_anon.video.segments import Segment
from or_mv_anon.video.writer import SegmentWriter
from tests.review.review_scenes import View, write_coded


def encode(source: VideoSource, path: Path, *, frames: int, every: int) -> dict[str, float]:
    """The clip's first frames as a segment: its size, and processor seconds of encoding alone."""
    video = load_config().video
    spent = 0.0
    encoding = choose_encoder(source.index, video.codec)
    with SegmentWriter(
        path, source.index, encoding, crf=video.crf, preset=video.preset, keyframe_every=every
    ) as writer:
        for frame in source.frames(Segment(0, 0, frames)):
            begun = time.thread_time()
            writer.write(frame)
            spent += time.thread_time() - begun
        begun = time.thread_time()
    spent += time.thread_time() - begun
    return {"bytes": path.stat().st_size, "encode_ms_per_frame": round(1000 * spent / frames, 3)}


def jumps(path: Path, *, count: int, seed: int) -> dict[str, Any]:
    """Milliseconds that single pictures at random frames take."""
    index = index_video(path)
    size = index.width, index.height
    camera = ReviewedCamera(
        name=path.stem, output=path, seal=Seal("", 0), size=size, times=index.times, seconds=index.times,
        numbers=np.arange(len(index.pts)), end=float(index.times[-1]), offset=0.0, shift_s=0.0,
    )  # fmt: skip
    keys = np.searchsorted(index.pts, index.keyframes)
    video = CoveredVideo(camera, ((0, len(index.pts)),), keys, index.pts, 0, index.codec)
    reader = StillReader(video, proxy_size(size))
    took = []
    for frame in np.random.default_rng(seed).integers(0, len(index.pts), count).tolist():
        begun = time.perf_counter()
        reader.read(frame)
        took.append(1000 * (time.perf_counter() - begun))
    reader.close()
    return {"keyframes": len(keys), **{f"jump_ms_{q}": round(float(np.percentile(took, q)), 1) for q in (50, 95, 100)}}


def generated(path: Path) -> Path:
    """A clip of 12 s of the grainy room, hardly compressed."""
    view = View(300, rate=RATE, gop=250, encoder={"preset": "ultrafast", "crf": "8"}, picture=grainy_picture)
    return write_coded(path, 0, view, size=SIZE)


def measure(clip: Path, distances: Sequence[int], *, frames: int, rounds: int, count: int) -> dict[str, Any]:
    """One clip at every distance."""
    index = index_video(clip)
    source = VideoSource(index)
    frames = min(frames, len(index.pts))
    found: dict[int, dict[str, Any]] = {every: {} for every in distances}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(rounds):
            for every in distances:
                path = Path(folder) / f"{every}.mp4"
                row = encode(source, path, frames=frames, every=every)
                row["encode_ms_per_frame"] = min(
                    row["encode_ms_per_frame"], found[every].get("encode_ms_per_frame", np.inf)
                )
                found[every] = row
                if turn == rounds - 1:
                    found[every] |= jumps(path, count=count, seed=1)
    facts = {"size": [index.width, index.height], "fps": round(float(index.rate), 3), "frames": frames}
    return {"clip": clip.name, **facts, "every": found}


def main() -> None:
    """See the module."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("clips", type=Path, nargs="+")
    parser.add_argument("--every", type=int, nargs="+", default=[250, 50, 25, 12], help="frames between keyframes")
    parser.add_argument("--frames", type=int, default=500, help="of every clip, at most")
    parser.add_argument("--rounds", type=int, default=2, help="of which the quicker encoding counts")
    parser.add_argument("--jumps", type=int, default=100)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        clips = [
            generated(Path(folder) / f"{clip}.mp4") if str(clip) == "generated" else clip for clip in options.clips
        ]
        rows = [
            measure(clip, options.every, frames=options.frames, rounds=options.rounds, count=options.jumps)
            for clip in clips
        ]
    text = json.dumps(rows, indent=1)
    sys.stdout.write(text + "\n")
    if options.json is not None:
        options.json.write_text(text + "\n")


if __name__ == "__main__":
    main()
