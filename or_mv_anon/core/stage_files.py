"""The files of a run folder: written whole, and read only as the stage that wrote them left them.

What is read is compared with its hash as it is read, so nothing can come between a check and its use. A file that a
finished stage vouches for cannot be written: `RunStore.begin` has to take its word back first.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from or_mv_anon.core import seals
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import explained, write_atomically
from or_mv_anon.core.manifest import Manifest, OtherVersionError
from or_mv_anon.core.records import Columns
from or_mv_anon.core.run_layout import MANIFEST

Record = TypeVar("Record", bound=Columns)


class StageFiles:
    """Files below one folder, as far as finished stages vouch for them."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._own: Manifest | None = None

    def place(self, name: str) -> Path:
        """Where the file `name` lies; outputs lie beside the folder even where that is a link to elsewhere."""
        return Path(os.path.normpath(self.root / name))

    @property
    def manifest(self) -> Manifest:
        """What is finished: as this store opened it, or, where it only reads, as it is on the disk now."""
        if self._own is not None:
            return self._own
        path = self.root / MANIFEST
        try:
            return _read_again(path, seals.signature(path))
        except FileNotFoundError:
            return Manifest()

    def path(self, name: str) -> Path:
        """Where the file `name` is to be written; its folder is made.

        Raises:
            RuntimeError: a finished stage vouches for what is there; `begin` it first.
        """
        if self.manifest.noted(name) is not None:
            raise RuntimeError(f"{name} is about to be written, and a finished stage still vouches for it")
        path = self.place(name)
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, name: str, record: Columns) -> None:
        """Write `record` as the Parquet file `name`."""
        table = record.to_table()
        write_atomically(
            self.path(name), lambda path: pq.write_table(table, path, compression="zstd", write_page_checksum=True)
        )

    def write_text(self, name: str, text: str) -> None:
        """Write `text` as the file `name`."""
        write_atomically(self.path(name), lambda path: path.write_text(text))

    def read(self, name: str, kind: type[Record], *, frames: range | None = None) -> Record:
        """The record in the Parquet file `name`, compared with the hash that was noted when it was written.

        Args:
            name: of the file.
            kind: of the record.
            frames: those that its rows may be about, where that is known.

        Raises:
            UserError: it is missing, damaged or changed, or of another kind or version.
        """
        try:
            table = pq.read_table(pa.BufferReader(self._bytes(name)), page_checksum_verification=True)
            record = kind.from_table(table)
            record.check(frames)
        except (OSError, ValueError, KeyError, TypeError, pa.ArrowException) as error:
            raise self._unusable(name, error) from error
        return record

    def read_json(self, name: str) -> Any:
        """What the JSON file `name` holds, compared with its hash in the same way.

        Raises:
            UserError: it is missing, damaged or changed.
        """
        try:
            return json.loads(self._bytes(name))
        except (OSError, ValueError) as error:
            raise self._unusable(name, error) from error

    def require(self, names: Iterable[str]) -> None:
        """Compare files with the hashes that were noted when they were written.

        Raises:
            UserError: one is missing, damaged or changed.
        """
        for name in names:
            seal = self.manifest.noted(name)
            if seal is None or not seals.holds(self.place(name), seal):
                raise self._unusable(name, "it is not what its stage wrote")

    def _bytes(self, name: str) -> bytes:
        data = self.place(name).read_bytes()
        seal = self.manifest.noted(name)
        if seal is None:
            raise ValueError("no finished stage vouches for it")
        if hashlib.sha256(data).hexdigest() != seal.sha256:
            raise ValueError("it was changed or damaged after it was written")
        return data

    def _unusable(self, name: str, error: object) -> UserError:
        return UserError(f"Cannot use the stored {self.root / name} ({error}); run the anonymizer again.")


@lru_cache(maxsize=4)
def _read_again(path: Path, _: seals.Signature) -> Manifest:
    return read_manifest(path)


def read_manifest(path: Path) -> Manifest:
    """The manifest in the file `path`; an empty one where there is none.

    Raises:
        UserError: it is damaged, or another version wrote it.
    """
    try:
        return Manifest.from_text(path.read_text())
    except FileNotFoundError:
        return Manifest()
    except OtherVersionError as error:
        raise UserError(
            f"{path.parent} was written by another version ({error}); run again with --overwrite."
        ) from error
    except OSError as error:
        raise UserError(f"Cannot read {path}: {error.strerror}.") from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{path} is damaged ({error}); run again with --overwrite to start afresh.") from error
