# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the page of a fleet look like? Draws the pictures of README and docs: pictures.py FOLDER.

The fleet is a simulated one; the names of its tools are real, nothing else is. ``make pictures`` runs it.
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path
from typing import Literal, NamedTuple
from urllib.parse import quote

from ansible_collections.pinned.release.plugins.plugin_utils._audit.page.document import page
from ansible_collections.pinned.release.tests.browser.browsers import BROWSERS, DRIVERS, chromium, found
from ansible_collections.pinned.release.tests.fakes.fleet import simulated_fleet
from PIL import Image

FLEET = simulated_fleet(240, 16)
#: A tool of which somebody changed the bytes, and the host that has it.
CHANGED = next(
    (host.name, tool.tool)
    for host in FLEET.hosts
    for tool in host.tools
    if tool.status == "drifted" and any("other bytes" in finding.text for finding in tool.findings)
)


class Picture(NamedTuple):
    """A part of the page, as somebody sees it."""

    fragment: str
    width: int
    height: int
    scheme: Literal["light", "dark"]


PICTURES = {
    "front.png": Picture("", 1200, 860, "light"),
    "hosts-and-tools.png": Picture("#q=debian&view=grid", 1200, 700, "dark"),
    "tool-on-a-host.png": Picture(f"#host={quote(CHANGED[0])}&tool={quote(CHANGED[1])}", 1200, 800, "light"),
    "phone.png": Picture("", 390, 780, "dark"),
}


def main(target: Path) -> int:
    if not found(BROWSERS) or not found(DRIVERS):
        print("It takes a browser: apt-get install chromium chromium-driver", file=sys.stderr)
        return 1
    with tempfile.TemporaryDirectory() as folder, chromium() as browser:
        report = Path(folder) / "report.html"
        report.write_text(page(FLEET), encoding="utf-8")
        for name, picture in PICTURES.items():
            browser.look(picture.width, picture.height, picture.scheme)
            browser.open(report, picture.fragment)
            (target / name).write_bytes(smaller(browser.screenshot()))
            print(target / name)
    return 0


def smaller(png: bytes) -> bytes:
    """Return *png* with a palette, which is all that a page with few colours needs."""
    written = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").quantize(256, dither=Image.Dither.NONE).save(
        written, "PNG", optimize=True
    )
    return written.getvalue()


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
