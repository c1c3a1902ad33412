# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which programs assets hold, and what these need together: over real little archives of hand-made programs."""

from __future__ import annotations

import gzip
import hashlib
import random
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.archive import FORMATS, format_of
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import contents
from ansible_collections.pinned.release.plugins.plugin_utils.contents import Contents, Found, look_into, merge
from ansible_collections.pinned.release.plugins.plugin_utils.requirement import Requirement
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.tiny_programs import (
    elf,
    macho,
    pe,
    universal,
    x86_isa_needed,
)
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

ARM64, X86_64 = 0x0100000C, 0x01000007
LOADER = "/lib64/ld-linux-x86-64.so.2"
STATIC = elf()
OTHER = elf(code=b"another program ")
GNU = elf(interpreter=LOADER, needed=("libc.so.6", "libz.so.1"), versions=("GLIBC_2.28",))
MUSL = elf(interpreter="/lib/ld-musl-x86_64.so.1", needed=("libc.musl-x86_64.so.1",))
AARCH64 = elf(machine=183)
LIBRARY = elf(kind=3, soname="libtool.so.1", needed=("libc.so.6",), entry=0)
SCRIPT = b"#!/bin/bash\nexec true\n"
PLAIN_SCRIPT = b"#!/bin/sh\nexec true\n"
ENV_SCRIPT = b"#!/usr/bin/env python3\n"
BROKEN = STATIC[:70]
PACKED = elf(is_packed=True)


def members(files: dict) -> list:
    return [
        made.file(path, content, 0o755) if isinstance(content, bytes) else content for path, content in files.items()
    ]


@pytest.fixture
def look(tmp_path: Path):
    def look_at(files: dict | bytes, name: str = "tool-1.0.tar.gz", tool: str = "tool") -> Contents:
        archive_format = format_of(name)
        content = files if isinstance(files, bytes) else made.archive(archive_format, *members(files))
        (tmp_path / name).write_bytes(content)
        return look_into(tmp_path / name, archive_format, tool)

    return look_at


def choose(found: Contents, wanted: dict | None = None, tool: str = "tool") -> dict[str, str]:
    chosen = contents.choose(found, tool, wanted or {}, "tool-1.0.tar.gz")
    return {name: one.path for name, one in chosen.items()}


def refused(found: Contents, wanted: dict | None = None, tool: str = "tool") -> ReleaseError:
    with pytest.raises(ReleaseError) as caught:
        choose(found, wanted, tool)
    assert "tool-1.0.tar.gz" in caught.value.what
    assert caught.value.fix
    return caught.value


def needs(found: Contents, wanted: dict | None = None, tool: str = "tool") -> tuple[Requirement, ...]:
    return merge(contents.choose(found, tool, wanted or {}, "tool-1.0.tar.gz").values())


def test_modules_of_a_python_package_are_no_programs(look):
    package = {f"tool-1.0.dist-info/{name}": b"" for name in ("METADATA", "RECORD", "WHEEL")}
    package["tool/certs.py"] = ENV_SCRIPT
    error = refused(look(package, "tool-1.0-py3-none-any.whl"))
    assert error.what.endswith("holds no program")
    assert "another project" in error.fix
    package["tool-1.0.data/scripts/tool"] = PLAIN_SCRIPT
    assert choose(look(package, "tool-1.0-py3-none-any.whl")) == {"tool": "tool-1.0.data/scripts/tool"}


# What is inside.


@pytest.mark.parametrize("suffix", ["tar.gz", "tar.xz", "tar.bz2", "tar", "zip", "whl"])
def test_programs_of_archives_are_found_and_all_files_counted(look, suffix):
    found = look({"tool-1.0/tool": STATIC, "tool-1.0/README": b"read me\n"}, f"tool-1.0.{suffix}")
    [program] = found.programs
    assert (program.path, program.size) == ("tool-1.0/tool", len(STATIC))
    assert program.sha256 == hashlib.sha256(STATIC).hexdigest()
    assert program.requires == (Requirement("linux", "x86_64", libc="static", page_size=4096),)
    assert found.unpacked_size == len(STATIC) + 8
    assert found.files == {"tool", "README"}
    assert found.root == "tool-1.0/"


