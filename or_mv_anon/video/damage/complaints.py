"""What FFmpeg's decoders say in their log: some damage they report nowhere else."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

import av.logging

# Said of sound streams too: unknown or cut-off extra information beside the picture.
_HARMLESS = ("SEI type", "SEI message", "APP fields", "Unsupported")


@cache
def _listen() -> None:
    """Let FFmpeg's errors come to Python, and there nowhere but to those who listen."""
    quiet = logging.getLogger("libav")
    quiet.addHandler(logging.NullHandler())
    quiet.propagate = False
    av.logging.set_skip_repeated(False)
    av.logging.set_level(av.logging.ERROR)


@contextmanager
def complaints() -> Iterator[list[str]]:
    """The errors that FFmpeg logs in this thread within the context; the list is filled when it ends."""
    _listen()
    heard: list[str] = []
    with av.logging.Capture(local=True) as log:
        try:
            yield heard
        finally:
            heard += [
                text.strip() for level, _, text in log
                if level <= av.logging.ERROR and not any(word in text for word in _HARMLESS)
            ]  # fmt: skip
