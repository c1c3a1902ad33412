# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What hosts that nobody asks get, by the words for their platform."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._choice import floor, platform_host, target
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Assumed, assuming
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import PLATFORMS, parse_platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement

GNU = Requirement("linux", "aarch64", libc="glibc", libc_min="2.28", interpreter="/lib/ld-linux-aarch64.so.1")
NEEDY = Requirement(**{**vars(GNU), "libraries": ("libgcc_s.so.1",)})
MUSL = Requirement("linux", "aarch64", libc="musl", interpreter="/lib/ld-musl-aarch64.so.1")
STATIC = Requirement("linux", "aarch64", libc="static")
STATIC_V3 = Requirement("linux", "x86_64", libc="static", cpu="x86-64-v3")
ARMV7 = Requirement("linux", "arm", libc="static", cpu="armv7", abi="eabihf")
MAC = Requirement("macos", "aarch64", libc="system", os_min="13")
SCRIPT = Requirement("any", "any", interpreter="/bin/sh")


def verdict(requirement: Requirement, platform: str, assume: Assumed = Assumed()) -> target.Verdict:  # noqa: B008
    host = platform_host.host_of(parse_platform(platform))
    return target.admissible(requirement, assuming(host, assume))


@pytest.mark.parametrize(
    ("requirement", "platform"),
    [
        (STATIC, "linux/aarch64"),
        (STATIC, "linux/aarch64/musl"),
        (GNU, "linux/aarch64/glibc2.28"),
        (GNU, "linux/arm64/glibc2.36"),
        (MUSL, "linux/aarch64/musl"),
        (ARMV7, "linux/armv7"),
        (MAC, "macos/aarch64/13"),
    ],
)
def test_what_every_host_of_a_platform_starts_is_admitted(requirement: Requirement, platform: str) -> None:
    assert verdict(requirement, platform).is_admissible


@pytest.mark.parametrize(
    ("requirement", "platform", "reason"),
    [
        (STATIC, "linux/x86_64", "is built for aarch64, host runs x86_64"),
        (GNU, "linux/aarch64", "gnu build needs glibc, the host's libc is unknown"),
        (GNU, "linux/aarch64/glibc2.17", "gnu build needs glibc 2.28, host has 2.17"),
        (GNU, "linux/aarch64/musl", "gnu build needs glibc, host has musl"),
        (NEEDY, "linux/aarch64/glibc2.28", "needs libgcc_s.so.1, which was not looked for on the host"),
        (STATIC_V3, "linux/x86_64", "needs an x86-64-v3 processor, the host's is unknown"),
        (ARMV7, "linux/armv6", "needs an armv7 processor, host has armv6"),
        (MAC, "macos/aarch64", "needs macOS 13, the host's version is unknown"),
        (SCRIPT, "linux/x86_64/glibc2.28", "needs /bin/sh, which was not looked for on the host"),
    ],
)
def test_what_some_host_of_a_platform_may_lack_is_refused(requirement: Requirement, platform: str, reason: str) -> None:
    assert verdict(requirement, platform) == target.Verdict(False, reason)


def test_what_all_hosts_have_besides_can_be_said() -> None:
    told = Assumed(libraries=("libgcc_s.so.1", "/bin/sh"), cpu="x86-64-v3")
    assert verdict(NEEDY, "linux/aarch64/glibc2.28", told).is_admissible
    assert verdict(SCRIPT, "linux/aarch64", told).is_admissible
    assert verdict(STATIC_V3, "linux/x86_64", told).is_admissible


@pytest.mark.parametrize("name", sorted(name for name in PLATFORMS if name.startswith(("linux", "macos"))))
def test_the_words_for_what_is_known_are_the_words_that_were_given(name: str) -> None:
    words = f"{name}/13" if name.startswith("macos") else f"{name}/musl"
    assert str(floor.platform_of(platform_host.host_of(parse_platform(words)))) == words
