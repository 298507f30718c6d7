"""What was in a file when it was finished: hash, size and rows, and a cheap sign that it has not been touched since.

A file is hashed again in every run that relies on it. Within one run it is hashed once: its signature holds the time of
its last change as the kernel keeps it, which, unlike the time of its last modification, no program can set.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from or_mv_anon.core.errors import UserError

BLOCK = 1 << 20  # bytes read at once
TABLE = ".parquet"
TRIES = 3  # at a file that something else, such as a backup, touches meanwhile

Signature = tuple[tuple[int, ...], ...]
"""Per file: device, inode, size in bytes, and when it was modified and changed, in nanoseconds."""


@dataclass(frozen=True)
class Seal:
    """Content of a file, or of a folder's files with their names: SHA-256 in hexadecimal, bytes, rows of a table."""

    sha256: str
    size: int
    rows: int | None = None

    @classmethod
    def from_json(cls, values: Any) -> Seal:
        """The seal that `asdict` made plain.

        Raises:
            ValueError, TypeError: it is none.
        """
        seal = cls(**values)
        if not isinstance(seal.sha256, str) or type(seal.size) is not int or type(seal.rows) not in (int, type(None)):
            raise TypeError(f"{values} is no seal")
        return seal


@dataclass(frozen=True)
class Sealed:
    """A seal with the signature that the file had meanwhile."""

    seal: Seal
    signature: Signature


_known: dict[Path, Sealed] = {}  # what this process has hashed, or was told by its workers


def signature(files: Path | Sequence[Path]) -> Signature:
    """Of a file, a folder of files, or several files.

    Raises:
        OSError: one is not there.
    """
    return tuple(_facts(path) for path in _members(files))


def same_content(before: Signature, files: Path | Sequence[Path]) -> bool:
    """Whether files look untouched since `before`, but for changes of names, owners and permissions.

    Devices are not compared: every machine numbers a shared folder's for itself.
    """
    try:
        now = signature(files)
    except OSError:
        return False
    return [facts[1:-1] for facts in before] == [facts[1:-1] for facts in now]


def _facts(path: Path) -> tuple[int, ...]:
    facts = path.stat()
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns, facts.st_ctime_ns


def fingerprint(
    files: Path | Sequence[Path], *, block: Callable[[int, bytes], object] = lambda number, data: None
) -> tuple[str, int]:
    """SHA-256 in hexadecimal and size in bytes: of a file, or of several with their names, in order.

    Args:
        files: a file, a folder of files, or a list of them.
        block: called with the number of the file and every stretch of `BLOCK` bytes of it, the last one shorter.

    Raises:
        UserError: a file cannot be read.
    """
    named = not isinstance(files, Path) or files.is_dir()
    digest, size = hashlib.sha256(), 0
    for number, path in enumerate(_members(files)):
        if named:
            digest.update(path.name.encode(errors="surrogateescape") + b"\0")
        try:
            with path.open("rb") as file:
                while data := file.read(BLOCK):
                    digest.update(data)
                    block(number, data)
                    size += len(data)
        except OSError as error:
            raise UserError(f"Cannot read {path}: {error.strerror}.") from error
    return digest.hexdigest(), size


def seal(path: Path) -> Sealed:
    """Hash a finished file or folder.

    Raises:
        UserError: it cannot be read, or changes meanwhile.
    """
    for _ in range(TRIES):
        try:
            before = signature(path)
            digest, size = fingerprint(path)
            rows = pq.read_metadata(path).num_rows if path.suffix == TABLE else None
            after = signature(path)
        except (OSError, pa.ArrowException) as error:
            raise UserError(f"Cannot read {path} ({error}); run the same command again.") from error
        if before == after:
            return Sealed(Seal(digest, size, rows), after)
    raise UserError(f"{path} changes while it is read; find out what else writes there, and run again.")


def trust(path: Path, sealed: Sealed) -> None:
    """Spare this process hashing a file that a worker has just hashed."""
    _known[path] = sealed


def holds(path: Path, expected: Seal) -> bool:
    """Whether a file holds what it did when it was sealed."""
    try:
        now = signature(path)
        if sum(size for _, _, size, *_ in now) != expected.size:
            return False
        if (known := _known.get(path)) is None or known.signature != now:
            known = _known[path] = seal(path)
    except (OSError, UserError):
        return False
    return known.seal == expected


def _members(files: Path | Sequence[Path]) -> list[Path]:
    if not isinstance(files, Path):
        return list(files)
    return sorted(path for path in files.iterdir() if path.is_file()) if files.is_dir() else [files]
