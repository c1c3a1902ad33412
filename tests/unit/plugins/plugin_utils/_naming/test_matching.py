# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What names say, and which assets are proposed for which platform."""

from __future__ import annotations

import contextlib
import importlib.util
import itertools
import json
import re
import sys
import time
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._naming.asset_pattern import pattern_of, suggestion
from ansible_collections.pinned.release.plugins.plugin_utils._naming.matching import Ambiguous, nothing_for, propose
from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.name_words import LONGEST_NAME
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import parse_platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from hypothesis import assume, given, settings
from hypothesis import strategies as st

PLATFORMS = (
    "linux/x86_64 linux/i686 linux/aarch64 linux/armv7 linux/armv6 linux/powerpc64le linux/s390x linux/riscv64 "
    "macos/aarch64 macos/x86_64 windows/x86_64"
).split()


CORPUS = Path(__file__).resolve().parents[4] / "corpus" / "listings.json"


def assets(*names: str) -> list[Asset]:
    return [Asset(name=name, url="https://example.org/" + name) for name in names]


def chosen(
    names: list[str], platform: str, tool: str = "tool", version: str = "1.2.3", pattern: str | None = None
) -> list[str]:
    found = propose(assets(*names), tool, version, parse_platform(platform), pattern=pattern)
    return [proposal.name for proposal in found]


def test_a_product_word_that_all_platforms_share_is_no_sort_of_file() -> None:
    names = ["docs-gen-linux-amd64", "docs-gen-darwin-arm64", "docs-gen-linux-amd64.sha256"]
    assert chosen(names, "linux/x86_64", tool="dg") == ["docs-gen-linux-amd64"]
    assert chosen(names[:1], "linux/x86_64", tool="dg") == []
    names = ["docs-gen-gui-darwin-arm64", "docs-gen-linux-amd64"]
    assert chosen(names, "linux/x86_64", tool="dg") == names[1:]


def test_every_libc_of_a_platform_is_proposed() -> None:
    names = [
        "tool-x86_64-unknown-linux-musl.tar.gz",
        "tool-x86_64-unknown-linux-gnu.tar.gz",
        "tool-aarch64-unknown-linux-gnu.tar.gz",
    ]
    assert chosen(names, "linux/x86_64") == [
        "tool-x86_64-unknown-linux-gnu.tar.gz",
        "tool-x86_64-unknown-linux-musl.tar.gz",
    ]


def test_every_cpu_level_of_a_platform_is_proposed_the_baseline_first() -> None:
    names = ["tool_linux_amd64_v3.tgz", "tool_linux_amd64_v1.tgz", "tool_linux_amd64_v4.tgz"]
    assert chosen(names, "linux/x86_64") == [
        "tool_linux_amd64_v1.tgz",
        "tool_linux_amd64_v3.tgz",
        "tool_linux_amd64_v4.tgz",
    ]


def test_a_build_beside_a_baseline_one_is_for_newer_processors() -> None:
    names = ["tool-linux-x64.zip", "tool-linux-x64-musl.zip", "tool-linux-x64-baseline.zip", "tool-linux-arm64.zip"]
    proposals = propose(assets(*names), "tool", "1", parse_platform("linux/x86_64"))
    assert [(proposal.name, proposal.label.cpu) for proposal in proposals] == [
        ("tool-linux-x64-baseline.zip", None),
        ("tool-linux-x64-musl.zip", None),
        ("tool-linux-x64.zip", "x86-64-v3"),
    ]
    names = ["tool-linux-x64-baseline.zip", "tool-linux-x64-avx512.zip"]
    proposals = propose(assets(*names), "tool", "1", parse_platform("linux/x86_64"))
    assert [proposal.label.cpu for proposal in proposals] == [None, "x86-64-v4"]


def test_of_several_libcs_the_hosts_own_comes_first_and_musl_last() -> None:
    names = [f"tool-x86_64-linux{libc}.tgz" for libc in ("-gnu", "", "-static", "-musl")]
    assert chosen(names[::-1], "linux/x86_64") == names


def test_lower_glibc_floors_come_first() -> None:
    names = [f"tool-1.2.3-py3-none-manylinux_2_{minor}_x86_64.whl" for minor in (28, 5, 17)]
    assert chosen(names, "linux/x86_64") == [names[1], names[2], names[0]]


def test_one_build_in_several_packings_counts_once() -> None:
    names = ["tool-linux-amd64", "tool-linux-amd64.tar.xz", "tool-linux-amd64.tar.gz", "tool-linux-amd64.zip"]
    (proposal,) = propose(assets(*names), "tool", "1", parse_platform("linux/x86_64"))
    assert proposal.name == "tool-linux-amd64.tar.gz"


def test_of_two_equal_files_the_smaller_is_taken() -> None:
    found = propose(
        [Asset("tool_linux_amd64.tar.gz", "u", size=900), Asset("tool_linux_x86_64.tar.gz", "u", size=500)],
        "tool",
        "1",
        parse_platform("linux/x86_64"),
    )
    assert [proposal.name for proposal in found] == ["tool_linux_x86_64.tar.gz"]


@pytest.mark.parametrize("small", ["tool_linux_amd64.tar.gz", "tool_1.2.3_linux_amd64.tar.gz"])
def test_a_name_without_a_version_is_as_good_as_one_with_the_releases(small: str) -> None:
    names = ["tool_linux_amd64.tar.gz", "tool_1.2.3_linux_amd64.tar.gz", "tool_v2_linux_amd64.tar.gz"]
    sizes = {small: 200, names[2]: 100}
    found = propose(
        [Asset(name, "u", size=sizes.get(name, 300)) for name in names], "tool", "1.2.3", parse_platform("linux/x86_64")
    )
    assert [proposal.name for proposal in found] == [small]


def test_msvc_comes_before_gnu_on_windows() -> None:
    names = ["tool-x86_64-pc-windows-gnu.zip", "tool-x86_64-pc-windows-msvc.zip"]
    assert chosen(names, "windows/x86_64") == ["tool-x86_64-pc-windows-msvc.zip"]


def test_a_universal_file_serves_both_macs_but_a_thin_one_comes_first() -> None:
    names = ["tool-macos-universal.zip", "tool-macos-arm64.zip"]
    assert chosen(names, "macos/x86_64") == ["tool-macos-universal.zip"]
    assert chosen(names, "macos/aarch64") == ["tool-macos-arm64.zip", "tool-macos-universal.zip"]


