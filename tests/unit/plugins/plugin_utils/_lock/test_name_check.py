# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does an asset keep what its name promises, whatever the bytes turn out to need?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock.name_check import (
    completed_by_name,
    refuse_broken,
    serves,
)
from ansible_collections.pinned.release.plugins.plugin_utils._naming import naming
from ansible_collections.pinned.release.plugins.plugin_utils._values.label import Label
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import parse_platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement

GNU, MUSL, STATIC = (Requirement("linux", "x86_64", libc=libc) for libc in ("glibc", "musl", "static"))
BIONIC = Requirement("linux", "x86_64", libc="bionic")
HARD, SOFT = (Requirement("linux", "arm", abi, "glibc", cpu="armv7") for abi in ("eabihf", "eabi"))
SOFT_STATIC = Requirement("linux", "arm", "eabi", "static", cpu="armv5te")
MACOS_ARM, MACOS_INTEL = (Requirement("macos", arch, libc="system") for arch in ("aarch64", "x86_64"))
SCRIPT = Requirement("any", "any", interpreter="/bin/sh")


@pytest.mark.parametrize(
    ("label", "requirements"),
    [
        (Label("linux", "x86_64"), [GNU]),
        (Label("linux", "x86_64", libc="glibc"), [GNU]),
        (Label("linux", "x86_64", libc="glibc"), [STATIC]),
        (Label("linux", "x86_64", libc="musl"), [MUSL]),
        (Label("linux", "x86_64", libc="musl"), [STATIC]),
        (Label("linux", "x86_64", libc="static"), [STATIC]),
        (Label("linux"), [SCRIPT]),
        (Label(), [HARD]),
        (Label("linux", "arm", "eabihf"), [HARD]),
        (Label("linux", "arm", "eabihf"), [SOFT_STATIC]),
        (Label("linux", "arm", cpu="armv6"), [HARD]),
        (Label("macos", "aarch64"), [MACOS_INTEL, MACOS_ARM]),
        (Label("macos", "aarch64", libc="static"), [MACOS_ARM]),
        (Label("macos"), [MACOS_INTEL, MACOS_ARM]),
        (Label("macos", archs=("aarch64", "x86_64")), [MACOS_INTEL, MACOS_ARM]),
    ],
)
def test_a_kept_promise_is_no_error(label: Label, requirements: Sequence[Requirement]) -> None:
    refuse_broken("tool", label, requirements)


@pytest.mark.parametrize(
    ("label", "requirements", "said", "found"),
    [
        (Label("linux", "aarch64"), [GNU], "arch aarch64", "arch x86_64"),
        (Label("linux", "aarch64"), [MACOS_ARM], "os linux", "os macos"),
        (Label("linux", "x86_64", libc="musl"), [GNU], "libc musl", "libc glibc"),
        (Label("linux", "x86_64", libc="glibc"), [MUSL], "libc glibc", "libc musl"),
        (Label("linux", "x86_64", libc="glibc"), [BIONIC], "libc glibc", "libc bionic"),
        (Label("linux", "x86_64", libc="static"), [GNU], "libc static", "libc glibc"),
        (Label(libc="musl"), [GNU], "libc musl", "libc glibc"),
        (Label("linux", "arm", "eabihf"), [SOFT], "ABI eabihf", "ABI eabi"),
        (Label("linux", "arm", "eabi"), [HARD], "ABI eabi", "ABI eabihf"),
        (Label("macos", archs=("aarch64", "x86_64")), [MACOS_ARM], "arch x86_64", "arch aarch64"),
    ],
)
def test_a_broken_promise_is_refused_with_both(
    label: Label, requirements: Sequence[Requirement], said: str, found: str
) -> None:
    with pytest.raises(ReleaseError, match="is not what its name says") as raised:
        refuse_broken("tool", label, requirements)
    assert str(raised.value.expected).startswith(f"{said}, ")
    assert str(raised.value.found).startswith(f"{found}, ")


@pytest.mark.parametrize(
    ("requirement", "platform", "is_served"),
    [
        (GNU, "linux/x86_64", True),
        (GNU, "linux/aarch64", False),
        (GNU, "freebsd/x86_64", False),
        (SCRIPT, "linux/aarch64", True),
        (SCRIPT, "windows/x86_64", False),
        (HARD, "linux/armv7", True),
        (HARD, "linux/armv6", False),
        (SOFT, "linux/armv7", False),
        (SOFT_STATIC, "linux/armv7", True),
        (SOFT_STATIC, "linux/armv5te", True),
    ],
)
def test_bytes_tell_which_platform_is_served(requirement: Requirement, platform: str, is_served: bool) -> None:
    assert serves(requirement, parse_platform(platform)) is is_served


V2, V3 = (replace(STATIC, cpu=cpu) for cpu in ("x86-64-v2", "x86-64-v3"))


@pytest.mark.parametrize(
    ("name", "requirement", "completed"),
    [
        ("tool-linux-amd64.tar.gz", STATIC, STATIC),
        ("tool-linux-amd64-v1.tar.gz", STATIC, STATIC),
        ("tool-linux-amd64-v3.tar.gz", STATIC, V3),
        ("tool-x86_64_v3-unknown-linux-musl.tar.xz", V2, V3),
        ("tool-x86_64_v2-unknown-linux-musl.tar.xz", V3, V3),
        ("tool-linux-amd64.tar.gz", V3, V3),
        ("tool-linux-armv7.tar.gz", SOFT_STATIC, SOFT_STATIC),
        ("tool-linux-arm64.tar.gz", SCRIPT, Requirement("linux", "aarch64", interpreter="/bin/sh")),
    ],
)
def test_a_name_may_ask_for_more_than_bytes_can_tell_never_for_less(
    name: str, requirement: Requirement, completed: Requirement
) -> None:
    label = naming.read(Asset(name, ""), ("tool",), "").label
    assert completed_by_name(requirement, label) == completed
