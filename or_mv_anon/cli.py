"""The command line: parses, calls, and turns every failure into one clear sentence and an exit code.

Exit codes: 0 done; 1 done, with problems that are listed; 2 not done, something to put right; 130 interrupted.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from or_mv_anon import __version__
from or_mv_anon.errors import UserError

INTERRUPTED = 130
ANONYMIZE = """Cover every head in every frame of every camera.

--videos holds one session (cam1.mp4, cam2.mp4, ...) or one folder per session; a camera may also be a folder of
numbered pictures. Writes one anonymized file per camera, audit.json and report.html to --out. Run the same command
again after an interruption: it goes on where it stopped.
"""
EXAMPLES = """examples:
  %(prog)s --videos room1/ --out room1_anonymous/ --preview      look first
  %(prog)s --videos room1/ --out room1_anonymous/                the whole job
  %(prog)s --videos room1/ --out room1_anonymous/ --render-only --method solid
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """`or-mv-anon`: all commands."""
    parser = argparse.ArgumentParser(
        prog="or-mv-anon", description="Anonymize synchronized multi-camera recordings of operating rooms."
    )
    parser.add_argument("--version", action="version", version=f"or_mv_anon {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    from or_mv_anon import doctor, weights_cli

    anonymize = commands.add_parser("anonymize", help="anonymize the recordings of a site")
    _add_anonymize_options(anonymize)
    anonymize.set_defaults(func=_anonymize)
    weights_cli.add_parsers(commands)
    doctor.add_parser(commands)
    options = parser.parse_args(arguments)
    return guarded(lambda: options.func(options))


def anonymize_multiview(arguments: Sequence[str] | None = None) -> int:
    """`tools/anonymize_multiview.py`: the main job."""
    parser = argparse.ArgumentParser(prog="anonymize_multiview.py")
    _add_anonymize_options(parser)
    options = parser.parse_args(arguments)
    return guarded(lambda: _anonymize(options))


def guarded(run: Callable[[], int]) -> int:
    """Run a command; a failure becomes one sentence on stderr. OR_MV_ANON_DEBUG=1 shows the traceback as well."""
    try:
        return run()
    except UserError as error:
        code, message = error.exit_code, str(error)
    except KeyboardInterrupt:
        code, message = INTERRUPTED, "Interrupted. Finished work is kept: run the same command again to go on."
    except BrokenPipeError:
        return 1
    except Exception as error:  # a bug: say so, keep the user's terminal readable
        code = UserError.exit_code
        message = f"Internal error ({type(error).__name__}: {error}). Set OR_MV_ANON_DEBUG=1 for the details."
    if os.environ.get("OR_MV_ANON_DEBUG"):
        import traceback

        traceback.print_exc()
    print(f"error: {message}" if code != INTERRUPTED else message, file=sys.stderr)
    return code


def _add_anonymize_options(parser: argparse.ArgumentParser) -> None:
    parser.description, parser.epilog = ANONYMIZE, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("--videos", type=Path, required=True, metavar="DIR", help="site folder (or a single video)")
    add("--out", type=Path, required=True, metavar="DIR", help="where the results go; made if missing")
    add("--model", type=Path, metavar="DIR", help="bundle made for this site by adapt_site.py")
    add("--method", choices=["pixelate", "blur", "solid", "none"], default="pixelate",
        help="how heads are covered (default: pixelate); none only re-encodes and reports")  # fmt: skip
    add("--device", choices=["auto", "cpu", "cuda"], default="auto",
        help="where networks run (default: auto); cuda is an error if it is not there")  # fmt: skip
    add("--precision", choices=["auto", "f32", "bf16"], default="auto",
        help="arithmetic of the networks on a CPU (default: auto = bf16 where the processor has it)")  # fmt: skip
    add("--audio", choices=["drop", "keep"], default="drop",
        help="voices identify: sound is dropped unless kept on purpose (default: drop)")  # fmt: skip
    add("--start", type=_seconds, metavar="S", help="begin at this session time (seconds or h:mm:ss)")
    add("--end", type=_seconds, metavar="S", help="stop before this session time")
    add("--codec", choices=["same", "h264", "hevc", "av1", "vp9"], help="output codec (default: same as the input)")
    add("--crf", type=int, metavar="N", help="constant quality, 0 best to 51 worst (default: 20)")
    add("--preset", metavar="NAME", help="encoder preset, ultrafast ... veryslow (default: veryfast)")
    add("--detect-every", type=float, metavar="S",
        help="seconds between detections, filled by tracking (default: 0 = every frame)")  # fmt: skip
    add("--config", type=Path, metavar="TOML", help="changes to configs/pipeline.toml, where every threshold is")
    add("--weights-dir", type=Path, metavar="DIR", help="network weights for a machine without internet access")
    add(
        "--workers",
        type=_count,
        metavar="N",
        help="worker processes (default: one per core, at most 4 or one per camera)",
    )
    mode = parser.add_mutually_exclusive_group()
    mode.add_argument("--resume", action="store_true", help="go on where an earlier run stopped (this is the default)")
    mode.add_argument("--overwrite", action="store_true", help="discard earlier results in --out and start afresh")
    mode.add_argument("--render-only", action="store_true", help="render again from the stored regions, no detection")
    mode.add_argument("--preview", action="store_true", help="only write preview.png: covered key frames with outlines")
    mode.add_argument(
        "--dry-run", action="store_true", help="only say what would be done, with estimated time and disk"
    )


def _seconds(text: str) -> float:
    """Reads 90, 1:30 and 0:01:30.5 as seconds."""
    value = 0.0
    try:
        for part in text.split(":"):
            value = value * 60 + float(part)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected seconds or h:mm:ss, found '{text}'") from None
    return value


def _count(text: str) -> int:
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number of at least 1, found '{text}'")
    return int(text)


def _anonymize(parsed: argparse.Namespace) -> int:
    from or_mv_anon.anonymization.options import Options
    from or_mv_anon.anonymization.pipeline import anonymize_site

    values = {**vars(parsed), "audio": parsed.audio == "keep"}
    return anonymize_site(Options(**{name: values[name] for name in Options.__dataclass_fields__}))