def test_older_arm_builds_serve_newer_arm_and_never_the_other_way() -> None:
    names = ["tool-linux-armv5", "tool-linux-armv6", "tool-linux-armv7", "tool-linux-arm64"]
    assert chosen(names, "linux/armv7") == ["tool-linux-armv7", "tool-linux-armv6", "tool-linux-armv5"]
    assert chosen(names, "linux/armv6") == ["tool-linux-armv6", "tool-linux-armv5"]
    assert chosen(names, "linux/armv5te") == ["tool-linux-armv5"]
    assert chosen(names[2:], "linux/armv6") == []


def test_plain_arm_comes_after_the_exact_armv7_and_after_all_builds_that_armv6_may_need() -> None:
    plain, armv5, armv6, armv7 = names = ["tool-linux-arm", "tool-linux-armv5", "tool-linux-armv6", "tool-linux-armv7"]
    assert chosen(names, "linux/armv7") == [armv7, plain, armv6, armv5]
    assert chosen(names, "linux/armv6") == [armv6, armv5, plain]


def test_the_float_abi_of_the_host_comes_first() -> None:
    names = ["tool-armv7-linux-musleabihf", "tool-armv7-linux-musleabi"]
    assert chosen(names, "linux/armv7") == names


def test_plain_arm_serves_armv6_and_newer_but_not_armv5() -> None:
    names = ["tool-linux-arm", "tool-linux-amd64"]
    assert chosen(names, "linux/armv7") == ["tool-linux-arm"]
    assert chosen(names, "linux/armv6") == ["tool-linux-arm"]
    assert chosen(names, "linux/armv5te") == []


def test_arm_with_a_float_abi_or_a_version_serves_armv5() -> None:
    for name in ("tool-arm-linux-musleabi", "tool-linux-armel", "tool-linux-armv5"):
        assert chosen([name], "linux/armv5te") == [name]


def test_static_soft_float_builds_serve_hard_float_hosts() -> None:
    assert chosen(["tool-arm-linux-musleabi"], "linux/armv7") == ["tool-arm-linux-musleabi"]
    assert chosen(["tool-arm-linux-musleabihf"], "linux/armv5te") == []


def test_soft_float_glibc_builds_do_not_serve_hard_float_hosts_and_the_reverse() -> None:
    names = ["tool-arm-linux-gnueabi.tgz", "tool-arm-linux-gnueabihf.tgz"]
    assert chosen(names, "linux/armv7") == ["tool-arm-linux-gnueabihf.tgz"]
    assert chosen(names, "linux/armv5te") == ["tool-arm-linux-gnueabi.tgz"]
    assert chosen(["tool-linux-armel"], "linux/armv7") == []


def test_other_architectures_never_serve_even_where_hosts_could_emulate_them() -> None:
    assert chosen(["tool-macos-x86_64.zip"], "macos/aarch64") == []
    assert chosen(["tool-linux-i686.tgz"], "linux/x86_64") == []
    assert chosen(["tool-linux-gnux32-x86_64.tgz"], "linux/x86_64") == []
    assert chosen(["tool-linux-ppc64.tgz"], "linux/powerpc64le") == []


def test_without_a_system_linux_is_meant_unless_others_say_it() -> None:
    bare = ["tool", "tool-arm64", "tool-armhf", "tool-darwin", "tool.exe"]
    assert chosen(bare, "linux/aarch64") == ["tool-arm64"]
    assert chosen(bare, "linux/armv7") == ["tool-armhf"]
    assert chosen(bare, "linux/x86_64") == ["tool"]
    assert chosen(bare, "windows/x86_64") == ["tool.exe"]
    assert chosen(bare, "linux/s390x") == []
    assert chosen(["tool-linux-x86_64", "tool-arm64"], "linux/aarch64") == []
    assert chosen(["tool-x64.zip", "tool-arm64.zip"], "linux/x86_64") == []


def test_siblings_that_say_linux_do_not_count_where_the_publisher_leaves_it_out_for_what_only_linux_has() -> None:
    names = ["fnm-linux.zip", "fnm-arm32.zip", "fnm-arm64.zip", "fnm-macos.zip", "fnm-windows.zip"]
    assert chosen(names, "linux/aarch64", tool="fnm") == ["fnm-arm64.zip"]
    assert chosen(names, "linux/armv7", tool="fnm") == ["fnm-arm32.zip"]
    assert chosen(["fnm-linux.zip", "fnm-arm32.7z", "fnm-arm64.7z"], "linux/aarch64", tool="fnm") == []
    assert chosen(["tool-linux-amd64", "tool-arm", "tool-arm64", "tool.exe"], "linux/aarch64") == ["tool-arm64"]
    assert chosen(["tool-x64.zip", "tool-arm.zip", "tool-arm64.zip"], "linux/aarch64") == []


def test_a_libc_of_linux_says_linux() -> None:
    names = ["tool-linux.tar.gz", "tool-aarch64-gnu.tar.gz", "tool-aarch64-musl.tar.gz", "tool-windows-aarch64.tar.gz"]
    assert chosen(names, "linux/aarch64") == ["tool-aarch64-gnu.tar.gz", "tool-aarch64-musl.tar.gz"]
    assert chosen(["tool-linux.tar.gz", "tool-x86_64-gnu.zip"], "linux/x86_64") == ["tool-linux.tar.gz"]


def test_an_archive_without_platform_is_for_x86_64_where_its_siblings_leave_out_linux_too() -> None:
    names = ["App-1.2.3.tar.gz", "App-1.2.3-arm64.tar.gz", "App-1.2.3-mac.zip", "App-1.2.3-win.zip"]
    assert chosen(names, "linux/x86_64", tool="app") == ["App-1.2.3.tar.gz"]
    assert chosen(names, "linux/aarch64", tool="app") == ["App-1.2.3-arm64.tar.gz"]
    assert chosen(["app-1.2.3.zip", "app-1.2.3-arm64.zip"], "linux/x86_64", tool="app") == []
    assert chosen(["app.tgz", "app-arm64.tgz", "app-1.2.3.tar.gz"], "linux/x86_64", tool="app") == ["app.tgz"]


