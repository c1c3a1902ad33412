# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the page of a fleet answer what people ask of it, in a real browser?"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import Finding, Fleet, FleetHost, HostTool
from ansible_collections.pinned.release.plugins.plugin_utils._audit.page.document import page
from ansible_collections.pinned.release.tests.browser.conftest import ADVISORY, COMPONENTS, FLEET, KNOWN_TOOL

if TYPE_CHECKING:
    from ansible_collections.pinned.release.tests.browser.browsers import Browser

DRIFTED = [(host.name, tool.tool) for host in FLEET.hosts for tool in host.tools if tool.status == "drifted"]
DIFFERS = next(host for host in FLEET.hosts if host.status == "differs")
KNOWN = [host for host in FLEET.hosts if host.tools]
UNKNOWN = [host for host in FLEET.hosts if not host.tools]
TOOL = KNOWN_TOOL


def test_page_asks_the_network_for_nothing_and_says_no_error(browser: Browser, small: Path) -> None:
    browser.open(small)
    assert browser.js("return performance.getEntriesByType('resource').length") == 0
    assert browser.errors() == []


def test_page_says_first_whether_the_fleet_is_as_pinned(browser: Browser, small: Path) -> None:
    browser.open(small)
    good = sum(host.status == "as_pinned" for host in FLEET.hosts)
    assert browser.text("h1") == f"{good} of 80 hosts are as pinned"
    assert browser.js("return document.title") == f"{good} of 80 hosts are as pinned"


def test_every_host_of_the_inventory_is_in_the_table(browser: Browser, small: Path) -> None:
    browser.open(small)
    names = browser.texts("#table tbody th a")
    browser.go("#page=2")
    names += browser.texts("#table tbody th a")
    assert sorted(names) == [host.name for host in FLEET.hosts]
    assert names[-1] in {host.name for host in FLEET.hosts if host.status == "as_pinned"}


def test_status_of_a_cell_is_told_without_colour(browser: Browser, small: Path) -> None:
    browser.open(small)
    marks = {"drifted": "!", "deviates": "≠", "missing": "∅", "refused": "⊘", "unpinned": "+"}
    tool = next(tool for tool in DIFFERS.tools if tool.status != "as_pinned")
    cell = browser.text(f'#table a[href="#host={DIFFERS.name}&tool={tool.tool}"]')
    assert cell.startswith(marks[tool.status])


@pytest.mark.parametrize("view", ["list", "grid"])
def test_filter_by_status_finds_exactly_what_has_it(browser: Browser, small: Path, view: str) -> None:
    browser.open(small, f"#status=drifted&view={view}")
    hosts = {host for host, _tool in DRIFTED}
    tools = {tool for _host, tool in DRIFTED}
    told = f"{len(tools)} tools on {len(hosts)} of 80 hosts, {len(DRIFTED)} in all."
    assert browser.text("#count").startswith(told)
    assert set(browser.texts("#table tbody th a")) == hosts


def test_text_filter_takes_each_word_from_host_or_tool(browser: Browser, small: Path) -> None:
    host, tool = DRIFTED[0]
    browser.open(small, f"#q={host}+{tool}+DRIFTED&view=list")
    assert browser.texts("#table tbody th a") == [host]
    assert browser.texts("#table tbody td a") == [tool]


def test_tool_and_platform_narrow_together(browser: Browser, small: Path) -> None:
    platform = KNOWN[0].platform["platform"]
    browser.open(small, f"#tool={TOOL}&platform={quote(platform, safe='')}&view=list")
    expected = [
        host.name
        for host in KNOWN
        if host.platform["platform"] == platform and any(tool.tool == TOOL for tool in host.tools)
    ]
    assert sorted(browser.texts("#table tbody th a")) == expected


def test_hosts_of_which_nothing_is_known_do_not_vanish_from_an_answer(browser: Browser, small: Path) -> None:
    browser.open(small, f"#tool={TOOL}")
    assert f"Of {len(UNKNOWN)} other hosts nothing is known." in browser.text("#count")


