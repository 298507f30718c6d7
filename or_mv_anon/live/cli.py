"""The command line of `anonymize_endoscopy_live.py` and of `or-mv-anon endoscopy-live`."""

from __future__ import annotations

import argparse
import math
import re
from pathlib import Path

from or_mv_anon.core.config import CRF
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.option_types import THREADS, whole

DESCRIPTION = """Cover the live picture of an endoscope whenever the scope is outside the body.

Every frame is held back for a fixed delay, so that what follows it can decide about it too. A frame that was not judged
in time leaves covered; while there is no signal a grey slate is sent. Sound is never passed on. Ctrl-C ends cleanly.
"""
EXAMPLES = """examples:
  %(prog)s --input /dev/video0 --output udp://127.0.0.1:5000
  %(prog)s --input rtsp://10.0.0.7/scope --output rtsp://10.0.0.9:8554/covered
  %(prog)s --input udp://0.0.0.0:5000 --output covered.mp4 --max-seconds 3600 --stats run.json
  %(prog)s --input surgery.mp4 --output covered.mkv --pace fast
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The tool's options."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--input", required=True, metavar="WHERE",
        help="a video file, /dev/videoN, device:NAME, rtsp://..., udp://..., or - for a test pattern")  # fmt: skip
    add("--output", required=True, metavar="WHERE", help="an .mp4 or .mkv file, rtsp://... or udp://...")
    add("--delay", type=float, default=0.5, metavar="SECONDS", help="from capture to output (default: 0.5)")
    add("--method", choices=["solid", "pixelate", "blur"], default="solid",
        help="how whole frames are covered (default: solid; pixelate leaves six cells a side)")  # fmt: skip
    add("--margin", type=float, metavar="SECONDS",
        help="covered before each exit, as far as the delay allows, and after each return (default: 0.5)")  # fmt: skip
    add("--threshold", type=float, metavar="P",
        help="smoothed probability from which a frame is covered (default: 0.02, a leak costs 50 covers)")  # fmt: skip
    add("--device", choices=["auto", "cpu", "cuda"], default="auto", help="where the network runs (default: auto)")
    add("--precision", choices=["auto", "f32", "bf16"], default="auto",
        help="arithmetic of the network on a CPU (default: auto = bf16 where the processor has it)")  # fmt: skip
    add(
        "--threads",
        type=whole(THREADS),
        default=1,
        metavar="N",
        help="CPU threads of network and encoder, each (default: 1)",
    )
    add("--size", metavar="WxH",
        help="size of the output (default: the input's); a stream's output then begins before its input")  # fmt: skip
    add("--max-seconds", type=float, default=math.inf, metavar="SECONDS", help="end after so much output")
    add("--pace", choices=["live", "fast"], default="live",
        help="fast: a file as quickly as it can be judged, every frame of it (default: live)")  # fmt: skip
    add("--crf", type=whole(CRF), default=20, metavar="N", help="constant quality, 0 best to 51 worst (default: 20)")
    add("--preset", default="superfast", metavar="NAME", help="encoder preset (default: superfast)")
    add("--weights", type=Path, metavar="FILE", help="network of your own, from train_endoscopy.py")
    add("--config", type=Path, metavar="TOML", help="changes to configs/endoscopy.toml, where every threshold is")
    add("--stats", type=Path, metavar="FILE", help="write counts and latencies there at the end, as JSON")
    add("--overwrite", action="store_true", help="replace an output file that is there already")


def run(parsed: argparse.Namespace) -> int:
    """Run live; returns the exit code."""
    from or_mv_anon.core.config import load_config
    from or_mv_anon.core.overlap import refuse_other_json, same_file
    from or_mv_anon.endoscopy.settings import load_endoscopy_config, smoothing_overrides
    from or_mv_anon.live.run import LiveOptions, LiveRun
    from or_mv_anon.live.warm import ready_classifier
    from or_mv_anon.video.live.places import parse_input, parse_output

    size = _size(parsed.size)
    source, target = parse_input(parsed.input, size=size), parse_output(parsed.output, overwrite=parsed.overwrite)
    written = [Path(target.address)] if target.kind == "file" else []
    for path in [*written, *([] if parsed.stats is None else [parsed.stats])]:
        if source.kind == "file" and same_file(Path(source.address), path):
            raise UserError(f"{path} is the input; choose another name for the output.")
    if parsed.stats is not None:
        refuse_other_json(parsed.stats, lambda found: "frames_in" in found, option="--stats")
    options = LiveOptions(
        input=source,
        output=target,
        delay=parsed.delay,
        method=parsed.method,
        size=size,
        fast=parsed.pace == "fast",
        max_seconds=parsed.max_seconds,
        crf=parsed.crf,
        preset=parsed.preset,
        threads=parsed.threads,
        stats=parsed.stats,
    )
    overrides = {"smoothing": smoothing_overrides(margin=parsed.margin, threshold=parsed.threshold)}
    endoscopy = load_endoscopy_config(parsed.config, overrides)
    classifier = ready_classifier(
        parsed.weights, device=parsed.device, precision=parsed.precision, threads=options.threads
    )
    return LiveRun(options, endoscopy, load_config().operators, classifier).run()


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    match = re.fullmatch(r"(\d{1,5})[xX](\d{1,5})", text)
    if match is None:
        raise UserError(f"--size is {text}; expected WIDTHxHEIGHT in pixels, such as 1280x720.")
    return int(match[1]), int(match[2])
