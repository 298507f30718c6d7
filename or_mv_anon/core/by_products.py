"""Removes what runs kept beside their results, and nothing else: neither results nor what somebody else put there."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Collection
from pathlib import Path

from or_mv_anon.core.files import explained
from or_mv_anon.core.lock import NOTE
from or_mv_anon.core.manifest import Entry
from or_mv_anon.core.run_layout import ASKED, STORED
from or_mv_anon.core.store import MANIFEST, RunStore

_NAME = re.compile(
    "(" + "|".join(
        kind.name + (r"-\d{5,}" if kind.about in ("segment", "drawing") else "")
        + (r"(\.\w+)?" if kind.suffix is None else re.escape(kind.suffix))
        for kind in STORED.values() if kind.about != "session"
    ) + r")(\.partial)?"
)  # fmt: skip


def cameras_of(store: RunStore) -> set[str]:
    """Cameras that the store holds anything about."""
    return {stage.partition("/")[0] for stage in _entries(store) if "/" in stage}


def discard_by_products(store: RunStore, cameras: Collection[str], *, keep: Collection[str] = ()) -> None:
    """Forget what was found about cameras, and remove it; what all cameras share goes with the last of them.

    Outputs stay where they are, and remain known as this tool's.

    Args:
        store: opened.
        cameras: names.
        keep: names of files that stay.

    Raises:
        UserError: something cannot be removed.
    """
    shared = cameras_of(store) <= set(cameras)
    gone = {
        stage: [name for name in entry.files if name not in keep]
        for stage, entry in _entries(store).items()
        if (stage.partition("/")[0] in cameras if "/" in stage else shared)
        and not any(name.startswith("../") or name in keep for name in entry.files)
    }
    store.begin(gone)
    for name in {name for files in gone.values() for name in files}:
        _discard(store.root, store.root / name)
    for camera in cameras:
        folder = store.root / camera
        if folder.is_dir() and not folder.is_symlink():
            for path in folder.iterdir():
                if _NAME.fullmatch(path.name) and f"{camera}/{path.name}" not in keep:
                    _discard(store.root, path)
            if not any(folder.iterdir()):
                folder.rmdir()


def strangers(store: RunStore) -> list[Path]:
    """Files in the store's folder that no stage of a run writes; stores of other recordings below are passed over."""
    known = {name for _, entry in _entries(store).items() for name in entry.files}
    return sorted(
        path
        for path in store.root.rglob("*")
        if path.is_file()
        and path.name not in (MANIFEST, NOTE, ASKED.file())
        and str(path.relative_to(store.root)) not in known
        and not (_NAME.fullmatch(path.name) or _NAME.fullmatch(path.parent.name))
    )


def _entries(store: RunStore) -> dict[str, Entry]:
    return {**store.manifest.withdrawn, **store.manifest.stages}


def _discard(root: Path, path: Path) -> None:
    """Remove a file or folder in `root`, but nothing that a name or a link leads to elsewhere."""
    if not path.parent.resolve().is_relative_to(root.resolve()):
        return
    with explained(path):
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif os.path.lexists(path):
            path.unlink()
