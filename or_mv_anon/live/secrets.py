"""User names and passwords of streams: from the environment or a private file, never from where others read.

An address names what it needs, `rtsp://${CAM_USER}:${CAM_PASSWORD}@10.0.0.7/stream`. What is put in is written as
addresses have it, whatever characters it holds, and is taken out again of whatever is shown (`core.redaction`).
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import quote, urlsplit

from or_mv_anon.core.errors import UserError

_NAME = re.compile(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}")
_LINE = re.compile(r"\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*")


def read_secrets(path: Path | None) -> dict[str, str]:
    """The environment, and above it the lines ``NAME=value`` of a private file.

    Raises:
        UserError: the file cannot be read, others may read it, or a line is no such line.
    """
    found = dict(os.environ)
    if path is None:
        return found
    try:
        with path.open(encoding="utf-8") as file:
            about = os.fstat(file.fileno())
            if not stat.S_ISREG(about.st_mode) or about.st_mode & 0o077 or about.st_uid not in (os.getuid(), 0):
                raise UserError(f"{path} may be read by others; it holds passwords, so: chmod 600 {path}.")
            lines = file.read(1 << 20).splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"Cannot read the passwords in {path}: {getattr(error, 'strerror', None) or error}.") from error
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        match = _LINE.fullmatch(line)
        if match is None:
            raise UserError(f"Line {number} of {path} is not NAME=value.")
        found[match[1]] = match[2].strip("\"'")
    return found


def filled(address: str, secrets: Mapping[str, str], where: str) -> str:
    """An address with what it names put in.

    Args:
        address: of a stream.
        secrets: see `read_secrets`.
        where: the address stands, for the error.

    Raises:
        UserError: a name is not known, or the address itself holds a password.
    """
    if "://" in address and _holds_password(address):
        raise UserError(
            f"{where} holds a password; write ${{NAME}} instead, with NAME in the environment or in --secrets FILE."
        )

    def value(match: re.Match[str]) -> str:
        if match[1] not in secrets:
            raise UserError(f"{where} needs {match[1]}; set it in the environment or in the file of --secrets.")
        return quote(secrets[match[1]], safe="")

    return _NAME.sub(value, address)


def _holds_password(address: str) -> bool:
    plain = _NAME.sub("", address)
    try:
        return bool(urlsplit(plain).password)
    except ValueError:
        return "@" in plain
