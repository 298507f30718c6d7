"""What a run writes tells about people: it is for this user alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

PRIVATE_MASK = 0o077


@contextmanager
def private_files() -> Iterator[None]:
    """Let nobody but this user read what is written within the block, by this process or those that it starts."""
    before = os.umask(PRIVATE_MASK)
    os.umask(before | PRIVATE_MASK)
    try:
        yield
    finally:
        os.umask(before)
