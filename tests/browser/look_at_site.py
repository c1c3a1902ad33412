# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the web site look like on a desktop and on a phone, in light and dark? look_at_site.py SITE FOLDER.

Writes a picture of some pages for each into FOLDER. Fails if any page of SITE is wider than a phone's screen, shows no
picture where one should be, or has an error on the console. ``make test-site`` runs it.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from ansible_collections.pinned.release.tests.browser.browsers import BROWSERS, DRIVERS, Browser, chromium, found

#: The pages of which there are pictures, if they are there.
SHOWN = ("index", "guide/concept", "catalogue", "guide/getting-started", "reference/manifest")
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


def faults_of(browser: Browser, site: Path, page: Path) -> list[str]:
    """Return what is wrong with *page* on a phone, a line each."""
    browser.look(*SIZES["phone"])
    browser.open(page)
    lines: list[str] = [*browser.js(FAULTS), *browser.errors()]
    return [f"{page.relative_to(site)}: {line}" for line in lines]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]).resolve(), Path(sys.argv[2]).resolve()))
