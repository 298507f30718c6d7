"""Answers on this machine alone how a live room is: `/metrics` for Prometheus, `/healthz` for a watchdog."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from or_mv_anon.core.errors import UserError
from or_mv_anon.live.status import prometheus

HERE = "127.0.0.1"
TIMEOUT_S = 5.0  # for a request


@contextmanager
def answering(port: int, status: Callable[[], dict[str, Any]]) -> Iterator[int]:
    """Answer within the block; gives the port.

    Args:
        port: 0 for any that is free.
        status: of `RoomStatus`.

    Raises:
        UserError: the port is taken.
    """

    class Answers(BaseHTTPRequestHandler):
        timeout = TIMEOUT_S
        server_version, sys_version = "or_mv_anon", ""

        def do_GET(self) -> None:
            if self.path == "/metrics":
                self._answer(200, "text/plain; version=0.0.4", prometheus(status()))
            elif self.path == "/healthz":
                found = status()
                states = {name: camera["state"] for name, camera in found["cameras"].items()}
                content = {"healthy": found["healthy"], "overload": found["overload"], "cameras": states}
                self._answer(200 if found["healthy"] else 503, "application/json", json.dumps(content) + "\n")
            else:
                self._answer(404, "text/plain", "There are /metrics and /healthz.\n")

        def _answer(self, code: int, kind: str, text: str) -> None:
            content = text.encode()
            self.send_response(code)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as http.server has it
            """Nothing is written about who asks."""

    try:
        server = ThreadingHTTPServer((HERE, port), Answers)
    except OSError as error:
        raise UserError(f"--status-port {port} cannot be used ({error.strerror}); choose another.") from error
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="status", daemon=True)
    thread.start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()
