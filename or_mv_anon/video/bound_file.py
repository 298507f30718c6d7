"""A recording that cannot change unnoticed: every block of it is compared with its hash as it is decoded.

Size and time of a file can be the same for other content, and a file can be replaced or rewritten while it is read. So
whoever decodes a recording sees bytes that were hashed when the run began, or an error.
"""

from __future__ import annotations

import hashlib
import io
import os
from collections import OrderedDict
from pathlib import Path

import numpy as np

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.records import BlockHashes
from or_mv_anon.core.seals import BLOCK

KEPT = 8  # blocks in memory: sound and picture often lie apart in a file and are read in turn


class InputChangedError(UserError):
    """A recording is no longer what it was when the run began."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"{path} changed while it was being worked on; nothing is made of it. When nothing writes to it any more, "
            "run the same command again."
        )


class BoundFile(io.RawIOBase):
    """Reads a file like an open one; a block that is not what its hash says is an error.

    Args:
        path: the file.
        hashes: of all its blocks.
        span: bytes from and to of the part that is seen as the whole; None for all.
    """

    _file: io.FileIO | None = None

    def __init__(self, path: Path, hashes: BlockHashes, span: tuple[int, int] | None = None) -> None:
        super().__init__()
        self.name = f"file:{path}"
        self._path = path
        self._hashes = hashes
        self._start, self._stop = span or (0, int(hashes.size.sum(dtype=np.int64)))
        self._position = 0
        self._kept: OrderedDict[int, bytes] = OrderedDict()
        try:
            self._file = io.FileIO(path)
        except FileNotFoundError as error:
            raise InputChangedError(path) from error

    def readable(self) -> bool:
        """Always."""
        return True

    def seekable(self) -> bool:
        """Always."""
        return True

    def tell(self) -> int:
        """Where the next byte is read."""
        return self._position

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Move to another place."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._stop - self._start}[whence]
        self._position = max(0, start + offset)
        return self._position

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes, and fewer where a block ends.

        Raises:
            InputChangedError: they are not what was hashed.
        """
        place = self._start + self._position
        number, offset = divmod(place, BLOCK)
        if number >= len(self._hashes) or place >= self._stop:
            return b""
        data = self._block(number)
        left = self._stop - place
        data = data[offset : offset + (left if size < 0 else min(size, left))]
        self._position += len(data)
        return data

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()
        super().close()

    def _block(self, number: int) -> bytes:
        if (data := self._kept.get(number)) is not None:
            self._kept.move_to_end(number)
            return data
        data = self._read_block(number)
        check(self._path, data, self._hashes, number)
        self._kept[number] = data
        if len(self._kept) > KEPT:
            self._kept.popitem(last=False)
        return data

    def _read_block(self, number: int) -> bytes:
        assert self._file is not None
        self._file.seek(number * BLOCK)
        parts, wanted = [], int(self._hashes.size[number])
        while wanted > 0 and (part := self._file.read(wanted)):
            parts.append(part)
            wanted -= len(part)
        return b"".join(parts)


def check(path: Path, data: bytes, hashes: BlockHashes, number: int = 0) -> None:
    """Compare a block of a file with its hash.

    Raises:
        InputChangedError: it is another.
    """
    if hashlib.sha256(data).digest() != hashes.digest[number].tobytes():
        raise InputChangedError(path)


def read_bound(path: Path, hashes: BlockHashes) -> bytes:
    """All of a file, compared with the hashes of its blocks.

    Raises:
        InputChangedError: it is not what was hashed.
        OSError: it cannot be read.
    """
    with BoundFile(path, hashes) as file:
        data = b"".join(iter(file.read, b""))
    return data
