# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What names say, and which assets are proposed for which platform."""

from __future__ import annotations

import contextlib
import importlib.util
import re
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils.matching import (
    Ambiguous,
    Label,
    Platform,
    kind,
    label,
    nothing_for,
    parse_platform,
    propose,
)
from ansible_collections.pinned.release.plugins.plugin_utils.naming import LONGEST_NAME
from ansible_collections.pinned.release.plugins.plugin_utils.release import Asset
from hypothesis import assume, given, settings
from hypothesis import strategies as st

PLATFORMS = (
    "linux/x86_64 linux/i686 linux/aarch64 linux/armv7 linux/armv6 linux/powerpc64le linux/s390x linux/riscv64 "
    "macos/aarch64 macos/x86_64 windows/x86_64"
).split()


def assets(*names: str) -> list[Asset]:
    return [Asset(name=name, url="https://example.org/" + name) for name in names]


def chosen(
    names: list[str], platform: str, tool: str = "tool", version: str = "1.2.3", pattern: str | None = None
) -> list[str]:
    found = propose(assets(*names), tool, version, parse_platform(platform), pattern)
    return [proposal.name for proposal in found]


def said(name: str, tool: str = "tool", version: str = "1.2.3") -> dict[str, object]:
    """Return what a label says, without what it leaves open."""
    return {key: value for key, value in vars(label(name, tool, version)).items() if value}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("tool-x86_64-unknown-linux-gnu.tar.gz", "linux x86_64 glibc"),
        ("tool-x86_64-unknown-linux-musl.tar.gz", "linux x86_64 musl"),
        ("tool-aarch64-apple-darwin.tar.gz", "macos aarch64"),
        ("tool-x86_64-pc-windows-gnu.zip", "windows x86_64"),
        ("tool-i686-pc-windows-msvc.zip", "windows i686"),
        ("tool-riscv64gc-unknown-linux-gnu.tar.gz", "linux riscv64 glibc"),
        ("tool-armv7-unknown-linux-gnueabihf.tar.gz", "linux arm eabihf glibc armv7"),
        ("tool-arm-unknown-linux-musleabi.tar.gz", "linux arm eabi musl"),
        ("tool-armv5te-unknown-linux-gnueabi.tar.gz", "linux arm eabi glibc armv5te"),
        ("tool-s390x-ibm-linux-musl.tar.gz", "linux s390x musl"),
        ("tool-x86_64-linux-gnux32.tar.gz", "linux x86_64 x32 glibc"),
        ("tool-aarch64-linux-android.tar.gz", "android aarch64"),
        ("tool-armv7-linux-androideabi", "android arm armv7"),
        ("tool-x86_64-unknown-illumos.tar.gz", "illumos x86_64"),
        ("tool-x86_64-portbld-freebsd", "freebsd x86_64"),
        ("tool_1.2.3_linux_amd64.tar.gz", "linux x86_64"),
        ("tool_1.2.3_linux_amd64_v3.tar.gz", "linux x86_64 x86-64-v3"),
        ("tool-linux-amd64v2", "linux x86_64 x86-64-v2"),
        ("tool_linux_amd64_v1", "linux x86_64"),
        ("tool_Linux-64bit.tar.gz", "linux x86_64"),
        ("tool_Linux_32-bit.tar.gz", "linux i686"),
        ("tool-linux64", "linux x86_64"),
        ("tool-linux-64.zip", "linux x86_64"),
        ("tool-linux32.tgz", "linux i686"),
        ("tool-win64.exe", "windows x86_64"),
        ("tool-win32-x64.zip", "windows x86_64"),
        ("tool-win-arm64.zip", "windows aarch64"),
        ("tool.exe", "windows"),
        ("tool.exe.tgz", "windows"),
        ("tool-linux_armv6l", "linux arm armv6"),
        ("tool.linux.armv6hf.tar.xz", "linux arm eabihf armv6"),
        ("tool-linux-arm-7.tgz", "linux arm armv7"),
        ("tool-linux-arm32-v7a.zip", "linux arm armv7"),
        ("tool-linux-arm64-v8a.zip", "linux aarch64"),
        ("tool-linux-arm64v8", "linux aarch64"),
        ("tool-linux-arm5", "linux arm armv5te"),
        ("tool-armhf", "arm eabihf"),
        ("tool-armel", "arm eabi"),
        ("tool-linux-aarch_64.zip", "linux aarch64"),
        ("tool-linux-ppcle_64.zip", "linux powerpc64le"),
        ("tool-linux-s390_64.zip", "linux s390x"),
        ("tool-linux-x86_32.zip", "linux i686"),
        ("tool-linux-ppc64el", "linux powerpc64le"),
        ("tool_linux_mips64le_hardfloat", "linux mips64el"),
        ("tool-linux-loong64", "linux loongarch64"),
        ("tool-linux-x32.tar.gz", "linux i686"),
        ("tool-macos-universal2.tar.gz", "macos aarch64+x86_64"),
        ("tool_darwin_all.tar.gz", "macos aarch64+x86_64"),
        ("tool-osx-universal_binary.zip", "macos aarch64+x86_64"),
        ("tool-macos10.15-x64.zip", "macos x86_64"),
        ("tool-macaarch64.tar.gz", "macos aarch64"),
        ("tool-mac-arm.zip", "macos aarch64"),
        ("tool-macOS-AppleSilicon.zip", "macos aarch64"),
        ("tool-macos-intel.zip", "macos x86_64"),
        ("tool-mac-x86.zip", "macos x86_64"),
        ("binary-for-mac-64-bit-ARM.gz", "macos aarch64"),
        ("tool-macos-latest.zip", "macos"),
        ("tool-ubuntu-22.04.tar.gz", "linux glibc"),
        ("tool-x86_64-el7.tar.gz", "linux x86_64 glibc"),
        ("tool-alpine-amd64", "linux x86_64 musl"),
        ("tool-ubuntu-x86_64-musl", "linux x86_64 musl"),
        ("tool-alpine-amd64-static", "linux x86_64 static"),
        ("tool-linux-x64-musl", "linux x86_64 musl"),
        ("tool-linuxstatic-x64", "linux x86_64 static"),
        ("tool-1.2.3-linux-amd64-static.tar.gz", "linux x86_64 static"),
        ("tool-x86_64-linux-gnu.2.17.tar.gz", "linux x86_64 glibc 2.17"),
        ("tool-linux-x86_64-glibc2.28.tar.gz", "linux x86_64 glibc 2.28"),
        ("tool-linux-glibc228", "linux glibc 2.28"),
        ("static-web-server-x86_64-unknown-linux-gnu.tar.gz", "linux x86_64 glibc"),
        ("tool_static-1.2.3-linux-amd64.tar.gz", "linux x86_64 static"),
        ("tool_64bit_1.2.3.tar.gz", "x86_64"),
        ("tool-1.0-alpha-linux-amd64", "linux x86_64"),
        ("tool-ubuntu-bionic-amd64.tar.gz", "linux x86_64 glibc"),
        ("tool-linux-bionic-arm64.tar.gz", "android aarch64"),
        ("universal-ctags-macos-x86_64.zip", "macos x86_64"),
        ("tool_linux_386_sse2", "linux i686"),
        ("tool_macosarm.tgz", "macos aarch64"),
        ("toollinuxarm64.tgz", "linux aarch64"),
        ("ToolLinux-x64.zip", "linux x86_64"),
        ("tool-osx.10.12-x64.zip", "macos x86_64"),
        ("tool-wasm32-wasi.tar.gz", "wasi wasm32"),
        ("tool-aarch64-apple-ios.zip", "ios aarch64"),
        ("tool-mac-windows-linux.zip", "mixed"),
        ("tool-darwin-amd64-arm64.tar.gz", "macos aarch64+x86_64"),
        ("tool-1.2.3", ""),
        ("tool.tar.gz", ""),
    ],
)
def test_a_name_says_its_platform(name: str, expected: str) -> None:
    found = said(name)
    words = [found[key] for key in ("os", "arch", "abi", "libc", "libc_min", "cpu") if key in found]
    if "archs" in found:
        words.append("+".join(label(name, "tool").archs))
    assert " ".join(map(str, words)) == expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ("py3-none-manylinux_2_17_x86_64.manylinux2014_x86_64", Label("linux", "x86_64", None, "glibc", "2.17")),
        (
            "py3-none-manylinux1_x86_64.manylinux_2_28_x86_64.manylinux_2_5_x86_64",
            Label("linux", "x86_64", None, "glibc", "2.5"),
        ),
        ("py3-none-manylinux_2_28_aarch64", Label("linux", "aarch64", None, "glibc", "2.28")),
        (
            "py3-none-manylinux_2_17_aarch64.manylinux2014_aarch64.musllinux_1_1_aarch64",
            Label("linux", "aarch64", None, "static"),
        ),
        ("py3-none-musllinux_1_2_i686", Label("linux", "i686", None, "musl")),
        (
            "py3-none-manylinux_2_17_armv7l.manylinux2014_armv7l",
            Label("linux", "arm", "eabihf", "glibc", "2.17", "armv7"),
        ),
        ("py3-none-linux_armv6l", Label("linux", "arm", "eabihf", None, None, "armv6")),
        ("py3-none-manylinux_2_17_ppc64le", Label("linux", "powerpc64le", None, "glibc", "2.17")),
        ("py3-none-macosx_11_0_arm64", Label("macos", "aarch64")),
        ("py3-none-macosx_10_9_universal2", Label("macos", archs=("aarch64", "x86_64"))),
        (
            "py3-none-macosx_10_12_x86_64.macosx_11_0_arm64.macosx_10_12_universal2",
            Label("macos", archs=("aarch64", "x86_64")),
        ),
        ("py3-none-win_amd64", Label("windows", "x86_64")),
        ("py3-none-win32", Label("windows", "i686")),
        ("py3-none-win_arm64", Label("windows", "aarch64")),
        ("py3-none-android_26_arm64_v8a", Label("android", "aarch64")),
        ("py3-none-any", Label()),
        ("py3-none-manylinux1_x86_64.win_amd64", Label("mixed")),
    ],
)
def test_a_wheel_says_its_platform_by_its_tags(tags: str, expected: Label) -> None:
    assert label(f"tool-1.2.3-{tags}.whl", "tool", "1.2.3") == expected


