"""Finds the files that the product ships (configs/, data/), in a checkout as in an installed wheel."""

from pathlib import Path

from or_mv_anon.core.errors import UserError


def resource(name: str) -> Path:
    """Path of a shipped file or folder, such as ``configs/pipeline.toml``.

    Raises:
        UserError: the installation lacks it.
    """
    package = Path(__file__).parent.parent
    for root in (package, package.parent):
        if (root / name).exists():
            return root / name
    raise UserError(f"The installation is incomplete: {name} is missing; install or_mv_anon again.")
