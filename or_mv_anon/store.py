"""What a run leaves on disk between stages: Parquet records, and a manifest that says what each was made from.

Everything is written to ``*.partial``, synced and renamed, so a file that exists is whole. A stage is skipped when the
manifest holds the same fingerprint (inputs, weights, configuration, schema) and its files are still there. Pixels are
never stored here, except the already anonymized video segments that wait to be joined.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from or_mv_anon.errors import UserError
from or_mv_anon.files import explained, write_atomically
from or_mv_anon.records import SCHEMA_VERSION, Columns

Record = TypeVar("Record", bound=Columns)
MANIFEST = "manifest.json"


class RunStore:
    """Stage outputs of one session under one folder.

    Only the main process changes the manifest; workers read and write records.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._stages: dict[str, dict[str, Any]] = {}

    @classmethod
    def open(cls, root: Path) -> RunStore:
        """The store in `root`, made if it is not there.

        Raises:
            UserError: the folder cannot be written, or another version wrote it.
        """
        with explained(root):
            root.mkdir(parents=True, exist_ok=True)
        store = cls(root)
        path = root / MANIFEST
        if path.exists():
            try:
                content = json.loads(path.read_text())
                schema, store._stages = content["schema"], content["stages"]
            except (ValueError, KeyError, TypeError) as error:
                raise UserError(f"{path} is damaged; run again with --overwrite to start afresh.") from error
            if schema != SCHEMA_VERSION:
                raise UserError(
                    f"{root} was written by another version (schema {schema}, expected {SCHEMA_VERSION}); "
                    "run again with --overwrite."
                )
        return store

    def done(self, stage: str, fingerprint: str) -> bool:
        """Whether `stage` was finished from exactly these inputs and its files are still there."""
        entry = self._stages.get(stage)
        return (
            entry is not None
            and entry["fingerprint"] == fingerprint
            and all((self.root / name).exists() for name in entry["files"])
        )

    def facts(self, stage: str) -> dict[str, Any]:
        """What was noted when `stage` was finished (empty if it was not)."""
        return dict(self._stages.get(stage, {}).get("facts", {}))

    def fingerprint(self, stage: str) -> str | None:
        """What `stage` was made from, if it was finished."""
        return self._stages[stage]["fingerprint"] if stage in self._stages else None

    def finish(self, stage: str, fingerprint: str, *, files: list[str], facts: dict[str, Any] | None = None) -> None:
        """Note that `stage` is finished; `files` are relative to the store's folder."""
        self._stages[stage] = {"fingerprint": fingerprint, "files": files, "facts": facts or {}}
        content = {"schema": SCHEMA_VERSION, "stages": self._stages}
        write_atomically(self.root / MANIFEST, lambda path: path.write_text(json.dumps(content, indent=1)))

    def path(self, name: str) -> Path:
        """Where the file `name` lies; its folder is made."""
        path = self.root / name
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def write(self, name: str, record: Columns) -> None:
        """Write `record` as the Parquet file `name`."""
        write_atomically(self.path(name), lambda path: pq.write_table(record.to_table(), path, compression="zstd"))

    def read(self, name: str, kind: type[Record]) -> Record:
        """The record in the Parquet file `name`.

        Raises:
            UserError: it is missing or damaged, or of another kind or version.
        """
        path = self.root / name
        try:
            return kind.from_table(pq.read_table(path))
        except (OSError, ValueError, KeyError, pa.ArrowException) as error:
            raise UserError(f"Cannot use the stored {path} ({error}); run again with --overwrite.") from error
