# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Takes the pictures of the page of a fleet that the docs show, of a simulated fleet, into docs/audit.

``make bench-page`` makes the environment that it needs: then
``PYTHONPATH=.build/collections .build/browser/bin/python tests/bench/page_screenshots.py``.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Literal

from ansible_collections.pinned.release.plugins.plugin_utils._audit.page.document import page
from ansible_collections.pinned.release.tests.browser.browsers import BROWSERS, DRIVERS, chromium, found
from ansible_collections.pinned.release.tests.fakes.fleet import simulated_fleet
from PIL import Image

FOLDER = Path(__file__).resolve().parents[2] / "docs/audit"
HOSTS, TOOLS, SEED = 240, 16, 7
#: Of each picture, so that it is small.
COLOURS = 256
#: Name → width, height, scheme, and the place in the page.
PICTURES: dict[str, tuple[int, int, Literal["light", "dark"], str]] = {
    "front": (1200, 860, "light", ""),
    "hosts-and-tools": (1200, 700, "dark", "#view=grid&q=debian"),
    "tool-on-a-host": (1200, 800, "light", "#host={host}&tool={tool}"),
    "phone": (390, 780, "dark", ""),
}


def main() -> int:
    if not found(BROWSERS) or not found(DRIVERS):
        print("It takes a browser: apt-get install chromium chromium-driver", file=sys.stderr)
        return 1
    fleet = simulated_fleet(HOSTS, TOOLS, SEED)
    drifted = ((host.name, tool.tool) for host in fleet.hosts for tool in host.tools if tool.status == "drifted")
    host, tool = next(drifted)
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        path = Path(folder) / "report.html"
        path.write_text(page(fleet), encoding="utf-8")
        for name, (width, height, scheme, place) in PICTURES.items():
            browser.look(width, height, scheme)
            browser.open(path, place.format(host=host, tool=tool))
            picture = Image.open(io.BytesIO(browser.screenshot())).convert("RGB").quantize(COLOURS)
            picture.save(FOLDER / f"{name}.png", optimize=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