@pytest.mark.parametrize(
    ("name", "tool", "version", "expected"),
    [
        ("darwin-exporter-linux-amd64", "darwin-exporter", "1", {"os": "linux", "arch": "x86_64"}),
        ("darwin-exporter-linux-amd64", "exporter", "1", {"os": "linux", "arch": "x86_64"}),
        ("charm_0.12_Linux_arm64.tar.gz", "charm", "0.12", {"os": "linux", "arch": "aarch64"}),
        ("charm.tar.gz", "charm", "", {}),
        ("twine", "twine", "", {}),
        ("harmony", "x", "", {}),
        ("linuxkit-darwin-arm64", "linuxkit", "", {"os": "macos", "arch": "aarch64"}),
        ("win-acme.v2.2.9.x64.zip", "win-acme", "2.2.9", {"arch": "x86_64"}),
        ("gcc-arm-none-eabi-10-2020-x86_64-linux.tar.bz2", "gcc", "10", {"os": "linux", "arch": "x86_64"}),
        ("go1.64.linux-arm64.tar.gz", "go", "go1.64", {"os": "linux", "arch": "aarch64"}),
        ("tool-64.0-darwin-arm64.zip", "tool", "64.0", {"os": "macos", "arch": "aarch64"}),
        ("tool-3.86.64-linux.zip", "tool", "3.86.64", {"os": "linux"}),
        ("tool_v386_linux_arm64", "tool", "v386", {"os": "linux", "arch": "aarch64"}),
        ("arm64-tool-linux-amd64", "arm64-tool", "1", {"os": "linux", "arch": "x86_64"}),
        ("x86-64-checker-macos-arm64", "x86-64-checker", "1", {"os": "macos", "arch": "aarch64"}),
        ("win-linux-x64.tar.gz", "win", "1", {"os": "linux", "arch": "x86_64"}),
        ("all-linux-amd64", "all", "1", {"os": "linux", "arch": "x86_64"}),
        ("x-1.x.64-linux-arm64", "x", "", {"os": "linux", "arch": "aarch64"}),
        ("Mupen64-1.0.zip", "mupen64", "1.0", {}),
        ("game-darwin64.tar.gz", "game", "", {"os": "macos", "arch": "x86_64"}),
    ],
)
def test_product_names_and_versions_that_look_like_platforms_do_not_confuse(
    name: str, tool: str, version: str, expected: dict[str, str]
) -> None:
    assert said(name, tool, version) == expected


