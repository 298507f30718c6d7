"""Opens the review page in a real browser, and reads from it what a person would see."""

from __future__ import annotations

import base64
import json
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

PATIENCE_S = 60
BROWSER = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
DRIVER = shutil.which("chromedriver")


def needs_browser() -> None:
    """Skip a whole file of tests where there is no browser to run them in."""
    pytest.importorskip("selenium", reason="the tests of the review page need selenium: pip install -e '.[dev]'")
    if BROWSER is None or DRIVER is None:
        pytest.skip("needs a browser: apt-get install chromium chromium-driver", allow_module_level=True)


class Page:
    """The review page as it is open in a browser; `driver` is selenium's."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def run(self, script: str, *values: Any) -> Any:
        """What a script answers, which may be a promise."""
        whole = (
            f"const done = arguments[arguments.length - 1]; "
            f"(async (...values) => {{ {script} }})(...arguments).then(done, e => done({{failed: String(e)}}))"
        )
        found = self.driver.execute_async_script(whole, *values)
        assert not (isinstance(found, dict) and "failed" in found), found
        return found

    def until(self, true: Callable[[], Any], what: str, *, seconds: float = PATIENCE_S) -> Any:
        """What `true` says as soon as it says something."""
        limit = time.monotonic() + seconds
        while time.monotonic() < limit:
            if found := true():
                return found
            time.sleep(0.05)
        raise AssertionError(f"{what} did not happen; the page says: {self.text('body')[:600]}")

    def text(self, selector: str) -> str:
        """What is written in an element."""
        return str(self.run("return document.querySelector(values[0])?.innerText ?? ''", selector))

    def states(self) -> dict[str, str]:
        """By camera: whether a picture is shown."""
        found: dict[str, str] = self.run(
            "const views = [...document.querySelectorAll('.view')];"
            "return Object.fromEntries(views.map((view) => [view.dataset.camera, view.dataset.state ?? '']))"
        )
        return found

    def wait_for_pictures(self, *, seconds: float = PATIENCE_S) -> None:
        """Until every camera shows a picture, or that it shows nothing."""
        self.until(
            lambda: set(self.states().values()) <= {"shown", "nothing"} and self.states(),
            "pictures of all cameras",
            seconds=seconds,
        )

    def picture(self, camera: str) -> NDArray[np.uint8]:
        """What a camera's canvas holds: (height, width, 3) BGR."""
        data = self.run(
            "return document.querySelector(`.view[data-camera=\"${values[0]}\"] canvas`).toDataURL('image/png')", camera
        )
        png = np.frombuffer(base64.b64decode(data.partition(",")[2]), np.uint8)
        return np.asarray(cv2.imdecode(png, cv2.IMREAD_COLOR))

    def press(self, *keys: str) -> None:
        """Keys, one after another, wherever nothing is being typed."""
        from selenium.webdriver.common.by import By

        body = self.driver.find_element(By.TAG_NAME, "body")
        for key in keys:
            body.send_keys(key)

    def click(self, selector: str) -> None:
        """A click on the first such element that is to be seen."""
        from selenium.webdriver.common.by import By

        seen = [each for each in self.driver.find_elements(By.CSS_SELECTOR, selector) if each.is_displayed()]
        assert seen, f"nothing like {selector} is to be seen"
        seen[0].click()

    def write(self, selector: str, text: str) -> None:
        """Type into a field."""
        from selenium.webdriver.common.by import By

        self.driver.find_element(By.CSS_SELECTOR, selector).send_keys(text)

    def drag(self, camera: str, box: tuple[float, float, float, float]) -> None:
        """Draw a box; corners are shares of the picture's width and height."""
        from selenium.webdriver import ActionChains
        from selenium.webdriver.common.by import By

        marks = self.driver.find_element(By.CSS_SELECTOR, f'.view[data-camera="{camera}"] .marks')
        wide, high = marks.size["width"], marks.size["height"]
        begin, end = ((box[i] - 0.5) * wide for i in (0, 2)), ((box[i] - 0.5) * high for i in (1, 3))
        (x1, x2), (y1, y2) = map(tuple, (begin, end))
        actions = ActionChains(self.driver).move_to_element_with_offset(marks, round(x1), round(y1)).click_and_hold()
        actions.move_by_offset(round(x2 - x1), round(y2 - y1)).release().perform()

    def tap(self, camera: str, point: tuple[float, float]) -> None:
        """A click at a point of a camera's picture; x, y in shares of it."""
        from selenium.webdriver import ActionChains
        from selenium.webdriver.common.by import By

        marks = self.driver.find_element(By.CSS_SELECTOR, f'.view[data-camera="{camera}"] .marks')
        x, y = (round((share - 0.5) * marks.size[side]) for share, side in zip(point, ("width", "height"), strict=True))
        ActionChains(self.driver).move_to_element_with_offset(marks, x, y).click().perform()

    def requests(self) -> list[str]:
        """Addresses of everything that the page asked for since this was last called."""
        found = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
            elif message["method"] == "Network.webSocketCreated":
                found.append(message["params"]["url"])
        return found

    def complaints(self) -> list[str]:
        """What the browser's console says is wrong."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]


@contextmanager
def opened(address: str, *, size: tuple[int, int] = (1400, 1000), dark: bool = False) -> Iterator[Page]:
    """The page in a browser of its own without any memory of others."""
    from selenium import webdriver
    from selenium.webdriver.chrome.service import Service

    options = webdriver.ChromeOptions()
    options.binary_location = BROWSER
    for argument in ("--headless=new", "--disable-gpu", "--incognito", f"--window-size={size[0]},{size[1]}"):
        options.add_argument(argument)
    if os.getuid() == 0:
        options.add_argument("--no-sandbox")  # the browser's own does not work for root
    options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    driver = webdriver.Chrome(options, Service(DRIVER))
    try:
        driver.set_script_timeout(PATIENCE_S)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})
        driver.get(address)
        yield Page(driver)
    finally:
        driver.quit()