@pytest.mark.parametrize(("name", "pack"), [("tool-linux-amd64.gz", gzip.compress), ("tool-linux-amd64", bytes)])
def test_the_one_program_of_a_file_without_names_is_called_as_the_tool(look, name, pack):
    found = look(pack(GNU), name)
    assert choose(found) == {"tool": "tool"}
    assert found.unpacked_size == len(GNU)


def test_of_what_is_no_program_nothing_is_kept_but_the_size(look, monkeypatch):
    def refuse(*_content: object) -> None:
        raise AssertionError("it is written to the disk")

    monkeypatch.setattr(contents, "spool", refuse)
    found = look({"data": bytes(3_000_000), "tiny": b"MZ"[:1], "empty": b""})
    assert (found.programs, found.unpacked_size) == ((), 3_000_001)
    with pytest.raises(AssertionError, match="written to the disk"):
        look({"bin/tool": STATIC})


def test_a_hard_link_to_a_program_is_a_program(look):
    found = look(
        {
            "bin/tool": STATIC,
            "link": made.hard_link("bin/again", "bin/tool"),
            "other": made.hard_link("more", "bin/tool"),
        }
    )
    assert [program.path for program in found.programs] == ["bin/tool", "bin/again", "more"]
    assert {program.sha256 for program in found.programs} == {hashlib.sha256(STATIC).hexdigest()}
    assert found.unpacked_size == 3 * len(STATIC)


def test_directories_and_symbolic_links_are_no_programs(look):
    found = look({"d": made.directory("bin"), "bin/tool": STATIC, "s": made.link("bin/alias", "tool")})
    assert choose(found) == {"tool": "bin/tool"}
    assert found.unpacked_size == len(STATIC)


