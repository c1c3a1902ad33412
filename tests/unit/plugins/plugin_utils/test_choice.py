# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which asset a host gets, and whether the reason for it is the true one."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import choice
from ansible_collections.pinned.release.plugins.plugin_utils.host import Host, assuming
from ansible_collections.pinned.release.plugins.plugin_utils.requirement import Requirement
from ansible_collections.pinned.release.tests.unit.plugins.module_utils.released import Released
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.machine import locked

GNU = Requirement("linux", "x86_64", libc="glibc", libc_min="2.39", interpreter="/lib64/ld-linux-x86-64.so.2")
NEEDY = replace(GNU, libraries=("libz.so.1",))
STATIC = Requirement("linux", "x86_64", libc="static")
BOOKWORM = Host("linux", "x86_64", libc="glibc", libc_version="2.36", loaders=("/lib64/ld-linux-x86-64.so.2",))
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


def test_refusal_names_every_build_and_why_it_does_not_run(tmp_path: Path) -> None:
    with pytest.raises(ReleaseError, match="no locked asset runs on this host") as raised:
        choice.choose("hello", locked(Released(tmp_path), GNU), BOOKWORM)
    assert raised.value.found == "hello-1.0.tar.gz: gnu build needs glibc 2.39, host has 2.36"


@pytest.mark.parametrize(
    ("assume", "reason"),
    [
        ({}, None),
        ({"libc_version": "2.40", "loaders": [GNU.interpreter]}, None),
        ({"libc_version": "2.36", "loaders": [GNU.interpreter], "libraries": ["libz.so.1"]}, None),
        ({"libc": "musl", "libc_version": "2.40", "loaders": [GNU.interpreter]}, None),
        (
            {"libc_version": "2.40", "loaders": [GNU.interpreter], "libraries": ["libz.so.1"], "cpu": None},
            "gnu build needs glibc 2.39, host has 2.40, assuming libc_version 2.40, "
            "libraries libz.so.1, loaders /lib64/ld-linux-x86-64.so.2",
        ),
    ],
)
def test_what_a_user_answers_for_fills_in_what_is_not_known(
    tmp_path: Path, assume: dict[str, Any], reason: str | None
) -> None:
    tool = locked(Released(tmp_path), NEEDY)
    if reason is None:
        with pytest.raises(ReleaseError, match="no locked asset runs"):
            choice.choose_assuming("hello", tool, NIXOS, "native", assume)
    else:
        assert choice.choose_assuming("hello", tool, NIXOS, "native", assume).reason == reason


def test_what_is_known_is_not_overruled() -> None:
    assert assuming(BOOKWORM, {"libc": "musl", "libc_version": "2.99", "page_size": 4096}) == replace(
        BOOKWORM, page_size=4096
    )
