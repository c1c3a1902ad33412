# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Under what names programs are linked."""

from __future__ import annotations

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import Found
from ansible_collections.pinned.release.plugins.plugin_utils._asset.program_names import link_names
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.little_archives import (
    AARCH64,
    OTHER,
    SCRIPT,
    STATIC,
    choose,
)
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.tiny_programs import elf
from hypothesis import given
from hypothesis import strategies as st


def names(look, text: str, tool: str = "tool", version: str = "1.2.3") -> str:
    """Return the names of the links to programs of different bytes whose files are called as *text* says."""
    files = {f"x-1/{name}": elf(code=name.encode().ljust(64)) for name in text.split()}
    link_of = {path: link for link, path in choose(look(files), tool=tool, version=version).items()}
    return " ".join(link_of[path] for path in files)


@pytest.mark.parametrize(
    ("name", "link"),
    [
        *[("tool", "tool"), ("tool.exe", "tool"), ("tool-1.2.3", "tool"), ("tool-v1.2.3", "tool")],
        *[("tool_linux_amd64", "tool"), ("tool-linux-x86_64", "tool"), ("tool.linux-amd64", "tool")],
        *[("tool_1.2.3_darwin-arm64.exe", "tool"), ("tool-static", "tool"), ("tool-musl", "tool")],
        *[("Tool-x86_64-unknown-linux-musl", "tool"), ("linux-amd64", "tool"), ("linux_arm64_v1", "tool")],
        *[("1.2.3", "tool"), ("tool.x86_64", "tool"), ("tool-amd64", "tool"), ("tool-linux", "tool")],
        *[("tool-9.9-linux-amd64", "tool"), ("tool_v2_linux_x64", "tool"), ("tool-linux-amd64-v1.2.3", "tool")],
        *[("tool_v4.2-stable_linux.x86_64", "tool"), ("tool-macos-universal", "tool"), ("tool-x64-baseline", "tool")],
        *[("tool-ubuntu-22.04-x64", "tool"), ("tool-glibc2.17-x86_64", "tool"), ("client_darwin_all", "client")],
        *[
            ("tool-server-linux-amd64", "tool-server"),
            ("tool-server-1.2.3", "tool-server"),
            ("tools-linux-x64", "tools"),
        ],
        *[("toolctl", "toolctl"), ("tool-cli", "tool-cli"), ("tool.sh", "tool.sh"), ("tool3.12", "tool3.12")],
        *[("rg", "rg"), ("rg-linux-amd64", "rg"), ("rg-1.2.3", "rg"), ("rg-x86_64-pc-windows-msvc.exe", "rg")],
        *[("arm-none-eabi-gcc", "arm-none-eabi-gcc"), ("x86_64-linux-musl-ld", "x86_64-linux-musl-ld")],
        *[("my tool", "tool"), ("server_linux_amd64", "server"), ("server-amd64", "server")],
    ],
)
def test_a_link_is_named_as_users_type_it(look, name, link):
    assert list(choose(look({f"x-1/{name}": STATIC}))) == [link]


@pytest.mark.parametrize(
    "name",
    [
        *("tool-2", "tool-1.2", "tool-1.2.30", "tool-v2", "tool-beta", "rg-2.0", "python3.12", "clang-17"),
        *("tool3", "helper-2-0", "mkfs.fat", "tool-all", "tool-fat", "ld.gold", "iptables-1.8", "tool-arm", "qemu-arm"),
        *("tool-linux-amd64-server", "tool.latest", "tool-modern", "gcc-ar", "lib-1.2.3-helper"),
    ],
)
def test_a_name_is_the_files_own_but_for_version_and_platform(look, name):
    assert list(choose(look({f"x-1/{name}": STATIC}))) == [name]


