"""Runs a review from the first look at the folder to the removal of everything that was made for it."""

from __future__ import annotations

import tempfile
import webbrowser
from html import escape
from pathlib import Path

from or_mv_anon.core.listening import tell
from or_mv_anon.core.printable import printable
from or_mv_anon.review.app import make_app
from or_mv_anon.review.desk import Desk
from or_mv_anon.review.run_folder import read_run
from or_mv_anon.review.scratch import scratch
from or_mv_anon.review.server import serving, until_ended


def review(
    out: Path,
    *,
    videos: Path | None = None,
    port: int = 0,
    scratch_folder: Path | None = None,
    open_page: bool = False,
) -> None:
    """Serve the review of a finished run until the page, Ctrl-C or SIGTERM ends it.

    Args:
        out: the run's output folder, of one session.
        videos: the recordings, where they are at hand.
        port: on 127.0.0.1; 0 for any that is free.
        scratch_folder: where small copies of covered videos are kept; None for memory.
        open_page: let the user's browser open it.

    Raises:
        UserError: there is nothing to review, or it cannot be served.
    """
    run = read_run(out)
    with scratch(scratch_folder) as room:
        desk = Desk(run, room, videos)
        desk.start()
        try:
            with serving(make_app(desk), port) as (_, address, thread, _):
                tell(f"Review of {printable(run.session)}: open this address in a browser on this machine.\n")
                tell(f"  {address}\n")
                tell("It works only for whoever has it. Ctrl-C ends the review; everything saved is kept.")
                if open_page:
                    _open(address, room.folder)
                until_ended(thread, desk.ended)
        finally:
            desk.end()
    tell("The review has ended. What was decided is kept.")


def _open(address: str, folder: Path) -> None:
    """By way of a private file: everybody on a machine can read the commands that others start."""
    with tempfile.NamedTemporaryFile("w", suffix=".html", dir=folder, delete=False) as page:
        page.write(f'<!DOCTYPE html><meta http-equiv="refresh" content="0;url={escape(address)}">')
    webbrowser.open(Path(page.name).as_uri())
