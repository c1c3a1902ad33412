# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One archive that holds programs for several platforms: the bytes tell which are whose."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset.variants import Asked, variants
from ansible_collections.pinned.release.plugins.plugin_utils._values.triples import triple
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_archives import GNU, OTHER, STATIC
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.tiny_programs import elf, macho, pe

LINUX, MUSL = "x86_64-unknown-linux-gnu", "x86_64-unknown-linux-musl"
FOLDERS = {"t/bin/linux/tool": STATIC, "t/bin/darwin/tool": macho(), "t/bin/windows/tool.exe": pe()}


def found(contents, systems, wanted=None):
    """Return the path of each program that is taken, by its target and the name of its link."""
    asked = Asked("tool", "1.0", "tool.tgz", wanted or {}, lambda requirement: requirement.os in systems)
    return {
        (triple(variant.requires), name): program.path
        for variant in variants(contents, asked)
        for name, program in variant.programs.items()
    }


def test_the_program_of_the_asked_system_is_taken(look):
    assert found(look(FOLDERS), ["linux"]) == {(MUSL, "tool"): "t/bin/linux/tool"}


def test_each_asked_system_gets_its_own(look):
    taken = found(look(FOLDERS), ["linux", "macos", "windows"])
    assert sorted(taken.values()) == ["t/bin/darwin/tool", "t/bin/linux/tool", "t/bin/windows/tool.exe"]
    assert {name for _target, name in taken} == {"tool"}


def test_one_line_of_manifest_works_for_all_platforms(look):
    taken = found(look(FOLDERS), ["linux", "macos"], {"tool": "*/tool"})
    assert sorted(taken.values()) == ["t/bin/darwin/tool", "t/bin/linux/tool"]


def test_gnu_and_musl_builds_are_both_taken(look):
    contents = look({"x86_64-unknown-linux-gnu/tool": GNU, "x86_64-unknown-linux-musl/tool": STATIC})
    assert found(contents, ["linux"]) == {
        (LINUX, "tool"): "x86_64-unknown-linux-gnu/tool",
        (MUSL, "tool"): "x86_64-unknown-linux-musl/tool",
    }


def test_programs_that_say_their_platform_in_their_names_are_told_apart(look):
    contents = look({"tool-linux-amd64": STATIC, "tool-darwin-amd64": macho()})
    assert found(contents, ["linux"]) == {(MUSL, "tool"): "tool-linux-amd64"}


def test_a_static_helper_belongs_to_the_glibc_program_beside_it(look):
    contents = look({"linux/bin/tool": GNU, "linux/bin/helper": OTHER, "darwin/bin/tool": macho()})
    assert found(contents, ["linux"]) == {(LINUX, "tool"): "linux/bin/tool", (LINUX, "helper"): "linux/bin/helper"}


def test_builds_with_different_programs_are_no_builds_of_one_tool(look):
    with pytest.raises(ReleaseError, match="several programs of one name"):
        found(look({"a/bin/tool": GNU, "b/bin/tool": STATIC, "b/bin/helper": OTHER}), ["linux"])


def test_two_programs_of_one_platform_are_a_question_whose_answer_is_for_it(look):
    files = {"a/tool": STATIC, "b/tool": OTHER, "darwin/tool": macho()}
    with pytest.raises(ReleaseError, match="several programs of one name") as caught:
        found(look(files), ["linux"])
    assert "darwin" not in (caught.value.fix or "")
    assert found(look(files), ["linux"], {"tool": "a/tool"}) == {(MUSL, "tool"): "a/tool"}


@pytest.mark.parametrize("folder", ["linux-amd64", "linux/amd64", "x86_64-unknown-linux-musl", "bin/linux"])
def test_all_programs_in_a_folder_for_their_platform_count(look, folder):
    files = {f"t/{folder}/tool": STATIC, f"t/{folder}/cli": OTHER, "t/darwin/tool": macho(), "t/darwin/cli": macho()}
    assert found(look(files), ["linux"]) == {(MUSL, "tool"): f"t/{folder}/tool", (MUSL, "cli"): f"t/{folder}/cli"}


@pytest.mark.parametrize("folder", ["lib/linux-amd64", "linux-amd64/lib", "x"])
def test_a_helper_in_any_other_folder_does_not_count(look, folder):
    files = {f"t/{folder}/tool": STATIC, f"t/{folder}/helper": OTHER, "t/README": b""}
    assert found(look(files), ["linux"]) == {(MUSL, "tool"): f"t/{folder}/tool"}


ARM, OTHER_ARM = elf(machine=183), elf(machine=183, code=b"another program ")
SAME_NAMES = {
    "fast/amd64/tool": STATIC,
    "plain/amd64/tool": OTHER,
    "fast/arm64/tool": ARM,
    "plain/arm64/tool": OTHER_ARM,
}


@pytest.mark.parametrize(
    ("files", "line"),
    [
        (SAME_NAMES, 'executables: {tool: "fast/a*64/tool"}'),
        (
            {"a/tool": STATIC, "b/tool": OTHER, "a-arm/tool": ARM, "b-arm/tool": OTHER_ARM},
            'executables: {tool: "a*/tool"}',
        ),
        (
            {f"tool-1.0/{path}": content for path, content in SAME_NAMES.items()},
            'executables: {tool: "*/fast/a*64/tool"}',
        ),
    ],
)
def test_the_line_that_is_offered_works_for_all_platforms(look, files, line):
    with pytest.raises(ReleaseError, match="several programs of one name") as caught:
        found(look(files), ["linux"])
    assert line in (caught.value.fix or "")


def test_where_no_line_works_for_all_platforms_the_fix_says_so(look):
    files = {"a/tool": STATIC, "b/tool": OTHER, "c/tool": ARM, "d/tool": OTHER_ARM}
    with pytest.raises(ReleaseError, match="several programs of one name") as caught:
        found(look(files), ["linux"])
    fix = caught.value.fix or ""
    assert "no pattern means one of them on each platform" in fix
    assert "platforms: [linux/x86_64], executables: {tool: a/tool}" in fix
    assert "platforms: [linux/aarch64], executables: {tool: c/tool}" in fix


def test_an_archive_without_a_program_for_an_asked_platform_is_refused(look):
    with pytest.raises(ReleaseError, match="several programs of one name"):
        found(look({"darwin/tool": macho(), "windows/tool.exe": pe()}), ["linux"])