def test_a_completion_beside_labelled_files_is_no_program() -> None:
    assert chosen(["_tool", "tool.fish", "Tool-v1.2.3-portable.exe"], "linux/x86_64") == []


def test_a_build_for_one_distribution_comes_after_one_for_all() -> None:
    names = ["tool-linux-amd64-centos7.tar.gz", "tool-linux-amd64.tar.gz", "tool-x86_64-linux-gnu.tar.gz"]
    assert chosen(names, "linux/x86_64") == [names[2], names[1], names[0]]


def test_builds_for_several_versions_of_a_distribution_are_all_proposed_the_oldest_first() -> None:
    names = ["tool-ubuntu-22.04-x64.tgz", "tool-ubuntu-20.04-x64.tgz", "tool-x86_64-rhel-7.9.tgz"]
    assert chosen(names, "linux/x86_64") == [names[2], names[1], names[0]]
    names = ["tool-1.2.3-linux-openssl-1.1.tar.gz", "tool-1.2.3-linux-openssl-1.0.tar.gz"]
    assert chosen(names, "linux/x86_64") == [names[1], names[0]]


def test_builds_with_several_versions_of_something_else_are_several_products() -> None:
    names = ["python-3.9.20+1.2.3-linux-x64.tgz", "python-3.13.0+1.2.3-linux-x64.tgz", "python-3.9.20+1.2.3-macos.tgz"]
    with pytest.raises(Ambiguous) as caught:
        chosen(names, "linux/x86_64", tool="python")
    assert caught.value.candidates == (names[1], names[0])
    line = re.search(r'asset: "(.+)"', caught.value.fix or "")
    assert line is not None
    assert line.group(1) == "python-3.13.0+{version}-*"
    assert chosen(names, "linux/x86_64", tool="python", pattern=line.group(1)) == [names[1]]
    assert chosen(["tool-1.2.3-linux-x64", "tool-1.2.2-linux-x64"], "linux/x86_64") == ["tool-1.2.3-linux-x64"]
    assert chosen(["tool-linux-x64-otp-25.3.tgz", "tool-linux-x64.tgz"], "linux/x86_64") == ["tool-linux-x64.tgz"]


def test_what_another_products_files_say_of_linux_does_not_count() -> None:
    names = ["flannel-v1.2.3-linux-amd64.tar.gz", "flanneld-amd64", "flanneld-arm64", "flanneld.exe"]
    assert chosen(names, "linux/aarch64", tool="flanneld") == ["flanneld-arm64"]


def test_without_an_architecture_x86_64_is_meant() -> None:
    names = ["tool-linux.zip", "tool-win.zip", "tool-linux-aarch64.zip"]
    assert chosen(names, "linux/x86_64") == ["tool-linux.zip"]
    assert chosen(names, "windows/x86_64") == ["tool-win.zip"]
    assert chosen(names, "linux/aarch64") == ["tool-linux-aarch64.zip"]
    assert chosen(names, "linux/riscv64") == []


def test_a_mac_build_without_an_architecture_is_the_one_the_others_are_not() -> None:
    assert chosen(["tool-macos.zip", "tool-macos-arm64.zip"], "macos/x86_64") == ["tool-macos.zip"]
    assert chosen(["tool-macos.zip", "tool-macos-arm64.zip"], "macos/aarch64") == ["tool-macos-arm64.zip"]
    assert chosen(["tool-macos.zip"], "macos/aarch64") == ["tool-macos.zip"]


def test_x86_means_32_bit_unless_the_publisher_has_no_other_word() -> None:
    assert chosen(["tool_linux_x86", "tool_linux_arm64"], "linux/x86_64") == ["tool_linux_x86"]
    assert chosen(["tool_linux_x86", "tool_windows_x64.exe"], "linux/x86_64") == []
    assert chosen(["tool_linux_x86", "tool_windows_x64.exe"], "linux/i686") == ["tool_linux_x86"]
    assert chosen(["tool_x86.exe", "tool.exe"], "windows/x86_64") == ["tool.exe"]
    assert chosen(["tool_linux_x86", "tool_osx_x86", "tool_osx_arm64"], "linux/x86_64") == ["tool_linux_x86"]
    assert chosen(["tool_mac_x86.zip", "tool_mac.zip"], "macos/x86_64") == ["tool_mac_x86.zip"]


def test_where_no_name_says_a_platform_the_bytes_must_tell() -> None:
    assert chosen(["tool.tar.gz", "tool.tar.gz.sha256"], "linux/x86_64") == ["tool.tar.gz"]
    assert chosen(["tool"], "macos/aarch64") == ["tool"]
    assert chosen(["tool-1.2.3.tar.gz"], "linux/x86_64") == ["tool-1.2.3.tar.gz"]


def test_one_version_in_several_packings_without_any_platform_is_sources() -> None:
    assert chosen(["tool-1.2.3.tar.gz", "tool-1.2.3.tar.xz"], "linux/x86_64") == []


def test_an_archive_without_platform_beside_labelled_ones_is_source() -> None:
    names = ["tool-1.2.3.tar.gz", "tool-1.2.3-linux-x86_64.tar.gz", "tool-1.2.3-win64.zip"]
    assert chosen(names, "linux/aarch64") == []
    assert chosen(["tool-1.2.3.tar.gz", "tool_1.2.3_amd64.deb"], "linux/x86_64") == []


def test_a_script_is_no_program_because_nothing_else_is_left() -> None:
    assert chosen(["tool.sh", "tool.sh.asc"], "linux/x86_64", tool="tool.sh") == ["tool.sh"]
    assert chosen(["tool.sh", "tool-darwin-arm64"], "linux/x86_64", tool="tool.sh") == ["tool.sh"]
    assert chosen(["tool.sh", "tool.sh.asc"], "linux/x86_64", pattern="tool.sh") == ["tool.sh"]
    for names in (["tool.phar", "tool.phar.asc"], ["tool.rb"], ["tool.rb", "tool.wasm"], ["tool.ps1", "tool.jar"]):
        for platform in PLATFORMS:
            assert chosen(names, platform) == []


def test_nothing_found_offers_the_line_for_a_script() -> None:
    error = nothing_for(assets("tool.phar", "tool.phar.asc"), "tool", "1.2", [parse_platform("linux/x86_64")])
    assert (error.fix or "").endswith('tools.tool.asset: "tool.phar"')