def test_unreachable_host_says_why(browser: Browser, small: Path) -> None:
    host = next(host for host in FLEET.hosts if host.status == "unreachable")
    browser.open(small, f"#host={host.name}")
    assert host.why in browser.text("#details")
    assert "unreachable" in browser.text("#details")


def test_deep_link_to_a_host_tells_its_tools(browser: Browser, small: Path) -> None:
    browser.open(small, f"#host={DIFFERS.name}")
    assert browser.text("#details h2").endswith(DIFFERS.name)
    assert sorted(browser.texts("#details tbody th")) == [tool.tool for tool in DIFFERS.tools]
    assert browser.js("return document.title") == f"{DIFFERS.name}: fleet report"


def test_deep_link_to_a_tool_on_a_host_tells_all_that_is_known(browser: Browser, small: Path) -> None:
    host = KNOWN[0]
    tool = next(tool for tool in host.tools if tool.status == "as_pinned")
    asset = FLEET.assets[tool.sha256]
    browser.open(small, f"#host={host.name}&tool={tool.tool}")
    told = browser.text("#details")
    for fact in (
        asset.version,
        asset.target,
        tool.reason,
        asset.sha256,
        asset.url,
        asset.tree_sha256,
        tool.lock_sha256,
    ):
        assert fact in told
    assert f"{tool.installed[:10]} {tool.installed[11:19]} UTC" in told


def test_deep_link_to_a_tool_tells_who_vouched_and_on_how_many_hosts_it_is(browser: Browser, small: Path) -> None:
    browser.open(small, f"#tool={TOOL}")
    told = browser.text("#details")
    for asset in FLEET.assets.values():
        if asset.tool == TOOL and asset.is_pinned:
            have = sum(tool.sha256 == asset.sha256 for host in FLEET.hosts for tool in host.tools)
            assert asset.sha256 in told
            assert f"{have} {'host' if have == 1 else 'hosts'}" in told


def test_tool_tells_advisories_coverage_and_on_demand_its_components(browser: Browser, small: Path) -> None:
    browser.open(small)
    assert f"{KNOWN_TOOL}\t1 advisory" in browser.text("#attention")
    browser.go(f"#tool={KNOWN_TOOL}")
    told = browser.text("#details")
    for said in (ADVISORY.name, ADVISORY.subject, ADVISORY.fixed, "covered by Go (148 packages, records of 12)"):
        assert said in told
    assert "bin/y, x86_64-unknown-linux-gnu: nothing recorded by its compiler" in told
    assert COMPONENTS[0] not in told
    browser.driver.find_element("css selector", "#details summary").click()
    browser.until("document.querySelector('#details details li')")
    assert browser.texts("#details details li") == list(COMPONENTS)
    browser.go(f"#tool={next(tool for tool in FLEET.tools if tool != KNOWN_TOOL)}")
    assert "none were asked" in browser.text("#details")


@pytest.mark.parametrize("fragment", ["#host=nobody", "#tool=nothing", "#host=nobody&tool=nothing", "#page=999", "#%"])
def test_link_to_what_is_not_there_says_so(browser: Browser, small: Path, fragment: str) -> None:
    browser.open(small, fragment)
    assert "has no" in browser.text("#details") or browser.texts("#table tbody tr")
    assert browser.errors() == []


def test_back_button_returns_to_the_filter(browser: Browser, small: Path) -> None:
    browser.open(small)
    browser.go("#status=drifted")
    browser.go(f"#host={DRIFTED[0][0]}")
    browser.back()
    assert browser.js("return location.hash") == "#status=drifted"
    assert browser.js("return document.getElementById('status').value") == "drifted"
    assert browser.text("#details") == ""


def test_typing_changes_the_address_but_not_the_way_back(browser: Browser, small: Path) -> None:
    browser.open(small)
    before = browser.js("return history.length")
    browser.driver.find_element("id", "q").send_keys("debian")
    assert browser.js("return [location.hash, history.length]") == ["#q=debian", before]


