"""What the end-to-end tests share: real people, and the networks; tests skip where neither is to be had."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.models import catalogue, registry
from tests.end_to_end.people_clips import Picture, read_people, write_people


@pytest.fixture(scope="session")
def weights() -> Path:
    """The folder that holds the weights of all networks that the tool needs."""
    try:
        paths = [registry.fetch_asset(asset) for asset in catalogue.known_weights().values() if not asset.optional]
    except UserError as error:
        pytest.skip(str(error))
    return paths[0].parent


@pytest.fixture(scope="session")
def people(weights: Path) -> Picture:
    """The pictures that `people_clips.HEADS` describes."""
    asset = next(file for file in catalogue.known_samples()["four-camera"].files if file.file.endswith("cam04.mp4"))
    try:
        return read_people(registry.fetch_asset(asset))
    except UserError as error:
        pytest.skip(str(error))


@pytest.fixture
def site(tmp_path: Path, people: Picture) -> Callable[..., Path]:
    """Makes a site folder with the named videos of people, 12 frames each."""

    def make(*names: str, folder: str = "site", frames: int = 12) -> Path:
        target = tmp_path / folder
        target.mkdir(parents=True, exist_ok=True)
        for name in names:
            write_people(target / name, people, frames=frames)
        return target

    return make