def test_wheels_beside_other_builds_are_not_proposed() -> None:
    names = ["tool_1.2.3_x86_64", "tool_1.2.3_arm64", "tool-1.2.3-py2.py3-none-manylinux1_x86_64.whl"]
    assert chosen(names, "linux/x86_64") == ["tool_1.2.3_x86_64"]


@pytest.mark.parametrize("platform", PLATFORMS)
def test_nothing_but_programs_is_ever_proposed(platform: str) -> None:
    names = (
        "SHA256SUMS tool-linux-amd64.sha256 tool-linux-amd64.sig tool_linux_amd64.sbom.json tool_1.2.3_amd64.deb "
        "tool.dmg tool-windows-amd64-setup.exe tool-linux-amd64-debug.tar.gz tool-linux-x86_64.AppImage install.sh"
    ).split()
    assert chosen(names, platform) == []


def test_the_product_that_bears_the_tools_name_is_meant() -> None:
    names = ["tool-cli-linux-x64", "tool-linux-x64", "tool-server-linux-x64", "other-linux-x64"]
    assert chosen(names, "linux/x86_64") == ["tool-linux-x64"]


def test_another_product_is_not_a_stand_in_where_the_tool_lacks_a_platform() -> None:
    names = ["tool-linux-x64", "tool-server-linux-x64", "tool-server-linux-arm64"]
    assert chosen(names, "linux/aarch64") == []


def test_another_product_is_not_a_stand_in_for_one_that_all_names_say_more_of() -> None:
    names = ["OpenJDK8U-jre_x64_linux.tar.gz", "OpenJDK8U-jdk_x64_linux.tar.gz", "OpenJDK8U-jdk_aarch64_linux.tar.gz"]
    assert chosen(names, "linux/x86_64", tool="jre") == names[:1]
    assert chosen(names, "linux/aarch64", tool="jre") == []


def test_words_that_a_product_has_only_elsewhere_are_no_other_product() -> None:
    listed = assets("tool-cli-linux-x64", "tool-cli-macos-arm64", "tool-cli-full-win-x64.zip", "tool-gui-linux-x64")
    for platform, name in (("linux/x86_64", "tool-cli-linux-x64"), ("windows/x86_64", "tool-cli-full-win-x64.zip")):
        found = propose(listed, "tool", "1", parse_platform(platform), meant=("cli",))
        assert [proposal.name for proposal in found] == [name]


def test_a_mac_build_that_says_more_and_no_architecture_is_no_stand_in() -> None:
    names = ["tool-1.2.3-osx64.tar.gz", "tool-1.2.3-osx-unsigned.tar.gz", "tool-1.2.3-x86_64-linux-gnu.tar.gz"]
    assert chosen(names, "macos/aarch64") == []
    assert chosen(["tool-macos.zip", "tool-gui-macos-arm64.zip"], "macos/aarch64") == ["tool-macos.zip"]


def test_a_build_for_the_processor_is_meant_where_others_need_more() -> None:
    names = ["llama-b1-win-cpu-x64.zip", "llama-b1-win-cuda-12.4-x64.zip", "llama-b1-win-vulkan-x64.zip"]
    assert chosen(names, "windows/x86_64", tool="llama.cpp", version="b1") == names[:1]


def test_flavours_extend_the_product_that_is_meant() -> None:
    names = ["nu-1.2.3-x86_64-unknown-linux-gnu.tar.gz", "nu-1.2.3-x86_64-unknown-linux-gnu-full.tar.gz"]
    assert chosen(names, "linux/x86_64", tool="nushell") == [names[0]]


def test_a_product_whose_words_all_others_have_is_meant() -> None:
    names = ["Radarr.1.2.3.osx-core-x64.tar.gz", "Radarr.1.2.3.osx-app-core-x64.zip"]
    assert chosen(names, "macos/x86_64", tool="radarr") == [names[0]]


def test_several_products_are_an_error_that_shows_them_and_the_line_that_settles_it() -> None:
    names = [
        "foo-cli-1.2.3-linux-x86_64.tar.gz",
        "foo-cli-1.2.3-darwin-arm64.zip",
        "foo-server-1.2.3-linux-x86_64.tar.gz",
    ]
    with pytest.raises(Ambiguous) as caught:
        chosen(names, "linux/x86_64", tool="foo")
    assert caught.value.candidates == ("foo-cli-1.2.3-linux-x86_64.tar.gz", "foo-server-1.2.3-linux-x86_64.tar.gz")
    line = re.search(r'asset: "(.+)"', caught.value.fix or "")
    assert line is not None
    assert line.group(1) == "foo-cli-{version}-*"
    assert chosen(names, "linux/x86_64", tool="foo", pattern=line.group(1)) == [names[0]]
    assert chosen(names, "macos/aarch64", tool="foo", pattern=line.group(1)) == [names[1]]


def test_a_pattern_admits_files_whose_names_say_little() -> None:
    names = ["tool-x64.zip", "tool-arm64.zip", "tool.zip"]
    assert chosen(names, "windows/x86_64", pattern="tool-x64.zip") == ["tool-x64.zip"]
    assert chosen(names, "linux/s390x", pattern="tool.zip") == ["tool.zip"]
    assert chosen(names, "linux/s390x", pattern="tool-*.zip") == []


def test_an_architecture_that_is_not_known_is_nobodys_unless_the_user_names_the_file() -> None:
    names = ["tool-linux-armv7neon"]
    assert chosen(names, "linux/x86_64") == []
    assert chosen(names, "linux/armv7") == []
    assert chosen(names, "linux/armv7", pattern="tool-linux-armv7neon") == ["tool-linux-armv7neon"]


def test_a_vague_word_for_the_architecture_excludes_no_x86_where_the_user_names_the_file() -> None:
    names = ["tool_linux_x86"]
    assert chosen(names, "linux/x86_64", pattern="*") == names
    assert chosen(names, "linux/i686", pattern="*") == names
    assert chosen(names, "linux/aarch64", pattern="*") == []


def test_a_pattern_admits_packages_and_installers_the_user_names() -> None:
    assert chosen(["tool-x86_64.AppImage"], "linux/x86_64", pattern="*.AppImage") == ["tool-x86_64.AppImage"]


def test_a_pattern_never_admits_another_platform_or_a_checksum() -> None:
    names = ["tool-linux-arm64", "tool-linux-arm64.sha256", "tool-darwin-arm64"]
    assert chosen(names, "linux/x86_64", pattern="*") == []
    assert chosen(names, "linux/aarch64", pattern="tool-*") == ["tool-linux-arm64"]


