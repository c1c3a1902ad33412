# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift: whatever differs from what was installed is told, and what nobody looked at is never called good."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import drift
from ansible_collections.pinned.release.plugins.plugin_utils.lockfile import Executable
from ansible_collections.pinned.release.plugins.plugin_utils.probe import Program, State, Tree
from hypothesis import given
from hypothesis import strategies as st

A, B, C = "a" * 64, "b" * 64, "c" * 64
EXPECTED = {"uv": Executable("uv-1/uv", A, 3), "uvx": Executable("uv-1/uvx", B, 3)}
RECEIPT = {
    "sha256": C,
    "executables": {name: {"path": one.path, "sha256": one.sha256, "size": one.size} for name, one in EXPECTED.items()},
}


def program(path: str, sha256: str, **changes: str) -> Program:
    return replace(Program("755", "0", "0", "root", "root", sha256, f"../libexec/{path}"), **changes)


def tree(**changes) -> Tree:
    programs = {name: program(one.path, one.sha256) for name, one in EXPECTED.items()}
    return replace(Tree("1-cccccccccccc", RECEIPT, "hash", (), programs), **changes)


def with_uv(**changes: str) -> Tree:
    whole = tree()
    return tree(programs={**whole.programs, "uv": replace(whole.programs["uv"], **changes)})


def test_a_whole_tree_does_not_differ():
    assert drift.of_tree("uv", tree(), EXPECTED, C) == ()
    assert drift.of_receipt("uv", tree()) == ()


@pytest.mark.parametrize(
    ("found", "difference"),
    [
        (with_uv(sha256=B), "libexec/uv-1/uv is changed"),
        (with_uv(sha256=""), "libexec/uv-1/uv is changed"),
        (with_uv(mode="-", sha256=""), "libexec/uv-1/uv is missing"),
        (with_uv(link="../libexec/uv-1/other"), "bin/uv does not lead to libexec/uv-1/uv"),
        (with_uv(link="/usr/bin/uv"), "bin/uv does not lead to libexec/uv-1/uv"),
        (tree(programs={"uvx": tree().programs["uvx"]}), "bin/uv does not lead to libexec/uv-1/uv"),
        (tree(damage=("libexec/README is changed",)), "libexec/README is changed"),
        (tree(damage=("libexec/README is changed",) * 2), "libexec/README is changed"),
    ],
)
def test_each_difference_is_told_once(found, difference):
    assert drift.of_tree("uv", found, EXPECTED, C) == (difference,)
    assert drift.of_receipt("uv", found) == (difference,)


def test_everything_that_differs_is_told():
    found = tree(programs={}, damage=("libexec/x is missing",))
    assert drift.of_tree("uv", found, EXPECTED, A) == (
        "libexec/x is missing",
        "its receipt speaks of another asset",
        "bin/uv does not lead to libexec/uv-1/uv",
        "bin/uvx does not lead to libexec/uv-1/uvx",
    )


def test_another_asset_is_a_difference():
    assert drift.of_tree("uv", tree(), EXPECTED, A) == ("its receipt speaks of another asset",)
    assert "its receipt speaks of another asset" in drift.of_tree("uv", tree(receipt={}), EXPECTED, A)


def test_a_seal_stands_in_for_the_hashes():
    sealed = replace(with_uv(sha256=""), verified_by="seal")
    assert drift.of_tree("uv", sealed, EXPECTED, C) == ()


def test_what_nobody_could_verify_is_an_error_not_good_news():
    with pytest.raises(ReleaseError) as caught:
        drift.of_receipt("uv", tree(verified_by=""))
    assert caught.value.what == "uv: what is installed cannot be verified"
    assert "sha256sum" in caught.value.expected


@pytest.mark.parametrize(
    "receipt", [{}, {"executables": {}}, {"executables": None}, {"executables": {"uv": {"path": "uv"}}}]
)
def test_a_receipt_that_names_no_program_proves_nothing(receipt):
    assert drift.of_receipt("uv", tree(receipt=receipt)) == ("its receipt names no program",)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
PROGRAMS = st.dictionaries(st.text(max_size=3), st.fixed_dictionaries({"path": JSON, "sha256": JSON, "size": JSON}))


@given(st.dictionaries(st.sampled_from(["sha256", "executables", "x"]), JSON | PROGRAMS))
def test_whatever_a_receipt_says_nothing_else_is_raised(receipt):
    told = drift.of_receipt("uv", tree(receipt=receipt))
    assert told
    assert all(isinstance(line, str) for line in told)


# Links.


def state(**links: str) -> State:
    return State("/opt/p", "/usr/local/bin", links=links)


def test_links_that_lead_to_the_active_tree_are_right():
    good = state(uv="/opt/p/current/uv/bin/uv", uvx="/opt/p/current/uv/bin/uvx", ruff="/opt/p/current/ruff/bin/ruff")
    assert drift.of_links("uv", EXPECTED, good) == ()
    assert drift.links_of("uv", good) == ("uv", "uvx")
    assert [drift.owner(name, good) for name in ("uv", "ruff", "cat")] == ["uv", "ruff", None]


def test_lost_and_left_over_links_are_told():
    found = state(uv="/usr/bin/uv", old="/opt/p/current/uv/bin/old")
    assert drift.of_links("uv", EXPECTED, found) == (
        "/usr/local/bin/uv does not lead to it",
        "/usr/local/bin/uvx does not lead to it",
        "/usr/local/bin/old is left over",
    )


@pytest.mark.parametrize(
    "link",
    [
        "/opt/p/current/uv/bin/uvx",
        "/opt/p/current/uv/bin/../../ruff/bin/uv",
        "/opt/p/current/uv",
        "/opt/p2/current/uv/bin/uv",
        "",
    ],
)
def test_a_link_leads_to_the_very_program_or_is_lost(link):
    assert drift.of_links("uv", ["uv"], state(uv=link)) == ("/usr/local/bin/uv does not lead to it",)


@pytest.mark.parametrize(
    "link", ["/opt/p/store/uv/1/bin/uv", "/opt/p/currently/uv/bin/uv", "current/uv/bin/uv", "/opt/pp/current/uv"]
)
def test_a_link_that_leads_elsewhere_is_nobodys(link):
    assert drift.owner("uv", state(uv=link)) is None
    assert drift.links_of("uv", state(uv=link)) == ()