@pytest.mark.parametrize(
    ("name", "fields", "expected"),
    [
        (
            "@biomejs/cli-linux-x64-musl",
            {"os": "linux", "cpu": "x64", "libc": "musl"},
            Label("linux", "x86_64", None, "musl"),
        ),
        (
            "@biomejs/cli-linux-x64",
            {"os": "linux", "cpu": "x64", "libc": "glibc"},
            Label("linux", "x86_64", None, "glibc"),
        ),
        ("@esbuild/linux-ppc64", {"os": "linux", "cpu": "ppc64"}, Label("linux", "powerpc64le")),
        ("@esbuild/sunos-x64", {"os": "sunos", "cpu": "x64"}, Label("illumos", "x86_64")),
        ("@tool/native", {"os": "win32", "cpu": "ia32"}, Label("windows", "i686")),
        ("@tool/native-arm", {"os": "darwin", "cpu": "arm64"}, Label("macos", "aarch64")),
        ("@tool/linux-arm-gnueabihf", {"os": "linux", "cpu": "arm"}, Label("linux", "arm", "eabihf", "glibc")),
        ("@tool/darwin-x64", {"os": "darwin,linux", "cpu": "!arm"}, Label("macos", "x86_64")),
    ],
)
def test_what_the_publisher_says_outranks_the_name(name: str, fields: dict[str, str], expected: Label) -> None:
    assert label(name, "tool", "1.2.3", fields) == expected