def test_a_pattern_spells_the_version_without_what_precedes_its_digits() -> None:
    names = ["tool-v1.2.3-linux-x64", "tool-v1.2.3-extra-linux-x64"]
    assert chosen(names, "linux/x86_64", version="tool/v1.2.3", pattern="tool-v{version}-linux-*") == [names[0]]


@pytest.mark.parametrize("names", [["tool-linux-x64", "tool-server-linux-x64"], ["linux-x64", "tool-server-linux-x64"]])
def test_a_pattern_for_several_products_means_the_one_without_further_words(names: list[str]) -> None:
    assert chosen(names, "linux/x86_64", pattern="*") == names[:1]


def test_the_pattern_of_a_name_has_its_version_replaced_if_there_is_one() -> None:
    assert pattern_of("tool-1.2.3-linux[x].zip", "v1.2.3") == "tool-{version}-linux[[]x].zip"
    assert pattern_of("tool-linux.zip", "") == "tool-linux.zip"


def test_a_suggested_pattern_ends_before_the_platform_unless_it_would_match_others() -> None:
    assert suggestion("tool-1.2.3-linux-x64", ["tool-gui-1.2.3-linux-x64"], "1.2.3") == "tool-{version}-*"
    assert suggestion("tool-linux-x64", ["tool-linux-x64-gui"], "") == "tool-linux-x64"
    assert suggestion("linux-x64-tool", ["other"], "1.2.3") == "linux-x64-tool"


def test_a_pattern_out_of_bounds_is_refused() -> None:
    with pytest.raises(ReleaseError):
        chosen(["tool"], "linux/x86_64", pattern="*" * (LONGEST_NAME + 1))


def test_nothing_found_says_what_there_is() -> None:
    error = nothing_for(
        assets("tool-linux-amd64", "tool-darwin-arm64", "SHA256SUMS"), "tool", "1.2", [parse_platform("linux/s390x")]
    )
    assert error.what == "tool 1.2 has no program for linux/s390x"
    assert error.found == "tool-darwin-arm64, tool-linux-amd64 (besides: checksum)"
    assert error.fix == 'choose another version, or name the file in the manifest: tools.tool.asset: "…"'


def test_release_without_any_program_says_what_its_files_are() -> None:
    error = nothing_for(assets("tool-x86_64.AppImage", "SHA256SUMS"), "tool", "1.2", [parse_platform("linux/x86_64")])
    assert error.found == "no program, only SHA256SUMS (checksum), tool-x86_64.AppImage (package)"
    assert nothing_for([], "tool", "1.2", [parse_platform("linux/x86_64")]).found == "no program"


def test_nothing_found_says_how_to_leave_out_what_is_not_served() -> None:
    missing, served = [parse_platform("linux/s390x")], [parse_platform("linux/x86_64")]
    error = nothing_for(assets("tool-linux-amd64"), "tool", "1.2", missing, served=served)
    assert (error.fix or "").startswith(
        "to leave out the others, write tools.tool.platforms: [linux/x86_64]; otherwise choose another version"
    )


def test_nothing_found_names_the_pattern_and_the_file_that_decided() -> None:
    missing = [parse_platform("linux/s390x")]
    error = nothing_for(assets("tool-linux-amd64"), "tool", "1.2", missing, pattern="t-*", opened="a.zip")
    assert error.expected == "assets whose names say this platform and match t-*"
    assert error.found == "tool-linux-amd64; a.zip holds the tool, so files of other products are not taken for it"
    assert error.fix == 'choose another version, or correct tools.tool.asset: "t-*"'


def test_nothing_found_offers_the_line_for_the_one_file_that_says_no_platform() -> None:
    names = ["tool-1.2.3.tar.gz", "tool_1.2.3_amd64.deb"]
    error = nothing_for(assets(*names), "tool", "1.2.3", [parse_platform("linux/x86_64")])
    line = re.search(r'tools\.tool\.asset: "(.+)"', error.fix or "")
    assert line is not None
    assert line.group(1) == "tool-{version}.tar.gz"
    assert chosen(names, "linux/x86_64", pattern=line.group(1)) == names[:1]


def test_nothing_found_bounds_what_it_lists() -> None:
    many = assets(*(f"tool{number}-linux-arm64" for number in range(500)))
    assert "and 460 more" in str(nothing_for(many, "tool", "1.2", [parse_platform("linux/s390x")]))


def test_the_corpus_of_real_listings_is_answered_as_promised() -> None:
    path = Path(__file__).resolve().parents[4] / "bench" / "matching_accuracy.py"
    spec = importlib.util.spec_from_file_location("matching_accuracy", path)
    assert spec is not None
    assert spec.loader is not None
    accuracy = importlib.util.module_from_spec(spec)
    sys.modules["matching_accuracy"] = accuracy
    spec.loader.exec_module(accuracy)
    outcomes = [answer.outcome for answer in accuracy.answers(accuracy.load())]
    assert len(outcomes) > 9000
    assert outcomes.count("right") >= 0.998 * len(outcomes)
    assert outcomes.count("dangerous") == 0


# Properties.

NAMES = st.text(max_size=300) | st.lists(
    st.sampled_from(
        "tool foo cli server linux darwin macos win windows amd64 arm64 x86 64 32 armv7 musl gnu static universal all "
        "el7 ubuntu 22 04 v1 1.2.3 - _ . + / .tar.gz .zip .exe .whl .sha256 py3-none manylinux_2_17_x86_64 any".split()
    ),
    max_size=14,
).map("".join)
WORDS = st.sampled_from(
    ["", "v", "tool", "foo-bar", "jq-1.7", "1.2.3", "2024-01-02", "v1.0.0-rc.1+build", "386", "a" * 400]
)


ASSETS = st.builds(
    Asset,
    name=NAMES,
    url=st.just("u"),
    size=st.none() | st.integers(),
    platform=st.dictionaries(
        st.sampled_from(["os", "cpu", "libc", "x"]),
        st.sampled_from(["linux", "arm", "x64", "musl", "!win32", "a,b", ""]),
    ),
)


