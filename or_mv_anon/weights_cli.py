"""The commands `or-mv-anon weights list|fetch|bundle` and `or-mv-anon sample`."""

from __future__ import annotations

import argparse
import os
import shutil
import tarfile
from pathlib import Path
from typing import Any

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.resources import resource
from or_mv_anon.models import catalogue, registry
from or_mv_anon.models.catalogue import Asset
from or_mv_anon.models.download import copy_atomically


def add_parsers(subparsers: Any) -> None:
    """Adds both commands to an argparse `subparsers`; each sets `func`, which takes the arguments and returns 0."""
    weights = subparsers.add_parser("weights", help="list, fetch or bundle the pretrained weights")
    actions = weights.add_subparsers(dest="action", required=True, metavar="list|fetch|bundle")

    listing = actions.add_parser("list", help="which weights there are, their licences, and which are here")
    _add_weights_dir(listing)
    listing.set_defaults(func=list_weights)

    fetching = actions.add_parser("fetch", help="download weights into the cache")
    fetching.add_argument("names", nargs="*", metavar="NAME", help="default: all that the tools need")
    _add_weights_dir(fetching)
    fetching.set_defaults(func=fetch_weights)

    bundling = actions.add_parser("bundle", help="collect weights for a machine without network")
    bundling.add_argument("target", type=Path, help="a folder, or a file that ends in .tar; use it as --weights-dir")
    bundling.add_argument("names", nargs="*", metavar="NAME", help="default: all that the tools need")
    _add_weights_dir(bundling)
    bundling.set_defaults(func=bundle_weights)

    sample = subparsers.add_parser("sample", help="fetch a four-camera recording to try the tools on")
    sample.add_argument("target", type=Path, metavar="DIR", help="where the videos go")
    sample.add_argument("--name", default="four-camera", help="which recording (default: %(default)s)")
    sample.set_defaults(func=fetch_sample)


def list_weights(args: argparse.Namespace) -> int:
    """Prints one line per registered weights file."""
    for asset in catalogue.known_weights().values():
        path = registry.find_local(asset, weights_dir=args.weights_dir)
        state = str(path) if path else "not fetched" + (" (optional)" if asset.optional else "")
        print(f"{asset.name:22} {asset.role:28} {asset.size / 1e6:5.1f} MB  {state}")
        print(f"{'':22} licence: {asset.licence}")
        print(f"{'':22} sha256: {asset.sha256}")
    return 0


def fetch_weights(args: argparse.Namespace) -> int:
    """Fetches the named weights, or all that the tools need."""
    for asset in _chosen(args.names):
        print(f"{asset.name}: {registry.fetch_asset(asset, weights_dir=args.weights_dir)}", flush=True)
    return 0


def bundle_weights(args: argparse.Namespace) -> int:
    """Writes the weights and their registry to a folder or a .tar that serves as --weights-dir elsewhere."""
    target: Path = args.target
    files = [registry.fetch_asset(asset, weights_dir=args.weights_dir) for asset in _chosen(args.names)]
    files.append(resource("data/weights.toml"))
    try:
        if target.suffix == ".tar":
            if os.path.lexists(target) and not _is_bundle(target):
                raise UserError(f"{target} is there already and is no bundle of weights; choose another name.")
            _write_tar(files, target)
        else:
            for file in files:
                if file.suffix != ".toml" and not _same(file, target / file.name):
                    refuse_other(target / file.name)
            for file in files:
                copy_atomically(file, target / file.name)
    except OSError as error:
        raise UserError(f"Cannot write {target}: {error.strerror or error}.") from error
    print(f"{len(files) - 1} weights in {target}; on the other machine pass --weights-dir {target.name}")
    return 0


def fetch_sample(args: argparse.Namespace) -> int:
    """Fetches a sample recording and puts its videos into a folder, ready for --videos."""
    samples = catalogue.known_samples()
    if args.name not in samples:
        raise UserError(f"There is no sample named '{args.name}'; known are {', '.join(samples)}.")
    sample = samples[args.name]
    begun = any(_holds(args.target / Path(asset.file).name, asset.sha256) for asset in sample.files)
    for asset in sample.files:
        target = args.target / Path(asset.file).name
        if _holds(target, asset.sha256):
            continue
        if not begun:  # in a folder of the sample, what is not whole is made anew
            refuse_other(target)
        cached = registry.fetch_asset(asset)
        try:
            copy_atomically(cached, target)
        except OSError as error:
            raise UserError(f"Cannot write {target}: {error.strerror or error}.") from error
    print(f"{sample.title}\n{sample.licence}\n{len(sample.files)} videos in {args.target}")
    return 0


def refuse_other(target: Path) -> None:
    """Refuse to replace a file that holds something else.

    Raises:
        UserError: it is there.
    """
    if os.path.lexists(target):
        raise UserError(f"{target} is there already and holds something else; choose another folder, or move it away.")


def _holds(path: Path, sha256: str) -> bool:
    return path.is_file() and registry.sha256(path) == sha256


def _same(one: Path, other: Path) -> bool:
    return _holds(other, registry.sha256(one))


def _is_bundle(path: Path) -> bool:
    try:
        with tarfile.open(path) as archive:
            return resource("data/weights.toml").name in archive.getnames()
    except (OSError, tarfile.TarError):
        return False


def _add_weights_dir(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--weights-dir", type=Path, help="a folder or .tar made by `weights bundle`, looked at first")


def _chosen(names: list[str]) -> list[Asset]:
    if names:
        return [catalogue.weights_named(name) for name in names]
    return [asset for asset in catalogue.known_weights().values() if not asset.optional]


def _write_tar(files: list[Path], target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with tarfile.open(partial, "w") as archive:
            for file in files:
                with file.open("rb") as content:
                    entry = tarfile.TarInfo(file.name)
                    entry.size = os.fstat(content.fileno()).st_size
                    entry.mode = 0o644
                    archive.addfile(entry, content)
        shutil.move(partial, target)
    finally:
        partial.unlink(missing_ok=True)
