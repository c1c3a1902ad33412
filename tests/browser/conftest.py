# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One browser for all tests of the page, and the page of a small fleet. Skips where no browser is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._audit.page.document import page
from ansible_collections.pinned.release.plugins.plugin_utils._audit.page.extras import Advisory, Extras, Program
from ansible_collections.pinned.release.tests.fakes.fleet import simulated_fleet

if TYPE_CHECKING:
    from ansible_collections.pinned.release.tests.browser.browsers import Browser

#: Small, with every kind of status.
FLEET = simulated_fleet(80, 12, seed=4)
#: A tool of which more is known than what is on hosts.
KNOWN_TOOL = sorted(FLEET.tools)[3]
ADVISORY = Advisory("GO-2021-0069", "affected", "HIGH", "pkg:golang/stdlib@1.26.8 in bin/x", "A summary", "1.26.9")
COMPONENTS = tuple(f"example.org/module{number} v1.{number}.0" for number in range(147))
EXTRAS = {
    KNOWN_TOOL: Extras(
        "covered by Go (148 packages, records of 12)",
        (ADVISORY,),
        (
            Program("bin/x", "x86_64-unknown-linux-gnu", "recorded by go, go1.26.8", COMPONENTS),
            Program("bin/y", "x86_64-unknown-linux-gnu", "nothing recorded by its compiler"),
        ),
    )
}


@pytest.fixture(scope="session")
def _session() -> Iterator[Browser]:
    pytest.importorskip("selenium", reason="it takes selenium (tests/browser/requirements.txt)")
    from ansible_collections.pinned.release.tests.browser.browsers import BROWSERS, DRIVERS, chromium, found

    if not found(BROWSERS) or not found(DRIVERS):
        pytest.skip("it takes a browser (apt-get install chromium chromium-driver)")
    with chromium() as browser:
        yield browser


@pytest.fixture
def browser(_session: Browser) -> Browser:
    """Return the browser, with a large light screen, and nothing said in its console."""
    _session.devtools("Emulation.setScriptExecutionDisabled", {"value": False})
    _session.look()
    _session.errors()
    return _session


@pytest.fixture(scope="session")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of the page of FLEET."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page(FLEET, EXTRAS), encoding="utf-8")
    return path


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the path of the page of 1,000 hosts with 50 tools each."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    path.write_text(page(simulated_fleet(1000, 50)), encoding="utf-8")
    return path
