"""Serves the review on this machine alone, until the user ends it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import uvicorn
from starlette.types import ASGIApp

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.listening import tell
from or_mv_anon.review.guard import Guard

ADDRESS = "127.0.0.1"
END_S = 3  # seconds that answers under way have to end


class _Server(uvicorn.Server):
    """Leaves signals to the command, which ends it in order."""

    def capture_signals(self) -> Any:
        return nullcontext()


def listen(port: int) -> socket.socket:
    """A socket on this machine's own address.

    Raises:
        UserError: the port is taken or not allowed.
    """
    found = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        found.bind((ADDRESS, port))
        found.listen(64)
    except OSError as error:
        found.close()
        raise UserError(
            f"Port {port} cannot be used ({error.strerror}); leave --port out to have one chosen."
        ) from error
    return found


@contextmanager
def serving(app: ASGIApp, port: int = 0) -> Iterator[tuple[Guard, str, threading.Thread, _Server]]:
    """Serve `app` for as long as the block lasts.

    Yields:
        Its guard, the address to open, the thread that serves, and the server.

    Raises:
        UserError: the port cannot be used.
    """
    door = listen(port)
    number = door.getsockname()[1]
    guard = Guard(app, number)
    config = uvicorn.Config(
        guard,
        log_level="critical",
        access_log=False,  # a line per request would hold the secret
        server_header=False,
        date_header=False,
        lifespan="off",
        ws="none",
        http="h11",
        timeout_graceful_shutdown=END_S,
    )
    server = _Server(config)
    thread = threading.Thread(target=server.run, args=([door],), name="server", daemon=True)
    thread.start()
    try:
        yield guard, f"http://{ADDRESS}:{number}{guard.entry}", thread, server
    finally:
        server.should_exit = True
        thread.join(timeout=END_S + 2)
        server.force_exit = True
        thread.join(timeout=2)
        door.close()


def until_ended(thread: threading.Thread, ended: threading.Event) -> None:
    """Wait until the page or a signal asks to end."""
    try:
        while thread.is_alive() and not ended.is_set():
            time.sleep(0.2)
    except KeyboardInterrupt:  # Ctrl-C, SIGTERM and SIGHUP: the usual way to end a review
        tell("")
    if not thread.is_alive():
        raise UserError("The review's server ended by itself; start the review again. Everything saved is kept.")
