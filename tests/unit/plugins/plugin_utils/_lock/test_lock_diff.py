# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people and bots read of a new lock file: a diff of what is decided on, and the text of a pull request."""

from __future__ import annotations

import difflib
from dataclasses import replace
from datetime import timedelta

from ansible_collections.pinned.release.plugins.plugin_utils._lock import lock_diff
from ansible_collections.pinned.release.plugins.plugin_utils._lock.changes import Outcome, outcome
from ansible_collections.pinned.release.plugins.plugin_utils._lock.summary import summary
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim, Evidence, Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    Executable,
    LockedAsset,
    LockedTool,
    LockFile,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import Policy
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement

SIGNATURE = Proof(
    "minisign", Identity.of(key="RWSG"), "D900E7558DAD3A86", "uv.tar.gz", "a" * 64, "https://github.com/x.minisig", ()
)


def lock(version: str = "0.9.8", digest: str = "a", evidence: Evidence | None = None) -> LockFile:
    asset = LockedAsset(
        name="uv-x86_64.tar.gz",
        url=f"https://github.com/astral-sh/uv/{version}/uv-x86_64.tar.gz",
        size=21_757_952,
        sha256=digest * 64,
        format="tar.gz",
        target="x86_64-unknown-linux-gnu",
        requires=Requirement("linux", "x86_64", libc="glibc", libc_min="2.17"),
        executables={"uv": Executable("uv", "b" * 64, 1)},
        evidence=evidence or Evidence((Claim("sha256", digest * 64, "listing"),), (SIGNATURE,)),
        unpacked_size=1,
        tree_sha256="c" * 64,
    )
    tool = LockedTool(
        version, {"github": "astral-sh/uv"}, (asset,), "2026-01-15T09:30:00Z", constraint="==0.9.*", verify={}
    )
    return LockFile(("linux/x86_64",), {"uv": tool}, Policy(timedelta(days=3)), "2026-01-31")


def test_people_see_what_they_decide_on() -> None:
    assert lock_diff.text(lock()) == (
        "platforms: linux/x86_64\n"
        "policy: {minimum_age: 3d}\n"
        "confirmed: 2026-01-31\n"
        "\n"
        "uv:\n"
        "  version: 0.9.8\n"
        "  published: 2026-01-15\n"
        "  asked source: {github: astral-sh/uv}\n"
        "  asked version: ==0.9.*\n"
        "  from: github.com\n"
        "  programs: uv\n"
        "  x86_64-unknown-linux-gnu: uv-x86_64.tar.gz, 21.8 MB, sha256 aaaaaaaaaaaaaaaa…, needs glibc 2.17\n"
        "    digest: listing\n"
        "    minisign: D900E7558DAD3A86\n"
    )
    assert lock_diff.text(LockFile()) == ""


def test_a_diff_shows_what_changed_and_that_the_evidence_did_not() -> None:
    before, after = lock_diff.text(lock()).splitlines(), lock_diff.text(lock("0.9.9", "d")).splitlines()
    changed = [line for line in difflib.ndiff(before, after) if line[0] in "+-"]
    assert [line[:12] for line in changed] == ["-   version:", "+   version:", "-   x86_64-u", "+   x86_64-u"]


def test_an_asset_without_evidence_is_said_to_have_none() -> None:
    assert "    digest: none by its publisher\n" in lock_diff.text(lock(evidence=Evidence()))
    assert "minisign" not in lock_diff.text(lock(evidence=Evidence()))


def test_a_pull_request_says_what_moved_how_far_and_on_what_grounds() -> None:
    before, after = lock(), lock("0.9.9", "d")
    became = outcome(before.tools["uv"], after.tools["uv"])
    assert summary(after, {"uv": replace(became, notes=("x is new",))}, ("policy: is now {}",)) == (
        "Upgrade uv 0.9.8 → 0.9.9\n"
        "\n"
        "| tool | before | now | move | evidence |\n"
        "| --- | --- | --- | --- | --- |\n"
        "| uv | 0.9.8 | 0.9.9 | patch | digest, minisign |\n"
        "\n"
        "    policy: is now {}\n"
        "    uv: x is new\n"
    )


def test_several_tools_share_a_title_and_what_stays_is_not_listed() -> None:
    outcomes = {
        "a": Outcome("removed", None, "1.0"),
        "b": Outcome("kept", "1.0", "1.0"),
        "uv": Outcome("added", "0.9.8", None),
    }
    lines = summary(lock(), outcomes).splitlines()
    assert lines[0] == "Change 2 tools: a, uv"
    assert lines[4:] == ["| a | 1.0 |  | removed |  |", "| uv |  | 0.9.8 | added | digest, minisign |"]
    assert summary(lock(), {"b": outcomes["b"]}) == "Nothing changes in the lock file\n"


def test_what_a_publisher_wrote_stays_inside_of_a_block_of_code() -> None:
    hostile = "@everyone ![](https://example.org/x)\n# \x1b[2J<script>"
    lines = summary(lock(), {"uv": Outcome("relocked", "1", "1", notes=(hostile,))}).splitlines()
    assert lines[-1] == "    uv: @everyone ![](https://example.org/x)?# ?[2J<script>"
