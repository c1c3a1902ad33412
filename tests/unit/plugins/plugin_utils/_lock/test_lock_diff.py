# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people and bots read of a new lock file: a diff of what is decided on, and the text of a pull request."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

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
        version,
        {"github": "astral-sh/uv"},
        (asset,),
        "2026-01-15T09:30:00Z",
        constraint="==0.9.*",
        platforms=("linux/x86_64",),
        verify={},
    )
    return LockFile(("linux/x86_64",), {"uv": tool}, Policy(timedelta(days=3)), "2026-01-31")


def diff(before: LockFile, after: LockFile) -> str:
    return lock_diff.text(lock_diff.Seen(before, {}), lock_diff.Seen(after, {}))


def with_tool(**changes: Any) -> LockFile:
    known = lock()
    return replace(known, tools={"uv": replace(known.tools["uv"], **changes)})


def test_a_new_tool_is_one_line_and_so_is_one_that_is_gone() -> None:
    assert diff(LockFile(), lock()) == (
        "+ policy: {minimum_age: 3d}\n+ confirmed: 2026-01-31\n+ uv 0.9.8: linux/x86_64, 21.8 MB, digest minisign\n"
    )
    assert diff(lock(), replace(lock(), tools={})) == "- uv 0.9.8\n"


def test_what_did_not_move_is_not_in_the_diff() -> None:
    assert diff(lock(), lock()) == ""
    assert diff(lock(), lock("0.9.9", "d")) == "~ uv 0.9.8 → 0.9.9: only what -v shows\n"


def test_a_line_tells_of_platforms_size_and_evidence_what_came_and_went() -> None:
    known = lock()
    asset = replace(known.tools["uv"].assets[0], size=30_000_000, evidence=Evidence((Claim("sha256", "a" * 64, "x"),)))
    after = with_tool(version="0.9.9", platforms=("linux/aarch64",), assets=(asset,))
    assert diff(known, after) == (
        "~ uv 0.9.8 → 0.9.9: +linux/aarch64, -linux/x86_64, 21.8 → 30.0 MB, -digest, -minisign\n"
    )


def test_other_bytes_of_the_same_version_are_named() -> None:
    line = "~ uv 0.9.8: uv-x86_64.tar.gz is now sha256 dddddddddddddddd…\n"
    assert diff(lock(), lock(digest="d")) == line


def test_what_is_asked_otherwise_is_told_with_what_was_asked_before() -> None:
    assert diff(lock(), with_tool(source={"pypi": "uv"}, constraint="==0.9.8")) == (
        "~ uv 0.9.8: source {github: astral-sh/uv} → {pypi: uv}, version 0.9.* → 0.9.8\n"
    )
    assert diff(lock(), replace(lock(), policy=Policy())) == "~ policy: {minimum_age: 3d} → none\n"


def test_an_asset_without_evidence_is_said_to_have_none() -> None:
    assert diff(LockFile(), lock(evidence=Evidence())).endswith("+ uv 0.9.8: linux/x86_64, 21.8 MB, no evidence\n")


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
