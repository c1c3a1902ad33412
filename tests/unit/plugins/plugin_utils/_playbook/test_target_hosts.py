# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target that means nobody, or somebody else, is refused before a host is asked."""

from __future__ import annotations

import re

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._playbook import hosts

GROUPS = {"all": ["web1", "web2", "db1"], "ungrouped": [], "web": ["web1", "web2"], "database": ["db1"]}


@pytest.mark.parametrize(
    ("target", "parts", "matched", "says"),
    [
        ("wbe", ["wbe"], [], "target=wbe: the inventory has no group or host wbe, did you mean web?"),
        ("web,databse", ["web", "databse"], ["web1", "web2"], "no group or host databse, did you mean database?"),
        ("all:!databse", ["all", "!databse"], GROUPS["all"], "no group or host databse, did you mean database?"),
        ("web[0:1]:&databse", ["web[0:1]", "&databse"], [], "no group or host databse, did you mean database?"),
        ("web,wbe", ["web", "wbe"], ["web1", "web2"], "no group or host wbe, did you mean web?"),
        ("web:!wbe", ["web", "!wbe"], ["web1", "web2"], "no group or host wbe, did you mean web?"),
        ("wbe2", ["wbe2"], [], "no group or host wbe2, did you mean web2?"),
        ("web1,web3", ["web1", "web3"], ["web1"], "target=web1,web3: the inventory has no group or host web3\n"),
        ("web[0],other[0]", ["web[0]", "other[0]"], ["web1"], "no group or host other\n"),
        ("nope", ["nope"], [], "target=nope: the inventory has no group or host nope\n"),
        ("nowhere", ["nowhere"], [], "target=nowhere: the inventory has no group or host nowhere\n"),
        ("x*", ["x*"], [], "target=x* matches no host of the inventory"),
    ],
)
def test_a_target_is_refused(target: str, parts: list[str], matched: list[str], says: str) -> None:
    with pytest.raises(ReleaseError, match=re.escape(says)):
        hosts.refuse_unknown(target, parts, GROUPS, matched)


@pytest.mark.parametrize(
    ("parts", "matched"),
    [
        (["web"], ["web1"]),
        (["all", "!maintenance"], ["web1"]),
        (["all", "!web3"], ["web1", "web2", "db1"]),
        (["web", "web3*", "~x.*"], ["web1", "web2"]),
        (["~w.b"], ["web1"]),
        (["web[-1]"], ["web2"]),
    ],
)
def test_a_target_that_means_hosts_is_taken(parts: list[str], matched: list[str]) -> None:
    hosts.refuse_unknown(":".join(parts), parts, GROUPS, matched)


def test_localhost_needs_no_inventory() -> None:
    hosts.refuse_unknown("localhost", ["localhost"], {"all": []}, ["localhost"])
    hosts.refuse_unknown("localhost", ["localhost"], {"all": ["localhost2"]}, ["localhost"])
    hosts.refuse_unknown("web,localhost", ["web", "localhost"], GROUPS, ["web1", "web2"])


@pytest.mark.parametrize("target", ["", " ", ",", ":", None, [], ["web", ""], 5, ["web", None], {"web": 1}])
def test_a_target_that_names_nobody_is_refused(target: object) -> None:
    with pytest.raises(ReleaseError) as refused:
        hosts.pattern(target)
    assert refused.value.what.startswith("target names no hosts: ")
    assert refused.value.fix == "name some; for all hosts, leave target out"


@pytest.mark.parametrize(
    ("target", "is_pattern"),
    [("web", "web"), ("web,", "web,"), (["web", "!web2"], "web,!web2"), (("web", "database"), "web,database")],
)
def test_a_target_is_a_pattern_or_several(target: object, is_pattern: str) -> None:
    assert hosts.pattern(target) == is_pattern


def test_groups_are_named_where_none_is_near() -> None:
    with pytest.raises(ReleaseError) as refused:
        hosts.refuse_unknown("nowhere", ["nowhere"], GROUPS, [])
    assert refused.value.expected == "a host, or a group: all, database, web"


def test_an_empty_inventory_is_told() -> None:
    with pytest.raises(ReleaseError, match="the inventory has no hosts: give -i INVENTORY"):
        hosts.refuse_unknown("all", ["all"], {"all": []}, [])


def test_a_limit_that_leaves_nobody_of_the_target_is_told() -> None:
    with pytest.raises(ReleaseError, match="--limit database leaves none of the 2 hosts of target=web"):
        hosts.refuse_disjoint("web", "database", ["web1", "web2"], ["db1"])
    hosts.refuse_disjoint("web", "web1,database", ["web1", "web2"], ["web1", "db1"])


def test_of_many_names_the_groups_are_compared_and_of_the_hosts_as_many_as_take_no_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    compared = []
    monkeypatch.setattr(hosts, "_near", lambda name, names, alike: compared.append((name, names)))
    groups = {"all": [f"host{number}" for number in range(100_000)], "web": ["host1"]}
    hosts.refuse_unknown("…", ["web", "!wbe", "!wbe", "!bew", "host99999"], groups, ["host1"])
    assert [name for name, _names in compared] == ["wbe", "bew"]
    assert all(names[:3] == ["all", "web", "host0"] for _name, names in compared)
    assert sum(len(names) for _name, names in compared) == hosts.MOST_COMPARED
