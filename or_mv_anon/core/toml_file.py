"""Reads TOML files that people write or that come from elsewhere: bounded in size, every fault told in one sentence."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

from or_mv_anon.core.errors import UserError

MOST_BYTES = 1 << 20  # of a settings file; nobody writes a longer one


def read_toml(path: Path, what: str) -> dict[str, Any]:
    """The content of the TOML file at `path`.

    Args:
        path: a file.
        what: what it is, for the error, such as "the configuration".

    Raises:
        FileNotFoundError: it is not there.
        UserError: it cannot be read, is no regular file, is too long, or is not TOML.
    """
    try:
        if path.exists() and not path.is_file():
            raise UserError(f"Cannot read {what} {path}: it is no regular file.")
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise UserError(f"Cannot read {what} {path}: {error.strerror}.") from error
    if len(content) > MOST_BYTES:
        raise UserError(f"{path} is longer than {MOST_BYTES >> 20} MB, which no settings are; is it the right file?")
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # also of text that is not UTF-8
        why = "nested too deeply" if isinstance(error, RecursionError) else str(error).replace("\n", " ")
        raise UserError(f"{path} is not valid TOML: {why}.") from error
