"""What a run was asked for, kept among its stage outputs, so that it can be asked for again by its folder alone."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.files import write_atomically
from or_mv_anon.core.run_layout import ASKED, STORE_FOLDER
from or_mv_anon.pipeline.options import Options


def remember(options: Options, out: Path) -> None:
    """Keep the options of a run.

    Args:
        options: with the site's output folder.
        out: of the session, which is that folder or one in it.
    """
    values = {name: _plain(value) for name, value in asdict(options).items()}
    text = json.dumps({"options": values, "session": "" if out == options.out else out.name})
    write_atomically(out / STORE_FOLDER / ASKED.file(), lambda path: path.write_text(text))


def recall(out: Path, videos: Path | None = None) -> Options:
    """The options of the run whose results lie in `out`, wherever that folder lies by now.

    Args:
        out: output folder of a session, or of a site with several.
        videos: where the recordings are now; None for where they were.

    Raises:
        UserError: there is no finished run.
    """
    below = f"{STORE_FOLDER}/{ASKED.file()}"
    found = next((path for path in [out / below, *sorted(out.glob(f"*/{below}"))] if path.is_file()), None)
    if found is None:
        raise UserError(f"{out} holds no run that could be rendered again; run or-mv-anon anonymize once.")
    try:
        content = json.loads(found.read_text())
        options = Options(**{name: _read(value) for name, value in content["options"].items()})
        session = content["session"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{found} cannot be used ({error}); run or-mv-anon anonymize with all its options.") from error
    folder = found.parent.parent
    options = replace(options, out=folder.parent if session else folder, overwrite=False, render_only=False)
    options = replace(options, executor="local", address=None)  # the cluster of then may be gone
    options = replace(options, videos=videos or options.videos)
    if not options.videos.exists():
        raise UserError(f"The recordings are no longer in {options.videos}; say with --videos where they are now.")
    return options


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return {"path": str(value.absolute())}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _read(value: Any) -> Any:
    if isinstance(value, dict):
        return Path(value["path"])
    return tuple(_read(each) for each in value) if isinstance(value, list) else value
