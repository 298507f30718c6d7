"""Stands between FFmpeg and an RTSP server, so that the server cannot send the tool to another address.

FFmpeg follows a redirection wherever it leads and has no option against it. It is therefore given an address on this
machine; the connection to the server is made here, every reply is looked at before it is passed on, and one that
redirects ends the connection. Pictures come through the same connection, as RTSP over TCP does it.
"""

from __future__ import annotations

import contextlib
import re
import selectors
import socket
import ssl
import threading
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from or_mv_anon.live.sender_clock import SenderClock

PORTS = {"rtsp": 554, "rtsps": 322}
CHUNK = 1 << 16  # bytes read at once
MOST_WATCHED = 1 << 12  # bytes of a packet or a reply that the clock is shown
MOST_HEADER = 1 << 16  # bytes of one reply's header; no server needs as many
_DATA = ord("$")  # begins a packet of pictures: channel (1 byte), length (2 bytes), data
_STATUS = re.compile(rb"RTSP/\S*\s+(\d+)")
_LENGTH = re.compile(rb"(?im)^content-length\s*:\s*(\d+)\s*$")


class RefusedError(ConnectionError):
    """The server sent what must not be passed on."""


class Replies:
    """Cuts what a server sends into replies and packets, and refuses redirections."""

    def __init__(self, clock: SenderClock | None = None) -> None:
        """`clock` is told of every reply and packet."""
        self._clock = clock
        self._held = bytearray()  # of a header that is not complete
        self._rest = 0  # bytes of a packet or a body that are still to come
        self._unit = bytearray()  # what is known of that packet or reply, its beginning at least

    def passed(self, data: bytes) -> bytes:
        """What of all that has come so far may be passed on now.

        Raises:
            RefusedError: a reply redirects, or cannot be understood.
        """
        self._held += data
        done = 0
        while done < len(self._held):
            if self._rest:
                step = min(self._rest, len(self._held) - done)
                self._rest -= step
                if len(self._unit) < MOST_WATCHED:
                    self._unit += self._held[done : done + min(step, MOST_WATCHED)]
                done += step
                if not self._rest:
                    self._watch()
            elif self._held[done] == _DATA:
                if len(self._held) - done < 4:
                    break
                self._rest = 4 + int.from_bytes(self._held[done + 2 : done + 4], "big")
            else:
                end = self._held.find(b"\r\n\r\n", done)
                if end < 0:
                    if len(self._held) - done > MOST_HEADER:
                        raise RefusedError("it sends no RTSP")
                    break
                self._rest = end + 4 - done + _body_length(bytes(self._held[done:end]))
        passed = bytes(self._held[:done])
        del self._held[:done]
        return passed

    def _watch(self) -> None:
        """Let the clock see what has just come in whole."""
        unit, self._unit = bytes(self._unit), bytearray()
        if self._clock is None:
            return
        if unit[:1] == b"$":
            self._clock.packet(unit[1], unit[4:])
        else:
            self._clock.reply(unit)


def _body_length(header: bytes) -> int:
    lines = header.split(b"\n")
    if any(line.startswith(b"$") for line in lines):
        raise RefusedError("it sends no RTSP")
    status = _STATUS.match(header.lstrip())
    if status is not None and 300 <= int(status[1]) < 400:
        raise RefusedError(f"it redirects to another address (status {int(status[1])}), which is not followed")
    lengths = _LENGTH.findall(header.replace(b"\r", b""))
    return int(lengths[-1]) if lengths else 0


class Relay:
    """One guarded connection to an RTSP server, for the length of a ``with`` block.

    Attributes:
        address: what to open instead; user name and password are kept.
        refused: why the connection was given up, if the server sent what must not be passed on.
    """

    def __init__(self, address: str, *, timeout: float, clock: SenderClock | None = None) -> None:
        """Connect to the server of `address`, ``rtsp://...`` or ``rtsps://...``; `clock` is told what it sends.

        Raises:
            OSError: it cannot be reached within `timeout` seconds.
            ValueError: `address` is none.
        """
        parts = urlsplit(address)
        host, port = parts.hostname or "", parts.port or PORTS[parts.scheme]
        self.refused: str | None = None
        self._clock = clock
        self._server: socket.socket = socket.create_connection((host, port), timeout=timeout)
        try:
            if parts.scheme == "rtsps":
                # As FFmpeg does it: cameras certify themselves, so the certificate proves nothing.
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
                self._server = context.wrap_socket(self._server, server_hostname=host)
            self._listener = socket.create_server(("127.0.0.1", 0), backlog=1)
        except BaseException:
            self._server.close()
            raise
        self._server.settimeout(None)
        self._listener.settimeout(timeout)
        user, at, _ = parts.netloc.rpartition("@")
        here = f"{user}{at}127.0.0.1:{self._listener.getsockname()[1]}"
        self.address = parts._replace(scheme="rtsp", netloc=here).geturl()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for end in (self._listener, self._server):
            _close(end)
        self._thread.join(1.0)

    def _run(self) -> None:
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        finally:
            self._listener.close()  # for one connection only
        try:
            self._pass_on(client)
        except RefusedError as refusal:
            self.refused = str(refusal)
        except (OSError, ValueError):  # either side has gone, or was closed at the end
            return
        finally:
            _close(client)
            _close(self._server)

    def _pass_on(self, client: socket.socket) -> None:
        replies = Replies(self._clock)
        with selectors.DefaultSelector() as selector:
            selector.register(client, selectors.EVENT_READ)
            selector.register(self._server, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fileobj is client:
                        if not (data := client.recv(CHUNK)):
                            return
                        self._server.sendall(data)
                        continue
                    if not (data := self._received()):
                        return
                    client.sendall(replies.passed(data))

    def _received(self) -> bytes:
        """All that is there; TLS may hold more than the socket tells of."""
        data = self._server.recv(CHUNK)
        while isinstance(self._server, ssl.SSLSocket) and data and self._server.pending():
            data += self._server.recv(CHUNK)
        return data


def _close(end: socket.socket) -> None:
    with contextlib.suppress(OSError):  # it was not connected, or not any more
        end.shutdown(socket.SHUT_RDWR)
    end.close()
