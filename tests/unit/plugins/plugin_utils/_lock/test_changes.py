# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a new lock says about the hosts: which builds are gone, what serves in their place, who is left behind."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._lock.changes import Outcome, outcome
from ansible_collections.pinned.release.plugins.plugin_utils._values import triples
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Claim, Evidence, Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Identity
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import Executable, LockedAsset, LockedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import parse_platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement

LOADER = "/lib64/ld-linux-x86-64.so.2"
SMALL_PAGES = 4096
LIBC = ("libc.so.6",)
GNU_2_17 = Requirement("linux", "x86_64", libc="glibc", libc_min="2.17", interpreter=LOADER, libraries=LIBC)
GNU_2_39 = Requirement("linux", "x86_64", libc="glibc", libc_min="2.39", interpreter=LOADER, libraries=LIBC)
GNU_ZLIB = Requirement(
    "linux", "x86_64", libc="glibc", libc_min="2.17", interpreter=LOADER, libraries=("libc.so.6", "libz.so.1")
)
GNU_V3 = Requirement(
    "linux", "x86_64", libc="glibc", libc_min="2.17", interpreter=LOADER, libraries=LIBC, cpu="x86-64-v3"
)
STATIC = Requirement("linux", "x86_64", libc="static", page_size=SMALL_PAGES)
STATIC_V3 = Requirement("linux", "x86_64", libc="static", cpu="x86-64-v3")
AARCH64 = Requirement("linux", "aarch64", libc="static", page_size=65536)
AARCH64_SMALL_PAGES = Requirement("linux", "aarch64", libc="static", page_size=SMALL_PAGES)
ARMV7 = Requirement("linux", "arm", "eabihf", "static", cpu="armv7")
ARMV7_NEON = Requirement("linux", "arm", "eabihf", "static", cpu="armv7", fpu="neon")
ARMV6 = Requirement("linux", "arm", "eabihf", "static", cpu="armv6")
MACOS_11 = Requirement("macos", "aarch64", libc="system", os_min="11.0")
MACOS_13 = Requirement("macos", "aarch64", libc="system", os_min="13.0")
GNU_CXX = Requirement(
    *("linux", "x86_64", None, "glibc", "2.17", LOADER),
    libraries=("libc.so.6", "libstdc++.so.6"),
    versions=(("GLIBCXX", "3.4.21"),),
)
SCRIPT_LINUX = Requirement("linux", "any", interpreter="/bin/sh")
PYTHON_LINUX = Requirement("linux", "any", interpreter="python3")
SCRIPT = Requirement("any", "any", interpreter="/bin/sh")

NONE = Evidence()
PLATFORMS = [parse_platform(name) for name in ("linux/x86_64", "linux/aarch64", "linux/armv7", "macos/aarch64")]


def tool(*builds: Requirement, version: str = "1.0", evidence: Evidence = NONE) -> LockedTool:
    program = {"tool": Executable("tool", "0" * 64, 1)}
    assets = [
        LockedAsset(
            name=f"tool-{number}",
            url="https://example.org/",
            size=1,
            sha256="0" * 64,
            format="bare",
            target=triples.triple(build),
            requires=build,
            executables=program,
            evidence=evidence,
            unpacked_size=1,
            tree_sha256="0" * 64,
        )
        for number, build in enumerate(builds)
    ]
    return LockedTool(version, {"github": "owner/tool"}, tuple(assets))


