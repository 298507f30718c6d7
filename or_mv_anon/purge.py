"""`or-mv-anon purge`: removes what runs kept beside finished results, and says what is left.

By-products tell how people move and what they look like; nothing needs them once the results are as they should be.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.printable import printable
from or_mv_anon.core.run_layout import STORE_FOLDER

WORK = "work"
SHOWN = 20  # names of what is left


def add_parser(subparsers: Any) -> None:
    """Adds the command to an argparse `subparsers`."""
    parser = subparsers.add_parser(
        "purge",
        help="remove what finished runs kept beside their results",
        description="Remove boxes, keypoints, looks and other by-products of finished work from an output folder. "
        "Results stay, and so do by-products of unfinished work and files of others; what is left is listed.",
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="output folder of anonymize, endoscopy or adapt")
    parser.set_defaults(func=run)


def run(options: argparse.Namespace) -> int:
    """Purge the output folder `options.out`.

    Returns:
        The exit code: 0 when no by-product is left, 1 otherwise.

    Raises:
        UserError: there is nothing to purge, or another run is writing there.
    """
    from or_mv_anon.adaptation.work import is_work
    from or_mv_anon.core.lock import hold

    out: Path = options.out
    if not _stores(out) and not is_work(out / WORK):
        raise UserError(f"{out} is no output folder of this tool: there is nothing to purge.")
    left: list[str] = []
    with hold(out, make=False):
        for root in _stores(out):
            with hold(root.parent, make=False):
                left += _purge_store(root)
        if is_work(out / WORK):
            left += _purge_work(out)
        for sentence in left:
            print(f"- {printable(sentence)}")
    files = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    more = f" and {len(files) - SHOWN} more" if len(files) > SHOWN else ""
    print(f"Left in {printable(out)}: {printable(', '.join(files[:SHOWN]))}{more}.")
    return 1 if left else 0


def _stores(out: Path) -> list[Path]:
    """Stores of a session, of the sessions below, and of endoscopic recordings."""
    from or_mv_anon.core.store import MANIFEST

    places = [out / STORE_FOLDER, *out.glob(f"*/{STORE_FOLDER}"), *out.glob(f"{STORE_FOLDER}/*")]
    return sorted({place for place in places if (place / MANIFEST).is_file() and not place.is_symlink()})


def _purge_store(root: Path) -> list[str]:
    """Remove what a store holds about finished cameras; sentences about what stays."""
    from or_mv_anon.core.by_products import cameras_of, discard_by_products, strangers
    from or_mv_anon.core.run_layout import ASKED
    from or_mv_anon.core.store import RunStore

    store = RunStore.open(root)
    cameras = cameras_of(store)
    finished = {camera for camera in cameras if store.delivered(camera)}
    discard_by_products(store, finished)
    if finished == cameras:
        (root / ASKED.file()).unlink(missing_ok=True)
    return [
        f"{root.parent}: {camera} is not finished, so what is known of it stays; run the same command again first."
        for camera in sorted(cameras - finished)
        if (root / camera).exists()
    ] + [f"{path} is not from this tool and stays." for path in strangers(store)]


def _purge_work(out: Path) -> list[str]:
    from or_mv_anon.adaptation.work import discard_work
    from or_mv_anon.models.site_model import LISTING, load_site_model

    if not (out / LISTING).is_file():
        return [f"{out / WORK} belongs to an adaptation that has made no site model yet, and stays."]
    load_site_model(out)
    discard_work(out / WORK)
    return []