SORTS = {
    "program": "tool tool-1.2.3 tool-linux-amd64 tool-linux-amd64.tar.gz tool.exe tool-1.2.3-linux.zip "
    "tool.linux-amd64 tool.x86_64 tool_linux_amd64.gz tool-linux-x64.7z tool-v1.2 tool-linux.tar.zst "
    "tool-1-py3-none-win_amd64.whl",
    "checksum": "SHA256SUMS SHASUMS256.txt tool_1.2.3_checksums.txt tool.tar.gz.sha256 tool-linux-amd64.sha512 "
    "checksums tool.zip.md5 tool.dgst sha256sum.txt tool-SHA-256.txt tool.tar.gz.b3 checksums-bsd SHA2-512SUMS",
    "signature": "tool.tar.gz.asc tool.sig checksums.txt.pem tool.minisig tool.intoto.jsonl multiple.intoto.jsonl "
    "cosign.pub tool.sigstore.json tool-linux-amd64.provenance.json tool.tar.gz.proof SHA2-512SUMS.sig",
    "sbom": "tool.sbom tool.spdx.json tool_linux_amd64.sbom.json bom.json tool.cdx.json tool.cyclonedx.xml",
    "source": "tool-src.tar.gz source.tar.gz tool-1.2.3-source.zip tool-1.2.3-vendor.tar.gz go1.2.src.tar.gz",
    "package": "tool_1.2.3_amd64.deb tool-1.2.3.x86_64.rpm tool.apk tool.msi tool.dmg tool.pkg Tool.AppImage tool.snap "
    "tool.flatpak tool-1.2.3.arm64_sonoma.bottle.tar.gz tool.vsix tool.pkg.tar.zst Tool.app.zip tool.msixbundle",
    "installer": "tool-installer.sh tool-installer.ps1 install.sh tool-setup.exe ToolSetup.exe tool-1.2-installer.exe",
    "debug": "tool.pdb tool-linux-amd64-debug.tar.gz tool.dSYM.zip tool-debug-symbols.zip tool-linux-x64-profile.zip",
    "metadata": "README.md LICENSE tool.1 tool.json manifest.yaml completions.tar.gz tool_completions.zip tool.conf "
    "dist-manifest.json latest.yml Tool.AppImage.zsync tool.exe.blockmap man.tar.gz completions_bash",
    "image": "tool-airgap-images-amd64.tar.gz tool.iso tool.qcow2 tool-oci.tar",
    "java": "tool-standalone.jar",
    "wasm": "tool.wasm",
    "library": "libtool.so tool.dylib tool-1.2.3-cp311-cp311-win_amd64.whl node-headers.tar.gz",
    "script": "tool.sh tool.py tool.phar tool.pyz tool.js",
    "other": "tool.strange",
}


@pytest.mark.parametrize(("expected", "names"), SORTS.items(), ids=SORTS)
def test_a_name_says_what_sort_of_file_it_is(expected: str, names: str) -> None:
    assert {name: kind(name, "tool", "1.2.3") for name in names.split()} == dict.fromkeys(names.split(), expected)