@pytest.mark.parametrize(
    ("before", "after", "notes"),
    [
        ([GNU_2_17, STATIC], [GNU_2_17, STATIC], []),
        (
            [GNU_2_17, STATIC],
            [STATIC],
            [
                "x86_64-unknown-linux-gnu disappeared → x86_64-unknown-linux-musl, static, "
                "runs everywhere the old one did"
            ],
        ),
        (
            [GNU_2_17],
            [STATIC],
            [
                "x86_64-unknown-linux-gnu disappeared → x86_64-unknown-linux-musl, static, "
                "runs everywhere the old one did"
            ],
        ),
        ([GNU_2_17], [GNU_2_17, STATIC], ["x86_64-unknown-linux-musl is new"]),
        (
            [STATIC],
            [GNU_2_39],
            ["x86_64-unknown-linux-musl disappeared → x86_64-unknown-linux-gnu, needs glibc 2.39"],
        ),
        (
            [GNU_2_17],
            [STATIC_V3],
            [
                "x86_64-unknown-linux-gnu disappeared → x86_64-unknown-linux-musl (x86-64-v3), static, "
                "needs an x86-64-v3 processor"
            ],
        ),
        (
            [GNU_2_17, STATIC, GNU_V3],
            [GNU_2_17, STATIC],
            [
                "x86_64-unknown-linux-gnu (x86-64-v3) disappeared → x86_64-unknown-linux-musl, static, "
                "runs everywhere the old one did"
            ],
        ),
        (
            [ARMV7, ARMV6],
            [ARMV6],
            [
                "armv7-unknown-linux-musleabihf disappeared → arm-unknown-linux-musleabihf, static, "
                "runs everywhere the old one did"
            ],
        ),
        ([ARMV7], [ARMV7_NEON], ["armv7-unknown-linux-musleabihf now needs NEON"]),
        ([ARMV7_NEON], [ARMV7], []),
        ([GNU_2_17], [GNU_2_39], ["x86_64-unknown-linux-gnu now needs glibc 2.39 instead of 2.17"]),
        ([GNU_2_17, GNU_2_39], [GNU_2_39], ["x86_64-unknown-linux-gnu now needs glibc 2.39 instead of 2.17"]),
        ([GNU_2_39, GNU_2_17], [GNU_2_39], ["x86_64-unknown-linux-gnu now needs glibc 2.39 instead of 2.17"]),
        ([GNU_2_17], [GNU_2_39, GNU_2_17], []),
        ([GNU_2_39], [GNU_2_17, GNU_2_39], []),
        ([GNU_2_17], [GNU_ZLIB], ["x86_64-unknown-linux-gnu now needs libz.so.1"]),
        ([MACOS_11], [MACOS_13], ["aarch64-apple-darwin now needs macOS 13.0 instead of 11.0"]),
        (
            [AARCH64],
            [AARCH64_SMALL_PAGES],
            ["aarch64-unknown-linux-musl now needs a kernel with pages of at most 4096 bytes"],
        ),
        ([STATIC], [Requirement("linux", "x86_64", libc="static")], []),
        ([Requirement("linux", "x86_64", libc="static")], [STATIC], []),
        ([GNU_2_17], [SCRIPT], ["x86_64-unknown-linux-gnu disappeared → any, needs /bin/sh"]),
        ([SCRIPT], [SCRIPT_LINUX], ["any disappeared → linux/any, needs linux"]),
        ([SCRIPT_LINUX], [SCRIPT], ["linux/any disappeared → any, runs everywhere the old one did"]),
        ([SCRIPT_LINUX], [PYTHON_LINUX], ["linux/any now needs python3"]),
        (
            [GNU_2_17],
            [GNU_CXX],
            ["x86_64-unknown-linux-gnu now needs libstdc++.so.6, libstdc++.so.6 with GLIBCXX_3.4.21"],
        ),
        ([SCRIPT], [STATIC], ["any disappeared → x86_64-unknown-linux-musl, static, needs linux x86_64"]),
    ],
)
def test_notes_tell_what_becomes_of_the_hosts(
    before: list[Requirement], after: list[Requirement], notes: list[str]
) -> None:
    assert outcome(tool(*before), tool(*after, version="2.0"), PLATFORMS).notes == tuple(notes)


@pytest.mark.parametrize(
    ("before", "after", "note"),
    [
        (
            {"executables": {"uv": "uv", "uvx": "uvx"}},
            {"executables": {"uv": "uv"}},
            "now for executables {uv: uv} instead of {uv: uv, uvx: uvx}",
        ),
        ({"files": {"share/a": "a"}}, {}, "now for files nothing instead of {share/a: a}"),
        ({"asset": "a.zip"}, {"asset": "b.zip"}, "now for asset b.zip instead of a.zip"),
    ],
)
def test_notes_tell_what_is_asked_otherwise(before: dict[str, Any], after: dict[str, Any], note: str) -> None:
    assert outcome(replace(tool(STATIC), **before), replace(tool(STATIC), **after), PLATFORMS).notes == (note,)