@settings(max_examples=400)
@given(
    st.lists(ASSETS, max_size=8),
    WORDS | st.text(max_size=60),
    WORDS | st.text(max_size=60),
    st.sampled_from(PLATFORMS),
    st.none() | NAMES,
)
def test_whatever_names_come_only_a_release_error_is_raised(
    listed: list[Asset], tool: str, version: str, platform: str, pattern: str | None
) -> None:
    with contextlib.suppress(ReleaseError):
        found = propose(listed, tool, version, parse_platform(platform), pattern=pattern)
        assert {proposal.name for proposal in found} <= {asset.name for asset in listed}
    assert str(nothing_for(listed, tool, version, [parse_platform(platform)]))


@pytest.mark.parametrize("form", ["tool-{}.tar.gz", "tool{}-arm64", "tool-{}-win-x86.zip", "tool_{}", "{}-any.whl"])
def test_the_cost_of_a_release_grows_no_faster_than_it(form: str) -> None:
    listed = assets(*(form.format(number) for number in range(10_000)))
    started = time.process_time()
    with contextlib.suppress(Ambiguous):
        propose(listed, "tool", "1.2.3", parse_platform("linux/aarch64"))
    assert time.process_time() - started < 30


PRODUCTS = st.sampled_from(["tool", "foo", "my-tool", "charm"])
SYSTEMS = st.sampled_from(["linux", "darwin", "windows", "freebsd"])
ARCHES = st.sampled_from(["amd64", "arm64", "386", "armv7", "ppc64le", "s390x", "riscv64"])
FORM = "{product}-1.2.3-{system}-{arch}{libc}{suffix}"
OTHER_FORM = "pkg-1.2.3-{system}-{arch}{libc}-{product}{suffix}"


def labelled(form: str) -> st.SearchStrategy[str]:
    return st.builds(
        form.format,
        product=PRODUCTS,
        system=SYSTEMS,
        arch=ARCHES,
        libc=st.sampled_from(["", "-musl"]),
        suffix=st.sampled_from(["", ".tar.gz", ".zip"]),
    )


RELEASES = st.lists(labelled(FORM), min_size=1, max_size=10, unique=True)
OTHER_RELEASES = st.lists(labelled(OTHER_FORM), min_size=1, max_size=10, unique=True)


def outcome(names: list[str], platform: str, tool: str = "tool") -> object:
    """Return what is proposed, or which products are not told apart."""
    try:
        return [(p.name, p.label) for p in propose(assets(*names), tool, "1.2.3", parse_platform(platform))]
    except Ambiguous as error:
        return error.candidates


def real(names: list[str], listing: dict[str, Any], platform: str) -> object:
    """Return the builds that are proposed, each with its file, or the products that are not told apart."""
    listed = assets(*names)
    try:
        found = propose(listed, listing["tool"], listing["version"], parse_platform(platform))
    except Ambiguous as error:
        return {frozenset(build.name for build in builds) for builds in error.products.values()}
    return [(proposal.label, proposal.name) for proposal in found]


LISTINGS: list[dict[str, Any]] = json.loads(CORPUS.read_text(encoding="utf-8"))
LISTED = st.sampled_from(LISTINGS)
#: What a publisher may add without a word on any program: {} is the name of a file that is there, or of the tool.
BESIDE_A_FILE = (
    "{}.sha256 {}.sha256sum {}.sha512 {}.md5 {}.b2 {}.asc {}.sig {}.pem {}.minisig {}.sigstore.json {}.cosign.bundle "
    "{}.sbom {}.sbom.json {}.spdx.json {}.cdx.json {}.intoto.jsonl {}.zsync {}.blockmap"
).split()
BESIDE_ALL = (
    "SHA256SUMS checksums.txt SHA256SUMS.asc README.md LICENSE install.sh dist-manifest.json latest.yml source.tar.gz "
    "{}-src.tar.gz {}-vendor.tar.gz {}-completions.tar.gz {}-docs.zip {}.1 {}.bash _{} {}.vsix {}.jar "
    "multiple.intoto.jsonl sbom.spdx.json {}_linux_amd64.sbom.json {}-linux-arm64.sha256"
).split()


def beside(listing: dict[str, Any]) -> list[str]:
    """Return names of all sorts that may stand beside the programs of *listing*."""
    beside_files = [form.format(name) for form, name in zip(BESIDE_A_FILE, itertools.cycle(listing["assets"]))]
    return beside_files + [form.format(listing["tool"]) for form in BESIDE_ALL]


def test_all_that_may_stand_beside_programs_changes_no_choice() -> None:
    for listing in LISTINGS:
        more = listing["assets"] + beside(listing)
        for platform in listing["right"]:
            found = real(listing["assets"], listing, platform)
            assert real(more, listing, platform) == found, (listing["tool"], listing["version"], platform)


@settings(max_examples=400)
@given(LISTED, st.data())
def test_an_unrelated_asset_never_changes_a_choice(listing: dict[str, Any], data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(beside(listing)))
    platform = data.draw(st.sampled_from(sorted(listing["right"])))
    assert real([*listing["assets"], name], listing, platform) == real(listing["assets"], listing, platform)


#: What serves nobody that the question is about.
UNRELATED = st.sampled_from(
    "tool_1.2.3_amd64.deb tool-1.2.3-plan9-amd64.tar.gz tool-1.2.3.tar.gz tool-1.2.3-android-arm64.tar.gz "
    "tool-1.2.3-linux-amd64-debug.tar.gz tool-1.2.3-solaris-amd64.zip tool.wasm tool-1.2.3-linux-mips64le.tar.gz "
    "tool-1.2.3-setup.exe tool-1.2.3-x86_64.AppImage tool-1.2.3-openbsd-arm64 tool-1.2.3-1.aarch64.rpm tool.dmg".split()
)


@given(RELEASES, st.lists(UNRELATED, max_size=6, unique=True), st.sampled_from(PLATFORMS))
def test_what_is_for_nobody_asked_never_changes_a_choice(names: list[str], unrelated: list[str], platform: str) -> None:
    assume(any(name.startswith("tool-") for name in names))
    assert outcome(names, platform) == outcome(names + unrelated, platform)


RENAMES = [
    *itertools.permutations(["amd64", "x86_64", "x64"], 2),
    *itertools.permutations(["arm64", "aarch64"], 2),
    *itertools.permutations(["386", "i386", "i686"], 2),
    *itertools.permutations(["darwin", "macos", "osx"], 2),
    *itertools.permutations(["windows", "win"], 2),
    *[("armv7", "armv7l"), ("ppc64le", "powerpc64le"), ("mac", "macos")],
]


