# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gathered facts can tell of a host, and what they cannot."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._host.facts import known_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.triples import host_triples
from hypothesis import given
from hypothesis import strategies as st

#: On a busy machine, the first text alone may take hypothesis seconds. What is asked here is no question of time.
FIXTURES = sorted((Path(__file__).parents[3] / "fixtures" / "facts").glob("*.json"))
SOFT_STATIC = "armv7-unknown-linux-musleabi arm-unknown-linux-musleabi armv5te-unknown-linux-musleabi"
UNKNOWN_OF_ARM = "abi loaders libraries fpu page_size"
#: Of each real userland: the triples that its facts support, and what they leave open
#: besides what it may emulate.
SUPPORTED = {
    "alpine-amd64": ("x86_64-unknown-linux-musl", "libc_version loaders libraries cpu"),
    "alpine-arm64": ("aarch64-unknown-linux-musl", "libc_version loaders libraries page_size"),
    "armv6l": ("arm-unknown-linux-musleabi armv5te-unknown-linux-musleabi", UNKNOWN_OF_ARM),
    "bookworm-amd64": ("x86_64-unknown-linux-gnu x86_64-unknown-linux-musl", "loaders libraries cpu"),
    "bookworm-arm64": ("aarch64-unknown-linux-gnu aarch64-unknown-linux-musl", "loaders libraries page_size"),
    "bookworm-armel": (SOFT_STATIC, UNKNOWN_OF_ARM),
    "bookworm-armhf": (SOFT_STATIC, UNKNOWN_OF_ARM),
    "bookworm-i386": (
        "i686-unknown-linux-gnu i686-unknown-linux-musl x86_64-unknown-linux-musl",
        "loaders libraries",
    ),
    "bookworm-i386-linux32": ("i686-unknown-linux-gnu i686-unknown-linux-musl", "loaders libraries"),
    "bookworm-ppc64el": (
        "powerpc64le-unknown-linux-gnu powerpc64le-unknown-linux-musl",
        "loaders libraries page_size",
    ),
    "bookworm-s390x": ("s390x-unknown-linux-gnu s390x-unknown-linux-musl", "loaders libraries"),
    "bullseye-amd64": ("x86_64-unknown-linux-gnu x86_64-unknown-linux-musl", "loaders libraries cpu"),
    "trixie-amd64": ("x86_64-unknown-linux-gnu x86_64-unknown-linux-musl", "loaders libraries cpu"),
    "trixie-riscv64": ("riscv64gc-unknown-linux-gnu riscv64gc-unknown-linux-musl", "loaders libraries"),
}


