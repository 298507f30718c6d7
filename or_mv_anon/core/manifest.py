"""Which stages of a run are finished: what each was made from, what it wrote, and which of it still counts.

An entry is withdrawn before the files it names are touched, and with it everything that was made of them. What was
withdrawn only because of something else counts again once that has come out exactly as it was. The file vouches for
itself by a hash of its text, so damage and edits are noticed before anything in it is believed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from functools import cached_property
from typing import Any, Self

from or_mv_anon.core.records import SCHEMA_VERSION
from or_mv_anon.core.seals import Seal

_HEAD = re.compile(r'\{"schema": (\d+), "sha256": "([0-9a-f]{64})",\n')


class OtherVersionError(ValueError):
    """Another version of the tool wrote the manifest."""


@dataclass(frozen=True)
class Entry:
    """A finished stage.

    Attributes:
        fingerprint: of the inputs, weights and settings.
        files: what it wrote, by name.
        facts: what it noted.
        made_of: the stages whose files it read with the `content` that they had, or single files with their SHA-256.
    """

    fingerprint: str
    files: dict[str, Seal]
    facts: dict[str, Any] = field(default_factory=dict)
    made_of: dict[str, str] = field(default_factory=dict)

    @cached_property
    def content(self) -> str:
        """Changes with the fingerprint or with any byte of the files."""
        files = sorted((name, seal.sha256) for name, seal in self.files.items())
        return hashlib.sha256(json.dumps([self.fingerprint, files]).encode()).hexdigest()[:16]

    @cached_property
    def text(self) -> str:
        """As JSON, on one line."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, values: Any) -> Entry:
        """The entry that `text` holds."""
        return cls(**values | {"files": {name: Seal.from_json(seal) for name, seal in values["files"].items()}})


