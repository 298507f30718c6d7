"""From what a person sees on the page to what is black in the video: drawn, saved, rendered again, looked at again."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from or_mv_anon.cli import main
from or_mv_anon.core.errors import UserError
from or_mv_anon.core.resources import resource
from or_mv_anon.models import catalogue, registry
from tests.review.browsing import Page, needs_browser, opened
from tests.review.served import served

needs_browser()

RECORDING = resource("data/simulated_session") / "recording"
PLACE = (0.72, 0.62, 0.92, 0.95)  # shares of the picture: a free piece of floor
BLACK = 24  # levels of 255 that encoding leaves of black


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        paths = [registry.fetch_asset(asset) for asset in catalogue.known_weights().values() if not asset.optional]
    except UserError as error:
        pytest.skip(str(error))
    folder = tmp_path_factory.mktemp("correcting") / "out"
    run = ["anonymize", "--videos", str(RECORDING), "--out", str(folder), "--end", "2"]
    assert main([*run, "--weights-dir", str(paths[0].parent), "--progress", "plain"]) in (0, 1)
    return folder


@pytest.mark.slow
@pytest.mark.sample
def test_what_is_drawn_is_black_after_rendering_again_and_nothing_else_changed(out: Path):
    before = {path.name: path.read_bytes() for path in out.glob("*.mp4")}
    assert _brightest(out / "cam1.mp4") > BLACK
    with served(out) as review, opened(review.address) as page:
        page.wait_for_pictures()
        page.write("#author", "N. Urse")
        page.drag("cam1", PLACE)
        page.press("3")
        page.click("#savecover")
        page.until(lambda: "1 change" in page.text("#render"), "the change that waits")
        page.drag("cam1", (0.3, 0.3, 0.4, 0.5))
        page.press("2")
        page.click("#savecover")
        page.until(lambda: "2 changes" in page.text("#render"), "the second change")
        page.click("#render")
        page.until(lambda: "made again" in page.text("#ask"), "the question")
        page.click("#ask button[value=yes]")
        page.until(lambda: "Rendering again" in page.text("#banner"), "the progress")
        for _ in range(4):  # on a busy machine
            try:
                page.until(lambda: "change" not in page.text("#render"), "the end of rendering")
                break
            except AssertionError:
                continue
        page.wait_for_pictures()
        page.until(lambda: _shown(page).max() < BLACK, "the covered place on the page")
        page.click("#videos li:nth-child(1) button")
        page.click("#ask button[value=yes]")
        page.until(lambda: "accepted by N. Urse" in page.text("#videos"), "the accepted video")
    assert _brightest(out / "cam1.mp4") < BLACK
    after = {path.name: path.read_bytes() for path in out.glob("*.mp4")}
    assert {name for name in before if after[name] != before[name]} == {"cam1.mp4"}
    assert list((out / "stages" / "cam1").glob("followed-*.parquet"))  # the second was to be followed


def _inner(picture: np.ndarray) -> np.ndarray:
    high, wide = picture.shape[:2]
    x1, y1, x2, y2 = PLACE
    return picture[int((y1 + 0.03) * high) : int((y2 - 0.03) * high), int((x1 + 0.03) * wide) : int((x2 - 0.03) * wide)]


def _shown(page: Page) -> np.ndarray:
    return _inner(page.picture("cam1"))


def _brightest(video: Path) -> int:
    with av.open(str(video)) as container:
        return max(int(_inner(frame.to_ndarray(format="bgr24")).max()) for frame in container.decode(video=0))
