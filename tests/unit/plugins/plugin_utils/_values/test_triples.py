# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target triple names a system and an architecture, by its own grammar."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.triples import (
    RUST_TARGETS,
    host_triples,
    platform_of,
    triple,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import (
    ARCHITECTURES,
    LIBCS,
    OPERATING_SYSTEMS,
)
from hypothesis import given
from hypothesis import strategies as st


@pytest.mark.parametrize("name", sorted(RUST_TARGETS))
def test_each_target_of_rustc_names_a_platform(name: str) -> None:
    assert platform_of(name) is not None


@given(
    st.sampled_from(OPERATING_SYSTEMS),
    st.sampled_from(ARCHITECTURES),
    st.sampled_from(LIBCS),
    st.sampled_from([None, "eabi", "eabihf", "x32", "lp64d"]),
    st.sampled_from([None, "armv4t", "armv5te", "armv7"]),
)
def test_what_a_program_is_called_names_its_platform(os, arch, libc, abi, cpu) -> None:
    assert platform_of(triple(Requirement(os, arch, abi=abi, libc=libc, cpu=cpu))) == (os, arch)


@pytest.mark.parametrize(
    ("name", "platform"),
    [
        ("armv7-linux-androideabi", ("android", "arm")),
        ("riscv64gc-unknown-linux-musl", ("linux", "riscv64")),
        ("x86_64-linux-gnu", ("linux", "x86_64")),
        ("macos/powerpc", ("macos", "powerpc")),
        *((name, None) for name in ("any", "", "linux", "uv-linux-x86_64", "amd64-unknown-linux-gnu", "linux/amd64")),
        *((name, None) for name in ("arm64-apple-darwin", "arm64ec-pc-windows-msvc", "thumbv7neon-linux-androideabi")),
        *((name, None) for name in ("x86_64-unknown-plan9", "x86_64-unknown-linux-gnu\n", "linux/x86_64/glibc")),
    ],
)
def test_only_a_triple_or_a_platform_names_one(name: str, platform: object) -> None:
    assert platform_of(name) == platform


@pytest.mark.parametrize(
    ("host", "triples"),
    [
        (Host("linux", "x86_64", libc="glibc", libc_version="2.17"), "x86_64-gnu x86_64-musl"),
        (Host("linux", "x86_64", libc="glibc", libc_version="2.16"), "x86_64-musl"),  # Fedora 18
        (Host("linux", "x86_64", libc="glibc", libc_version="2.5"), "x86_64-musl"),  # Enterprise Linux 5
        (Host("linux", "x86_64", libc="glibc"), "x86_64-gnu x86_64-musl"),
        (Host("linux", "x86_64", libc="glibc", libc_version="2.40", loaders=()), "x86_64-musl"),  # NixOS
        (Host("linux", "x86_64", libc="musl", libc_version="1.2.5"), "x86_64-musl"),
        (Host("linux", "x86_64"), "x86_64-musl"),
        (Host("linux", "i686", libc="glibc", kernel_arch="x86_64"), "i686-gnu i686-musl x86_64-musl"),
        (Host("linux", "x86_64", libc="musl", kernel_arch="x86_64"), "x86_64-musl"),
        (
            Host("linux", "x86_64", libc="musl", emulates=("aarch64", "arm", "s390x")),
            "x86_64-musl aarch64-musl s390x-musl",
        ),
        (Host("linux", "riscv64", "lp64d", "glibc"), "riscv64gc-gnu riscv64gc-musl"),
        (Host("linux", "riscv64", "lp64", "glibc"), ""),
        (Host("linux", None, kernel_arch="x86_64"), "x86_64-musl"),
        (Host(None, "x86_64", libc="musl"), ""),
    ],
)
def test_a_linux_host_has_its_own_triples_and_then_static_ones(host: Host, triples: str) -> None:
    found = [name.replace("-unknown-linux-", "-") for name in host_triples(host)]
    assert found == triples.split()


