# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which programs start on all hosts that a floor describes."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._choice.floor import (
    floor_of,
    is_met,
    needed,
    order,
    platform_of,
)
from ansible_collections.pinned.release.plugins.plugin_utils._choice.target import admissible
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Floor, parse_platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from hypothesis import given
from hypothesis import strategies as st

GNU = Requirement(
    "linux",
    "x86_64",
    libc="glibc",
    libc_min="2.28",
    interpreter="/lib64/ld-linux-x86-64.so.2",
    libraries=("libc.so.6", "libstdc++.so.6"),
    versions=(("GLIBCXX", "3.4.30"),),
    cpu="x86-64-v3",
    page_size=4096,
)
MUSL = Requirement("linux", "x86_64", libc="musl", libc_min="1.2.3", interpreter="/lib/ld-musl-x86_64.so.1")
STATIC = Requirement("linux", "x86_64", libc="static")
SCRIPT = Requirement("any", "any", interpreter="bash")
SOFT_ARM = Requirement("linux", "arm", "eabi", "static", cpu="armv5te")
ARM = Requirement("linux", "arm", "eabihf", "glibc", "2.28", "/lib/ld-linux-armhf.so.3", fpu="neon")
ARM64_BY_GO = Requirement("linux", "aarch64", libc="static", cpu="armv8.1")
MAC = Requirement("macos", "aarch64", libc="system", os_min="13.0")


@pytest.mark.parametrize(
    ("requirement", "platform", "answer"),
    [
        (GNU, "linux/x86_64", True),
        (GNU, "linux/x86_64/glibc2.28", True),
        (GNU, "linux/x86_64/glibc2.31", True),
        (GNU, "linux/x86_64/glibc2.27", False),
        (GNU, "linux/x86_64/musl", False),
        (replace(GNU, libc_min=None), "linux/x86_64/glibc2.17", True),
        (MUSL, "linux/x86_64/musl", True),
        (MUSL, "linux/x86_64/musl1.2.3", True),
        (MUSL, "linux/x86_64/musl1.2.2", False),
        (MUSL, "linux/x86_64/glibc2.41", False),
        (STATIC, "linux/x86_64/glibc2.17", True),
        (STATIC, "linux/x86_64/musl", True),
        (SCRIPT, "linux/x86_64/musl", True),
        (SOFT_ARM, "linux/armv7/musl", True),
        (ARM, "linux/armv7/glibc2.28", True),
        (ARM, "linux/armv7/glibc2.27", False),
        (ARM64_BY_GO, "linux/aarch64/musl", True),
        (MAC, "macos/aarch64/13", True),
        (MAC, "macos/aarch64/12.7", False),
        (replace(MAC, os_min=None), "macos/aarch64/11", True),
    ],
)
def test_a_floor_asks_only_for_libc_and_system(requirement: Requirement, platform: str, answer: bool) -> None:
    assert is_met(requirement, parse_platform(platform).floor) is answer


@pytest.mark.parametrize(
    ("requirement", "words", "floor"),
    [
        (GNU, "glibc 2.28", Floor("glibc", "2.28")),
        (MUSL, "musl 1.2.3", Floor("musl", "1.2.3")),
        (replace(MUSL, libc_min=None), "musl", Floor("musl")),
        (STATIC, "nothing", None),
        (SCRIPT, "nothing", None),
        (MAC, "macOS 13.0", Floor("system", "13.0")),
    ],
)
def test_what_a_program_needs_is_a_floor_that_it_meets(
    requirement: Requirement, words: str, floor: Floor | None
) -> None:
    assert needed(requirement) == words
    assert floor_of(requirement) == floor
    assert is_met(requirement, floor)


@pytest.mark.parametrize(
    ("host", "platform"),
    [
        (Host("linux", "x86_64", libc="glibc", libc_version="2.36"), "linux/x86_64/glibc2.36"),
        (Host("linux", "arm", "eabihf", "musl", "1.2.5", cpu="armv7"), "linux/armv7/musl"),
        (Host("macos", "aarch64", libc="system", os_version="13.6"), "macos/aarch64/13.6"),
        (Host("linux", "x86_64", libc="glibc"), "None"),
        (Host("linux", "x86_64"), "None"),
        (Host("freebsd", "x86_64", libc="system", os_version="14.1"), "None"),
        (Host("linux", "arm", "eabihf", "glibc", "2.36", cpu="armv8"), "linux/armv7/glibc2.36"),
        (Host("linux", "arm", "eabi", "glibc", "2.36", cpu="armv7"), "linux/armv5te/glibc2.36"),
        (Host(None, None), "None"),
    ],
)
def test_a_host_is_a_platform_with_what_it_has_as_the_floor(host: Host, platform: str) -> None:
    assert str(platform_of(host)) == platform


def test_what_needs_nothing_of_the_host_comes_first_and_then_the_oldest() -> None:
    older = replace(GNU, libc_min="2.17")
    assert sorted([GNU, older, STATIC], key=order) == [STATIC, older, GNU]


@given(*(st.sampled_from(["2.9", "2.17", "2.28", "2.39"]) for _time in range(3)))
def test_what_meets_a_floor_starts_on_every_host_above_it(needs: str, floor: str, has: str) -> None:
    program = Requirement("linux", "x86_64", libc="glibc", libc_min=needs, interpreter="/lib64/ld-linux-x86-64.so.2")
    host = Host("linux", "x86_64", libc="glibc", libc_version=has, loaders=("/lib64/ld-linux-x86-64.so.2",))
    is_above = [int(part) for part in has.split(".")] >= [int(part) for part in floor.split(".")]
    if is_above and is_met(program, Floor("glibc", floor)):
        assert admissible(program, host).is_admissible
