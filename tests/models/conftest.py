"""Fixtures of the models' tests: pretrained weights and sample videos where they can be had."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.models import catalogue, registry


@pytest.fixture(scope="session")
def weights() -> Callable[[str], Path]:
    """The path of pretrained weights by name; skips the test where they can be neither found nor fetched."""

    def get(name: str) -> Path:
        try:
            return registry.fetch(name)
        except UserError as error:
            pytest.skip(str(error))

    return get


@pytest.fixture(scope="session")
def sample_frame() -> Callable[[str, int], np.ndarray]:
    """A decoded BGR frame of a sample video by file name and index; skips like `weights`."""

    def get(video: str, index: int) -> np.ndarray:
        assets = {Path(asset.file).name: asset for asset in catalogue.known_samples()["four-camera"].files}
        try:
            path = registry.fetch_asset(assets[video])
        except UserError as error:
            pytest.skip(str(error))
        with av.open(str(path)) as container:
            for i, frame in enumerate(container.decode(video=0)):
                if i == index:
                    return frame.to_ndarray(format="bgr24")
        raise IndexError(index)

    return get


@pytest.fixture(scope="session")
def reference() -> dict[str, Any]:
    """What mmdet and mmpose computed; see make_reference.py."""
    return json.loads(Path(__file__).with_name("reference.json").read_text())