class Manifest:
    """The entries of a run, those that were withdrawn, and what may lie in outputs' places that no entry names."""

    def __init__(self) -> None:
        self.stages: dict[str, Entry] = {}
        self.withdrawn: dict[str, Entry] = {}
        self.outputs: dict[str, list[Seal]] = {}
        self.timings: dict[str, dict[str, Any]] = {}
        self._by_file: dict[str, Seal] | None = None

    @classmethod
    def from_text(cls, text: str) -> Self:
        """What `text` wrote.

        Raises:
            OtherVersionError: another version wrote it.
            ValueError: it is damaged.
        """
        head = _HEAD.match(text)
        if (schema := int(head[1]) if head else _schema(text)) != SCHEMA_VERSION:
            raise OtherVersionError(f"schema {schema}, expected {SCHEMA_VERSION}")
        body = text[head.end() :] if head else ""
        if head is None or _digest(body) != head[2]:
            raise ValueError("its text is not what its hash says")
        content = json.loads("{" + body)
        manifest = cls()
        for own, name in ((manifest.stages, "stages"), (manifest.withdrawn, "withdrawn")):
            own.update((stage, Entry.from_json(entry)) for stage, entry in content[name].items())
        for name, seals in content["outputs"].items():
            manifest.outputs[name] = [Seal.from_json(seal) for seal in seals]
        manifest.timings.update(content["timings"])
        return manifest

    def text(self) -> str:
        """All of it as JSON, one stage a line."""
        parts = [
            f'"{name}": {{' + ",".join(f"\n{json.dumps(stage)}: {entry.text}" for stage, entry in own.items()) + "}"
            for name, own in (("stages", self.stages), ("withdrawn", self.withdrawn))
        ]
        outputs = {name: [asdict(seal) for seal in seals] for name, seals in self.outputs.items()}
        parts += [f'"outputs": {json.dumps(outputs)}', f'"timings": {json.dumps(self.timings)}']
        body = ",\n".join(parts) + "}\n"
        return f'{{"schema": {SCHEMA_VERSION}, "sha256": "{_digest(body)}",\n{body}'

    def withdraw(self, stages: Iterable[str]) -> bool:
        """Let `stages` count no more, nor what was made of them, until it stands again; whether any of it did count."""
        gone = {stage for stage in stages if stage in self.stages}
        new = gone
        while new:
            touched = new.union(*(self.stages[stage].files for stage in new))
            new = {s for s, entry in self.stages.items() if s not in gone and not touched.isdisjoint(entry.made_of)}
            gone = gone | new
        self.withdrawn |= {stage: self.stages.pop(stage) for stage in [s for s in self.stages if s in gone]}
        self._by_file = None
        return bool(gone)

    def begin(self, stages: Iterable[str], files: Iterable[str]) -> bool:
        """Forget `stages` and whatever names one of `files`, for they are written anew; withdraw what was made of them.

        Returns:
            Whether there was anything to withdraw or forget.
        """
        named, touched = set(stages), set(files)
        own = {s for s, entry in self._all() if s in named or not touched.isdisjoint(entry.files)}
        self.withdraw(own)
        for stage in own:
            for name, seal in self.withdrawn.pop(stage).files.items():
                self.announce(name, seal)
        return bool(own)

    def announce(self, name: str, seal: Seal) -> None:
        """Remember what lies in an output's place, or is about to, while no entry says it."""
        if name.startswith("../") and seal not in self.outputs.setdefault(name, []):
            self.outputs[name].append(seal)

    def standing(self, stage: str) -> Entry | None:
        """The entry of `stage` if all that it was made of is as it was; one that was withdrawn counts again then."""
        if (entry := self.stages.get(stage)) is not None:
            return entry
        entry = self.withdrawn.get(stage)
        if entry is None or any(self._standing_content(name) != content for name, content in entry.made_of.items()):
            return None
        self.finish(stage, entry)
        return entry

    def content(self, name: str) -> str:
        """What changes with anything that the stage `name`, or the one that wrote the file `name`, has written there.

        Raises:
            KeyError: no stage that counts has that name, or has written that file.
        """
        if name in self.stages:
            return self.stages[name].content
        if (seal := self.noted(name)) is None:
            raise KeyError(name)
        return seal.sha256

    def _standing_content(self, name: str) -> str | None:
        """The same where the stage stands, or can stand again."""
        for stage in [name] if name in self.stages or name in self.withdrawn else self._writers(name):
            if (entry := self.standing(stage)) is not None:
                return entry.content if stage == name else entry.files[name].sha256
        return None

    def _writers(self, file: str) -> list[str]:
        return [stage for stage, entry in self._all() if file in entry.files]

    def finish(self, stage: str, entry: Entry) -> None:
        """Let `stage` count."""
        self.stages[stage] = entry
        self.withdrawn.pop(stage, None)
        for name in entry.files:
            self.outputs.pop(name, None)
        self._by_file = None

    def noted(self, name: str) -> Seal | None:
        """What the file `name` holds if a stage that counts wrote it."""
        if self._by_file is None:
            self._by_file = {file: seal for entry in self.stages.values() for file, seal in entry.files.items()}
        return self._by_file.get(name)

    def known(self, name: str) -> list[Seal]:
        """Everything that the file `name` may hold if this run or an earlier one wrote it."""
        found = [entry.files[name] for _, entry in self._all() if name in entry.files]
        return found + self.outputs.get(name, [])

    def _all(self) -> Iterator[tuple[str, Entry]]:
        yield from self.stages.items()
        yield from self.withdrawn.items()


def _digest(body: str) -> str:
    return hashlib.sha256(body.encode()).hexdigest()


def _schema(text: str) -> int:
    """The version of a manifest of another form.

    Raises:
        ValueError: it is none.
    """
    content = json.loads(text)
    if not isinstance(content, dict) or type(schema := content.get("schema")) is not int:
        raise ValueError("it holds no version")
    if schema == SCHEMA_VERSION:
        raise ValueError("its first line is not what it must be")
    return schema
