# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which asset a host gets, and whether the reason for it is the true one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._choice import choice
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Assumed, Host, assuming
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.triples import triple
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import locked

GNU = Requirement("linux", "x86_64", libc="glibc", libc_min="2.39", interpreter="/lib64/ld-linux-x86-64.so.2")
LOADERS = (str(GNU.interpreter),)
NEEDY = replace(GNU, libraries=("libz.so.1",))
OLD_GNU, GNU_2_38 = replace(GNU, libc_min="2.17"), replace(GNU, libc_min="2.38")
STATIC = Requirement("linux", "x86_64", libc="static")
MUSL = Requirement("linux", "x86_64", libc="musl", interpreter="/lib/ld-musl-x86_64.so.1")
SCRIPT = Requirement("any", "any", interpreter="/bin/bash")
MACHO = Requirement("macos", "x86_64", libc="system", os_min="10.12")
BOOKWORM = Host(
    "linux",
    "x86_64",
    libc="glibc",
    libc_version="2.36",
    loaders=("/lib64/ld-linux-x86-64.so.2",),
    libraries=frozenset(["/bin/bash"]),
)
ALPINE = Host(
    "linux",
    "x86_64",
    libc="musl",
    libc_version="1.2.5",
    loaders=("/lib/ld-musl-x86_64.so.1",),
    libraries=frozenset(["libz.so.1"]),
)
MAC = Host("macos", "x86_64", libc="system", os_version="14.5")
V2_REFUSED = "needs an x86-64-v2 processor, the host's is unknown"
NIXOS = Host("linux", "x86_64", libc="glibc", libc_version=None, loaders=(), libraries=frozenset())


def test_reason_says_why_the_native_build_was_passed_over(tmp_path: Path) -> None:
    gnu, static = locked(Released(tmp_path, version="1"), GNU), locked(Released(tmp_path, version="2"), STATIC)
    both = type(gnu)("1", {}, gnu.assets + static.assets)
    assert (
        choice.choose("hello", both, BOOKWORM).reason == "gnu build needs glibc 2.39, host has 2.36 → static musl build"
    )


def test_reason_tells_of_an_emulator_and_why_it_is_needed(tmp_path: Path) -> None:
    gnu, static = locked(Released(tmp_path, version="1"), GNU), locked(Released(tmp_path, version="2"), STATIC)
    foreign = replace(static.assets[0], requires=replace(STATIC, arch="aarch64"))
    emulating = replace(BOOKWORM, emulates=("aarch64",))
    reason = "static aarch64 build, needs no libc, aarch64 emulated on x86_64"
    assert choice.choose("hello", type(gnu)("1", {}, (foreign,)), emulating).reason == reason
    reason = "gnu build needs glibc 2.39, host has 2.36 → static musl build, aarch64 emulated on x86_64"
    assert choice.choose("hello", type(gnu)("1", {}, (*gnu.assets, foreign)), emulating).reason == reason


def tool_of(folder: Path, *requirements: Requirement) -> LockedTool:
    """Return a tool with an asset for each of *requirements*: ``0.tar.gz``, ``1.tar.gz`` …"""
    asset = locked(Released(folder)).assets[0]
    made = [
        replace(asset, name=f"{number}.tar.gz", requires=requires, target=triple(requires))
        for number, requires in enumerate(requirements)
    ]
    return LockedTool("1.0", {}, tuple(made))


@pytest.mark.parametrize(
    ("requirements", "host", "reason"),
    [
        ([OLD_GNU, STATIC], BOOKWORM, "gnu build needs glibc 2.17, host has 2.36"),
        ([OLD_GNU, GNU], BOOKWORM, "gnu build needs glibc 2.39, host has 2.36 → gnu build"),
        ([STATIC, GNU, GNU_2_38], BOOKWORM, "gnu build needs glibc 2.39, host has 2.36 → static musl build"),
        ([STATIC, MUSL], BOOKWORM, "static x86_64 build, needs no libc"),
        ([GNU, SCRIPT], BOOKWORM, "gnu build needs glibc 2.39, host has 2.36 → script"),
        (
            [GNU, replace(SCRIPT, os="linux", arch="x86_64")],
            BOOKWORM,
            "gnu build needs glibc 2.39, host has 2.36 → script for linux/x86_64",
        ),
        ([replace(MUSL, libraries=("libz.so.1",)), MUSL], ALPINE, "musl build needs musl, host has 1.2.5"),
        ([replace(MACHO, cpu="x86-64-v2"), MACHO], MAC, f"{V2_REFUSED} → x86_64-apple-darwin build"),
    ],
    ids=["best", "floor", "best refused", "worse refused", "script", "script for a platform", "equals", "macOS"],
)
def test_reason_is_that_of_the_best_native_build_that_was_passed_over(
    tmp_path: Path, requirements: list[Requirement], host: Host, reason: str
) -> None:
    assert choice.choose("hello", tool_of(tmp_path, *requirements), host).reason == reason


def test_what_is_for_another_architecture_was_not_passed_over(tmp_path: Path) -> None:
    arm = [replace(GNU, arch="aarch64"), replace(STATIC, arch="aarch64")]
    chosen = choice.choose("hello", tool_of(tmp_path, *arm), replace(BOOKWORM, emulates=("aarch64",)))
    assert chosen.asset.requires == arm[1]
    assert chosen.reason == "static aarch64 build, needs no libc, aarch64 emulated on x86_64"


def test_a_preferred_static_build_has_passed_over_nothing(tmp_path: Path) -> None:
    chosen = choice.choose("hello", tool_of(tmp_path, GNU, STATIC), BOOKWORM, "static")
    assert chosen.reason == "static x86_64 build, needs no libc"