def recorded(path: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return document


def test_every_recorded_userland_has_its_expectation() -> None:
    assert {path.stem for path in FIXTURES} == set(SUPPORTED)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_facts_support_so_much_and_leave_the_rest_open(path: Path) -> None:
    known = known_of(recorded(path)["ansible_facts"])
    triples, unknown = SUPPORTED[path.stem]
    assert (host_triples(known.host), known.unknown) == (tuple(triples.split()), (*unknown.split(), "emulates"))


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_the_measured_triple_is_first_or_the_float_abi_is_unknown(path: Path) -> None:
    known = known_of(recorded(path)["ansible_facts"])
    measured = recorded(path)["measured"]["native_triple"]
    if "abi" in known.unknown:
        assert not any(triple.endswith(("gnueabi", "gnueabihf", "musleabihf")) for triple in host_triples(known.host))
    else:
        assert host_triples(known.host)[0] == measured


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_nothing_contradicts_what_was_measured(path: Path) -> None:
    host = known_of(recorded(path)["ansible_facts"]).host
    measured = recorded(path)["measured"]
    assert host.libc in (measured["libc"], None)
    assert host.libc_version in (measured["libc_version"], None)


@pytest.mark.parametrize("path", FIXTURES, ids=lambda path: path.stem)
def test_both_styles_of_naming_facts_say_the_same(path: Path) -> None:
    facts = recorded(path)["ansible_facts"]
    assert known_of({f"ansible_{name}": value for name, value in facts.items()}) == known_of(facts)


LINUX = {"system": "Linux", "machine": "x86_64", "userspace_bits": "64", "os_family": "Debian"}


@pytest.mark.parametrize(
    ("family", "libc"),
    [
        *[(family, "glibc") for family in ("Archlinux", "Debian", "RedHat", "Slackware", "Suse")],
        ("Alpine", "musl"),
        *[(family, None) for family in ("Gentoo", "Void", "NixOS", "OpenWrt", "")],
    ],
)
def test_the_distribution_proves_a_libc_only_where_it_has_one(family: str, libc: str | None) -> None:
    assert known_of({**LINUX, "os_family": family}).host.libc == libc


@pytest.mark.parametrize(
    ("distribution", "version", "major", "glibc"),
    [
        ("Debian", "12.15", "12", "2.36"),
        ("Debian", "trixie/sid", "trixie/sid", None),
        ("Ubuntu", "22.04", "22", "2.35"),
        ("Ubuntu", "22.10", "22", None),
        ("RedHat", "8.10", "8", "2.28"),
        ("Rocky", "9.4", "9", "2.34"),
        ("CentOS", "7.9", "7", "2.17"),
        ("Amazon", "2023", "2023", "2.34"),
        ("Kali", "2024.1", "2024", None),
    ],
)
def test_glibc_is_known_by_the_release_or_not_at_all(
    distribution: str, version: str, major: str, glibc: str | None
) -> None:
    named = {"distribution": distribution, "distribution_version": version, "distribution_major_version": major}
    known = known_of({**LINUX, **named})
    assert known.host.libc_version == glibc
    assert ("libc_version" in known.unknown) == (glibc is None)


@pytest.mark.parametrize(
    ("machine", "bits", "arch", "kernel_arch"),
    [
        ("x86_64", "64", "x86_64", "x86_64"),
        ("x86_64", "32", "i686", "x86_64"),
        ("x86_64", "", None, "x86_64"),
        ("i686", "", "i686", "i686"),
        ("i686", "64", "x86_64", "i686"),
        ("aarch64", "64", "aarch64", "aarch64"),
        ("aarch64", "32", "arm", "aarch64"),
        ("armv8l", "32", "arm", "arm"),
        ("armv8l", "64", "aarch64", "arm"),
        ("ppc64", "32", "powerpc", "powerpc64"),
        ("ppc64le", "64", "powerpc64le", "powerpc64le"),
        ("ppc64le", "32", None, "powerpc64le"),
        ("s390x", "32", None, "s390x"),
        ("mips64", "64", None, None),
    ],
)
def test_the_bits_of_python_tell_the_userspace_beside_a_kernel(
    machine: str, bits: str, arch: str | None, kernel_arch: str | None
) -> None:
    host = known_of({**LINUX, "machine": machine, "userspace_bits": bits}).host
    assert (host.arch, host.kernel_arch) == (arch, kernel_arch)


@pytest.mark.parametrize(
    ("machine", "cpu"), [("armv7l", "armv7"), ("armv8l", "armv8"), ("aarch64", "armv8"), ("armv5tel", "armv5te")]
)
def test_the_kernel_tells_the_version_of_an_arm_processor(machine: str, cpu: str) -> None:
    assert known_of({**LINUX, "machine": machine, "userspace_bits": "32"}).host.cpu == cpu


@pytest.mark.parametrize(
    ("facts", "triples", "unknown"),
    [
        (
            {"system": "Darwin", "machine": "arm64", "userspace_bits": "64", "distribution_version": "14.5"},
            "aarch64-apple-darwin",
            "emulates",
        ),
        ({"system": "Darwin", "machine": "x86_64", "userspace_bits": "64"}, "x86_64-apple-darwin", "cpu os_version"),
        (
            {"system": "Win32NT", "architecture": "64-bit", "distribution_version": "10.0.20348.0"},
            "x86_64-pc-windows-msvc",
            "cpu",
        ),
        ({"system": "FreeBSD", "machine": "amd64", "userspace_bits": "64"}, "x86_64-unknown-freebsd", "libraries cpu"),
        (
            {"system": "SunOS", "machine": "i86pc", "userspace_bits": "64", "distribution": "OmniOS"},
            "x86_64-unknown-illumos",
            "libraries cpu",
        ),
        (
            {"system": "SunOS", "machine": "i86pc", "userspace_bits": "64", "distribution": "Solaris"},
            "x86_64-pc-solaris",
            "libraries cpu",
        ),
        (
            {"system": "SunOS", "machine": "sun4v", "userspace_bits": "64", "distribution": "Solaris"},
            "sparcv9-sun-solaris",
            "libraries page_size",
        ),
        (
            {"system": "AIX", "machine": "00F84C0C4C00", "userspace_bits": "64"},
            "powerpc64-ibm-aix",
            "abi libraries page_size",
        ),
        (
            {
                "system": "Linux",
                "machine": "aarch64",
                "userspace_bits": "64",
                "python": {"executable": "/data/data/com.termux/files/usr/bin/python3"},
            },
            "aarch64-linux-android",
            "loaders libraries page_size",
        ),
        (
            {"system": "Linux", "machine": "x86_64"},
            "x86_64-unknown-linux-musl",
            "arch libc libc_version loaders libraries page_size emulates",
        ),
    ],
    ids=[
        "macOS",
        "Intel Mac",
        "Windows",
        "FreeBSD",
        "illumos",
        "Solaris",
        "SPARC",
        "AIX",
        "Termux",
        "nothing but the kernel",
    ],
)
def test_other_systems_are_known_as_far_as_they_go(facts: dict[str, Any], triples: str, unknown: str) -> None:
    known = known_of(facts)
    assert (host_triples(known.host), known.unknown) == (tuple(triples.split()), tuple(unknown.split()))


PROBED = Host(
    os="linux",
    arch="arm",
    abi="eabihf",
    libc="glibc",
    libc_version="2.36",
    kernel_arch="aarch64",
    loaders=("/lib/ld-linux-armhf.so.3",),
    libraries=frozenset(["libgcc_s.so.1"]),
    cpu="armv8",
    fpu="neon",
    page_size=4096,
)


@pytest.mark.parametrize("name", ["release_target", "ansible_release_target"])
def test_what_was_probed_counts_more_than_what_was_gathered(name: str) -> None:
    fact = json.loads(json.dumps({"triples": ["x"], **asdict(PROBED), "libraries": ["libgcc_s.so.1"]}))
    known = known_of({**LINUX, name: fact})
    assert known.host == PROBED
    assert known.unknown == ()


def test_a_probed_host_may_have_libraries_unasked() -> None:
    fact = json.loads(json.dumps({**asdict(PROBED), "libraries": None}))
    assert known_of({"release_target": fact}).unknown == ("libraries",)


@pytest.mark.parametrize("facts", [{}, {"machine": "x86_64"}, {"release_target": None}, {"system": ["Linux"]}])
def test_no_facts_are_an_error_that_says_how_to_get_them(facts: dict[str, Any]) -> None:
    with pytest.raises(ReleaseError, match="gather_facts: true"):
        known_of(facts)


WORDS = ["Linux", "x86_64", "armv7l", "aarch64", "64", "32", "Debian", "Alpine", "12", "", "64-bit"]
VALUES = (
    st.sampled_from(WORDS)
    | st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=9)
    | st.lists(st.none(), max_size=2)
)
NAMES = ("machine", "architecture", "userspace_bits", "os_family", "distribution", "distribution_version", "python")


