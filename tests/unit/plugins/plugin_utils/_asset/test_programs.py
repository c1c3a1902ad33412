# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the programs in an asset are meant, and how users call them."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import Contents
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_archives import (
    AARCH64,
    BROKEN,
    ENV_SCRIPT,
    GNU,
    LIBRARY,
    LOADER,
    OTHER,
    PACKED,
    PLAIN_SCRIPT,
    SCRIPT,
    STATIC,
    X86_64,
    choose,
    needs,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.tiny_programs import (
    elf,
    macho,
    pe,
    universal,
)


def refused(found: Contents, wanted: dict | None = None, tool: str = "tool") -> ReleaseError:
    with pytest.raises(ReleaseError) as caught:
        choose(found, wanted, tool)
    assert "tool-1.0.tar.gz" in caught.value.what
    assert caught.value.fix
    return caught.value


def test_an_addon_of_nodejs_is_no_program(look):
    files = {"package/package.json": b"{}", "package/tool.linux-x64.node": LIBRARY}
    assert "for npm to install" in refused(look(files)).fix
    assert "for npm to install" not in refused(look({"tool/package.json": b"{}", "tool/tool.so": LIBRARY})).fix


def test_modules_of_a_python_package_are_no_programs(look):
    package = {f"tool-1.0.dist-info/{name}": b"" for name in ("METADATA", "RECORD", "WHEEL")}
    package["tool/certs.py"] = ENV_SCRIPT
    error = refused(look(package, "tool-1.0-py3-none-any.whl"))
    assert error.what.endswith("holds no program")
    assert "another project" in error.fix
    package["tool-1.0.data/scripts/tool"] = PLAIN_SCRIPT
    assert choose(look(package, "tool-1.0-py3-none-any.whl")) == {"tool": "tool-1.0.data/scripts/tool"}


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


def test_a_name_that_cannot_be_a_links_is_asked_for(look):
    error = refused(look({"my tool": STATIC, "other": OTHER}))
    assert "my tool" in error.what
    assert error.fix == 'name it in the manifest: tools.tool.executables: {<name>: "my tool"}'


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
    found = look({"libexec/tool": STATIC, "lib/tool": OTHER, "README": b""})
    error = refused(found, {"tool": "**/tool"})
    assert error.what == "tool-1.0.tar.gz: **/tool of the manifest's executables is not one program"
    assert error.found == "libexec/tool (linux x86_64), lib/tool (linux x86_64)"
    assert error.fix == "write executables: {tool: libexec/tool}"
    error = refused(found, {"tool": "README"})
    assert error.found == "libexec/tool (linux x86_64), lib/tool (linux x86_64)"
    assert refused(look({"README": b""}), {"tool": "**/tool"}).found == "no program at all"


def test_what_is_offered_fits_the_next_release_and_other_platforms(look):
    found = look({"rgx-1.0-linux/rgx": STATIC, "rgx-1.0-linux/more": OTHER, "rgx-1.0-linux/README": b""})
    for wrong in ("**/rg", "rgx", "bin/rgx"):
        error = refused(found, {"rg": wrong})
        assert error.fix == 'write executables: {rg: "*/rgx"}'
        assert str(error.found).startswith("rgx-1.0-linux/rgx")
    next_release = look({"rgx-2.0-darwin/rgx": STATIC, "rgx-2.0-darwin/more": OTHER})
    assert choose(next_release, {"rg": "*/rgx"}) == {"rg": "rgx-2.0-darwin/rgx"}
    several = refused(look({"x-1.0/a/tool": STATIC, "x-1.0/b/tool": OTHER}))
    assert several.fix == 'name the paths in the manifest: tools.tool.executables: {tool: "*/a/tool"}'


def test_all_paths_that_fit_no_program_are_told_at_once(look):
    found = look({"x-1.0/one": STATIC, "x-1.0/two": OTHER, "x-1.0/three": SCRIPT, "x-1.0/README": b""})
    error = refused(found, {"one": "one", "tow": "two", "three": "*/three"})
    assert error.what == "tool-1.0.tar.gz: one, two of the manifest's executables are not one program each"
    assert error.fix == 'write executables: {one: "*/one", tow: "*/two", three: "*/three"}'


def test_a_name_that_is_asked_for_is_looked_for_in_bin_first(look):
    found = look({"x-1/bin/tool": STATIC, "x-1/lib/tool": OTHER, "x-1/lib/bin/tool": SCRIPT, "x-1/lib/more": OTHER})
    assert choose(found, {"tool": "**/tool", "more": "**/more"}) == {"tool": "x-1/bin/tool", "more": "x-1/lib/more"}
    found = look({"lib/x/bin/tool": STATIC, "lib/tool": OTHER, "README": b""})
    assert choose(found, {"tool": "**/tool"}) == {"tool": "lib/x/bin/tool"}
