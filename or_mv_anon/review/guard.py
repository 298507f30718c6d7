"""Lets in only whoever was given the address, and keeps what is shown from anybody and anything else.

The address holds a random secret as its path; the first visit also leaves a cookie that is bound to that path, so it is
sent to no other server of this machine. Everything else is answered with 403, without telling what is there.
"""

from __future__ import annotations

import hmac
import secrets
from http.cookies import CookieError, SimpleCookie

from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "review"
LARGEST_BODY = 1 << 18  # bytes: a correction, never a file
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types 'none'"
)
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": POLICY,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_REFUSED = b"Not allowed. Open the address that `or-mv-anon review` printed.\n"
_HEADERS = [(name.lower().encode(), value.encode()) for name, value in HEADERS.items()]


class Guard:
    """Wraps an application; see the module.

    Args:
        app: what is guarded; it sees paths without the secret.
        port: that it is served on; the `Host` of every request must name it.
    """

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self.secret = secrets.token_urlsafe(32)
        self._session = secrets.token_urlsafe(32)
        self._hosts = {f"127.0.0.1:{port}", f"localhost:{port}"}

    @property
    def entry(self) -> str:
        """The path of the page."""
        return f"/{self.secret}/"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":  # a socket of another kind
            return
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        is_entry = scope["method"] == "GET" and _same(scope["path"], self.entry)
        if not self._let_in(scope, headers, is_entry=is_entry):
            await _refuse(send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                kept = [(name, value) for name, value in message["headers"] if name.lower() not in dict(_HEADERS)]
                message["headers"] = [*kept, *_HEADERS, *([self._cookie()] if is_entry else [])]
            await send(message)

        path = scope["path"][len(self.entry) - 1 :]
        await self._app({**scope, "path": path, "raw_path": path.encode(), "root_path": ""}, receive, guarded)

    def _let_in(self, scope: Scope, headers: dict[str, str], *, is_entry: bool) -> bool:
        if headers.get("host") not in self._hosts or scope["method"] not in ("GET", "POST"):
            return False
        if not _same(scope["path"][: len(self.entry)], self.entry):
            return False
        if is_entry:  # typed, or from a file: where it comes from does not matter
            return True
        if not _same(_cookie_of(headers.get("cookie", "")), self._session):
            return False
        if headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
            return False
        if scope["method"] == "GET":
            return True
        length = headers.get("content-length", "")
        return (
            headers.get("origin", "").removeprefix("http://") in self._hosts
            and headers.get("content-type") == "application/json"
            and length.isdigit()
            and int(length) <= LARGEST_BODY
        )

    def _cookie(self) -> tuple[bytes, bytes]:
        return b"set-cookie", f"{COOKIE}={self._session}; Path={self.entry}; HttpOnly; SameSite=Strict".encode()


def _cookie_of(header: str) -> str:
    try:
        found = SimpleCookie(header).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found is not None else ""


def _same(given: str, expected: str) -> bool:
    return hmac.compare_digest(given.encode(), expected.encode())


async def _refuse(send: Send) -> None:
    headers = [*_HEADERS, (b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(_REFUSED))]
    await send({"type": "http.response.start", "status": 403, "headers": headers})
    await send({"type": "http.response.body", "body": _REFUSED})