@pytest.mark.parametrize(
    ("tool", "name"),
    [
        ("sbom-tool", "sbom-tool-linux-x64"),
        ("checksum", "checksum-linux-amd64"),
        ("docs-gen", "docs-gen_linux_amd64.tar.gz"),
        ("source", "source-linux"),
        ("debug-adapter", "debug-adapter-linux.zip"),
    ],
)
def test_a_tool_may_be_called_like_another_sort_of_file(tool: str, name: str) -> None:
    assert kind(name, tool) == "program"


def test_a_product_word_that_all_platforms_share_is_no_sort_of_file() -> None:
    names = ["docs-gen-linux-amd64", "docs-gen-darwin-arm64", "docs-gen-linux-amd64.sha256"]
    assert chosen(names, "linux/x86_64", tool="dg") == ["docs-gen-linux-amd64"]


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("linux/amd64", "linux/x86_64"),
        ("Linux/X64", "linux/x86_64"),
        ("darwin/arm64", "macos/aarch64"),
        ("osx/x86_64", "macos/x86_64"),
        ("linux/armhf", "linux/armv7"),
        ("linux/arm/v6", "linux/armv6"),
        ("linux/armel", "linux/armv5te"),
        ("linux/ppc64le", "linux/powerpc64le"),
        ("linux/386", "linux/i686"),
        ("win32/x64", "windows/x86_64"),
        ("linux/riscv64gc", "linux/riscv64"),
        ("sunos/x64", "illumos/x86_64"),
    ],
)
def test_a_platform_is_known_by_its_usual_names_and_printed_by_one(written: str, canonical: str) -> None:
    assert str(parse_platform(written)) == canonical
    assert parse_platform(canonical) == parse_platform(written)


def test_arm_platforms_carry_their_version_and_float_abi() -> None:
    assert parse_platform("linux/armv7") == Platform("linux", "arm", "armv7", "eabihf")
    assert parse_platform("linux/armv5te") == Platform("linux", "arm", "armv5te", "eabi")


@pytest.mark.parametrize("text", ["", "linux", "linux/", "linux/pdp11", "beos/x86_64", "linux/x86_64/glibc", "/x86_64"])
def test_an_unknown_platform_is_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(ReleaseError) as caught:
        parse_platform(text)
    assert "linux/x86_64 linux/i686 linux/aarch64 linux/armv7 linux/armv6" in str(caught.value)


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


def test_lower_glibc_floors_come_first() -> None:
    names = [f"tool-1.2.3-py3-none-manylinux_2_{minor}_x86_64.whl" for minor in (28, 5, 17)]
    assert chosen(names, "linux/x86_64") == [names[1], names[2], names[0]]


def test_one_build_in_several_packings_counts_once_and_says_so() -> None:
    names = ["tool-linux-amd64", "tool-linux-amd64.tar.xz", "tool-linux-amd64.tar.gz", "tool-linux-amd64.zip"]
    (proposal,) = propose(assets(*names), "tool", "1", parse_platform("linux/x86_64"))
    assert proposal.name == "tool-linux-amd64.tar.gz"
    assert proposal.instead_of == ("tool-linux-amd64.zip", "tool-linux-amd64.tar.xz", "tool-linux-amd64")


def test_of_two_equal_files_the_smaller_is_taken() -> None:
    found = propose(
        [Asset("tool_linux_amd64.tar.gz", "u", size=900), Asset("tool_linux_x86_64.tar.gz", "u", size=500)],
        "tool",
        "1",
        parse_platform("linux/x86_64"),
    )
    assert [proposal.name for proposal in found] == ["tool_linux_x86_64.tar.gz"]


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


def test_an_archive_without_platform_beside_labelled_ones_is_source() -> None:
    names = ["tool-1.2.3.tar.gz", "tool-1.2.3-linux-x86_64.tar.gz", "tool-1.2.3-win64.zip"]
    assert chosen(names, "linux/aarch64") == []
    assert chosen(["tool-1.2.3.tar.gz", "tool_1.2.3_amd64.deb"], "linux/x86_64") == []