@given(st.fixed_dictionaries({"system": st.sampled_from(["Linux", "Darwin"])}, optional=dict.fromkeys(NAMES, VALUES)))
def test_odd_facts_are_unknown_ones(facts: dict[str, Any]) -> None:
    known = known_of(facts)
    assert set(known.unknown) <= set(asdict(known.host))
    assert all(getattr(known.host, name) is None for name in known.unknown if name != "emulates")


WINDOWS = {"system": "Win32NT", "os_family": "Windows", "distribution_version": "10.0.26100.0"}


@pytest.mark.parametrize(
    ("told", "triple"),
    [
        ({"architecture": "64-bit"}, "x86_64-pc-windows-msvc"),
        ({"architecture": "64 bits"}, "x86_64-pc-windows-msvc"),
        ({"architecture": "64-\u0440\u0430\u0437\u0440\u044f\u0434\u043d\u0430\u044f"}, "x86_64-pc-windows-msvc"),
        ({"architecture": "32 Bit"}, "i686-pc-windows-msvc"),
        ({"architecture": "ARM 64-bit Processor"}, "aarch64-pc-windows-msvc"),
        ({"architecture": "64-bit", "architecture2": "arm64"}, "aarch64-pc-windows-msvc"),
        ({"architecture2": "x86_64"}, "x86_64-pc-windows-msvc"),
        ({"architecture2": "i386"}, "i686-pc-windows-msvc"),
    ],
)
def test_windows_is_known_in_any_language(told: dict[str, str], triple: str) -> None:
    assert host_triples(known_of({**WINDOWS, **told}).host)[0] == triple


@pytest.mark.parametrize("told", [{}, {"architecture": "ARM 32-bit"}, {"architecture": "other"}])
def test_windows_that_does_not_tell_its_processor_gets_no_triple(told: dict[str, str]) -> None:
    assert host_triples(known_of({**WINDOWS, **told}).host) == ()


@pytest.mark.parametrize(
    ("machine", "first"), [("armv7l", "armv7-unknown-linux-musleabihf"), ("armv6l", "arm-unknown-linux-musleabihf")]
)
def test_alpine_on_arm_is_hard_float(machine: str, first: str) -> None:
    known = known_of({**LINUX, "os_family": "Alpine", "machine": machine, "userspace_bits": "32"})
    assert (host_triples(known.host)[0], "abi" in known.unknown) == (first, False)


@pytest.mark.parametrize(("distribution", "version"), [("CentOS", "6.10"), ("Debian", "7.11"), ("Ubuntu", "12.04")])
def test_a_glibc_that_runs_no_program_of_a_gnu_target_gets_none(distribution: str, version: str) -> None:
    named = {"distribution": distribution, "distribution_version": version}
    named["distribution_major_version"] = version.partition(".")[0]
    assert host_triples(known_of({**LINUX, **named}).host) == ("x86_64-unknown-linux-musl",)


@pytest.mark.parametrize("machine", ["i386", "i486", "i586"])
def test_a_processor_older_than_i686_gets_no_triple(machine: str) -> None:
    assert host_triples(known_of({**LINUX, "machine": machine, "userspace_bits": "32"}).host) == ()