# Which programs are meant.


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"tool": STATIC, "README.md": b"#!x"}, {"tool": "tool"}),
        ({"tool-1.0/bin/tool": STATIC, "tool-1.0/bin/toolctl": OTHER}, "bin/tool bin/toolctl"),
        (
            {"tool-1.0/tool": STATIC, "tool-1.0/bin/helper": OTHER},
            {"tool": "tool-1.0/tool", "helper": "tool-1.0/bin/helper"},
        ),
        (
            {"usr/bin/tool": STATIC, "usr/sbin/toold": OTHER, "usr/share/x": b"x"},
            {"tool": "usr/bin/tool", "toold": "usr/sbin/toold"},
        ),
        ({"x-1/usr/bin/tool": STATIC, "x-1/etc/tool.conf": b"x"}, {"tool": "x-1/usr/bin/tool"}),
        ({"bin/tool": STATIC, "lib/vendor/bin/helper": OTHER}, {"tool": "bin/tool"}),
        ({"bin/tool": STATIC, "lib/helper": OTHER, "libexec/tool/tool-part": OTHER}, {"tool": "bin/tool"}),
        ({"bin/tool": STATIC, "install.sh": PLAIN_SCRIPT, "bin/tool-wrapper": SCRIPT}, {"tool": "bin/tool"}),
        ({"bin/tool": GNU, "lib/libtool.so.1": LIBRARY, "bin/libtool.so.1": LIBRARY}, {"tool": "bin/tool"}),
        (
            {"tool": GNU, "libc.so.6": elf(kind=3, interpreter=LOADER, needed=("x",)), "ld-linux.so.2": STATIC},
            {"tool": "tool"},
        ),
        (
            {"tool-1.0.data/scripts/tool": STATIC, "tool-1.0.dist-info/METADATA": b"x", "tool/__init__.py": b""},
            "tool-1.0.data/scripts/tool",
        ),
        (
            {"tool/data/bin/tool": STATIC, "tool/data/bin/ctool": OTHER, "tool-1.0.dist-info/RECORD": b""},
            "tool/data/bin/tool tool/data/bin/ctool",
        ),
        ({"tool/deep/down/tool": STATIC, "tool/deep/other": OTHER, "README": b""}, {"tool": "tool/deep/down/tool"}),
        (
            {"a/deep/down/one": STATIC, "a/deep/two": OTHER, "README": b""},
            {"one": "a/deep/down/one", "two": "a/deep/two"},
        ),
        ({"bin/tool": PLAIN_SCRIPT, "install.sh": PLAIN_SCRIPT}, {"tool": "bin/tool"}),
        ({"bin/tool": PLAIN_SCRIPT, "bin/tool-more": SCRIPT}, {"tool": "bin/tool", "tool-more": "bin/tool-more"}),
        ({"tool": ENV_SCRIPT, "install.sh": PLAIN_SCRIPT, "tests/run": SCRIPT}, {"tool": "tool"}),
        ({"one": ENV_SCRIPT, "two": PLAIN_SCRIPT, "tests/run": SCRIPT}, {"one": "one", "two": "two"}),
        ({"x/lib/one": SCRIPT, "README": b""}, {"one": "x/lib/one"}),
        (
            {"tool-1/bin/tool": SCRIPT, "tool-1/lib/node": STATIC, "tool-1/install.sh": SCRIPT},
            {"tool": "tool-1/bin/tool"},
        ),
        ({"x/start": SCRIPT, "x/src/dart": STATIC, "x/install": SCRIPT, "x/y.sh": SCRIPT}, {"start": "x/start"}),
        ({"x/y/start": SCRIPT, "x/y/z/dart": STATIC, "x/README": b"", "x/w/s": SCRIPT}, {"start": "x/y/start"}),
        ({"install": SCRIPT, "x/run.sh": SCRIPT, "lib/a": STATIC, "lib/b": OTHER}, {"a": "lib/a", "b": "lib/b"}),
        (
            {"tool-1/bin/start": SCRIPT, "tool-1/lib/tool": STATIC, "tool-1/lib/helper": OTHER},
            {"tool": "tool-1/lib/tool"},
        ),
        (
            {"bin/tool.exe": pe(), "bin/Helper.EXE": pe(version=(6, 2))},
            {"tool": "bin/tool.exe", "Helper": "bin/Helper.EXE"},
        ),
        ({"tool": universal(macho(cpu=X86_64), macho())}, {"tool": "tool"}),
        ({"tool": STATIC, "bin/tool": STATIC}, {"tool": "tool"}),
    ],
)
def test_the_programs_that_users_are_meant_to_start_are_chosen(look, files, expected):
    if isinstance(expected, str):
        expected = {path.rpartition("/")[2]: path for path in expected.split()}
        expected = {name: path if path in files else f"tool-1.0/{path}" for name, path in expected.items()}
    assert choose(look(files)) == expected


@pytest.mark.parametrize(
    ("name", "link"),
    [
        *[
            ("tool", "tool"),
            ("tool.exe", "tool"),
            ("tool-1.2.3", "tool"),
            ("tool-v1.2.3", "tool"),
            ("tool_linux_amd64", "tool"),
        ],
        *[
            ("tool-linux-x86_64", "tool"),
            ("tool_1.2.3_darwin-arm64.exe", "tool"),
            ("tool.linux-amd64", "tool"),
            ("tool-static", "tool"),
        ],
        *[
            ("Tool-x86_64-unknown-linux-musl", "tool"),
            ("linux-amd64", "tool"),
            ("linux_arm64_v1", "tool"),
            ("1.2.3", "tool"),
        ],
        *[
            ("tool-server-linux-amd64", "tool-server"),
            ("tools-linux-amd64", "tools"),
            ("toolctl", "toolctl"),
            ("tool-cli", "tool-cli"),
        ],
        *[
            ("tool.sh", "tool.sh"),
            ("tool3.12", "tool3.12"),
            ("rg", "rg"),
            ("arm-none-eabi-gcc", "arm-none-eabi-gcc"),
            ("my tool", "tool"),
        ],
    ],
)
def test_a_link_is_named_as_users_type_it(look, name, link):
    assert choose(look({f"x-1/{name}": STATIC})) == {link: f"x-1/{name}"}


