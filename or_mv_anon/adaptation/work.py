"""The adaptation's own folder: what was finished, so that a killed run goes on where it stopped.

    work/adaptation.json          what the work is made from, the plan, and a few facts per finished iteration
    work/recordings/<session>/    indices and hashes of the recordings
    work/iteration-1/stages/      what the detector of the iteration before found, as the anonymizer's stages keep it
    work/iteration-1/labels.json  pseudo-labels that it trains on; held_out.json those that iterations are compared on
    work/iteration-1/training/    checkpoints
    work/iteration-1/detector.onnx
    work/trials/<networks>/       what the anonymizer covered of held-out stretches with them

There are no pictures in it.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import PRIVATE, explained, write_atomically

WORK = "work"  # beside the site model
STATE = "adaptation.json"
RECORDINGS = "recordings"


def is_work(folder: Path) -> bool:
    """Whether an adaptation made this folder for its own use."""
    return (folder / STATE).is_file() and not folder.is_symlink()


def discard_work(folder: Path) -> None:
    """Remove an adaptation's own folder with all that is in it; any other is left alone.

    Raises:
        UserError: it cannot be removed.
    """
    if is_work(folder):
        with explained(folder):
            shutil.rmtree(folder)


class WorkFolder:
    """Files of an adaptation and the notes about them.

    Args:
        root: the folder, made if it is not there.
        made_from: what the work depends on; another value means other work.

    Raises:
        UserError: the folder cannot be written, is damaged, or holds work made from something else.
    """

    def __init__(self, root: Path, *, made_from: str) -> None:
        self.root = root
        self._path = root / STATE
        with explained(root):
            root.parent.mkdir(parents=True, exist_ok=True)
            root.mkdir(mode=PRIVATE, exist_ok=True)
        self._state: dict[str, Any] = {"made_from": made_from}
        if self._path.exists():
            try:
                self._state = json.loads(self._path.read_text())
                found = self._state["made_from"]
                if not all(isinstance(notes, dict) for name, notes in self._state.items() if name != "made_from"):
                    raise TypeError("a section is no table")
            except (OSError, ValueError, KeyError, TypeError) as error:
                raise UserError(f"{self._path} is damaged; run again with --overwrite to start afresh.") from error
            if found != made_from:
                raise UserError(
                    f"{root} holds an adaptation of other recordings or with other settings; choose another --out, or "
                    "discard it with --overwrite."
                )

    def iteration(self, number: int) -> Path:
        """The folder of an iteration, made if it is not there."""
        folder = self.root / f"iteration-{number}"
        with explained(folder):
            folder.mkdir(parents=True, exist_ok=True)
        return folder

    def detector(self, number: int) -> Path:
        """The network that an iteration trained."""
        return self.iteration(number) / "detector.onnx"

    def labels(self, number: int) -> Path:
        """The labels that an iteration trains on."""
        return self.iteration(number) / "labels.json"

    def held_out(self, number: int) -> Path:
        """The labels that an iteration gives the held-out pictures."""
        return self.iteration(number) / "held_out.json"

    def get(self, section: str, key: str) -> Any:
        """A note, None if there is none."""
        return self._state.get(section, {}).get(key)

    def note(self, section: str, entries: Mapping[str, Any]) -> None:
        """Keep notes, at once."""
        self._state.setdefault(section, {}).update(entries)
        text = json.dumps(self._state, indent=1)
        write_atomically(self._path, lambda part: part.write_text(text))
