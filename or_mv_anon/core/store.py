"""What a run leaves on disk between stages: Parquet records, and a manifest that says what each was made from.

Everything is written to ``*.partial``, synced and renamed, so a file that exists is whole. A stage counts as done when
its fingerprint (inputs, weights, configuration, schema) is the same, its files have the hashes that were noted with it,
and so had everything that it was made of. `begin` takes its word back before anything of it is touched, and what is
read is compared with its hash as it is read. Pixels are never stored here, except the already anonymized video segments
that wait to be joined.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from or_mv_anon.core import seals
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import PRIVATE, explained, move_aside, sync, write_atomically
from or_mv_anon.core.manifest import Entry, Manifest
from or_mv_anon.core.run_layout import MANIFEST
from or_mv_anon.core.seals import Seal, Sealed
from or_mv_anon.core.stage_files import StageFiles, read_manifest

__all__ = ["MANIFEST", "RunStore"]


class RunStore(StageFiles):
    """Stage outputs of one session under one folder.

    Only the main process changes the manifest, through a store that it opened; workers read and write records.
    """

    def __init__(self, root: Path) -> None:
        super().__init__(root)
        self._unsaved = False

    @classmethod
    def open(cls, root: Path, *, afresh: bool = False) -> RunStore:
        """The store in `root`, made if it is not there, and then for this user alone.

        Args:
            root: folder.
            afresh: begin with an empty manifest where there is one that cannot be used.

        Raises:
            UserError: the folder cannot be written, its manifest is damaged, or another version wrote it.
        """
        with explained(root):
            root.parent.mkdir(parents=True, exist_ok=True)
            root.mkdir(mode=PRIVATE, exist_ok=True)
        store = cls(root)
        try:
            store._own = read_manifest(root / MANIFEST)
        except UserError:
            if not afresh:
                raise
            store._own, store._unsaved = Manifest(), True
        return store

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
        return [name for name, seal in entry.files.items() if not seals.holds(self.place(name), seal)]

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
        """Whether the output `name` holds what this run or an earlier one put there, and nothing else."""
        place = self.place(name)
        entries = list(place.iterdir()) if place.is_dir() else []
        if place.is_symlink() or any(entry.is_symlink() or not entry.is_file() for entry in entries):
            return False  # nothing of the kind is ever written
        return any(seals.holds(place, seal) for seal in self.manifest.known(name))

    def delivered(self, camera: str) -> bool:
        """Whether the results of a camera are in place as they were when they were finished."""
        entries = {**self.manifest.withdrawn, **self.manifest.stages}
        stages = [entries[stage] for stage in (f"{camera}/finish", f"{camera}/labels") if stage in entries]
        return bool(stages) and all(self.owns(name) for entry in stages for name in entry.files)

    def know(self, outputs: Mapping[str, Seal]) -> None:
        """Remember outputs of an earlier run of which another record vouches."""
        for name, seal in outputs.items():
            self.manifest.announce(name, seal)
        self._unsaved |= bool(outputs)

    def write_output(self, name: str, data: bytes) -> str | None:
        """Write `data` as the output `name`, such as ``../report.html``; nothing of anybody else is replaced.

        Returns:
            The new name of what was found in its place, if this tool did not write it.
        """
        target, kept = self.place(name), None
        if os.path.lexists(target) and not self.owns(name):
            kept = move_aside(target)
        seal = Seal(hashlib.sha256(data).hexdigest(), len(data))
        self.manifest.announce(name, seal)
        self.save(always=True)
        write_atomically(target, lambda path: path.write_bytes(data))
        self.manifest.outputs[name] = [seal]
        self._unsaved = True
        return None if kept is None else kept.name

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
            made_of: the stages whose files it read, or single files of theirs.
            sealed: hashes of `files` where they are known already.
            moved: for outputs in `files` that still lie elsewhere in the store, where. Their hashes are noted before
                they are put in place, so that at any moment it is known whose is what lies there.

        Raises:
            UserError: something else has been put in an output's place meanwhile.
        """
        assert self._own is not None
        manifest, moved = self._own, moved or {}
        sealed = sealed or {name: seals.seal(self.place(moved.get(name, name))) for name in files}
        if moved:
            for name in moved:
                manifest.announce(name, sealed[name].seal)
            self.save(always=True)
        for name in files:
            seals.trust(self.place(name), self._put(name, moved[name], sealed[name]) if name in moved else sealed[name])
        sources = {name: manifest.content(name) for name in made_of}
        manifest.finish(stage, Entry(fingerprint, {name: sealed[name].seal for name in files}, facts or {}, sources))
        self.save(always=True)

    def _put(self, name: str, made: str, sealed: Sealed) -> Sealed:
        """Give the finished `made` its final name."""
        target, source = self.place(name), self.place(made)
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