def test_several_programs_lose_the_platform_in_their_names_too(look):
    found = look({"tool-linux-amd64": STATIC, "tool-server-linux-amd64": OTHER, "helper": OTHER})
    assert set(choose(found)) == {"tool", "tool-server", "helper"}


def test_names_that_would_become_one_stay_as_they_are(look):
    found = look({"tool": STATIC, "tool-static": OTHER})
    assert choose(found) == {"tool": "tool", "tool-static": "tool-static"}


def test_a_name_that_cannot_be_a_links_is_asked_for(look):
    error = refused(look({"my tool": STATIC, "other": OTHER}))
    assert "my tool" in error.what
    assert error.fix == "name it in the manifest: tools.tool.executables: {<name>: 'my tool'}"


def test_two_programs_of_one_name_are_shown_with_their_platforms(look):
    error = refused(look({"linux-amd64/tool": STATIC, "linux-arm64/tool": AARCH64, "darwin/tool": macho()}))
    assert error.what == "tool: tool-1.0.tar.gz holds several programs of one name"
    assert (
        error.found == "linux-amd64/tool (linux x86_64), linux-arm64/tool (linux aarch64), darwin/tool (macos aarch64)"
    )
    assert "executables: {tool: linux-amd64/tool}" in error.fix


def test_programs_for_several_platforms_need_nothing_in_common(look):
    found = look({"tool-linux-amd64": STATIC, "tool-linux-arm64": AARCH64, "tool-windows-amd64.exe": pe()})
    assert set(choose(found)) == {"tool-linux-amd64", "tool-linux-arm64", "tool-windows-amd64"}
    assert needs(found) == ()


@pytest.mark.parametrize(
    "files",
    [
        {"README.md": b"read me", "lib/libtool.so.1": LIBRARY, "tool.py": b"import sys\n"},
        {
            "tool-1.0.data/scripts/tool": b"#!python\nimport tool\n",
            "Main.class": b"\xca\xfe\xba\xbe\0\0\0\x41" + bytes(64),
        },
        {"tool.o": elf(kind=1), "tool.sys": pe(characteristics=0x1022), "tool.dll": pe(characteristics=0x2022)},
    ],
)
def test_an_asset_without_a_program_says_what_it_holds(look, files):
    error = refused(look(files))
    assert error.what == "tool: tool-1.0.tar.gz holds no program"
    for path in files:
        assert path.rpartition("/")[2] in error.found
    assert "tools.tool.asset" in error.fix


@pytest.mark.parametrize(
    "files",
    [
        {"tool-1/configure": PLAIN_SCRIPT, "tool-1/missing": PLAIN_SCRIPT, "tool-1/src/main.c": b"int main;"},
        {"tool-1/Makefile": b"all:", "tool-1/gen": ENV_SCRIPT, "tool-1/lib/x": SCRIPT},
        {"tool-1/Cargo.toml": b"[package]", "tool-1/ci/run": SCRIPT},
    ],
)
def test_the_scripts_that_build_something_are_not_what_is_built(look, files):
    assert refused(look(files)).what == "tool: tool-1.0.tar.gz holds sources, no program"
    assert choose(look({**files, "tool-1/tool": SCRIPT})) == {"tool": "tool-1/tool"}
    assert choose(look({**files, "tool-1/bin/more": SCRIPT})) == {"more": "tool-1/bin/more"}


def test_an_installer_is_not_taken_for_what_it_installs(look):
    assert "holds no program" in refused(look({"x/install.sh": SCRIPT, "x/setup": SCRIPT, "x/README": b""})).what


