# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Can everybody use the page: on a phone and on paper, in the dark, by keyboard, without eyes?"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._audit.page.document import page
from ansible_collections.pinned.release.tests.browser.conftest import FLEET, KNOWN_TOOL

pytest.importorskip("axe_selenium_python", reason="it takes axe-core (tests/browser/requirements.txt)")
from axe_selenium_python import Axe
from selenium.webdriver.common.keys import Keys

if TYPE_CHECKING:
    from ansible_collections.pinned.release.tests.browser.browsers import Browser

DIFFERS = next(host for host in FLEET.hosts if host.status == "differs")
DRIFTED = next((host, tool) for host in FLEET.hosts for tool in host.tools if tool.status == "drifted")
#: Every kind of thing that the page can be.
PLACES = {
    "front": "",
    "list": "#view=list",
    "filtered": "#status=drifted&view=grid",
    "host": f"#host={DIFFERS.name}",
    "tool": f"#tool={KNOWN_TOOL}",
    "pair": f"#host={DRIFTED[0].name}&tool={DRIFTED[1].tool}",
    "nothing": "#q=nothing-has-this",
}
WIDTHS = (360, 768, 1440)
PAPER_LIMIT = 90


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("width", WIDTHS)
def test_page_never_scrolls_sideways(browser: Browser, small: Path, width: int, place: str) -> None:
    browser.look(width)
    browser.open(small, PLACES[place])
    assert browser.js("return document.documentElement.scrollWidth") == width


def test_long_words_do_not_widen_the_page(browser: Browser, tmp_path: Path) -> None:
    long = replace(DIFFERS, name="h" * 250, notes=("n" * 900,))
    path = tmp_path / "report.html"
    path.write_text(page(replace(FLEET, hosts=(long, *FLEET.hosts[1:]))), encoding="utf-8")
    browser.look(360)
    for fragment in ("", "#view=list", f"#host={long.name}"):
        browser.open(path, fragment)
        assert browser.js("return document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_colours_follow_what_the_reader_prefers(
    browser: Browser, small: Path, scheme: Literal["light", "dark"]
) -> None:
    browser.look(scheme=scheme)
    browser.open(small)
    colour = browser.js("return getComputedStyle(document.documentElement).backgroundColor")
    brightness = sum(map(int, re.findall(r"\d+", colour)[:3])) / 3
    assert (brightness > 128) == (scheme == "light")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (1440, "dark"), (360, "light"), (360, "dark")])
def test_axe_finds_no_violation(
    browser: Browser, small: Path, width: int, scheme: Literal["light", "dark"], place: str
) -> None:
    browser.look(width, scheme=scheme)
    browser.open(small, PLACES[place])
    axe = Axe(browser.driver)
    axe.inject()
    found = axe.run()
    assert len(found["passes"]) > 10
    assert [_told(violation) for violation in found["violations"]] == []


def _told(violation: dict[str, Any]) -> str:
    return f"{violation['id']}: {[node['html'][:200] for node in violation['nodes'][:3]]}"


def test_axe_notices_what_it_should(browser: Browser, small: Path) -> None:
    """The test above proves nothing if axe sees nothing."""
    browser.open(small)
    browser.js("document.getElementById('q').labels[0].remove(); document.documentElement.removeAttribute('lang')")
    axe = Axe(browser.driver)
    axe.inject()
    assert {"html-has-lang"} <= {violation["id"] for violation in axe.run()["violations"]}


def test_keyboard_alone_leads_from_the_start_to_a_host_and_back(browser: Browser, small: Path) -> None:
    browser.open(small)
    browser.press(Keys.TAB)
    assert browser.focused() == "Skip to the report"
    browser.press(Keys.ENTER)
    browser.until("document.activeElement.id === 'main'")
    for _number in range(400):
        browser.press(Keys.TAB)
        if browser.focused() == "q":
            break
    browser.press(DIFFERS.name)
    assert browser.text("#count").startswith(f"{len(DIFFERS.tools)} tools on 1 of 80 hosts.")
    walked = []
    while browser.focused() != DIFFERS.name:
        browser.press(Keys.TAB)
        walked.append(browser.focused())
    assert walked[:7] == ["status", "tool", "platform", "view", "reset", "copy", "table"]
    browser.press(Keys.ENTER)
    browser.until("document.activeElement.id === 'details-title'")
    assert browser.text("#details h2").endswith(DIFFERS.name)
    browser.back()
    assert browser.js("return document.getElementById('q').value") == DIFFERS.name


def test_focus_is_visible_wherever_it_goes(browser: Browser, small: Path) -> None:
    browser.open(small)
    for _number in range(60):
        browser.press(Keys.TAB)
        style = browser.js(
            "const s = getComputedStyle(document.activeElement); return [s.outlineStyle, s.outlineWidth]"
        )
        assert style[0] != "none", browser.focused()
        assert style[1] != "0px", browser.focused()


def test_every_result_count_is_announced(browser: Browser, small: Path) -> None:
    browser.open(small)
    assert browser.js("return document.getElementById('count').getAttribute('role')") == "status"
    before = browser.text("#count")
    browser.driver.find_element("id", "q").send_keys("alpine")
    assert browser.text("#count") != before


def test_headings_leave_out_no_level(browser: Browser, small: Path) -> None:
    for place in PLACES.values():
        browser.open(small, place)
        levels: list[int] = browser.js(
            "const headings = [...document.querySelectorAll('h1, h2, h3, h4')];"
            "return headings.filter((one) => one.checkVisibility()).map((one) => Number(one.tagName[1]))"
        )
        assert levels[0] == 1
        assert max(after - before for before, after in pairwise(levels)) <= 1


@pytest.mark.parametrize("place", PLACES)
def test_print_is_short_and_not_empty(browser: Browser, small: Path, place: str) -> None:
    browser.open(small, PLACES[place])
    assert 1 <= pages(browser.pdf()) <= 12


def test_print_of_a_large_fleet_is_bounded(browser: Browser, large: Path) -> None:
    browser.open(large)
    assert 5 <= pages(browser.pdf()) <= PAPER_LIMIT
    browser.go("#status=as_pinned")
    assert 20 <= pages(browser.pdf()) <= PAPER_LIMIT


def pages(pdf: bytes) -> int:
    assert pdf.startswith(b"%PDF-")
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def test_what_is_filtered_is_what_is_printed(browser: Browser, small: Path) -> None:
    browser.open(small, f"#tool={DRIFTED[1].tool}")
    browser.devtools("Emulation.setEmulatedMedia", {"media": "print"})
    browser.js("dispatchEvent(new Event('beforeprint'))")
    has_it = [host for host in FLEET.hosts if any(tool.tool == DRIFTED[1].tool for tool in host.tools)]
    assert browser.js("return document.querySelector('#printed table').rows.length") == len(has_it) + 1
    assert browser.js("return getComputedStyle(document.getElementById('everything')).display") == "none"
    browser.js("dispatchEvent(new Event('afterprint'))")
    assert browser.text("#printed") == ""
    browser.look()


def test_paper_is_white_in_the_dark(browser: Browser, small: Path) -> None:
    browser.devtools(
        "Emulation.setEmulatedMedia",
        {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]},
    )
    browser.open(small)
    assert browser.js("return getComputedStyle(document.documentElement).backgroundColor") == "rgb(255, 255, 255)"
    browser.look()
