# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is report.html one file that nothing can break out of, and the same for the same facts?

What it does in a browser is tried in tests/browser.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._audit.fleet import Finding, Fleet, FleetHost, HostTool
from ansible_collections.pinned.release.plugins.plugin_utils._audit.page import words
from ansible_collections.pinned.release.plugins.plugin_utils._audit.page.document import page
from ansible_collections.pinned.release.plugins.plugin_utils._audit.page.extras import Advisory, Extras, Program
from ansible_collections.pinned.release.tests.fakes.fleet import simulated_fleet
from hypothesis import example, given
from hypothesis import strategies as st

FLEET = simulated_fleet(60, 8, seed=3)
TOOL = min(FLEET.tools)


class Parsed(HTMLParser):
    """What an HTML parser makes of a page: its tags with their attributes, and the text in them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.content: dict[str, list[str]] = {}
        self._inside = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self._inside = tag

    def handle_data(self, data: str) -> None:
        self.content.setdefault(self._inside, []).append(data)

    def of(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]


def data_of(text: str) -> Any:
    return json.loads(re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)[0])


def test_policy_lets_in_our_script_and_style_by_digest_and_nothing_else() -> None:
    text = page(FLEET)
    [policy] = [one["content"] for one in Parsed(text).of("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    rules = dict(rule.split(" ", 1) for rule in str(policy).split("; "))
    [style] = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    [script] = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    for rule, content in (("style-src", style), ("script-src", script)):
        digest = base64.b64encode(hashlib.sha256(content.encode()).digest()).decode()
        assert rules[rule] == f"'sha256-{digest}'"
    assert rules["default-src"] == "'none'"


def test_page_refers_to_no_other_file_or_site() -> None:
    parsed = Parsed(page(FLEET))
    addresses = [
        value
        for _tag, attributes in parsed.tags
        for name, value in attributes.items()
        if name in ("src", "href", "action", "srcset", "poster", "data")
    ]
    assert [address for address in addresses if not str(address).startswith("#")] == []
    assert "url(" not in "".join(parsed.content["style"])
    assert "@import" not in "".join(parsed.content["style"])


def test_script_writes_no_markup_and_runs_no_text() -> None:
    [script] = re.findall(r"<script>(.*?)</script>", page(FLEET), re.DOTALL)
    forbidden = (
        "innerHTML",
        "outerHTML",
        "insertAdjacent",
        "document.write",
        "eval(",
        "Function(",
        "fetch(",
        "import(",
    )
    assert [word for word in forbidden if word in script] == []


def test_same_facts_give_the_same_bytes_whoever_listed_them() -> None:
    turned = replace(
        FLEET,
        assets=dict(reversed(FLEET.assets.items())),
        tools=dict(reversed(FLEET.tools.items())),
        about=dict(reversed(FLEET.about.items())),
        hosts=tuple(replace(host, platform=dict(reversed(host.platform.items()))) for host in FLEET.hosts),
    )
    assert page(turned) == page(FLEET) == page(simulated_fleet(60, 8, seed=3))


@given(st.text(st.characters(), max_size=60) | st.text(st.sampled_from("<>&\"'/!-=a script{}%#\\"), max_size=30))
@example('"><img src=x onerror=alert()>')
@example("</script><script>alert()</script><!--")
@example("\u202e\x1b[31m\ud800\r\n")
def test_no_text_of_a_host_adds_a_tag_or_a_character_that_steers(text: str) -> None:
    plain = Parsed(page(hostile("x"))).tags
    made = page(hostile(text))
    assert [tag for tag, _attributes in Parsed(made).tags] == [tag for tag, _attributes in plain]
    assert made.encode("utf-8").decode("utf-8") == made
    assert [character for character in made if not character.isprintable() and character != "\n"] == []
    assert data_of(made)["hosts"][0][0] == words.line(text)


def hostile(text: str) -> Fleet:
    """Return a fleet in which every text that a host can choose is *text*."""
    finding = Finding(text, f"-{text}", text, text, text)
    tool = HostTool(f"-{text}", "drifted", text, text, text, text, text, text, text, (finding,), (text,))
    host = FleetHost(
        text, "differs", text, text, {text: text}, text, text, text, (tool,), (finding,), (text,), {text: text}
    )
    return replace(FLEET, hosts=(host,), tools={}, about={})


@pytest.mark.parametrize(
    ("good", "others", "headline"),
    [
        (3, 0, "All 3 hosts are as pinned"),
        (1, 0, "The host is as pinned"),
        (2, 1, "2 of 3 hosts are as pinned"),
        (0, 1, "0 of 1 host is as pinned"),
        (0, 0, "The inventory has no host"),
    ],
)
def test_headline_answers_whether_the_fleet_is_as_pinned(good: int, others: int, headline: str) -> None:
    hosts = [FleetHost(f"g{n}", "as_pinned") for n in range(good)]
    hosts += [FleetHost(f"b{n}", "unreachable", why="no route") for n in range(others)]
    text = page(replace(FLEET, hosts=tuple(hosts)))
    assert f"<title>{headline}</title>" in text
    assert ("Nothing to look at" in text) == (not others and good > 0)


def test_lock_file_is_named_with_digest_and_commit() -> None:
    text = page(FLEET)
    assert all(value in text for value in (FLEET.lock.name, FLEET.lock.sha256, FLEET.lock.commit))
    assert "<dt>Git commit</dt><dd>not known</dd>" in page(replace(FLEET, lock=replace(FLEET.lock, commit="")))


def test_oldest_full_comparison_is_told_and_of_how_many_hosts_none_is_known() -> None:
    hosts = (
        FleetHost("a", "as_pinned", last_full="2026-11-22T02:00:11Z"),
        FleetHost("b", "as_pinned", last_full="2026-11-29T02:00:11Z"),
    )
    assert "<dd>longest ago 2026-11-22 02:00:11 UTC</dd>" in page(replace(FLEET, hosts=hosts))
    lost = FleetHost("c", "unreachable", why="no route")
    assert "longest ago 2026-11-22 02:00:11 UTC; not known of 1 host" in page(replace(FLEET, hosts=(*hosts, lost)))
    assert "not known of any host" in page(replace(FLEET, hosts=(lost,)))


def test_advisories_and_components_of_a_tool_are_in_the_data_and_affected_ones_at_the_front() -> None:
    about = ("stdlib 1.26.8 in bin/caddy", "A </script> summary", "1.26.9")
    advisory = Advisory("GO-2021-0069", "affected", "HIGH", *about)
    other = replace(advisory, subject="stdlib 1.26.8 in bin/other")
    program = Program("bin/caddy", "x86_64-unknown-linux-gnu", "recorded by Go", ("stdlib 1.26.8",))
    text = page(FLEET, {TOOL: Extras("covered by Go (2 packages, records of 1)", (advisory, other), (program,))})
    data = data_of(text)
    [told] = [tool for tool in data["tools"] if tool["name"] == TOOL]
    assert told["coverage"] == "covered by Go (2 packages, records of 1)"
    assert [data["texts"][number] for number in told["advisories"][0]] == ["GO-2021-0069", "affected", "HIGH", *about]
    assert [data["texts"][number] for number in told["programs"][0][3]] == ["stdlib 1.26.8"]
    assert f'<a href="#tool={TOOL}">{TOOL}</a></th><td>1 advisory: GO-2021-0069</td>' in text


def test_large_fleet_is_small() -> None:
    """What hosts share stands once: 200 hosts more cost little beside the times that each has of its own."""
    size = len(page(simulated_fleet(300, 50))) - len(page(simulated_fleet(100, 50)))
    assert size / 200 / 50 < 80
