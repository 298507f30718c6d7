"""Names of cameras and sessions: they become names of files, so those that cannot are refused before any work."""

from __future__ import annotations

import unicodedata

from or_mv_anon.core.errors import UserError
from or_mv_anon.core.printable import printable as shown
from or_mv_anon.core.run_layout import AUDIT_RECORD, GEOMETRY, MANIFEST, PREVIEW_PICTURE, REPORT_PAGE, STORE_FOLDER

LONGEST = 200  # bytes; file systems take 255, and outputs add up to 50 to the name
RESERVED = frozenset(
    # what a run writes beside its cameras: in the output folder, and in its stages/
    {STORE_FOLDER, AUDIT_RECORD, REPORT_PAGE, PREVIEW_PICTURE, MANIFEST, GEOMETRY.file(), "timing"}
)
UNFINISHED = ".partial"  # how files are named before they are whole


def check_output_name(name: str, where: str) -> None:
    """Refuses a name that no output can carry.

    Args:
        name: of a camera or a session.
        where: what is named so, for the error, such as "The camera".

    Raises:
        UserError: it is not valid UTF-8, holds control characters, is too long, or is one that a run writes itself.
    """
    if not name.isprintable():
        raise UserError(f"{where} is named '{shown(name)}', which cannot be printed or is no valid UTF-8; rename it.")
    if len(name.encode()) > LONGEST:
        raise UserError(
            f"{where} has a name of {len(name.encode())} bytes ({name[:40]}...); output files carry it, at most "
            f"{LONGEST} are possible. Rename it, or give it a shorter name in site.toml."
        )
    folded = same_name(name)
    if folded in RESERVED or folded.endswith(UNFINISHED) or not name.strip(". "):
        raise UserError(
            f"{where} is named '{name}', which is kept for files of the run itself; rename it, or give it another name "
            "in site.toml."
        )


def same_name(name: str) -> str:
    """Equal for names that are one file on some system: capitals do not count, nor how accents are composed."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
