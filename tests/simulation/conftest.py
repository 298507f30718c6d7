"""What the renderer's tests share: one small renderer per file, and a view from the front."""

from collections.abc import Iterator

import pytest

from or_mv_anon.simulation.rendering.look import look_at
from or_mv_anon.simulation.rendering.renderer import Renderer
from or_mv_anon.simulation.scene import View


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer(shadow_size=256) as opened:
        yield opened


@pytest.fixture
def view() -> View:
    """From the front, 160 × 120 pixels."""
    return look_at((0.0, -4.0, 1.0), (0.0, 0.0, 1.0), width=160, height=120, field_of_view=1.2)
