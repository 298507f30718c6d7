"""The command line of `anonymize_endoscopy.py` and of `or-mv-anon endoscopy`."""

from __future__ import annotations

import argparse
from pathlib import Path

from or_mv_anon.core.option_types import WORKERS, whole

DESCRIPTION = """Find the frames of endoscopic video that were taken outside the body.

Writes NAME_labels.json for every recording (labels, probabilities, timestamps, segments), and with --save-video
NAME_anonymized.mp4, in which every outside frame is covered whole. Run the same command again after an interruption: it
goes on where it stopped.
"""
EXAMPLES = """examples:
  %(prog)s surgery.mp4 labels/                              labels only
  %(prog)s recordings/ anonymous/ --save-video              every video of a folder
  %(prog)s surgery.mp4 out/ --save-video --method solid --margin 1
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The tool's options."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("videos", type=Path, metavar="VIDEO_OR_DIR", help="a video, or a folder of videos")
    add("out", type=Path, metavar="OUT_DIR", help="where the results go; made if missing")
    add("--save-video", action="store_true", help="also write the video with outside frames covered whole")
    add("--method", choices=["solid", "pixelate", "blur"], default="solid",
        help="how whole frames are covered (default: solid; pixelate leaves six cells a side)")  # fmt: skip
    add("--margin", type=float, metavar="SECONDS", help="covered before each exit and after each return (default: 0.5)")
    add("--threshold", type=float, metavar="P",
        help="smoothed probability from which a frame is covered (default: 0.02, a leak costs 50 covers)")  # fmt: skip
    add("--audio", choices=["drop", "keep"], default="drop",
        help="voices identify: sound is dropped unless kept on purpose (default: drop)")  # fmt: skip
    add("--codec", choices=["same", "h264", "hevc", "av1", "vp9"], help="output codec (default: same as the input)")
    add("--crf", type=int, metavar="N", help="constant quality, 0 best to 51 worst (default: 20)")
    add("--preset", metavar="NAME", help="encoder preset, ultrafast ... veryslow (default: veryfast)")
    add("--device", choices=["auto", "cpu", "cuda"], default="auto",
        help="where the network runs (default: auto); cuda is an error if it is not there")  # fmt: skip
    add("--precision", choices=["auto", "f32", "bf16"], default="auto",
        help="arithmetic of the network on a CPU (default: auto = bf16 where the processor has it)")  # fmt: skip
    add("--weights", type=Path, metavar="FILE", help="network of your own, from train_endoscopy.py")
    add("--config", type=Path, metavar="TOML", help="changes to configs/endoscopy.toml, where every threshold is")
    add("--workers", type=whole(WORKERS), metavar="N", help="worker processes (default: one per core, at most 4)")
    add("--progress", choices=["auto", "plain", "json"], default="auto",
        help="bars on a terminal, lines in a log (default: auto), always lines, or JSON for a scheduler")  # fmt: skip
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--resume", action="store_true", help="go on where an earlier run stopped (this is the default)")
    mode.add_argument(
        "--overwrite",
        action="store_true",
        help="discard earlier results of these recordings; nothing else is ever replaced",
    )


def run(parsed: argparse.Namespace) -> int:
    """Label the recordings; returns the exit code."""
    from or_mv_anon.core.config import load_config
    from or_mv_anon.endoscopy.settings import load_endoscopy_config, smoothing_overrides
    from or_mv_anon.models.runtime import require_device
    from or_mv_anon.pipeline.endoscope_offline import anonymize_recordings
    from or_mv_anon.pipeline.spec import RunSpec, video_overrides
    from or_mv_anon.pipeline.weights import NetworkChoice, find_weights

    overrides = {"smoothing": smoothing_overrides(margin=parsed.margin, threshold=parsed.threshold)}
    require_device(parsed.device)
    spec = RunSpec(
        config=load_config(None, video_overrides(codec=parsed.codec, crf=parsed.crf, preset=parsed.preset)),
        endoscopy=load_endoscopy_config(parsed.config, overrides),
        weights=tuple(find_weights(NetworkChoice(endoscope_weights=parsed.weights), {"endoscope"})),
        method=parsed.method,
        device=parsed.device,
        precision=parsed.precision,
        audio=parsed.audio == "keep",
        workers=parsed.workers,
    )
    return anonymize_recordings(
        parsed.videos, parsed.out, spec, save_video=parsed.save_video, overwrite=parsed.overwrite
    )
