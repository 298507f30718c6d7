"""Takes user names, passwords and tokens out of whatever is shown or stored: addresses of streams hold them.

An address is cut down to what is certainly none of these: scheme, host, port, and a path of plain names. Where it can
be read in two ways, as with an @ or a slash in a password, nothing of it but the scheme is left.
"""

from __future__ import annotations

import re

HIDDEN = "..."
_ADDRESS = re.compile(r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<rest>[^\s'\"<>]*)")
_AUTHORITY = re.compile(r"(?:(?P<user>.*)@)?(?P<host>[\w.-]+|\[[0-9A-Fa-f:.%]+\])(?P<port>:.*)?", re.DOTALL)
_PLAIN_PATH = re.compile(r"[\w./~+-]*")
_CLOSING = ".,;:!?)]}"  # of the sentence around an address


def redacted(text: str) -> str:
    """`text` with every address in it, such as ``rtsp://...``, cut down to what may be shown."""
    return _ADDRESS.sub(_in_sentence, text) if "://" in text else text


def redacted_address(address: str) -> str:
    """One address, whatever characters it holds."""
    scheme, found, rest = address.partition("://")
    return f"{scheme}://{_shown(rest)}" if found else address


def _in_sentence(found: re.Match[str]) -> str:
    rest = found["rest"]
    inner = rest.rstrip(_CLOSING)
    return f"{found['scheme']}://{_shown(inner)}{rest[len(inner) :]}"


def _shown(rest: str) -> str:
    authority, slash, tail = _split(rest)
    place = _AUTHORITY.fullmatch(authority)
    if "@" in tail or place is None:
        return HIDDEN if rest else ""
    path = re.split("[?#]", slash + tail, maxsplit=1)[0]
    more = HIDDEN if len(path) < len(slash + tail) else ""
    if not _PLAIN_PATH.fullmatch(path):
        path, more = "/", HIDDEN
    port = place["port"] or ""
    if port and not port[1:].isdecimal():
        return f"{place['host']}:{HIDDEN}"  # no port: perhaps a password without its host
    return f"{place['host']}{port}{path}{'?' if more and path != '/' else ''}{more}"


def _split(rest: str) -> tuple[str, str, str]:
    """Authority, the character that ends it, and what follows."""
    found = re.search("[/?#]", rest)
    if found is None:
        return rest, "", ""
    return rest[: found.start()], found[0], rest[found.end() :]
