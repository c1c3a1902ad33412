# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the programs of an asset need of a host, each and together."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import Found
from ansible_collections.pinned.release.plugins.plugin_utils._asset.requirements import merged_requirements
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_archives import (
    AARCH64,
    ENV_SCRIPT,
    GNU,
    LIBRARY,
    LOADER,
    MUSL,
    PLAIN_SCRIPT,
    SCRIPT,
    STATIC,
    X86_64,
    needs,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.tiny_programs import (
    elf,
    macho,
    universal,
    x86_isa_needed,
)


def test_programs_need_the_most_that_any_of_them_needs(look):
    one = elf(
        interpreter=LOADER, needed=("libc.so.6", "libz.so.1"), versions=("GLIBC_2.9", "GLIBCXX_3.4.9"), align=0x10000
    )
    two = elf(
        interpreter=LOADER, needed=("libc.so.6", "libm.so.6"), versions=("GLIBC_2.28", "GLIBCXX_3.4.21", "CXXABI_1.3")
    )
    assert needs(look({"bin/one": one, "bin/two": two, "bin/three": STATIC, "bin/four": SCRIPT})) == (
        Requirement(
            "linux",
            "x86_64",
            libc="glibc",
            libc_min="2.28",
            interpreter=LOADER,
            libraries=("libc.so.6", "libm.so.6", "libz.so.1"),
            versions=(("CXXABI", "1.3"), ("GLIBCXX", "3.4.21")),
            page_size=4096,
        ),
    )


def program(*needed: str, **options: Any) -> bytes:
    return elf(interpreter=LOADER, needed=("libc.so.6", *needed), **options)


def library(name: str, *needed: str, **options: Any) -> bytes:
    return elf(kind=3, entry=0, soname=name, needed=("libc.so.6", *needed), **options)


@pytest.mark.parametrize(
    "search",
    [
        {"runpath": "$ORIGIN/../lib"},
        {"runpath": "/usr/lib/tool:${ORIGIN}/../lib:"},
        {"rpath": "$ORIGIN/../lib"},
        {"runpath": "$ORIGIN/../lib64"},
        {"rpath": "/nowhere", "runpath": "$ORIGIN/./../lib/"},
    ],
)
def test_libraries_that_a_program_finds_in_its_asset_are_not_asked_of_the_host(look, search):
    found = look(
        {
            "bin/tool": program("libtool.so.1", "libmore.so.2", "./libs/libown.so", **search),
            "lib/libtool.so.1.2": LIBRARY,
            "link": made.link("lib/libtool.so.1", "libtool.so.1.2"),
            "link of a folder": made.link("lib64", "lib"),
            "libs/libown.so": LIBRARY,
        }
    )
    [requirement] = needs(found)
    assert requirement.libraries == ("./libs/libown.so", "libc.so.6", "libmore.so.2")


@pytest.mark.parametrize(
    "search",
    [
        {},
        {"runpath": "lib"},
        {"runpath": "/lib"},
        {"runpath": "$ORIGIN"},
        {"runpath": "$ORIGINAL/../lib"},
        {"runpath": "$ORIGIN/../../lib"},
        {"runpath": "$ORIGIN/../lib/$LIB"},
        {"rpath": "$ORIGIN/../lib", "runpath": "$ORIGIN"},
        {"runpath": "$ORIGIN/../arm"},
        {"runpath": "$ORIGIN/../text"},
    ],
)
def test_libraries_that_lie_where_the_loader_does_not_look_are_asked_of_the_host(look, search):
    files = {"lib/libtool.so.1": LIBRARY, "arm/libtool.so.1": elf(kind=3, soname="libtool.so.1", machine=183)}
    found = look({"bin/tool": program("libtool.so.1", **search), "text/libtool.so.1": b"text", **files})
    [requirement] = needs(found)
    assert requirement.libraries == ("libc.so.6", "libtool.so.1")


def test_what_its_own_libraries_need_a_program_needs_too(look):
    needy = library(
        "libtool.so.1",
        "libssl.so.3",
        versions=("GLIBC_2.38", "GLIBCXX_3.4.30"),
        align=0x1000,
        notes=[x86_isa_needed(2)],
    )
    tool = program("libtool.so.1", versions=("GLIBC_2.17",), runpath="$ORIGIN", align=0x10000)
    [requirement] = needs(look({"tool": tool, "libtool.so.1": needy, "libother.so": library("o", "libnever.so")}))
    assert requirement == Requirement(
        "linux",
        "x86_64",
        libc="glibc",
        libc_min="2.38",
        interpreter=LOADER,
        libraries=("libc.so.6", "libssl.so.3"),
        cpu="x86-64-v2",
        versions=(("GLIBCXX", "3.4.30"),),
        page_size=4096,
    )


@pytest.mark.parametrize(
    ("tool", "one", "asked"),
    [
        # DT_RPATH holds for the libraries as well, DT_RUNPATH does not.
        (program("one", rpath="$ORIGIN/lib"), library("one", "two"), ()),
        (program("one", runpath="$ORIGIN/lib"), library("one", "two"), ("two",)),
        (program("one", rpath="$ORIGIN/lib"), library("one", "two", runpath="/nowhere"), ("two",)),
        (program("one", runpath="$ORIGIN/lib"), library("one", "two", runpath="$ORIGIN"), ()),
        # What is loaded already need not be found again, by whichever of its names.
        (program("one", "two", runpath="$ORIGIN/lib"), library("one", "two"), ()),
        (program("one", "second", runpath="$ORIGIN/lib"), library("one", "two"), ()),
    ],
)
def test_libraries_of_libraries_are_looked_for_as_the_loader_does(look, tool, one, asked):
    files = {"tool": tool, "lib/one": one, "lib/two": library("two"), "link": made.link("lib/second", "two")}
    [requirement] = needs(look(files))
    assert requirement.libraries == ("libc.so.6", *asked)


def test_a_program_and_its_libraries_may_need_each_other(look):
    files = {"tool": program("one", rpath="$ORIGIN"), "one": library("one", "two"), "two": library("two", "one")}
    [requirement] = needs(look(files))
    assert requirement.libraries == ("libc.so.6",)


def test_a_universal_program_serves_each_of_its_architectures(look):
    both = universal(macho(cpu=X86_64), macho())
    found = look({"bin/tool": both, "bin/helper": macho(cpu=X86_64)})
    assert [(one.os, one.arch) for one in needs(look({"bin/tool": both}))] == [
        ("macos", "x86_64"),
        ("macos", "aarch64"),
    ]
    assert [(one.os, one.arch) for one in needs(found)] == [("macos", "x86_64")]


def test_of_two_slices_for_one_architecture_the_least_demanding_counts(look):
    several = universal(macho(subtype=2), macho(), macho(cpu=X86_64, subtype=8), macho(cpu=X86_64))
    requirements = needs(look({"bin/tool": several}))
    assert [(one.arch, one.abi, one.cpu) for one in requirements] == [("aarch64", None, None), ("x86_64", None, None)]
    assert needs(look({"bin/tool": several, "bin/two": elf()})) == ()


def test_two_slices_of_one_program_do_not_stand_in_for_another(look):
    found = look({"bin/tool": universal(macho(subtype=2), macho()), "bin/helper": macho(cpu=X86_64)})
    assert needs(found) == ()


@pytest.mark.parametrize(
    ("one", "two", "what"),
    [
        (GNU, MUSL, "C library: glibc and musl"),
        (GNU, elf(interpreter="/opt/lib/ld-linux-x86-64.so.2", needed=("libc.so.6",)), "more than one loader"),
    ],
)
def test_programs_that_no_one_host_starts_are_refused(look, one, two, what):
    found = look({"bin/one": one, "bin/two": two})
    with pytest.raises(ReleaseError) as caught:
        needs(found)
    assert what in caught.value.what
    assert "bin/one" in caught.value.found
    assert "executables" in caught.value.fix
    assert len(needs(found, {"one": "bin/one"})) == 1


def test_scripts_of_one_asset_need_all_of_their_interpreters(look):
    found = look({"bin/one": ENV_SCRIPT, "bin/two": SCRIPT, "bin/three": PLAIN_SCRIPT})
    assert needs(found) == (Requirement("any", "any", interpreter="/bin/bash", more_interpreters=("python3",)),)


def test_every_host_has_sh(look):
    assert needs(look({"bin/one": PLAIN_SCRIPT, "bin/two": SCRIPT})) == (
        Requirement("any", "any", interpreter="/bin/bash"),
    )
    assert needs(look({"bin/one": PLAIN_SCRIPT})) == (Requirement("any", "any", interpreter="/bin/sh"),)


def test_a_script_beside_native_programs_is_for_their_platform(look):
    files = {"bin/tool": SCRIPT, "lib/node": GNU, "lib/libz.so.1": library("libz.so.1")}
    [requirement] = needs(look(files))
    assert (requirement.os, requirement.arch, requirement.libc_min) == ("linux", "x86_64", "2.28")
    assert requirement.libraries == ("libc.so.6",)
    assert needs(look(files), {"tool": "bin/tool"}) == (requirement,)
    assert needs(look({**files, "lib/node-arm64": AARCH64}), {"tool": "bin/tool"}) == (
        Requirement("any", "any", interpreter="/bin/bash"),
    )


def arm(**fields) -> Requirement:
    return Requirement("linux", "arm", **fields)


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        ([arm(libc="static", abi="eabi"), arm(libc="static", abi="eabihf")], arm(libc="static", abi="eabihf")),
        ([arm(libc="static", abi="eabi"), arm(libc="static")], arm(libc="static")),
        ([arm(libc="static", abi="eabi")] * 2, arm(libc="static", abi="eabi")),
        ([arm(libc="static", abi="eabi"), arm(libc="glibc", abi="eabihf")], arm(libc="glibc", abi="eabihf")),
        ([arm(libc="static", cpu="armv5te"), arm(libc="static", cpu="armv7")], arm(libc="static", cpu="armv7")),
        ([arm(libc="static", cpu="armv6"), arm(libc="static")], arm(libc="static", cpu="armv7")),
        ([arm(libc="static", cpu="armv8"), arm(libc="static")], arm(libc="static", cpu="armv8")),
        ([arm(libc="static", fpu="vfpd32"), arm(libc="static", fpu="neon")], arm(libc="static", fpu="neon")),
        ([arm(libc="static", fpu="vfpd32"), arm(libc="static")], arm(libc="static", fpu="vfpd32")),
        ([arm(libc="static", page_size=4096), arm(libc="static", page_size=65536)], arm(libc="static", page_size=4096)),
        ([], None),
    ],
)
def test_each_need_is_that_of_the_neediest(parts, expected):
    programs = [Found(f"bin/{number}", "", 1, (part,)) for number, part in enumerate(parts)]
    for order in (programs, programs[::-1]):
        assert merged_requirements(order) == ((expected,) if expected else ())
