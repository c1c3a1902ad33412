# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One program stands in for another only where no host that started the one could refuse the other."""

from __future__ import annotations

from dataclasses import fields, replace

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._choice.stand_in import least_host, promised, stands_in
from ansible_collections.pinned.release.plugins.plugin_utils._choice.target import admissible
from ansible_collections.pinned.release.plugins.plugin_utils._naming import naming
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils._choice.test_target import (
    WAYS,
    a_program_that_some_host_starts,
    the_least_host_for,
    what_is_more,
)
from hypothesis import assume, given, settings
from hypothesis import strategies as st

LOADER = "/lib/ld-linux-aarch64.so.1"
STATIC = Requirement("linux", "aarch64", libc="static", page_size=65536)
GNU = Requirement(
    "linux", "aarch64", libc="glibc", libc_min="2.28", interpreter=LOADER, libraries=("libc.so.6",), page_size=65536
)
MUSL = replace(GNU, libc="musl", libc_min=None, interpreter="/lib/ld-musl-aarch64.so.1", libraries=("libc.so",))
MAC = Requirement("macos", "x86_64", libc="system", os_min="11.0")


@pytest.mark.parametrize(
    ("program", "other"),
    [
        (STATIC, GNU),
        (STATIC, MUSL),
        (STATIC, STATIC),
        (GNU, GNU),
        (replace(GNU, libc_min="2.17"), GNU),
        (STATIC, replace(STATIC, page_size=4096)),
        # Linkers of old aligned for 2 MiB, which no kernel has as its pages.
        (replace(STATIC, arch="x86_64", page_size=4096), replace(GNU, arch="x86_64", page_size=2**21)),
        (STATIC, replace(GNU, page_size=2**21)),
        (MAC, replace(MAC, os_min="12.3")),
        (replace(GNU, arch="x86_64"), replace(GNU, arch="x86_64", cpu="x86-64-v3")),
    ],
)
def test_what_needs_no_more_stands_in(program: Requirement, other: Requirement) -> None:
    assert stands_in(program, other).is_admissible


@pytest.mark.parametrize(
    ("program", "other", "reason"),
    [
        (GNU, STATIC, "glibc"),
        (GNU, MUSL, "gnu build needs glibc, host has musl"),
        (replace(GNU, libc_min="2.39"), GNU, "needs glibc 2.39, host has 2.28"),
        (replace(GNU, libraries=("libc.so.6", "libssl.so.3")), GNU, "libssl.so.3"),
        (replace(STATIC, arch="x86_64"), STATIC, "is built for x86_64, host runs aarch64"),
        (replace(STATIC, page_size=4096), GNU, "is aligned for pages of 4096 bytes"),
        (replace(STATIC, arch="x86_64", cpu="x86-64-v3"), replace(STATIC, arch="x86_64"), "needs an x86-64-v3"),
        (replace(MAC, os_min="13.0"), MAC, "needs macOS 13.0, host has 11.0"),
        (replace(STATIC, os="freebsd"), STATIC, "is built for freebsd"),
    ],
)
def test_what_needs_more_does_not_and_says_what(program: Requirement, other: Requirement, reason: str) -> None:
    verdict = stands_in(program, other)
    assert not verdict.is_admissible
    assert reason in verdict.reason


@settings(max_examples=300)
@given(a_program_that_some_host_starts())
def test_least_host_of_a_program_starts_it(program: Requirement) -> None:
    assert stands_in(program, program).is_admissible


@st.composite
def two_programs_and_a_host(draw: st.DrawFn) -> tuple[Requirement, Requirement, Host]:
    """Draw a program, one that differs from it in a few things, and a host that starts the second."""
    program, other = draw(a_program_that_some_host_starts()), draw(a_program_that_some_host_starts())
    kept = draw(st.lists(st.sampled_from([field.name for field in fields(Requirement)]), min_size=8, unique=True))
    program = replace(program, **{name: getattr(other, name) for name in kept})
    host = the_least_host_for(other, draw(WAYS))
    for name in draw(st.lists(st.sampled_from([field.name for field in fields(Host)]), max_size=8)):
        host = replace(host, **{name: draw(st.sampled_from(what_is_more(host, name)))})
    return program, other, host


@settings(max_examples=500)
@given(two_programs_and_a_host())
def test_no_host_that_started_the_one_refuses_what_stands_in(drawn: tuple[Requirement, Requirement, Host]) -> None:
    program, other, host = drawn
    assume(stands_in(program, other).is_admissible and admissible(other, host).is_admissible)
    assert admissible(program, host).is_admissible, admissible(program, host).reason


@pytest.mark.parametrize(
    "name",
    [
        "uv-aarch64-unknown-linux-gnu.tar.gz",
        "uv-aarch64-unknown-linux-musl.tar.gz",
        "uv-linux-arm64.tar.gz",
        "uv-aarch64-unknown-linux-gnu.2.17.tar.gz",
    ],
)
def test_only_a_static_program_stands_in_for_a_name(name: str) -> None:
    """A name tells neither the oldest libc, nor where the loader is; and a build for musl may need none."""
    least = promised(naming.read(Asset(name, ""), ("uv",), "1.0").label)
    assert least is not None
    assert stands_in(STATIC, least).is_admissible
    assert not stands_in(GNU, least).is_admissible
    assert not stands_in(MUSL, least).is_admissible


@pytest.mark.parametrize("name", ["uv.tar.gz", "uv-linux.tar.gz", "uv-wasm32-wasi.tar.gz"])
def test_a_name_without_a_platform_promises_nothing(name: str) -> None:
    assert promised(naming.read(Asset(name, ""), ("uv",), "1.0").label) is None


def test_least_host_has_the_largest_pages_that_the_program_can_be_mapped_with() -> None:
    assert least_host(STATIC).page_size == 65536
