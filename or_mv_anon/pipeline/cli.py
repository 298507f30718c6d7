"""The main job's command line: the options of `anonymize_multiview.py` and of `or-mv-anon anonymize`."""

from __future__ import annotations

import argparse
from pathlib import Path

from or_mv_anon.core.option_types import WORKERS, add_executor_arguments, clock, whole

DESCRIPTION = """Cover every head in every frame of every camera.

--videos holds one session (cam1.mp4, cam2.mp4, ...) or one folder per session; a camera may also be a folder of
numbered pictures. Writes one anonymized file per camera, audit.json and report.html to --out. Run the same command
again after an interruption: it goes on where it stopped.
"""
EXAMPLES = """examples:
  %(prog)s --videos room1/ --out room1_anonymous/ --preview      look first
  %(prog)s --videos room1/ --out room1_anonymous/                the whole job
  %(prog)s --videos room1/ --out room1_anonymous/ --render-only --method solid
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of the main job."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--videos", type=Path, required=True, metavar="DIR", help="site folder (or a single video)")
    add("--out", type=Path, required=True, metavar="DIR", help="where the results go; made if missing")
    add("--model", type=Path, metavar="DIR", help="networks made for this site by `or-mv-anon adapt`")
    add("--fast", action="store_true",
        help="look less often (configs/fast.toml), and with a smaller person detector, that of --model or the built-in "
        "one in 8 bits, where that is quicker on this processor; a few more faces may stay uncovered")  # fmt: skip
    add("--detector", type=Path, nargs="+", metavar="FILE",
        help="find people with your own detector: an ONNX file (YOLOX, RF-DETR, D-FINE, RT-DETR), or an mmdet "
        "configuration and its checkpoint (.py and .pth; needs the extra `adapt`); or with a registered one, see "
        "`or-mv-anon weights list`")  # fmt: skip
    add("--method", choices=["solid", "pixelate", "blur", "learned", "none"], default="solid",
        help="how heads are covered (default: solid, the only one that withstands every attack tried); learned draws "
        "heads of nobody over it where that is safe; none only re-encodes and reports")  # fmt: skip
    add("--modifier", type=Path, metavar="ONNX", help="with --method learned: your own network, from train_learned.py")
    add("--attack", action="store_true",
        help="afterwards let face recognizers try to match the covered faces, and report how far they get")  # fmt: skip
    add("--device", choices=["auto", "cpu", "cuda"], default="auto",
        help="where networks run (default: auto); cuda is an error if it is not there")  # fmt: skip
    add("--precision", choices=["auto", "f32", "bf16"], default="auto",
        help="arithmetic of the networks on a CPU (default: auto = bf16 where the processor has it)")  # fmt: skip
    add("--audio", choices=["drop", "keep"], default="drop",
        help="voices identify: sound is dropped unless kept on purpose (default: drop)")  # fmt: skip
    add("--start", type=clock, metavar="S", help="begin at this session time (seconds or h:mm:ss)")
    add("--end", type=clock, metavar="S", help="stop before this session time")
    add("--codec", choices=["same", "h264", "hevc", "av1", "vp9"], help="output codec (default: same as the input)")
    add("--crf", type=int, metavar="N", help="constant quality, 0 best to 51 worst (default: 20)")
    add("--preset", metavar="NAME", help="encoder preset, ultrafast ... veryslow (default: veryfast)")
    add("--detect-every", type=float, metavar="S",
        help="seconds between detections, filled by tracking (default: 0 = every frame)")  # fmt: skip
    add("--config", type=Path, metavar="TOML", help="changes to configs/pipeline.toml, where every threshold is")
    add("--endoscope-config", type=Path, metavar="TOML",
        help="changes to configs/endoscopy.toml, for cameras that site.toml calls endoscopes")  # fmt: skip
    add("--endoscope-weights", type=Path, metavar="ONNX",
        help="network of your own for them, from train_endoscopy.py")  # fmt: skip
    add("--weights-dir", type=Path, metavar="DIR", help="network weights for a machine without internet access")
    add(
        "--workers",
        type=whole(WORKERS),
        metavar="N",
        help="worker processes (default: one per core, at most 4 or one per camera)",
    )
    add_executor_arguments(parser)
    add("--progress", choices=["auto", "plain", "json"], default="auto",
        help="bars on a terminal, lines in a log (default: auto), always lines, or JSON for a scheduler")  # fmt: skip
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--resume", action="store_true", help="go on where an earlier run stopped (this is the default)")
    mode.add_argument(
        "--overwrite",
        action="store_true",
        help="discard earlier results of these cameras in --out and start afresh; nothing else is ever replaced",
    )
    mode.add_argument("--render-only", action="store_true", help="render again from the stored regions, no detection")
    mode.add_argument("--preview", action="store_true", help="only write preview.png: covered key frames with outlines")
    mode.add_argument(
        "--dry-run", action="store_true", help="only say what would be done, with estimated time and disk"
    )


def run(parsed: argparse.Namespace) -> int:
    """Anonymize a site; returns the exit code."""
    from or_mv_anon.pipeline.options import Options
    from or_mv_anon.pipeline.pipeline import anonymize_site

    detector = None if parsed.detector is None else tuple(parsed.detector)
    values = {**vars(parsed), "audio": parsed.audio == "keep", "detector": detector}
    return anonymize_site(Options(**{name: values[name] for name in Options.__dataclass_fields__}))