def test_a_script_is_proposed_only_where_nothing_else_is_published() -> None:
    assert chosen(["tool.sh", "tool.sh.asc"], "linux/x86_64", tool="tool.sh") == ["tool.sh"]
    assert chosen(["tool.phar", "tool.phar.asc"], "linux/x86_64") == ["tool.phar"]
    assert chosen(["tool.sh", "tool-darwin-arm64"], "linux/x86_64") == []


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


def test_flavours_extend_the_product_that_is_meant() -> None:
    names = ["nu-1.2.3-x86_64-unknown-linux-gnu.tar.gz", "nu-1.2.3-x86_64-unknown-linux-gnu-full.tar.gz"]
    assert chosen(names, "linux/x86_64", tool="nushell") == [names[0]]


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


def test_a_pattern_admits_packages_and_installers_the_user_names() -> None:
    assert chosen(["tool-x86_64.AppImage"], "linux/x86_64", pattern="*.AppImage") == ["tool-x86_64.AppImage"]


def test_a_pattern_never_admits_another_platform_or_a_checksum() -> None:
    names = ["tool-linux-arm64", "tool-linux-arm64.sha256", "tool-darwin-arm64"]
    assert chosen(names, "linux/x86_64", pattern="*") == []
    assert chosen(names, "linux/aarch64", pattern="tool-*") == ["tool-linux-arm64"]


def test_a_pattern_spells_the_version_without_what_precedes_its_digits() -> None:
    names = ["tool-v1.2.3-linux-x64", "tool-v1.2.3-extra-linux-x64"]
    assert chosen(names, "linux/x86_64", version="tool/v1.2.3", pattern="tool-v{version}-linux-*") == [names[0]]


def test_a_pattern_out_of_bounds_is_refused() -> None:
    with pytest.raises(ReleaseError):
        chosen(["tool"], "linux/x86_64", pattern="*" * (LONGEST_NAME + 1))


def test_nothing_found_says_what_there_is() -> None:
    error = nothing_for(
        assets("tool-linux-amd64", "tool-darwin-arm64", "SHA256SUMS"), "tool", "1.2", [parse_platform("linux/s390x")]
    )
    assert error.what == "tool 1.2 has no program for linux/s390x"
    assert error.found == "tool-darwin-arm64, tool-linux-amd64 (besides: checksum)"


def test_nothing_found_bounds_what_it_lists() -> None:
    many = assets(*(f"tool{number}-linux-arm64" for number in range(500)))
    assert "and 460 more" in str(nothing_for(many, "tool", "1.2", [parse_platform("linux/s390x")]))


def test_the_corpus_of_real_listings_is_answered_as_promised() -> None:
    path = Path(__file__).resolve().parents[3] / "bench" / "matching_accuracy.py"
    spec = importlib.util.spec_from_file_location("matching_accuracy", path)
    assert spec is not None
    assert spec.loader is not None
    accuracy = importlib.util.module_from_spec(spec)
    sys.modules["matching_accuracy"] = accuracy
    spec.loader.exec_module(accuracy)
    outcomes = [answer.outcome for answer in accuracy.answers(accuracy.load())]
    assert len(outcomes) > 6000
    assert outcomes.count("right") >= 0.99 * len(outcomes)
    assert outcomes.count("dangerous") < 0.001 * len(outcomes)


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


@settings(max_examples=400, deadline=None)
@given(
    st.lists(NAMES, max_size=8),
    WORDS | st.text(max_size=60),
    WORDS | st.text(max_size=60),
    st.sampled_from(PLATFORMS),
    st.none() | NAMES,
)
def test_whatever_names_come_only_a_release_error_is_raised(
    names: list[str], tool: str, version: str, platform: str, pattern: str | None
) -> None:
    listed = assets(*names)
    with contextlib.suppress(ReleaseError):
        found = propose(listed, tool, version, parse_platform(platform), pattern)
        assert {proposal.name for proposal in found} <= set(names)
    assert str(nothing_for(listed, tool, version, [parse_platform(platform)]))


@pytest.mark.parametrize(
    "piece", ["a", "-", ".", "x86_", "1.", "linux", "64", "arm", "v1-", "_linux_", "x86-64", "1.2.3-rc.", "(", "*"]
)
def test_long_hostile_names_cost_next_to_nothing(piece: str) -> None:
    names = [(piece * LONGEST_NAME)[:LONGEST_NAME], piece * 10_000]
    started = time.monotonic()
    for name in names:
        label(name, name, name)
        kind(name, name, name)
    assert time.monotonic() - started < 1


