"""The command line: parses, calls, and turns every failure into one clear sentence and an exit code.

Exit codes: 0 done; 1 done, with problems that are listed; 2 not done, something to put right; 130, 143 or 129 stopped
by Ctrl-C, SIGTERM or SIGHUP; 141 whoever read the output has gone.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from itertools import takewhile
from typing import Any, TextIO, cast

from or_mv_anon import __version__
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.listening import JsonLines, Terminal, heard_by
from or_mv_anon.core.printable import OutputClosed, OutputFailed, PrintableStream, printable
from or_mv_anon.core.private import private_files
from or_mv_anon.core.stopping import exit_code, sentence, stopping

OUTPUT_CLOSED = 141  # as for a command that SIGPIPE ended
PUBLIC = {"doctor", "sample", "simulate", "weights"}  # nothing of what these make tells about anybody
COMMANDS = {  # command -> the module with its `add_arguments` and `run`, and what it does
    "adapt": ("or_mv_anon.adaptation.cli", "learn a site from its own recordings"),
    "anonymize": ("or_mv_anon.pipeline.cli", "anonymize the recordings of a site"),
    "attack": ("or_mv_anon.attack.cli", "try to recognize anonymized people"),
    "endoscopy": (
        "or_mv_anon.pipeline.endoscope_cli",
        "label and cover frames outside the body in endoscopic recordings",
    ),
    "endoscopy-live": ("or_mv_anon.live.cli", "cover the live picture of an endoscope outside the body"),
    "evaluate": ("or_mv_anon.evaluation.cli", "judge anonymized videos against ground truth"),
    "live": ("or_mv_anon.live.room_cli", "cover every head in a room's cameras while they run"),
    "release": ("or_mv_anon.review.release_cli", "hand out what was reviewed, with a manifest"),
    "render": ("or_mv_anon.pipeline.render_cli", "take in corrections and render what they change"),
    "review": ("or_mv_anon.review.cli", "look through a finished run in the browser and correct it"),
    "simulate": ("or_mv_anon.simulation.cli", "make a simulated operating room with ground truth"),
    "train-endoscopy": ("or_mv_anon.endoscopy.training.cli", "train the network that finds frames outside the body"),
    "train-learned": ("or_mv_anon.head_training.cli", "train the face modifier of --method learned"),
}


def main(arguments: Sequence[str] | None = None) -> int:
    """`or-mv-anon`: all commands."""
    return guarded(lambda: _main(arguments))


def tool(place: str, arguments: Sequence[str] | None = None) -> int:
    """One of the scripts in tools/: the command whose `add_arguments` and `run` are in the module `place`."""
    return guarded(lambda: _tool(place, arguments))


class _Parser(argparse.ArgumentParser):
    """Options are written out, and a mistyped one gets the nearest name and the usage of its own command."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{**options, "allow_abbrev": False})

    def parse_known_args(self, args: Any = None, namespace: Any = None) -> tuple[Any, list[str]]:
        """As argparse has it, but a mistyped option is told before what is missing because of it."""
        given = list(sys.argv[1:] if args is None else args)
        if self._subparsers is None:
            for text in takewhile(lambda text: text != "--", given):
                name = text.partition("=")[0]
                if name.startswith("--") and name not in self._option_string_actions:
                    nearest = difflib.get_close_matches(name, self._option_string_actions, n=1)
                    self.error(f"there is no option {name}" + "".join(f"; did you mean {near}?" for near in nearest))
        return super().parse_known_args(given, namespace)


