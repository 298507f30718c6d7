"""Settings from TOML files: the shipped defaults, changed by a site model, a user's file and the command line.

Unknown sections and keys, wrong types and values out of their range are refused, each in a sentence that says where the
value came from; so is what does not fit together.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.ranges import Relation, checked, require
from or_mv_anon.core.resources import resource
from or_mv_anon.core.toml_file import read_toml

Settings = TypeVar("Settings")
Changes = Mapping[str, Mapping[str, Any]]  # section -> key -> value
OPTIONS = {  # settings that have an option of their own on a command line
    "video.codec": "--codec",
    "video.crf": "--crf",
    "video.preset": "--preset",
    "detection.interval_s": "--detect-every",
    "smoothing.margin_s": "--margin",
    "smoothing.leak_cost": "--threshold",
    "smoothing.cover_cost": "--threshold",
}


def load_settings(
    kind: type[Settings],
    shipped: str,
    path: Path | None = None,
    overrides: Changes | None = None,
    *,
    model: Changes | None = None,
    preset: str | None = None,
) -> Settings:
    """The defaults of the `shipped` file, changed by a shipped `preset`, by `model`, by the file at `path`, and by
    `overrides`, in this order.

    Args:
        kind: a dataclass whose fields are the file's sections, each a dataclass of plain values; see `ranges`.
        shipped: a file that comes with the package and states every value.
        path: a user's file of the same form.
        overrides: section -> key -> value, from a command line.
        model: the same, from a site model.
        preset: a file that comes with the package and states some values.

    Raises:
        UserError: a file cannot be read, or holds an unknown section, an unknown key, or a value of the wrong type or
            out of its range; or values do not fit together.
    """
    layers = _Layers(sections_of(kind))
    layers.add(read_toml(resource(shipped), "the shipped"), source=f"the shipped {shipped}")
    if preset is not None:
        layers.add(read_toml(resource(preset), "the shipped"), source=f"the shipped {preset}")
    layers.add(model or {}, source="the site model")
    if path is not None:
        try:
            layers.add(read_toml(path, "the configuration"), source=str(path))
        except FileNotFoundError as error:
            raise UserError(f"Cannot read the configuration {path}: {error.strerror}.") from error
    layers.add(overrides or {}, source="the command line")
    require(relations_of(kind), layers.values, layers.said)
    return kind(**{name: section(**layers.values[name]) for name, section in layers.sections.items()})


def sections_of(kind: type[Any]) -> dict[str, type[Any]]:
    """The dataclass of every section of a settings file."""
    hints = typing.get_type_hints(kind)
    return {field.name: hints[field.name] for field in dataclasses.fields(kind)}


def keys_of(section: type[Any]) -> dict[str, Any]:
    """The type of every key of a section, with its `Range` where it has one."""
    return typing.get_type_hints(section, include_extras=True)


def relations_of(kind: type[Any]) -> tuple[Relation, ...]:
    """What must hold between the settings of a file."""
    return getattr(kind, "relations", ())


class _Layers:
    """Values as far as they have been read, and where each came from."""

    def __init__(self, sections: dict[str, type[Any]]) -> None:
        self.sections = sections
        self.values: dict[str, dict[str, Any]] = {name: {} for name in sections}
        self.said: dict[str, str] = {}

    def add(self, changes: Mapping[str, Any], *, source: str) -> None:
        for section, entries in changes.items():
            if section not in self.sections or not isinstance(entries, Mapping):
                raise UserError(f"Unknown section [{section}] in {source}; known are {', '.join(self.sections)}.")
            kinds = keys_of(self.sections[section])
            for key, value in entries.items():
                if key not in kinds:
                    raise UserError(f"Unknown key '{key}' in [{section}] of {source}; known are {', '.join(kinds)}.")
                name = f"{section}.{key}"
                option = OPTIONS.get(name) if source == "the command line" else None
                self.said[name] = f"{source} ({option})" if option else source
                self.values[section][key] = checked(value, kinds[key], f"{name} in {self.said[name]}")
