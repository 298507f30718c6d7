"""Fixtures of the training's tests."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from or_mv_anon.core.errors import UserError
from or_mv_anon.models.registry import fetch
from or_mv_anon.openmmlab.compatibility import prepare

if find_spec("mmdet") is not None:
    prepare()


@pytest.fixture(scope="session")
def embedded() -> Path:
    """The shipped person detector; the test is skipped where it cannot be had."""
    try:
        return fetch("yolox-tiny-humanart")
    except UserError as error:
        pytest.skip(str(error))
