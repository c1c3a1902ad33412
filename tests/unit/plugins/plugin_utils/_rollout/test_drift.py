# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Drift and deviation: whatever differs is told, and what nobody looked at is never called good."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._host.finding import Finding, texts
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import InstalledProgram, State, Tree
from ansible_collections.pinned.release.plugins.plugin_utils._rollout import drift
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import Executable
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import receipts

A, B, C = "a" * 64, "b" * 64, "c" * 64
RECEIPT = replace(
    receipts.RECEIPT,
    sha256=C,
    tree_sha256=A,
    executables={"uv": Executable("uv-1/uv", A, 3), "uvx": Executable("uv-1/uvx", B, 3)},
    lock_sha256=B,
    files={},
    bin="link",
)
EXPECTED = RECEIPT.executables


def tree(**changes: Any) -> Tree:
    programs = {name: InstalledProgram(0o755, 0, 0) for name in EXPECTED}
    return replace(Tree("1-cccccccccccc", RECEIPT, "hash", A, (), programs), **changes)


def test_a_whole_tree_does_not_differ() -> None:
    assert drift.of_tree("uv", tree(), A) == ()
    assert drift.of_receipt("uv", tree()) == ()


def test_a_listing_that_is_not_the_pinned_one_proves_nothing() -> None:
    assert texts(drift.of_tree("uv", tree(listing=B), A)) == ("its listing is not the one that is pinned",)
    assert texts(drift.of_tree("uv", tree(listing=""), A)) == ("its listing is missing",)


def test_program_listing_and_receipt_forged_together_are_told_by_what_is_pinned() -> None:
    forged = tree(listing=B, receipt=replace(RECEIPT, tree_sha256=B))
    assert drift.of_receipt("uv", forged) == ()
    assert texts(drift.of_tree("uv", forged, A)) == ("its listing is not the one that is pinned",)


def test_damage_is_told() -> None:
    assert texts(drift.of_tree("uv", tree(damage=(Finding("missing", "libexec/x is missing"),)), A)) == (
        "libexec/x is missing",
    )


def test_a_seal_stands_in_for_the_hashes_of_the_listing_that_the_receipt_names() -> None:
    sealed = tree(verified_by="seal", listing="")
    assert drift.of_tree("uv", sealed, A) == ()
    assert texts(drift.of_tree("uv", sealed, B)) == ("it was made from another listing than the one that is pinned",)


def test_tree_of_the_same_bytes_with_other_links_is_told_as_such() -> None:
    one = replace(RECEIPT, executables={"uv": EXPECTED["uv"]}, tree_sha256=B)
    assert drift.relinked(tree(), RECEIPT) == ()
    assert drift.relinked(tree(), replace(one, sha256=A)) == ()
    told = "it was installed with the programs uv, uvx, and the lock file names uv"
    assert drift.relinked(tree(), one) == (told,)
    moved = replace(RECEIPT, executables={**EXPECTED, "uv": Executable("bin/uv", A, 3)}, tree_sha256=B)
    told = "it was installed with the programs uv: uv-1/uv, and the lock file names uv: bin/uv"
    assert drift.relinked(tree(), moved) == (told,)


def test_what_nobody_could_verify_is_an_error_not_good_news() -> None:
    with pytest.raises(ReleaseError) as caught:
        drift.of_receipt("uv", tree(verified_by=""))
    assert caught.value.what == "uv: what is installed cannot be verified"
    assert "sha256sum" in (caught.value.expected or "")


def test_a_receipt_that_cannot_be_read_is_told() -> None:
    assert texts(drift.of_receipt("uv", tree(receipt=None))) == ("receipt.json is missing or unreadable",)


@pytest.mark.parametrize("field", ["version", "asset", "sha256", "tree_sha256", "source_url", "target", "tool"])
def test_each_field_that_the_lock_file_knows_is_compared(field: str) -> None:
    assert drift.deviations(replace(RECEIPT, **{field: "edited"}), RECEIPT) == (field,)


def test_what_only_the_run_knew_is_not_compared() -> None:
    later = replace(RECEIPT, reason="other", lock_sha256=C, bin_dir="/b", installed="2026-01-01T00:00:00Z")
    assert drift.deviations(RECEIPT, later) == ()


def test_a_mode_that_was_not_ordered_is_told_of_each_program() -> None:
    found = tree(programs={"uv": InstalledProgram(0o4755, 0, 0), "uvx": InstalledProgram(0o755, 0, 0)})
    assert texts(drift.expected_mode(0o755, found, EXPECTED)) == ("uv has mode 4755, not 0755",)


# Links.


def state(**links: str) -> State:
    return State("/opt/p", "/usr/local/bin", links=links)


def test_links_that_lead_to_the_active_tree_are_right() -> None:
    good = state(uv="/opt/p/current/uv/bin/uv", uvx="/opt/p/current/uv/bin/uvx", ruff="/opt/p/current/ruff/bin/ruff")
    assert drift.of_links("uv", EXPECTED, good) == ()
    assert drift.links_of("uv", good) == ("uv", "uvx")
    assert [good.owner(name) for name in ("uv", "ruff", "cat")] == ["uv", "ruff", None]


def test_lost_and_left_over_links_are_told() -> None:
    found = state(uv="/usr/bin/uv", old="/opt/p/current/uv/bin/old")
    assert texts(drift.of_links("uv", EXPECTED, found)) == (
        "/usr/local/bin/uv does not lead to it",
        "/usr/local/bin/uvx is missing",
        "/usr/local/bin/old is left over",
    )


@pytest.mark.parametrize(
    "link",
    [
        "/opt/p/current/uv/bin/uvx",
        "/opt/p/current/uv/bin/../../ruff/bin/uv",
        "/opt/p/current/uv/bin/uv\n",
        "/opt/p/current/uv",
        "/opt/p2/current/uv/bin/uv",
        "",
    ],
)
def test_a_link_leads_to_the_very_program_or_is_lost(link: str) -> None:
    assert "/usr/local/bin/uv does not lead to it" in texts(drift.of_links("uv", ["uv"], state(uv=link)))


@pytest.mark.parametrize(
    "link", ["/opt/p/store/uv/1/bin/uv", "/opt/p/currently/uv/bin/uv", "current/uv/bin/uv", "/opt/pp/current/uv"]
)
def test_a_link_that_leads_elsewhere_is_nobodys(link: str) -> None:
    assert state(uv=link).owner("uv") is None
    assert drift.links_of("uv", state(uv=link)) == ()