ONE_KEY, OTHER_KEY = {"minisign": (Identity.of(key="RWQ1"),)}, {"minisign": (Identity.of(key="RWQ2"),)}
CLAIMED = Evidence((Claim("sha256", "0" * 64, "listing"),))
BY_ANOTHER_TOOL = Evidence((Claim("sha256", "0" * 64, "mise.lock"),))


@pytest.mark.parametrize(
    ("before", "after", "notes"),
    [
        ({}, {"verify": ONE_KEY}, ("is now verified by minisign: RWQ1",)),
        (
            {"verify": ONE_KEY},
            {},
            ("is no longer verified by minisign: the manifest does not ask for it",),
        ),
        (
            {"verify": ONE_KEY},
            {"verify": OTHER_KEY},
            ("is now verified by another minisign identity: RWQ1 → RWQ2",),
        ),
        ({"verify": ONE_KEY}, {"verify": ONE_KEY, "version": "1.1"}, ()),
        (
            {"evidence": CLAIMED},
            {"version": "1.1", "evidence": BY_ANOTHER_TOOL},
            ("tool-0 has no digest by its publisher, which all assets had before",),
        ),
        ({"evidence": BY_ANOTHER_TOOL}, {"version": "1.1"}, ()),
        (
            {"evidence": CLAIMED},
            {"version": "1.1"},
            ("tool-0 has no digest by its publisher, which all assets had before",),
        ),
        ({}, {"version": "1.1"}, ()),
        ({}, {"evidence": CLAIMED}, ()),
    ],
)
def test_notes_tell_what_the_bytes_are_believed_on(before, after, notes):
    def made(version="1.0", evidence=NONE, verify=()):
        return replace(tool(STATIC, version=version, evidence=evidence), verify=dict(verify))

    assert outcome(made(**before), made(**after), PLATFORMS).notes == notes


def test_a_build_that_nobody_asks_for_any_more_did_not_disappear() -> None:
    before, after = tool(STATIC, AARCH64), tool(STATIC)
    assert outcome(before, after, PLATFORMS[:1]).notes == ("aarch64-unknown-linux-musl is no longer asked for",)


def test_a_move_is_named_by_its_direction() -> None:
    older, newer = (tool(STATIC, version=version) for version in ("1.9", "1.10"))
    old_java, new_java = (tool(STATIC, version=version) for version in ("8u92-b14", "8u392-b08"))
    assert outcome(older, newer, PLATFORMS).action == "upgraded"
    assert outcome(newer, older, PLATFORMS).action == "downgraded"
    assert outcome(old_java, new_java, PLATFORMS).action == "upgraded"
    assert outcome(older, tool(GNU_2_17, version="1.9"), PLATFORMS).action == "relocked"
    assert outcome(older, older, PLATFORMS) == Outcome("kept", "1.9", "1.9", ("x86_64-unknown-linux-musl",))
    assert outcome(None, older) == Outcome("added", "1.9", None, ("x86_64-unknown-linux-musl",))
    assert outcome(older, None) == Outcome("removed", None, "1.9")


def test_a_proof_by_the_successor_of_an_identity_is_told() -> None:
    old, new = Identity.of(key="OLD"), Identity.of(key="NEW")
    pins = {"minisign": (old, new)}
    before, after = (
        replace(tool(STATIC, version=version, evidence=Evidence((), (proof(identity),))), verify=pins)
        for version, identity in (("1.0", old), ("1.1", new))
    )
    assert "has minisign proofs by NEW now, by OLD before" in outcome(before, after, PLATFORMS).notes
    assert not any("proofs by" in note for note in outcome(before, replace(before, version="1.1"), PLATFORMS).notes)


def proof(identity: Identity) -> Proof:
    return Proof("minisign", identity, "signer", "tool-0", "0" * 64, "https://example.org/x.minisig", ())
