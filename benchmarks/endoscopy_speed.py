"""How fast endoscopic recordings are labelled: the offline tool on a 1080p30 file, and the network by itself.

The file is made here from generated textures (or given with --video): tissue most of the time, with exits. How many
frames the network looks at depends on how calm its answers are, so a file of your own tells more than this one. The
tool runs as a user starts it, in a process of its own; indexing, decoding and start-up count.

Example, about two minutes on two cores:
  python benchmarks/endoscopy_speed.py --out endoscopy_speed.json
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from benchmarks.endoscopy_clips import Clip
from or_mv_anon.core.errors import UserError
from or_mv_anon.endoscopy.borders import INPUT_SIZE
from or_mv_anon.endoscopy.classifier import OutOfBodyClassifier
from or_mv_anon.endoscopy.training.mishaps import clouds
from or_mv_anon.video.source import open_source

TOOL = Path(__file__).parents[1] / "tools" / "anonymize_endoscopy.py"
WIDTH, HEIGHT, RATE = 1920, 1080, 30
BATCHES = (1, 8)
NETWORK_SECONDS = 3.0  # for how long each batch size is measured


def texture(rng: np.random.Generator, colour: tuple[int, int, int]) -> NDArray[np.uint8]:
    """Lumps and fine grain around a BGR colour, (720, 720, 3)."""
    height = np.sum([clouds(720, rng, cells=cells) / cells**0.5 for cells in (3, 9, 40, 160)], axis=0)
    return np.asarray(np.clip(height[..., None] * np.array(colour), 0, 255).astype(np.uint8))


def write_recording(path: Path, *, seconds: float, seed: int) -> None:
    """A 1080p30 H.264 recording of a composed clip, from its start again where it is shorter than `seconds`."""
    rng = np.random.default_rng(seed)
    inside = [texture(rng, colour) for colour in ((50, 60, 170), (60, 90, 190), (40, 50, 140))]
    rooms = [texture(rng, colour) for colour in ((150, 150, 140), (160, 140, 90))]
    clip = Clip(inside, rooms, seed=seed)
    with av.open(path, "w") as writer:
        stream = writer.add_stream("libx264", rate=RATE, options={"crf": "20", "preset": "veryfast"})
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        for number in tqdm(range(round(seconds * RATE)), desc="writing", unit="frame", leave=False):
            frame = cv2.resize(clip.frame(number % len(clip)), (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
            writer.mux(stream.encode(av.VideoFrame.from_ndarray(np.asarray(frame, np.uint8), format="bgr24")))
        writer.mux(stream.encode())


def tool_speed(video: Path, out: Path, options: argparse.Namespace) -> dict[str, float]:
    """Seconds and frames per second of labelling `video`, the fastest of the repeats.

    Raises:
        UserError: the tool failed.
    """
    command = [sys.executable, str(TOOL), str(video), str(out), "--overwrite", "--device", options.device]
    if options.network:
        command += ["--weights", str(options.network)]
    best = float("inf")
    for _ in range(options.repeats):
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True)
        if done.returncode:
            raise UserError(f"The tool ended with {done.returncode}: {done.stderr.strip()[-500:]}")
        best = min(best, time.perf_counter() - start)
    source = open_source(video)
    duration = float(source.times[-1] - source.times[0]) * source.n_frames / max(1, source.n_frames - 1)
    return {
        "frames": source.n_frames,
        "width": source.upright_size[0],
        "height": source.upright_size[1],
        "seconds_of_video": round(duration, 2),
        "wall_seconds": round(best, 2),
        "frames_per_second": round(source.n_frames / best, 1),
        "times_real_time": round(duration / best, 2),
    }


def network_speed(classifier: OutOfBodyClassifier) -> dict[str, float]:
    """Milliseconds per picture for each batch size."""
    rng = np.random.default_rng(0)
    speeds = {}
    for size in BATCHES:
        batch = rng.normal(size=(size, 3, INPUT_SIZE, INPUT_SIZE)).astype(np.float32)
        classifier.probabilities(batch)
        count, start = 0, time.perf_counter()
        while time.perf_counter() - start < NETWORK_SECONDS:
            classifier.probabilities(batch)
            count += size
        speeds[f"batch {size}"] = round((time.perf_counter() - start) / count * 1000, 2)
    return speeds


def measure(options: argparse.Namespace) -> dict[str, Any]:
    """All figures, as plain values."""
    classifier = OutOfBodyClassifier(options.network, device=options.device)
    with tempfile.TemporaryDirectory() as folder:
        video = options.video or Path(folder) / "recording.mp4"
        if not options.video:
            write_recording(video, seconds=options.seconds, seed=0)
        return {
            "network_file": classifier.path.name,
            "provider": classifier.provider,
            "milliseconds_per_picture": network_speed(classifier),
            "offline_tool": tool_speed(video, Path(folder) / "out", options),
        }


def main() -> None:
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--video", type=Path, help="a recording to label (default: made here)")
    add("--seconds", type=float, default=60.0, help="length of the one that is made (default: 60)")
    add("--network", type=Path, help="the trained .onnx (default: the one that ships)")
    add("--device", choices=["auto", "cpu", "cuda"], default="cpu", help="where the network runs (default: cpu)")
    add("--repeats", type=int, default=2, help="the fastest run counts (default: 2)")
    add("--out", type=Path, help="where to write the numbers as JSON")
    options = parser.parse_args()
    try:
        result = measure(options)
    except UserError as error:
        sys.exit(f"error: {error}")
    speed = result["offline_tool"]
    print(
        f"offline tool: {speed['frames']} frames {speed['width']}x{speed['height']} in {speed['wall_seconds']:.1f} s: "
        f"{speed['frames_per_second']:.0f} frames/s, {speed['times_real_time']:.2f} times real time"
    )
    for name, milliseconds in result["milliseconds_per_picture"].items():
        print(f"network, {name}: {milliseconds:.2f} ms per picture on {result['provider']}")
    if options.out:
        options.out.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
