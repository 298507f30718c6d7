"""The command line of `or-mv-anon review`."""

from __future__ import annotations

import argparse
from pathlib import Path

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.option_types import whole
from or_mv_anon.core.ranges import Range

PORT = Range(1024, 65535, "lower ones are the system's")
DESCRIPTION = """Look through a finished run in the browser, correct what is wrong, and render it again.

Prints an address that only works on this machine and only for whoever has it. Shows all cameras side by side, frame for
frame at the same moment, the moments worth a look first. The covered videos are shown; the recordings only on demand,
and then it is noted who looked. Nothing leaves the machine. Ctrl-C ends it; nothing is lost.
"""
EXAMPLES = """examples:
  %(prog)s anonymous/
  %(prog)s anonymous/ --open                      let the browser open it
  %(prog)s anonymous/ --port 8800                 through `ssh -L 8800:127.0.0.1:8800 HOST`
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's options."""
    parser.description, parser.epilog = DESCRIPTION, EXAMPLES
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    add = parser.add_argument
    add("out", type=Path, metavar="OUT", help="output folder of `anonymize`, of one session")
    add("--videos", type=Path, metavar="DIR", help="where the recordings are now, if they were moved")
    add("--port", type=whole(PORT), default=0, metavar="N", help="port on 127.0.0.1 (default: any that is free)")
    add("--open", action="store_true", help="open the page in this user's browser")
    add("--scratch", type=Path, metavar="DIR",
        help="keep the small copies of covered videos there instead of in memory; removed at the end")  # fmt: skip


def run(parsed: argparse.Namespace) -> int:
    """Serve the review; returns the exit code."""
    try:
        import starlette  # noqa: F401
        import uvicorn  # noqa: F401
    except ImportError as error:
        raise UserError(
            "The review page needs the extra `review`: install it with `pip install 'or_mv_anon[review]'`."
        ) from error
    from or_mv_anon.review.review import review

    review(parsed.out, videos=parsed.videos, port=parsed.port, scratch_folder=parsed.scratch, open_page=parsed.open)
    return 0
