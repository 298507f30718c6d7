"""The command line: parses, calls, and turns every failure into one clear sentence and an exit code.

Exit codes: 0 done; 1 done, with problems that are listed; 2 not done, something to put right; 130 interrupted.
"""

from __future__ import annotations

import argparse
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence

from or_mv_anon import __version__
from or_mv_anon.errors import UserError
from or_mv_anon.site.names import shown

INTERRUPTED = 130
COMMANDS = {  # command -> the module with its `add_arguments` and `run`, and what it does
    "adapt": ("or_mv_anon.adaptation.cli", "learn a site from its own recordings"),
    "anonymize": ("or_mv_anon.anonymization.cli", "anonymize the recordings of a site"),
    "attack": ("or_mv_anon.learned.attack_cli", "try to recognize anonymized people"),
    "endoscopy": ("or_mv_anon.endoscopy.cli", "label and cover frames outside the body in endoscopic recordings"),
    "endoscopy-live": ("or_mv_anon.endoscopy.live.cli", "cover the live picture of an endoscope outside the body"),
    "evaluate": ("or_mv_anon.evaluation.cli", "judge anonymized videos against ground truth"),
    "simulate": ("or_mv_anon.simulation.cli", "make a simulated operating room with ground truth"),
    "train-endoscopy": ("or_mv_anon.endoscopy.training.cli", "train the network that finds frames outside the body"),
    "train-learned": ("or_mv_anon.learned.train_cli", "train the face modifier of --method learned"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """`or-mv-anon`: all commands."""
    parser = argparse.ArgumentParser(
        prog="or-mv-anon", description="Anonymize synchronized multi-camera recordings of operating rooms."
    )
    parser.add_argument("--version", action="version", version=f"or_mv_anon {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    from or_mv_anon import doctor, weights_cli

    for name, (place, told) in COMMANDS.items():
        module = importlib.import_module(place)
        command = commands.add_parser(name, help=told)
        module.add_arguments(command)
        command.set_defaults(func=module.run)
    weights_cli.add_parsers(commands)
    doctor.add_parser(commands)
    options = parser.parse_args(arguments)
    return guarded(lambda: options.func(options))


def tool(place: str, arguments: Sequence[str] | None = None) -> int:
    """One of the scripts in tools/: the command whose `add_arguments` and `run` are in the module `place`."""
    module = importlib.import_module(place)
    parser = argparse.ArgumentParser()
    module.add_arguments(parser)
    options = parser.parse_args(arguments)
    return guarded(lambda: module.run(options))


def guarded(run: Callable[[], int]) -> int:
    """Run a command; a failure becomes one sentence on stderr. OR_MV_ANON_DEBUG=1 shows the traceback as well."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # file names need not be valid UTF-8
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
    message = shown(message)
    print(f"error: {message}" if code != INTERRUPTED else message, file=sys.stderr)
    return code