def test_what_an_asset_holds_is_told_in_few_words(look):
    assert refused(look({f"file-{number:03}": b"x" for number in range(500)})).found.endswith("file-009 and 490 more")
    assert refused(look({"d": made.directory("empty")})).found == "an empty archive"


# What nobody can read.


def test_a_broken_program_in_a_usual_place_is_an_error_with_its_name(look):
    error = refused(look({"bin/tool": STATIC, "bin/tool-part": BROKEN}))
    assert "bin/tool-part" in error.what
    assert "tools.tool.executables" in error.fix
    assert "packed with UPX" in refused(look({"tool": PACKED})).found
    assert "bin/tool-part" in refused(look({"bin/tool": STATIC, "bin/tool-part": BROKEN}), {"a": "bin/tool-p*"}).what


def test_a_broken_program_elsewhere_or_that_is_not_wanted_is_left_alone(look):
    files = {"bin/tool": STATIC, "share/tests/fixture": BROKEN, "share/tests/other": PACKED}
    assert choose(look(files)) == {"tool": "bin/tool"}
    assert choose(look({"bin/tool": STATIC, "bin/tool-part": BROKEN}), {"tool": "bin/tool"}) == {"tool": "bin/tool"}


def test_the_only_program_may_be_broken_wherever_it_is(look):
    assert "a/b/c" in refused(look({"a/b/c": BROKEN, "README": b""})).what
    assert "lib/part" in refused(look({"bin/tool": SCRIPT, "lib/part": PACKED})).what


# What the manifest names.


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"tool": "**/tool"}, {"tool": "x-1/bin/tool"}),
        ({"t": "x-1/bin/tool"}, {"t": "x-1/bin/tool"}),
        ({"t": "x-*/bin/tool"}, {"t": "x-1/bin/tool"}),
        ({"helper": "**/helper*"}, {"helper": "x-1/lib/helper.exe"}),
        ({"helper": "**/helper.exe"}, {"helper": "x-1/lib/helper.exe"}),
        ({"helper": "x-1/lib/helper"}, {"helper": "x-1/lib/helper.exe"}),
        ({"start": "*.sh", "tool": "*/tool"}, {"start": "x-1/start.sh", "tool": "x-1/bin/tool"}),
        ({"same": "**/copy-?"}, {"same": "x-1/a/copy-1"}),
    ],
)
def test_programs_are_taken_as_the_manifest_names_them(look, wanted, expected):
    found = look(
        {
            "x-1/bin/tool": STATIC,
            "x-1/lib/helper.exe": pe(),
            "x-1/start.sh": SCRIPT,
            "x-1/a/copy-1": OTHER,
            "x-1/b/copy-2": OTHER,
            "x-1/README": b"x",
        }
    )
    assert choose(found, wanted) == expected


def test_a_path_that_fits_none_or_several_is_answered_with_what_there_is(look):
    found = look({"bin/tool": STATIC, "lib/tool": OTHER, "README": b""})
    error = refused(found, {"tool": "**/tool"})
    assert error.what == "tool-1.0.tar.gz: **/tool of the manifest's executables is not one program"
    assert error.found == "bin/tool (linux x86_64), lib/tool (linux x86_64)"
    assert error.fix == "write executables: {tool: bin/tool}"
    error = refused(found, {"tool": "README"})
    assert error.found == "bin/tool (linux x86_64), lib/tool (linux x86_64)"
    assert refused(look({"README": b""}), {"tool": "**/tool"}).found == "no program at all"


# What they need together.


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
        (GNU, elf(interpreter="/opt/lib/ld-linux-x86-64.so.2", needed=("libc.so.6",)), "loader or interpreter"),
        (SCRIPT, ENV_SCRIPT, "loader or interpreter: /bin/bash and python3"),
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
        ([arm(libc="static", page_size=4096), arm(libc="static", page_size=65536)], arm(libc="static", page_size=4096)),
        ([], None),
    ],
)
def test_each_need_is_that_of_the_neediest(parts, expected):
    programs = [Found(f"bin/{number}", "", 1, (part,)) for number, part in enumerate(parts)]
    for order in (programs, programs[::-1]):
        assert merge(order) == ((expected,) if expected else ())


