# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A manifest of well-known tools is no longer than that of mise, and the guide says how long each is."""

from __future__ import annotations

from ansible_collections.pinned.release.plugins.plugin_utils._lock import manifest
from ansible_collections.pinned.release.plugins.plugin_utils._values.toml_text import read_toml
from ansible_collections.pinned.release.tests.bench import short_manifests

OURS, MISE, AQUA = short_manifests.counts()


def test_ours_is_no_longer_than_the_one_of_mise() -> None:
    assert OURS.lines <= MISE.lines < AQUA.lines
    assert OURS.size_bytes <= MISE.size_bytes < AQUA.size_bytes
    assert OURS.decisions <= MISE.decisions < AQUA.decisions


def test_all_three_pin_the_same_tools() -> None:
    text = (short_manifests.FILES / "releases.yml").read_text(encoding="utf-8")
    tools = manifest.parse(text).tools
    assert all(tool.catalogued for tool in tools.values())
    mise = (short_manifests.FILES / "mise.toml").read_text(encoding="utf-8")
    assert set(read_toml(mise, "mise.toml").value["tools"]) == set(tools)
    aqua = (short_manifests.FILES / "aqua.yaml").read_text(encoding="utf-8")
    assert {line.rpartition("/")[2].partition("@")[0] for line in aqua.splitlines() if "@" in line} == set(tools)


def test_guide_has_the_count_as_it_is() -> None:
    text = short_manifests.PAGE.read_text(encoding="utf-8")
    assert short_manifests.with_table(text) == text, "run tests/bench/short_manifests.py"