@pytest.mark.parametrize(
    ("version", "name", "link"),
    [
        ("v17.0.6", "tool-17.0.6", "tool"),
        ("v17.0.6", "tool-17", "tool-17"),
        ("17", "tool-17", "tool"),
        ("3", "tool-1.2.3", "tool-1.2.3"),
        ("1.30.0+k0s.0", "tool-v1.30.0+k0s.0", "tool"),
        ("1.30.0+k0s.0", "tool-v1.30.0", "tool"),
        ("2026.1", "rg_2026.1_linux_x64", "rg"),
        ("cli/v2.5", "tool-2.5", "tool"),
        ("", "tool-2.5", "tool-2.5"),
    ],
)
def test_a_version_is_cut_off_where_it_is_the_releases(look, version, name, link):
    assert list(choose(look({f"x-1/{name}": STATIC}), version=version)) == [link]


@pytest.mark.parametrize(
    ("files", "links"),
    [
        ("ols-x86_64-unknown-linux-gnu odinfmt-x86_64-unknown-linux-gnu", "ols odinfmt"),
        ("client_linux_amd64 server_linux_amd64", "client server"),
        ("client-amd64 server-amd64", "client server"),
        ("tool-amd64 tool-server-amd64 helper", "tool tool-server helper"),
        ("tool-linux-amd64 tool-server-linux-amd64 helper", "tool tool-server helper"),
        ("tool-1.2.3 toolctl-1.2.3 helper-2.0", "tool toolctl helper-2.0"),
        ("tool-v1.2.3-linux-amd64 toolctl-v1.2.3-linux-amd64", "tool toolctl"),
    ],
)
def test_version_and_platform_are_cut_off_all_programs_alike(look, files, links):
    assert names(look, files) == links


@pytest.mark.parametrize(
    "files",
    [
        *("tool tool-static", "tool tool-linux-amd64", "client client_linux_amd64", "tool tool-1.2.3"),
        *("tool-linux-amd64 tool-linux-x64", "helper-linux tool-linux helper", "qemu-img qemu-system-x86_64"),
        *("mkfs.fat mkfs.ext4", "qemu-x86_64 qemu-arm", "gcc-12 gcc-13"),
    ],
)
def test_names_that_would_become_one_or_are_no_platforms_stay_as_they_are(look, files):
    assert names(look, files) == files


def test_two_names_of_the_same_bytes_may_become_one(look):
    assert list(choose(look({"x-1/tool": STATIC, "x-1/tool-1.2.3": STATIC}))) == ["tool"]


def test_programs_for_several_architectures_keep_them_in_their_names(look):
    files = {"tool-linux-amd64": STATIC, "tool-linux-arm64": AARCH64, "helper-linux-amd64": OTHER}
    assert sorted(choose(look(files))) == sorted(files)


def test_a_script_is_named_like_a_program(look):
    assert list(choose(look({"x-1/start-linux-amd64": SCRIPT, "x-1/README": b""}))) == ["start"]


NEEDS = Requirement(os="linux", arch="x86_64", libc="static")
WORDS = ["tool", "rg", "linux", "amd64", "arm", "x86_64", "1.2.3", "v2", "static", "all", "server", "64", "+", "12"]
NAMES = st.lists(st.sampled_from(WORDS), min_size=1, max_size=5).flatmap(
    lambda parts: st.lists(st.sampled_from("-_."), min_size=len(parts), max_size=len(parts)).map(
        lambda separators: "".join(map("".join, zip(parts, separators, strict=True)))[:-1]
    )
)


@given(files=st.lists(NAMES, min_size=1, max_size=4, unique=True), version=st.sampled_from(["1.2.3", "v2", "12", ""]))
def test_different_programs_never_get_one_name_and_a_name_is_a_beginning_of_the_files(files, version):
    found = [Found(name, f"{number:064}", 1, (NEEDS,)) for number, name in enumerate(files)]
    links = link_names(found, "tool", version)
    assert len(set(links)) == len(files)
    assert all(name.startswith(link) or link == "tool" for name, link in zip(files, links, strict=True))