PRODUCTS = st.sampled_from(["tool", "foo", "my-tool", "charm"])
SYSTEMS = st.sampled_from(["linux", "darwin", "windows", "freebsd"])
ARCHES = st.sampled_from(["amd64", "arm64", "386", "armv7", "ppc64le", "s390x", "riscv64"])
LABELLED = st.builds(
    lambda product, system, arch, libc, suffix: f"{product}-1.2.3-{system}-{arch}{libc}{suffix}",
    PRODUCTS,
    SYSTEMS,
    ARCHES,
    st.sampled_from(["", "-musl"]),
    st.sampled_from(["", ".tar.gz", ".zip"]),
)
RELEASES = st.lists(LABELLED, min_size=1, max_size=10, unique=True)


def outcome(names: list[str], platform: str, tool: str = "tool") -> object:
    """Return what is proposed, or which products are not told apart."""
    try:
        return [(p.name, p.label) for p in propose(assets(*names), tool, "1.2.3", parse_platform(platform))]
    except Ambiguous as error:
        return error.candidates


@settings(deadline=None)
@given(RELEASES, st.sampled_from(PLATFORMS), st.randoms(use_true_random=False))
def test_the_order_of_assets_never_matters(names: list[str], platform: str, random: object) -> None:
    shuffled = list(names)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert outcome(names, platform) == outcome(shuffled, platform)


UNRELATED = st.sampled_from(
    "SHA256SUMS tool-1.2.3-linux-amd64.tar.gz.sha256 tool-1.2.3-darwin-arm64.zip.asc tool_1.2.3_amd64.deb README.md "
    "tool-1.2.3-src.tar.gz tool-1.2.3-linux-amd64.sbom.json install.sh tool-1.2.3-plan9-amd64.tar.gz tool-1.2.3.tar.gz "
    "tool-1.2.3-android-arm64.tar.gz tool-1.2.3-linux-amd64-debug.tar.gz tool-1.2.3-solaris-amd64.zip tool.wasm "
    "tool-1.2.3-linux-mips64le.tar.gz tool-1.2.3-setup.exe tool-1.2.3-x86_64.AppImage tool-1.2.3-openbsd-arm64".split()
)


@settings(deadline=None)
@given(RELEASES, st.lists(UNRELATED, max_size=6, unique=True), st.sampled_from(PLATFORMS))
def test_an_unrelated_asset_never_changes_a_choice(names: list[str], unrelated: list[str], platform: str) -> None:
    assume(any(name.startswith("tool-") for name in names))
    assert outcome(names, platform) == outcome(names + unrelated, platform)


@settings(deadline=None)
@given(RELEASES, st.sampled_from(PLATFORMS))
def test_renaming_platforms_consistently_never_changes_a_choice(names: list[str], platform: str) -> None:
    renames = {
        "arm64": "aarch64",
        "darwin": "macos",
        "amd64": "x86_64",
        "386": "i686",
        "ppc64le": "powerpc64le",
        "armv7": "armv7l",
    }

    def renamed(name: str) -> str:
        return re.sub(r"arm64|darwin|amd64|386|ppc64le|armv7", lambda found: renames[found.group()], name)

    before, after = outcome(names, platform), outcome([renamed(name) for name in names], platform)
    if isinstance(before, tuple):
        assert isinstance(after, tuple)
        assert {renamed(name) for name in before} == set(after)
    else:
        assert isinstance(before, list)
        assert [(renamed(name), read) for name, read in before] == after


@settings(deadline=None)
@given(RELEASES, st.sampled_from(PLATFORMS), st.sampled_from(["tool", "foo", "nothing-like-it"]))
def test_the_suggested_line_settles_an_ambiguity(names: list[str], platform: str, tool: str) -> None:
    caught = None
    try:
        propose(assets(*names), tool, "1.2.3", parse_platform(platform))
    except Ambiguous as error:
        caught = error
    if caught is not None:
        line = re.search(r'asset: "(.+)"', caught.fix or "")
        assert line is not None
        found = propose(assets(*names), tool, "1.2.3", parse_platform(platform), line.group(1))
        assert found[0].name.split("-1.2.3")[0] == caught.candidates[0].split("-1.2.3")[0]
