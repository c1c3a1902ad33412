# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Chromium without a screen, as a person has it: a width, light or dark, a keyboard. Driven by selenium.

``with chromium() as browser: browser.open(path, "#host=h1")``.
"""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.wait import WebDriverWait

#: What the programs are called in distributions; the first that is there is taken.
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
DRIVERS = ("chromedriver", "chromium.chromedriver")


def found(names: tuple[str, ...]) -> str:
    """Return the path of the first of *names* that this machine has; "" if it has none."""
    return next(filter(None, map(shutil.which, names)), "")


class Browser:
    """One browser window."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, path: Path, fragment: str = "") -> None:
        """Load *path* anew, at *fragment*."""
        self.driver.get("about:blank")
        self.driver.get(path.as_uri() + fragment)

    def look(self, width: int = 1440, height: int = 900, scheme: Literal["light", "dark"] = "light") -> None:
        """Take a screen of this size, and a person who prefers this scheme."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self.devtools("Emulation.setDeviceMetricsOverride", size)
        self.devtools("Emulation.setEmulatedMedia", {"features": [{"name": "prefers-color-scheme", "value": scheme}]})

    def devtools(self, command: str, arguments: dict[str, Any] | None = None) -> Any:
        """Return the answer of the browser's developer tools."""
        return self.driver.execute_cdp_cmd(command, arguments or {})

    def js(self, script: str, *arguments: Any) -> Any:
        """Return the value of *script*, which the page cannot tell from its own."""
        return self.driver.execute_script(script, *arguments)

    def text(self, selector: str = "body") -> str:
        """Return what is to be seen of the first element that *selector* finds; "" if there is none."""
        return str(self.js("return document.querySelector(arguments[0])?.innerText ?? ''", selector))

    def texts(self, selector: str) -> list[str]:
        """Return what is to be seen of each element that *selector* finds."""
        texts: list[str] = self.js(
            "return [...document.querySelectorAll(arguments[0])].map((one) => one.innerText.trim())", selector
        )
        return texts

    def press(self, *keys: str) -> None:
        """Press *keys*, one after the other."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def focused(self) -> str:
        """Return what has the focus: its id, or the text of it."""
        return str(self.js("return document.activeElement.id || document.activeElement.innerText.trim()"))

    def go(self, fragment: str) -> None:
        """Follow a link within the page to where it is not yet, and wait until the page is shown anew."""
        self.driver.execute_async_script(
            "const [hash, done] = arguments;"
            "addEventListener('hashchange', () => done(), { once: true }); location.hash = hash",
            fragment,
        )

    def back(self) -> None:
        """Go back within the page, and wait until it is shown anew."""
        self.driver.execute_async_script(
            "const done = arguments[0];addEventListener('hashchange', () => done(), { once: true }); history.back()"
        )

    def until(self, condition: str) -> None:
        """Wait until *condition* of the page is true. Raises TimeoutException if it is not within 20 seconds."""
        WebDriverWait(self.driver, 20).until(lambda driver: driver.execute_script(f"return {condition}"))

    def errors(self) -> list[str]:
        """Return what the console has said since it was last asked."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def pdf(self) -> bytes:
        """Return the page as it is printed on A4."""
        return base64.b64decode(self.devtools("Page.printToPDF", {"paperWidth": 8.27, "paperHeight": 11.69})["data"])

    def screenshot(self) -> bytes:
        """Return what is on the screen, as a PNG."""
        return base64.b64decode(self.devtools("Page.captureScreenshot", {"format": "png"})["data"])


@contextmanager
def chromium() -> Iterator[Browser]:
    """Start a browser, and end it."""
    options = ChromeOptions()
    options.binary_location = found(BROWSERS)
    for argument in ("headless=new", "disable-gpu", "disable-dev-shm-usage", "hide-scrollbars", "lang=en"):
        options.add_argument(f"--{argument}")
    if os.geteuid() == 0:
        options.add_argument("--no-sandbox")  # which Chromium refuses to root
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = Chrome(options=options, service=Service(found(DRIVERS)))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
