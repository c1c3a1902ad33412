# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which platforms a manifest can name, and how."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import (
    PLATFORMS,
    SPELLINGS,
    Floor,
    Platform,
    UnknownFloorError,
    parse_platform,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("linux/amd64", "linux/x86_64"),
        ("Linux/X64", "linux/x86_64"),
        ("darwin/arm64", "macos/aarch64"),
        ("osx/x86_64", "macos/x86_64"),
        ("linux/armhf", "linux/armv7"),
        ("linux/arm/v6", "linux/armv6"),
        ("linux/armel", "linux/armv5te"),
        ("linux/ppc64le", "linux/powerpc64le"),
        ("linux/386", "linux/i686"),
        ("win32/x64", "windows/x86_64"),
        ("linux/riscv64gc", "linux/riscv64"),
        ("sunos/x64", "illumos/x86_64"),
    ],
)
def test_a_platform_is_known_by_its_usual_names_and_printed_by_one(written: str, canonical: str) -> None:
    assert str(parse_platform(written)) == canonical
    assert parse_platform(canonical) == parse_platform(written)


def test_arm_platforms_carry_their_version_and_float_abi() -> None:
    assert parse_platform("linux/armv7") == Platform("linux", "arm", "armv7", "eabihf")
    assert parse_platform("linux/armv5te") == Platform("linux", "arm", "armv5te", "eabi")


@pytest.mark.parametrize("text", ["", "linux", "linux/", "linux/pdp11", "beos/x86_64", "beos/x86_64/1", "/x86_64"])
def test_an_unknown_platform_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        parse_platform(text)
    assert "linux/x86_64 linux/i686 linux/aarch64 linux/armv7 linux/armv6" in str(caught.value)


@pytest.mark.parametrize(
    ("written", "canonical", "floor"),
    [
        ("linux/amd64/glibc2.28", "linux/x86_64/glibc2.28", Floor("glibc", "2.28")),
        ("linux/arm/v7/Glibc2.28", "linux/armv7/glibc2.28", Floor("glibc", "2.28")),
        ("linux/x86_64/glibc2.2.5", "linux/x86_64/glibc2.2.5", Floor("glibc", "2.2.5")),
        ("linux/x86_64/musl", "linux/x86_64/musl", Floor("musl")),
        ("linux/x86_64/musl1.2.3", "linux/x86_64/musl1.2.3", Floor("musl", "1.2.3")),
        ("darwin/arm64/13", "macos/aarch64/13", Floor("system", "13")),
        ("macos/x86_64/10.15.0", "macos/x86_64/10.15", Floor("system", "10.15")),
    ],
)
def test_a_platform_may_end_in_what_all_of_its_hosts_have(written: str, canonical: str, floor: Floor) -> None:
    platform = parse_platform(written)
    assert (str(platform), platform.floor) == (canonical, floor)
    assert platform.base == parse_platform(canonical.rpartition("/")[0])
    assert parse_platform(canonical) == platform


@pytest.mark.parametrize(
    "text", ["linux/x86_64/glibc", "linux/x86_64/13", "macos/aarch64/glibc2.28", "windows/x86_64/10", "linux/x86_64/"]
)
def test_an_unknown_floor_is_refused_with_examples(text: str) -> None:
    with pytest.raises(UnknownFloorError) as caught:
        parse_platform(text)
    assert "linux/x86_64/glibc2.28, linux/x86_64/musl or macos/aarch64/13" in str(caught.value)


@given(st.lists(st.sampled_from(["linux", "macos", "x86_64", "arm", "v7", "glibc", "musl", "2", "28", ".", "/", "é"])))
def test_any_text_is_a_platform_that_prints_as_itself_or_is_refused(words: list[str]) -> None:
    try:
        platform = parse_platform("".join(words))
    except ReleaseError:
        return
    assert parse_platform(str(platform)) == platform


def test_what_may_be_suggested_for_a_mistyped_platform_is_one() -> None:
    assert {str(parse_platform(name)) for name in SPELLINGS} == set(PLATFORMS)
    assert {"linux/amd64", "macos/arm64", "linux/arm/v7"} <= set(SPELLINGS)