def _main(arguments: Sequence[str] | None) -> int:
    parser: argparse.ArgumentParser = _Parser(
        prog="or-mv-anon", description="Anonymize synchronized multi-camera recordings of operating rooms."
    )
    parser.add_argument("--version", action="version", version=f"or_mv_anon {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    from or_mv_anon import doctor, purge, weights_cli

    for name, (place, told) in COMMANDS.items():
        module = importlib.import_module(place)
        command = commands.add_parser(name, help=told)
        module.add_arguments(command)
        command.set_defaults(func=module.run)
    purge.add_parser(commands)
    weights_cli.add_parsers(commands)
    doctor.add_parser(commands)
    options = parser.parse_args(arguments)
    with _listened_to(options), nullcontext() if options.command in PUBLIC else private_files():
        return int(options.func(options))


def _tool(place: str, arguments: Sequence[str] | None) -> int:
    module = importlib.import_module(place)
    parser: argparse.ArgumentParser = _Parser()
    module.add_arguments(parser)
    options = parser.parse_args(arguments)
    public = place in {COMMANDS[name][0] for name in PUBLIC & COMMANDS.keys()}
    with _listened_to(options), nullcontext() if public else private_files():
        return int(module.run(options))


def _listened_to(options: argparse.Namespace) -> AbstractContextManager[None]:
    """Who hears what the command tells; only commands with ``--progress`` let the user choose."""
    wanted = getattr(options, "progress", "auto")
    return heard_by(JsonLines() if wanted == "json" else Terminal(plain=True if wanted == "plain" else None))


def guarded(run: Callable[[], int]) -> int:
    """Run a command; a failure becomes one sentence on stderr. OR_MV_ANON_DEBUG=1 shows the traceback as well."""
    _open_closed_streams()
    try:
        with stopping(), _printable_output():
            return _answered(run)
    except OutputFailed as failed:
        with suppress(OSError):  # of the two streams one may still be read
            os.write(2, f"error: {failed}\n".encode())
        _forget_output()
        return UserError.exit_code
    except OutputClosed:
        _forget_output()
        return OUTPUT_CLOSED
    except KeyboardInterrupt as interrupt:  # while the sentence about something else was being printed
        return exit_code(interrupt)


def _answered(run: Callable[[], int]) -> int:
    try:
        code = run()
        sys.stdout.flush()  # here, not when the interpreter ends: somebody may have stopped reading
        return code
    except SystemExit:  # argparse: help, or a mistyped option
        sys.stdout.flush()
        raise
    except UserError as error:
        code, message = error.exit_code, f"error: {printable(error)}"
    except KeyboardInterrupt as interrupt:
        code, message = exit_code(interrupt), sentence(interrupt)
    except Exception as error:  # a bug: say so, keep the user's terminal readable
        code = UserError.exit_code
        found = printable(f"{type(error).__name__}: {error}")
        message = f"error: Internal error ({found}). Set OR_MV_ANON_DEBUG=1 for the details."
    if os.environ.get("OR_MV_ANON_DEBUG"):
        import traceback

        traceback.print_exc()
    print(message, file=sys.stderr, flush=True)
    return code


@contextmanager
def _printable_output() -> Iterator[None]:
    """Names from outside may hold what a terminal obeys: nothing of it gets through, whoever prints."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = (_printable(stream) for stream in before)
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before


def _printable(stream: TextIO) -> TextIO:
    return cast(TextIO, PrintableStream(stream))


def _open_closed_streams() -> None:
    """Where a stream was closed from the start, what is told goes nowhere.

    Its number must not go to a file: libraries write their own messages to it.
    """
    for name, number in (("stdin", 0), ("stdout", 1), ("stderr", 2)):
        try:
            os.fstat(number)
        except OSError:
            os.dup2(nowhere := os.open(os.devnull, os.O_RDWR), number)
            if nowhere != number:
                os.close(nowhere)
        if getattr(sys, name) is None:
            setattr(sys, name, os.fdopen(number, "r" if number == 0 else "w", closefd=False))


def _forget_output() -> None:
    """Let the interpreter's own last flush go nowhere, so that it does not complain."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            os.dup2(nowhere, stream.fileno())
        except (OSError, ValueError):  # not a file: nobody will flush it
            continue
    os.close(nowhere)
