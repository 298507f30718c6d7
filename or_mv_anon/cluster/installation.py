"""What has to be the same on every machine of a run: this package's code, and the packages that make its pictures."""

from __future__ import annotations

import hashlib
import sys
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import or_mv_anon

DECIDING = ("av", "numpy", "onnx", "onnxruntime", "openvino", "opencv-python-headless", "scipy")
"""Packages of which another version may make other pictures."""
TEXTS = {".py", ".toml"}


@dataclass(frozen=True)
class Installation:
    """One machine's.

    Attributes:
        version: of this package.
        code: SHA-256 of its code and configuration, shortened.
        packages: versions of `DECIDING` and of Python, as far as they are installed.
    """

    version: str
    code: str
    packages: tuple[tuple[str, str], ...]

    def difference(self, other: Installation) -> str:
        """In what `other` differs, as a part of a sentence; empty if it does not."""
        if self.version != other.version:
            return f"or_mv_anon {other.version} instead of {self.version}"
        if self.code != other.code:
            return f"another state of or_mv_anon {self.version} ({other.code} instead of {self.code})"
        mine, theirs = dict(self.packages), dict(other.packages)
        differing = [name for name in sorted(mine | theirs) if mine.get(name) != theirs.get(name)]
        return ", ".join(f"{name} {theirs.get(name, 'none')} instead of {mine.get(name, 'none')}" for name in differing)


@cache
def installation() -> Installation:
    """This machine's."""
    package = Path(or_mv_anon.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(path for path in package.rglob("*") if path.suffix in TEXTS):
        digest.update(path.relative_to(package).as_posix().encode() + b"\0" + path.read_bytes())
    found = {"python": "{}.{}".format(*sys.version_info)}
    for name in DECIDING:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return Installation(or_mv_anon.__version__, digest.hexdigest()[:12], tuple(sorted(found.items())))