@pytest.mark.parametrize("view", ["list", "grid"])
def test_copied_table_is_whole_and_has_no_formula(browser: Browser, tmp_path: Path, view: str) -> None:
    hostile = replace(FLEET.hosts[0], name="=cmd|' /C calc'!A0", status="differs", tools=KNOWN[-1].tools)
    quoted = replace(FLEET.hosts[1], name='"swallows the next lines')
    fleet = replace(FLEET, hosts=(hostile, quoted, *FLEET.hosts[2:]))
    path = tmp_path / "report.html"
    path.write_text(page(fleet), encoding="utf-8")
    browser.open(path, f"#view={view}")
    browser.devtools("Browser.grantPermissions", {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]})
    browser.driver.find_element("id", "copy").click()
    browser.until("document.getElementById('copy').textContent !== 'Copy table'")
    copied = browser.driver.execute_async_script("navigator.clipboard.readText().then(arguments[0])")
    lines = [line.split("\t") for line in copied.splitlines()]
    rows = sum(max(1, len(host.tools)) for host in fleet.hosts) if view == "list" else len(fleet.hosts)
    assert len(lines) == rows + 1
    assert len({len(line) for line in lines}) == 1
    assert [cell for line in lines for cell in line if cell.startswith(("=", "+", "-", "@", '"'))] == []
    assert any(line[0] == "'=cmd|' /C calc'!A0" for line in lines)


def test_without_script_what_must_be_looked_at_is_there(browser: Browser, small: Path) -> None:
    browser.devtools("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.open(small)
    text = str(browser.driver.find_element("tag name", "body").text)
    browser.devtools("Emulation.setScriptExecutionDisabled", {"value": False})
    findings = [finding for host in FLEET.hosts for tool in host.tools for finding in tool.findings]
    shown = [finding.text for finding in findings if finding.kind in ("changed", "version")]
    assert [said for said in shown if said not in text] == []
    assert [host.name for host in UNKNOWN if host.name not in text] == []
    assert "needs JavaScript" in text


def hostile_fleet() -> Fleet:
    """Return a fleet in which every text of a host tries to be something else."""
    evil = '"><img src=x onerror=hacked()></script><script>hacked()</script>{{ 7*7 }}${7*7}<!--'
    finding = Finding(evil, evil, evil, evil, evil)
    tools = (
        HostTool(evil, "drifted", evil, evil, evil, evil, evil, evil, evil, (finding,), (evil,)),
        HostTool("javascript:hacked()", "unpinned", reason="\u202eabc\x1b[31m\ud800"),
    )
    host = FleetHost(
        evil,
        "differs",
        evil,
        evil,
        {evil: evil, "platform": evil},
        evil,
        evil,
        evil,
        tools,
        (finding,),
        (evil,),
        {evil: evil},
    )
    lost = FleetHost("javascript:hacked()", "unreachable", why=evil + "x" * 5000)
    return replace(FLEET, hosts=(host, lost), about={TOOL: {"purpose": evil, "owner": evil}})


@pytest.mark.parametrize("fragment", ["", "#view=list", f"#tool={TOOL}", "#host=HOST", "#host=HOST&tool=HOST"])
def test_text_of_a_host_stays_text(browser: Browser, tmp_path: Path, fragment: str) -> None:
    fleet = hostile_fleet()
    path = tmp_path / "report.html"
    path.write_text(page(fleet), encoding="utf-8")
    browser.open(path, fragment.replace("HOST", quote(fleet.hosts[0].name)))
    assert browser.js("return typeof hacked") == "undefined"
    assert browser.js("return document.querySelectorAll('img, iframe, object, embed').length") == 0
    assert browser.js("return document.scripts.length") == 2
    links: list[str] = browser.js("return [...document.links].map((one) => one.getAttribute('href'))")
    assert [link for link in links if not link.startswith("#")] == []
    assert "<img src=x onerror=hacked()>" in browser.text() or fragment.startswith("#tool")
    assert browser.errors() == []