def word(text: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![a-z0-9]){text}(?![a-z0-9])", re.IGNORECASE)


def can_be_renamed(listing: dict[str, Any], old: str, new: str) -> bool:
    names = " ".join(listing["assets"])
    # Of a program for Windows, Go's spelling tells that it is no installer.
    if ".exe" in names.lower() and {old, new} & {"amd64", "386", "windows"}:
        return False
    has_only_old = word(old).search(names) and not word(new).search(names)
    return bool(has_only_old) and not word(old).search(listing["tool"]) and ".whl" not in names


RENAMED = [
    ([listing for listing in LISTINGS if can_be_renamed(listing, *rename)], rename) for rename in sorted(set(RENAMES))
]


@settings(max_examples=200)
@given(st.sampled_from([renamed for renamed in RENAMED if renamed[0]]), st.data())
def test_renaming_platforms_consistently_never_changes_a_choice(
    renamed: tuple[list[dict[str, Any]], tuple[str, str]], data: st.DataObject
) -> None:
    listings, (old, new) = renamed
    listing = data.draw(st.sampled_from(listings))

    def with_new(name: str) -> str:
        return word(old).sub(new, name)

    def told(found: Any, renamed: Callable[[str], str] = str) -> object:
        """Leave out which of several files of one build it is: that depends on how they are spelled."""
        if isinstance(found, list):
            return [label for label, _name in found]
        return {frozenset(map(renamed, names)) for names in found}

    for platform in listing["right"]:
        after = real(list(map(with_new, listing["assets"])), listing, platform)
        assert told(real(listing["assets"], listing, platform), with_new) == told(after)


@settings(max_examples=300)
@given(LISTED, st.randoms(use_true_random=False), st.data())
def test_the_order_of_real_assets_never_matters(listing: dict[str, Any], random: Random, data: st.DataObject) -> None:
    platform = data.draw(st.sampled_from(sorted(listing["right"])))
    shuffled = random.sample(listing["assets"], len(listing["assets"]))
    assert real(shuffled, listing, platform) == real(listing["assets"], listing, platform)


@given(RELEASES | OTHER_RELEASES, st.sampled_from(PLATFORMS), st.sampled_from(["tool", "foo", "nothing-like-it"]))
def test_the_suggested_line_settles_an_ambiguity(names: list[str], platform: str, tool: str) -> None:
    caught = None
    try:
        propose(assets(*names), tool, "1.2.3", parse_platform(platform))
    except Ambiguous as error:
        caught = error
    if caught is not None:
        line = re.search(r'asset: "(.+)"', caught.fix or "")
        assert line is not None
        found = propose(assets(*names), tool, "1.2.3", parse_platform(platform), pattern=line.group(1))
        assert found[0].name == caught.candidates[0]


@pytest.mark.parametrize(
    ("elsewhere", "windows", "is_program"),
    [
        ("clang+llvm-9.0.0-x86_64-linux-gnu.tar.xz", "LLVM-9.0.0-win64.exe", False),
        ("tool-9.0.0-macos11.pkg", "tool-9.0.0-amd64.exe", False),
        ("tool-linux-amd64", "tool-windows-amd64.exe", True),
        ("tool-linux-amd64.gz", "tool-windows-amd64.exe", True),
        ("tool-x86_64-unknown-linux-gnu.tar.gz", "tool-x86_64-pc-windows-msvc.exe", True),
        ("tool-linux-amd64.tar.gz", "tool-windows-amd64.zip", True),
        ("tool.sha256", "tool-windows-amd64.exe", True),
    ],
)
def test_a_bare_windows_program_where_no_other_system_has_one_is_an_installer(
    elsewhere: str, windows: str, is_program: bool
) -> None:
    tool = "llvm" if "llvm" in elsewhere else "tool"
    found = propose(assets(elsewhere, windows), tool, "9.0.0", parse_platform("windows/x86_64"))
    assert [proposal.name for proposal in found] == [windows] * is_program


def test_what_may_be_an_installer_is_taken_where_the_user_names_it() -> None:
    names = assets("llvm-9.0.0-linux-x86_64.tar.xz", "LLVM-9.0.0-win64.exe")
    (found,) = propose(names, "llvm", "9.0.0", parse_platform("windows/x86_64"), pattern="LLVM-{version}-win64.exe")
    assert found.name == "LLVM-9.0.0-win64.exe"


@pytest.mark.parametrize(
    ("names", "tool", "right"),
    [
        ("ttyd.x86_64 ttyd.arm ttyd.exe", "ttyd", "ttyd.exe"),
        ("k0s-v1.2-amd64 k0s-v1.2-arm64 k0s-v1.2-amd64.exe k0s-v1.2-darwin.tar.gz", "k0s", "k0s-v1.2-amd64.exe"),
        ("kc_1.2_windows_amd64.exe kc_1.2_linux_amd64.tar.gz kc_1.2_amd64.deb", "kc", "kc_1.2_windows_amd64.exe"),
        ("kc_1.2_Windows_x86_64.exe kc_1.2_Linux_x86_64.tar.gz", "kc", "kc_1.2_Windows_x86_64.exe"),
        ("kc-windows-x86_64-1.2.exe kc-linux-x86_64-1.2.tar.xz", "kc", ""),
        ("kc_1.2_Windows_64bit.exe kc_1.2_Linux_64bit.zip", "kc", ""),
        ("kc-1.2-windows-amd64.exe kc-1.2-linux-amd64.AppImage kc-1.2-macos-arm64.dmg", "kc", ""),
        ("kc-1.2-win64.exe kc-1.2-linux-amd64.tar.gz", "kc", ""),
    ],
)
def test_a_bare_windows_program_is_told_from_an_installer(names: str, tool: str, right: str) -> None:
    found = propose(assets(*names.split()), tool, "1.2", parse_platform("windows/x86_64"))
    assert [proposal.name for proposal in found] == right.split()


DUA = ["dua-v2.41.1-x86_64-unknown-linux-musl.tar.gz", "dua-v2.41.1-x86_64-apple-darwin.tar.gz"]