@pytest.mark.parametrize(
    ("host", "triples"),
    [
        (
            Host("linux", "arm", "eabihf", "glibc", cpu="armv7"),
            "armv7-gnueabihf armv7-musleabihf armv7-musleabi arm-gnueabihf arm-musleabihf arm-musleabi "
            "armv5te-musleabi",
        ),
        (Host("linux", "arm", "eabi", "glibc", cpu="armv5te"), "armv5te-gnueabi armv5te-musleabi armv4t-gnueabi"),
        (
            Host("linux", "arm", "eabi", "musl", cpu="armv6", fpu="vfp"),
            "arm-musleabi arm-musleabihf armv5te-musleabi",
        ),
        (Host("linux", "arm", "eabi", "musl", cpu="armv6", fpu="none"), "arm-musleabi armv5te-musleabi"),
        (Host("linux", "arm", None, "glibc", cpu="armv5te"), "armv5te-musleabi"),
        (Host("linux", "arm", "eabi", "glibc"), "armv4t-gnueabi"),
        (Host("linux", "aarch64", libc="musl", kernel_arch="arm"), "aarch64-musl"),
    ],
)
def test_an_arm_host_has_those_of_each_processor_before_its_own_too(host: Host, triples: str) -> None:
    found = [name.replace("-unknown-linux-", "-") for name in host_triples(host)]
    assert found == triples.split()


@pytest.mark.parametrize(
    ("host", "triples"),
    [
        (Host("macos", "aarch64", libc="system"), ("aarch64-apple-darwin",)),
        (
            Host("macos", "aarch64", libc="system", emulates=("x86_64",)),
            ("aarch64-apple-darwin", "x86_64-apple-darwin"),
        ),
        (Host("windows", "x86_64", libc="system"), ("x86_64-pc-windows-msvc",)),
        (Host("freebsd", "riscv64", "lp64d", "system"), ("riscv64gc-unknown-freebsd",)),
        (Host("solaris", "sparc64", libc="system"), ("sparcv9-sun-solaris",)),
        (Host("solaris", "x86_64", libc="system"), ("x86_64-pc-solaris",)),
        (Host("aix", "powerpc64", libc="system"), ("powerpc64-ibm-aix",)),
        (Host("android", "aarch64", libc="bionic"), ("aarch64-linux-android",)),
        (
            Host("android", "arm", "eabi", "bionic", cpu="armv8"),
            ("armv7-linux-androideabi", "arm-linux-androideabi"),
        ),
        (Host("netbsd", "s390x", libc="system"), ()),
    ],
)
def test_other_systems_have_the_triples_of_rustc(host: Host, triples: tuple[str, ...]) -> None:
    assert host_triples(host) == triples


@pytest.mark.parametrize(
    ("requirement", "name"),
    [
        (Requirement("linux", "x86_64", libc="static"), "x86_64-unknown-linux-musl"),
        (Requirement("linux", "x86_64", abi="x32", libc="glibc"), "x86_64-unknown-linux-gnux32"),
        (Requirement("linux", "mips64el", libc="glibc"), "mips64el-unknown-linux-gnuabi64"),
        (Requirement("linux", "arm", libc="glibc", cpu="armv8", abi="eabihf"), "armv7-unknown-linux-gnueabihf"),
        (
            Requirement("linux", "arm", libc="glibc", cpu="armv7", interpreter="/lib/ld-linux-armhf.so.3"),
            "armv7-unknown-linux-gnueabihf",
        ),
        (
            Requirement("linux", "arm", libc="glibc", cpu="armv7", interpreter="/lib/ld-linux.so.3"),
            "armv7-unknown-linux-gnueabi",
        ),
        (Requirement("linux", "arm", libc="static"), "arm-unknown-linux-musleabi"),
        (Requirement("android", "arm", libc="bionic", cpu="armv5te"), "arm-linux-androideabi"),
        (Requirement("android", "arm", libc="bionic"), "android/arm"),
        (Requirement("linux", "loongarch64", libc="glibc", abi="lp64s"), "linux/loongarch64"),
        (Requirement("macos", "powerpc", libc="system"), "macos/powerpc"),
        (Requirement("any", "any", interpreter="/bin/sh"), "any"),
        (Requirement("linux", "x86_64", interpreter="/bin/sh"), "linux/x86_64"),
    ],
)
def test_a_program_has_the_triple_of_what_it_requires(requirement: Requirement, name: str) -> None:
    assert triple(requirement) == name