# Whatever is inside.

NAMES = st.sampled_from(
    [
        "bin/tool",
        "tool",
        "x/tool",
        "bin/two",
        "a.data/scripts/t",
        "lib/libz.so.1",
        "my tool",
        "é",
        "..",
        "/x",
        "x",
        "a/b/c",
    ]
)
PROGRAMS = st.sampled_from(
    [
        STATIC,
        OTHER,
        GNU,
        MUSL,
        AARCH64,
        LIBRARY,
        SCRIPT,
        ENV_SCRIPT,
        BROKEN,
        PACKED,
        pe(),
        macho(),
        universal(macho(), macho(cpu=X86_64)),
    ]
)
WANTED = st.dictionaries(
    st.sampled_from(["tool", "two"]), st.sampled_from(["**/tool", "*", "bin/*", "[z-a]", "[!", "x"]), max_size=2
)


@st.composite
def damaged(draw, original: bytes) -> bytes:
    content = bytearray(original)
    for position, value in draw(
        st.lists(st.tuples(st.integers(0, max(len(content) - 1, 0)), st.integers(0, 255)), max_size=4)
    ):
        if content:
            content[position] = value
    return bytes(content[: draw(st.integers(0, len(content)) | st.just(len(content)))])


@st.composite
def archives(draw) -> tuple[str, bytes]:
    archive_format = draw(st.sampled_from([name for name in FORMATS if "zst" not in name]))
    content = PROGRAMS.flatmap(damaged) | PROGRAMS | st.binary(max_size=40)
    if archive_format in ("gz", "xz", "bz2", "bare"):
        packed = made.COMPRESSORS.get(archive_format, bytes)(draw(content))
    else:
        files = [made.file(name, draw(content)) for name in draw(st.lists(NAMES, max_size=4))]
        files += [
            made.link(name, "tool", kind)
            for name, kind in draw(st.lists(st.tuples(NAMES, st.sampled_from([b"1", b"2"])), max_size=2))
        ]
        packed = made.archive(archive_format, *files)
    return archive_format, draw(st.just(packed) | damaged(packed) | st.binary(max_size=600))


@pytest.mark.filterwarnings("ignore:Duplicate name")
@given(archives(), WANTED)
@settings(max_examples=400, suppress_health_check=list(HealthCheck))
def test_no_archive_ends_in_anything_but_an_answer_or_a_clear_error(tmp_path, archive, wanted):
    archive_format, packed = archive
    path = tmp_path / "asset"
    path.write_bytes(packed)
    try:
        found = look_into(path, archive_format, "tool", "tool-1.0.tar.gz")
        chosen = contents.choose(found, "tool", wanted, "tool-1.0.tar.gz")
        requirements = merge(chosen.values())
    except ReleaseError:
        return
    assert chosen
    assert set(chosen) == set(wanted or chosen)
    platforms = {(one.os, one.arch) for program in chosen.values() for one in program.requires}
    assert {(one.os, one.arch) for one in requirements} <= platforms


@given(st.lists(PROGRAMS, min_size=1, max_size=4), st.randoms())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_the_order_in_an_archive_changes_neither_choice_nor_needs(tmp_path, programs, shuffle: random.Random):
    files = [made.file(f"bin/p{number}", content) for number, content in enumerate(programs)]
    shuffled = shuffle.sample(files, len(files))
    answers = []
    for order in (files, shuffled):
        path = tmp_path / "asset"
        path.write_bytes(made.archive("tar", *order))
        try:
            found = look_into(path, "tar", "tool", "tool-1.0.tar.gz")
            chosen = contents.choose(found, "tool", {}, "tool-1.0.tar.gz")
            answers.append((sorted(chosen.items()), set(merge(chosen.values()))))
        except ReleaseError as error:
            answers.append((error.what, set()))
    assert answers[0] == answers[1]
