"""What a run leaves on disk between stages: Parquet records, and a manifest that says what each was made from.

Everything is written to ``*.partial``, synced and renamed, so a file that exists is whole. A stage counts as done when
its fingerprint (inputs, weights, configuration, schema) is the same, its files have the hashes that were noted with it,
and so had everything that it was made of. `begin` takes its word back before anything of it is touched, and what is
read is compared with its hash as it is read. Pixels are never stored here, except the already anonymized video segments
that wait to be joined.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from or_mv_anon import seals
from or_mv_anon.errors import UserError
from or_mv_anon.files import explained, sync, write_atomically
from or_mv_anon.manifest import Entry, Manifest, OtherVersionError
from or_mv_anon.records import Columns
from or_mv_anon.seals import Seal, Sealed

Record = TypeVar("Record", bound=Columns)
MANIFEST = "manifest.json"


class RunStore:
    """Stage outputs of one session under one folder.

    Only the main process changes the manifest, through a store that it opened; workers read and write records.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self._own: Manifest | None = None
        self._unsaved = False

    @classmethod
    def open(cls, root: Path) -> RunStore:
        """The store in `root`, made if it is not there.

        Raises:
            UserError: the folder cannot be written, its manifest is damaged, or another version wrote it.
        """
        with explained(root):
            root.mkdir(parents=True, exist_ok=True)
        store = cls(root)
        store._own = _read_manifest(root / MANIFEST)
        return store

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

    def trusted(self, stage: str, fingerprint: str) -> bool:
        """Whether `stage` was finished from exactly these inputs and its files hold what they held then."""
        manifest = self.manifest
        entry = manifest.stages.get(stage) or manifest.withdrawn.get(stage)
        if entry is None or entry.fingerprint != fingerprint or self._changed(entry):
            return False
        before = len(manifest.withdrawn)
        standing = manifest.standing(stage) is not None
        self._unsaved |= len(manifest.withdrawn) != before
        return standing

    def changed(self, stage: str) -> list[str]:
        """Files of a finished stage that no longer hold what they held when it was finished."""
        return self._changed(self.manifest.stages[stage]) if stage in self.manifest.stages else []

    def _changed(self, entry: Entry) -> list[str]:
        return [name for name, seal in entry.files.items() if not seals.holds(self.root / name, seal)]

    def facts(self, stage: str) -> dict[str, Any]:
        """What was noted when `stage` was finished (empty if it was not, or no longer counts)."""
        entry = self.manifest.stages.get(stage)
        return {} if entry is None else dict(entry.facts)

    def fingerprint(self, stage: str) -> str | None:
        """What `stage` was made from, if it was finished and counts."""
        entry = self.manifest.stages.get(stage)
        return None if entry is None else entry.fingerprint

    def files(self, stage: str) -> Mapping[str, Seal]:
        """What `stage` wrote, if it was finished and counts."""
        entry = self.manifest.stages.get(stage)
        return {} if entry is None else entry.files

    def wrote(self, name: str) -> bool:
        """Whether this run or an earlier one has put something in the place of the output `name`."""
        return bool(self.manifest.known(name))

    def owns(self, name: str) -> bool:
        """Whether the output `name` holds what this run or an earlier one put there."""
        return any(seals.holds(self.root / name, seal) for seal in self.manifest.known(name))

    def begin(self, stages: Mapping[str, Sequence[str]]) -> None:
        """Take back, durably, that these stages are finished, for the files that they name are about to be written.

        What was made of them is withdrawn with them.
        """
        assert self._own is not None
        self._unsaved |= self._own.begin(stages, [name for files in stages.values() for name in files])
        self.save()

    def withdraw(self, stages: Iterable[str]) -> None:
        """Take back, durably, that these stages are finished, for their files are about to be moved."""
        assert self._own is not None
        self._unsaved |= self._own.withdraw(stages)
        self.save()

    def finish(
        self,
        stage: str,
        fingerprint: str,
        *,
        files: Sequence[str],
        facts: dict[str, Any] | None = None,
        made_of: Iterable[str] = (),
        sealed: Mapping[str, Sealed] | None = None,
        moved: Mapping[str, str] | None = None,
    ) -> None:
        """Note that `stage` is finished.

        Args:
            stage: its key.
            fingerprint: what it was made from.
            files: that it wrote, relative to the store's folder.
            facts: what else is to be known of it.
            made_of: the stages whose files it read.
            sealed: hashes of `files` where they are known already.
            moved: for outputs in `files` that still lie elsewhere in the store, where. Their hashes are noted before
                they are put in place, so that at any moment it is known whose is what lies there.

        Raises:
            UserError: something else has been put in an output's place meanwhile.
        """
        assert self._own is not None
        manifest, moved = self._own, moved or {}
        sealed = sealed or {name: seals.seal(self.root / moved.get(name, name)) for name in files}
        if moved:
            for name in moved:
                manifest.announce(name, sealed[name].seal)
            self.save(always=True)
        for name in files:
            seals.trust(self.root / name, self._put(name, moved[name], sealed[name]) if name in moved else sealed[name])
        sources = {name: manifest.stages[name].content for name in made_of}
        manifest.finish(stage, Entry(fingerprint, {name: sealed[name].seal for name in files}, facts or {}, sources))
        self.save(always=True)

    def _put(self, name: str, made: str, sealed: Sealed) -> Sealed:
        """Give the finished `made` its final name."""
        target, source = self.root / name, self.root / made
        if os.path.lexists(target) and not self.owns(name):
            raise UserError(
                f"{target} is not what an earlier run put there; move it away and run the same command again."
            )
        with explained(target):
            before = seals.signature(source)
            if target.is_dir():
                shutil.rmtree(target)
            source.replace(target)
            sync(target.parent)
            after = seals.signature(target)
        return replace(sealed, signature=after if before == sealed.signature else ())

    def adopt(self, stage: str, source: RunStore) -> None:
        """Take over a stage, with copies of its files, from another store, unless it is here already."""
        entry = source.manifest.stages.get(stage)
        if entry is None or self.trusted(stage, entry.fingerprint):
            return
        self.begin({stage: list(entry.files)})
        for name in entry.files:
            target = self.path(name)
            write_atomically(target, lambda path, name=name: shutil.copyfile(source.root / name, path))  # type: ignore[misc]
        self.finish(stage, entry.fingerprint, files=list(entry.files), facts=entry.facts)

    def keep(self, stage: str, name: str, text: str) -> None:
        """Write `text` as the file `name` and note it as a stage of its own, unless it is there already."""
        fingerprint = hashlib.sha256(text.encode()).hexdigest()[:16]
        if not self.trusted(stage, fingerprint):
            self.begin({stage: [name]})
            self.write_text(name, text)
            self.finish(stage, fingerprint, files=[name])
        elif self._unsaved:
            self.save()

    def timing(self, name: str) -> dict[str, Any]:
        """How long a kind of stage took when it last ran."""
        return dict(self.manifest.timings.get(name, {}))

    def note_timing(self, name: str, facts: dict[str, Any]) -> None:
        """Keep how long a kind of stage took; written with the next change."""
        assert self._own is not None
        self._own.timings[name] = facts
        self._unsaved = True

    def save(self, *, always: bool = False) -> None:
        """Write the manifest if it is not on the disk as it is here."""
        assert self._own is not None
        if self._unsaved or always:
            text = self._own.text()
            write_atomically(self.root / MANIFEST, lambda path: path.write_text(text))
        self._unsaved = False

    def path(self, name: str) -> Path:
        """Where the file `name` is to be written; its folder is made.

        Raises:
            RuntimeError: a finished stage vouches for what is there; `begin` it first.
        """
        if self.manifest.noted(name) is not None:
            raise RuntimeError(f"{name} is about to be written, and a finished stage still vouches for it")
        path = self.root / name
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
        except (OSError, ValueError, KeyError, pa.ArrowException) as error:
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
            if seal is None or not seals.holds(self.root / name, seal):
                raise self._unusable(name, "it is not what its stage wrote")

    def _bytes(self, name: str) -> bytes:
        data = (self.root / name).read_bytes()
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
    return _read_manifest(path)


def _read_manifest(path: Path) -> Manifest:
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
