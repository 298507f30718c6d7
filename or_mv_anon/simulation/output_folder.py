"""The folder that a simulated site is written to: what is there already, and what may be done to it.

`recording/` holds cam1.mp4, cam2.mp4, ... and site.toml; `truth/` what they show. `.work/` holds finished chunks until
everything is there, so that the same command goes on where it was stopped.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import explained, write_atomically

MADE_WITH = "options"  # key of the truth's `source` under which the settings are

_TRUTH = re.compile(r"(truth|coco)\.json|cam\d+\.(frames|people|faces)\.parquet")
_RECORDING = re.compile(r"site\.toml|cam\d+\.mp4")


@dataclass(frozen=True)
class OutputFolder:
    """Places inside the output folder, and its state."""

    path: Path

    @property
    def recording(self) -> Path:
        """The site as users have it."""
        return self.path / "recording"

    @property
    def truth(self) -> Path:
        """The ground truth."""
        return self.path / "truth"

    @property
    def work(self) -> Path:
        """What is finished of an unfinished site."""
        return self.path / ".work"

    def chunk(self, number: int) -> Path:
        """Where a chunk goes."""
        return self.work / f"{number:06d}"

    def is_finished(self, settings: Mapping[str, Any]) -> bool:
        """Whether the site of `settings` is there and complete.

        Raises:
            UserError: another site or something else is there.
        """
        found = self._settings()
        if found is None:
            if self.recording.exists() or self.truth.exists():
                raise UserError(
                    f"{self.path} already has a folder 'recording' or 'truth' that the simulator did not make; "
                    "choose another --out."
                )
            return False
        if found != settings:
            changed = sorted(key for key in {*found, *settings} if found.get(key) != settings.get(key))
            raise UserError(
                f"{self.path} holds a simulated site made with other settings ({', '.join(changed)}); "
                "choose another --out, or pass --overwrite to replace it."
            )
        return self._finished_settings() is not None and not self.work.exists()

    def begin(self, settings: Mapping[str, Any]) -> None:
        """Say whose folder this is before anything is written to it."""
        with explained(self.work):
            self.work.mkdir(parents=True, exist_ok=True)
        text = json.dumps(dict(settings), indent=1)
        write_atomically(self.work / "settings.json", lambda part: part.write_text(text))

    def clear(self) -> None:
        """Remove an earlier simulated site, and nothing that is not one.

        Raises:
            UserError: something else lies in its folders, or a file cannot be removed.
        """
        found = self._settings()
        if found is None:
            return
        self.begin(found)  # whatever happens now, the rest stays recognizable
        for part, names in ((self.truth, _TRUTH), (self.recording, _RECORDING)):
            with explained(part):
                for path in part.iterdir() if part.is_dir() else ():
                    if not path.is_file() or path.is_symlink() or not names.fullmatch(path.name):
                        raise UserError(f"{path} is not from the simulator; move it away, then run again.")
        for part in (self.truth, self.recording, self.work):
            with explained(part):
                if part.exists():
                    shutil.rmtree(part)

    def _settings(self) -> Mapping[str, Any] | None:
        """What the site here was begun or finished with; None where there is none."""
        try:
            begun = json.loads((self.work / "settings.json").read_text())
        except (OSError, ValueError):
            return self._finished_settings()
        return begun if isinstance(begun, dict) else None

    def _finished_settings(self) -> Mapping[str, Any] | None:
        try:
            settings = json.loads((self.truth / "truth.json").read_text())["source"][MADE_WITH]
        except (OSError, ValueError, KeyError, TypeError):
            return None
        return settings if isinstance(settings, dict) else None
