"""Starts the review as users do, and talks to it as a browser would, or as somebody would who should not."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

PATIENCE_S = 60


@dataclass(frozen=True)
class Answer:
    """What came back."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    """A review that is on, and the cookie of a visitor who opened its address."""

    address: str
    process: subprocess.Popen[str]
    cookie: str = ""

    @property
    def port(self) -> int:
        port = urlparse(self.address).port
        assert port is not None
        return port

    @property
    def entry(self) -> str:
        return urlparse(self.address).path

    def ask(
        self, path: str, *, method: str = "GET", body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """A request as it is given; `path` begins with a slash.

        Raises:
            OSError: The review went away, whether before, within or after the answer's first line.
        """
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_S)
        try:
            connection.request(method, path, body=body, headers=dict(headers or {}))
            answer = connection.getresponse()
            return Answer(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())
        except http.client.HTTPException as error:
            raise ConnectionError("the review went away while it answered") from error
        finally:
            connection.close()

    def open(self) -> Answer:
        """Visit the address."""
        answer = self.ask(self.entry)
        self.cookie = answer.headers.get("set-cookie", "").partition(";")[0]
        return answer

    def get(self, name: str) -> Answer:
        return self.ask(f"{self.entry}api/{name}", headers={"Cookie": self.cookie})

    def post(self, name: str, content: Any) -> Answer:
        headers = {
            "Cookie": self.cookie,
            "Origin": f"http://127.0.0.1:{self.port}",
            "Content-Type": "application/json",
        }
        return self.ask(f"{self.entry}api/{name}", method="POST", body=json.dumps(content).encode(), headers=headers)


@contextmanager
def served(out: Path, *options: object, checkout: Path | None = None) -> Iterator[Served]:
    """The command, until the block ends; then it is asked to end as a service manager would.

    Args:
        out: the run.
        options: more of the command line.
        checkout: whose code serves it; None for this one's.
    """
    environment = {**os.environ} if checkout is None else {**os.environ, "PYTHONPATH": str(checkout)}
    command = [sys.executable, "-m", "or_mv_anon", "review", str(out.absolute()), *map(str, options)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=checkout
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            if "http://" in line:
                review = Served(line.strip(), process)
                review.open()
                yield review
                return
        raise AssertionError(process.stderr.read() if process.stderr else "")
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE_S)