@pytest.mark.parametrize(
    "extra",
    [
        *("dua-cli-wasm32-wasip1.tar.gz", "dua-cli-wasm.tar.gz", "dua-cli.wasm", "dua-cli-2.41.1.jar"),
        *("dua-cli-windows.zip", "dua-cli-solaris", "dua-cli-solaris-x86_64.tar.gz", "dua-cli-emscripten.zip"),
        *("dua-cli.rb", "dua-cli-freebsd-amd64.tar.gz", "dua-cli-android-arm64.zip"),
    ],
)
def test_a_file_with_the_tools_name_for_another_system_hides_no_program(extra: str) -> None:
    assert chosen([extra, *DUA], "linux/x86_64", tool="dua-cli", version="v2.41.1") == DUA[:1]
    assert chosen([extra, *DUA], "macos/x86_64", tool="dua-cli", version="v2.41.1") == DUA[1:]
    assert chosen([extra, *DUA], "linux/aarch64", tool="dua-cli", version="v2.41.1") == []


@pytest.mark.parametrize(
    ("tool", "akin"),
    [
        ("calico", "calicoctl-linux-amd64"),
        ("calicoctl", "calico-linux-amd64"),
        ("nu", "nushell-linux-amd64"),
        ("git-delta", "delta-linux-amd64"),
    ],
)
def test_a_program_whose_name_begins_like_the_tools_is_taken_where_the_tool_has_another_system(
    tool: str, akin: str
) -> None:
    assert chosen([f"{tool}-windows.zip", akin], "linux/x86_64", tool=tool) == [akin]
    assert chosen([f"{tool}-windows.zip", "other-linux-amd64"], "linux/x86_64", tool=tool) == []


def test_one_letter_makes_no_name_akin() -> None:
    assert chosen(["k-windows.zip", "kubectl-linux-amd64"], "linux/x86_64", tool="k") == []


def test_a_program_of_another_name_is_no_stand_in_for_a_tool_with_several_systems() -> None:
    names = ["omni-linux-amd64", "omni-darwin-arm64", "omnictl-windows-amd64.exe", "omnictl-linux-amd64"]
    assert chosen(names, "windows/x86_64", tool="omni") == []
    assert chosen(["win-sshproxy.exe", "gvproxy-linux-amd64"], "linux/x86_64", tool="win-sshproxy") == []


def test_only_a_platform_of_the_manifest_makes_a_product_the_tools_own() -> None:
    names = assets("win-sshproxy.exe", "gvproxy-linux-amd64")
    linux, windows = parse_platform("linux/x86_64"), parse_platform("windows/x86_64")
    assert not propose(names, "win-sshproxy", "1", linux, asked=[linux, windows])
    assert [one.name for one in propose(names, "win-sshproxy", "1", linux, asked=[linux])] == ["gvproxy-linux-amd64"]


def test_an_architecture_outranks_a_word_for_all_of_them() -> None:
    names = ["tool-all-darwin-arm64", "tool-all-darwin-amd64", "tool-all-linux-amd64"]
    assert chosen(names, "macos/aarch64") == names[:1]
    assert chosen(names, "macos/x86_64") == names[1:2]
    assert chosen(["tool-universal-macos-x86_64"], "macos/aarch64") == []
    assert chosen(["tool-fat-macos-arm64"], "macos/x86_64") == []
    assert chosen(["tool-macos-universal"], "macos/x86_64") == ["tool-macos-universal"]
    assert chosen(["tool-macos-arm64-x86_64-universal"], "macos/x86_64") == ["tool-macos-arm64-x86_64-universal"]


@pytest.mark.parametrize(
    ("tool", "others"),
    [
        ("qemu-wrapper", "gvproxy-linux-amd64 gvproxy-darwin gvproxy-windows.exe gvforwarder"),
        ("switch", "switch.sh switcher_linux_amd64 switcher_darwin_arm64 switcher_windows_amd64.exe"),
        ("tool", "tool-server-linux-amd64 tool-server-darwin-arm64"),
        ("my-ctl", "app-linux-amd64 app-windows-amd64.exe"),
    ],
)
def test_an_unlabelled_file_called_as_the_tool_outranks_files_of_other_products(tool: str, others: str) -> None:
    names = [tool, *others.split()]
    assert chosen(names, "linux/x86_64", tool=tool) == [tool]
    assert chosen(names, "windows/x86_64", tool=tool) == []
    assert chosen([*names, f"{tool}-linux-amd64"], "linux/x86_64", tool=tool) == [f"{tool}-linux-amd64"]


def test_nothing_found_names_the_file_that_has_the_tools_name() -> None:
    names = assets("gvproxy-linux-arm64", "qemu-wrapper")
    error = nothing_for(names, "qemu-wrapper", "1", [parse_platform("linux/aarch64")])
    assert (error.found or "").endswith(
        "; qemu-wrapper has the name of the tool, so files of other products are not taken for it"
    )


def test_nothing_found_names_the_first_of_several_files_that_have_the_tools_name() -> None:
    names = assets("tool-linux-x64", "tool-linux-armv7", "other-linux-x64", "other-linux-arm64")
    error = nothing_for(names, "tool", "1", [parse_platform("linux/aarch64")])
    assert "; tool-linux-armv7 has the name of the tool" in (error.found or "")


@pytest.mark.parametrize("name", ["my_ctl", "MyCtl", "myctl"])
def test_separators_and_capitals_make_no_other_name(name: str) -> None:
    assert chosen([name, "app-linux-amd64"], "linux/x86_64", tool="my-ctl") == [name]
    assert chosen([name + ".tar.gz", "app-linux-amd64"], "linux/x86_64", tool="my-ctl") == ["app-linux-amd64"]


def test_several_products_name_the_file_that_decided_that_others_do_not_count() -> None:
    names = ["tool-cli-linux-x64", "tool-server-linux-x64", "other-linux-x64"]
    with pytest.raises(Ambiguous) as caught:
        chosen(names, "linux/x86_64")
    why = "; tool-cli-linux-x64 has the name of the tool, so files of other products are not taken for it"
    assert caught.value.found == "tool-cli-linux-x64, tool-server-linux-x64" + why
    assert caught.value.having_seen(["a (b)"]).found == "a (b)" + why
    with pytest.raises(Ambiguous) as caught:
        chosen(names[:2], "linux/x86_64")
    assert caught.value.found == "tool-cli-linux-x64, tool-server-linux-x64"
