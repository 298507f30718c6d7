"""Makes names from outside safe to show: a terminal obeys control characters, whoever chose them.

Names of files, folders and cameras, and texts of exceptions that hold them, may contain anything but a slash: escape
sequences that clear the screen or set its title, line ends that forge a message, marks that turn text around.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, TextIO

from or_mv_anon.core.redaction import redacted

# Controls (C0, DEL, C1), invisible and direction-changing marks, line and paragraph separators, undecodable bytes.
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
_LAYOUT = "\n\r\t"  # what texts of our own are laid out with


class OutputClosed(BaseException):
    """Whoever read what is printed has gone; no handler of a job's own errors should take it for one."""


class OutputFailed(OutputClosed):
    """What is printed cannot be written, as the disk of a log file is full."""


def printable(text: object) -> str:
    r"""`text` on one line with everything written out that is not printed as it is, such as ``\x1b``."""
    return "".join(c if c.isprintable() else _escape(c) for c in str(text))


def printable_lines(text: str) -> str:
    """The same for a text that is laid out with line ends and tabs."""
    return _CONTROLS.sub(lambda found: found[0] if found[0] in _LAYOUT else _escaped(found), text)


def json_printable(text: str) -> str:
    r"""JSON that shows the same values with every control character as ``\u001b``; between values only line ends."""
    return _CONTROLS.sub(lambda found: found[0] if found[0] in _LAYOUT else f"\\u{ord(found[0]):04x}", text)


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise OutputClosed from error
    except OSError as error:
        raise OutputFailed(
            f"What the command tells cannot be written ({error.strerror}). Make room where its output goes, and run "
            "the same command again."
        ) from error


class PrintableStream:
    """A terminal's stream, or a pipe, on which neither control characters nor passwords in addresses arrive.

    Raises:
        OutputClosed: instead of `BrokenPipeError`, in `write` and `flush`.
        OutputFailed: instead of other failures to write.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Pass on `text`; returns its length."""
        with _told():
            self._stream.write(printable_lines(redacted(text)))
        return len(text)

    def flush(self) -> None:
        """See `io.TextIOBase.flush`."""
        with _told():
            self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def _escaped(found: re.Match[str]) -> str:
    return _escape(found[0])


def _escape(char: str) -> str:
    return char.encode("unicode_escape", "surrogatepass").decode("ascii")
