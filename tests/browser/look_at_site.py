# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the web site look like on a desktop and on a phone, in light and dark? look_at_site.py SITE FOLDER.

Writes a picture of some pages for each into FOLDER, and the first of them on one sheet. Fails if any page of SITE is
wider than a phone's screen, shows no picture where one should be, or has an error on the console. ``make test-site``
and ``make pictures`` run it.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Literal

from ansible_collections.pinned.release.tests.browser.browsers import BROWSERS, DRIVERS, Browser, chromium, found
from ansible_collections.pinned.release.tests.browser.pictures import smaller
from PIL import Image

#: The pages of which there are pictures, if they are there.
SHOWN = ("index", "guide/concept", "catalogue", "guide/getting-started", "reference/manifest")
#: Those that are on the sheet: a page a row, each picture at half its size.
ON_THE_SHEET = ("index", "concept", "catalogue")
SHEET = "sheet.png"
SIZES = {"desktop": (1440, 1000), "phone": (390, 844)}
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")
FAULTS = """
const width = document.documentElement.scrollWidth, screen = innerWidth;
const broken = [...document.images].filter((one) => one.complete && !one.naturalWidth).map((one) => one.src);
return [...(width > screen ? [`${width} pixels wide, on ${screen}`] : []), ...broken.map((one) => `no picture ${one}`)];
"""


def main(site: Path, folder: Path) -> int:
    if not found(BROWSERS) or not found(DRIVERS):
        print("It takes a browser: apt-get install chromium chromium-driver", file=sys.stderr)
        return 1
    folder.mkdir(parents=True, exist_ok=True)
    with chromium() as browser:
        take_pictures(browser, site, folder)
        (folder / SHEET).write_bytes(sheet(folder))
        faults = [line for page in sorted(site.rglob("*.html")) for line in faults_of(browser, site, page)]
    print("\n".join(faults) or f"no faults; pictures are in {folder}")
    return int(bool(faults))


def take_pictures(browser: Browser, site: Path, folder: Path) -> None:
    for name in SHOWN:
        page = site / f"{name}.html"
        for size, (width, height) in SIZES.items():
            for scheme in SCHEMES:
                if page.exists():
                    browser.look(width, height, scheme)
                    browser.open(page)
                    (folder / f"{page.stem}-{size}-{scheme}.png").write_bytes(browser.screenshot())


def sheet(folder: Path) -> bytes:
    """Return one picture of those in *folder* that are on the sheet, as PNG."""
    views = [(size, scheme) for size in SIZES for scheme in SCHEMES]
    width = sum(SIZES[size][0] // 2 for size, _scheme in views)
    height = max(height for _width, height in SIZES.values()) // 2
    made = Image.new("RGB", (width, height * len(ON_THE_SHEET)), "grey")
    for row, page in enumerate(ON_THE_SHEET):
        left = 0
        for size, scheme in views:
            with Image.open(folder / f"{page}-{size}-{scheme}.png") as whole:
                picture = whole.convert("RGB").resize([side // 2 for side in SIZES[size]], Image.Resampling.LANCZOS)
            made.paste(picture, (left, row * height))
            left += picture.width
    written = io.BytesIO()
    made.save(written, "PNG")
    return smaller(written.getvalue())


def faults_of(browser: Browser, site: Path, page: Path) -> list[str]:
    """Return what is wrong with *page* on a phone, a line each."""
    browser.look(*SIZES["phone"])
    browser.open(page)
    lines: list[str] = [*browser.js(FAULTS), *browser.errors()]
    return [f"{page.relative_to(site)}: {line}" for line in lines]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()))