def test_of_equal_builds_the_first_by_name_is_taken(tmp_path: Path) -> None:
    tool = tool_of(tmp_path, STATIC, STATIC)
    assert choice.choose("hello", tool, BOOKWORM).asset.name == "0.tar.gz"
    assert choice.choose("hello", replace(tool, assets=tool.assets[::-1]), BOOKWORM).asset.name == "0.tar.gz"


def test_refusal_is_about_the_native_builds_if_there_are_any(tmp_path: Path) -> None:
    foreign = replace(STATIC, arch="aarch64")
    with pytest.raises(ReleaseError) as raised:
        choice.choose("hello", tool_of(tmp_path, foreign, GNU), BOOKWORM)
    assert raised.value.what == "hello 1.0 does not run on this host: gnu build needs glibc 2.39, host has 2.36"
    platform = "name linux/x86_64/glibc2.36 in the manifest's platforms and lock again"
    assert raised.value.fix == f"{platform}: lock then takes the newest release that runs there"
    exact = replace(tool_of(tmp_path, foreign, GNU), constraint="==1.0")
    with pytest.raises(ReleaseError) as raised:
        choice.choose("hello", exact, BOOKWORM)
    assert str(raised.value.fix).startswith(
        "allow other versions than 1.0 in the manifest, name linux/x86_64/glibc2.36"
    )
    for wide in ("==1.*", ">=1,<2"):
        with pytest.raises(ReleaseError) as raised:
            choice.choose("hello", replace(exact, constraint=wide), BOOKWORM)
        assert str(raised.value.fix).startswith(platform)
    with pytest.raises(ReleaseError) as raised:
        choice.choose("hello", tool_of(tmp_path, foreign), BOOKWORM)
    assert raised.value.what == "hello 1.0 does not run on this host: is built for aarch64, host runs x86_64"
    assert raised.value.fix == platform
    with pytest.raises(ReleaseError) as raised:
        choice.choose("hello", tool_of(tmp_path), BOOKWORM)
    assert str(raised.value.what).endswith("the lock file has no asset of it")


def test_a_floor_is_no_help_against_an_old_processor(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="needs an x86-64-v4 processor") as raised:
        choice.choose("hello", tool_of(tmp_path, replace(STATIC, cpu="x86-64-v4")), BOOKWORM)
    assert raised.value.fix == "choose a version, or an asset, that needs less, and lock again"


def test_all_tools_that_do_not_run_are_told_at_once() -> None:
    errors = [choice.UnsupportedError(f"{name} 1.0", f"{name} is new", "a host", "wait") for name in ("a", "b")]
    assert choice.together(errors[:1]) is errors[0]
    assert choice.together(errors).what == "2 tools do not run on this host: a 1.0 (a is new); b 1.0 (b is new)"


@pytest.mark.parametrize(
    ("host", "described"),
    [
        (replace(BOOKWORM, distribution="Debian 12"), "linux x86_64, glibc 2.36 (Debian 12)"),
        (NIXOS, "linux x86_64, glibc of unknown version"),
        (Host("linux", "arm", "eabihf"), "linux arm eabihf"),
        (Host("freebsd", "x86_64", libc="system"), "freebsd x86_64"),
        (Host(None, None), "an unknown system of unknown architecture"),
    ],
)
def test_refusal_describes_the_host(tmp_path: Path, host: Host, described: str) -> None:
    with pytest.raises(ReleaseError, match=r"hello 1\.0 does not run on this host: is built for windows") as raised:
        choice.choose("hello", tool_of(tmp_path, replace(STATIC, os="windows")), host)
    assert raised.value.expected == f"a program for {described}"


def test_refusal_names_every_reason_once(tmp_path: Path) -> None:
    musl = replace(GNU, libc="musl", libc_min=None)
    with pytest.raises(ReleaseError) as raised:
        choice.choose("hello", tool_of(tmp_path, GNU, GNU, musl), BOOKWORM)
    reasons = "gnu build needs glibc 2.39, host has 2.36, musl build needs musl, host has glibc 2.36"
    assert raised.value.what == f"hello 1.0 does not run on this host: {reasons}"


@pytest.mark.parametrize(
    ("assume", "reason"),
    [
        (Assumed(), None),
        (Assumed(libc_version="2.40", loaders=LOADERS), None),
        (Assumed(libc_version="2.36", loaders=LOADERS, libraries=("libz.so.1",)), None),
        (Assumed(libc="musl", libc_version="2.40", loaders=LOADERS), None),
        (
            Assumed(libc_version="2.40", loaders=LOADERS, libraries=("libz.so.1",)),
            "gnu build needs glibc 2.39, host has 2.40, assuming libc_version 2.40, "
            "libraries libz.so.1, loaders /lib64/ld-linux-x86-64.so.2",
        ),
    ],
)
def test_what_a_user_answers_for_fills_in_what_is_not_known(
    tmp_path: Path, assume: Assumed, reason: str | None
) -> None:
    tool = locked(Released(tmp_path), NEEDY)
    if reason is None:
        with pytest.raises(ReleaseError, match="does not run on this host"):
            choice.choose_assuming("hello", tool, NIXOS, "native", assume)
    else:
        assert choice.choose_assuming("hello", tool, NIXOS, "native", assume).reason == reason


def test_what_is_known_is_not_overruled() -> None:
    assumed = Assumed(libc="musl", libc_version="2.99", page_size=4096)
    assert assuming(BOOKWORM, assumed) == replace(BOOKWORM, page_size=4096)
