# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What names say: of a platform, and of what sort of file it is."""

from __future__ import annotations

import time
from collections.abc import Mapping

import pytest
from ansible_collections.pinned.release.plugins.plugin_utils._naming.naming import read, read_release
from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.name_words import LONGEST_NAME
from ansible_collections.pinned.release.plugins.plugin_utils._values.label import Label
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset


def label(name: str, tool: str, version: str = "", platform: Mapping[str, str] | None = None) -> Label:
    """Return what the name says about its platform, and the publisher's *platform* fields, which outrank it."""
    return read(Asset(name=name, url="", platform=platform or {}), (tool,), version).label


def kind(name: str, tool: str, version: str = "") -> str:
    """Return what sort of file the name says."""
    return read(Asset(name=name, url=""), (tool,), version).kind


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
        ("tool-static-v2-linux-amd64", "linux x86_64 static"),
        ("tool-gui-intel-linux.tar.gz", "linux x86_64"),
        ("tool-gui-intel-server-linux.tar.gz", "linux"),
        ("tool-linux-gui-intel.tar.gz", "linux x86_64"),
        ("tool-linux-gui-server-intel.tar.gz", "linux"),
        ("tool_64bit_1.2.3.tar.gz", "x86_64"),
        ("tool-1.0-alpha-linux-amd64", "linux x86_64"),
        ("tool-ubuntu-bionic-amd64.tar.gz", "linux x86_64 glibc"),
        ("tool-linux-bionic-arm64.tar.gz", "android aarch64"),
        ("universal-ctags-macos-x86_64.zip", "macos x86_64"),
        ("tool_linux_386_sse2", "linux i686"),
        ("tool_macosarm.tgz", "macos aarch64"),
        ("toollinuxarm64.tgz", "linux aarch64"),
        ("ToolLinux-x64.zip", "linux x86_64"),
        ("toollinux-x64.zip", "linux x86_64"),
        ("tool-windowsmsvcx64.zip", "windows x86_64"),
        ("tool-amd64linux.tgz", "linux x86_64"),
        ("tool-ubuntu2204-x64", "linux x86_64 glibc"),
        ("tool-macos14-arm64", "macos aarch64"),
        ("tool-linux-x64-gnu-musl.tgz", "linux x86_64 mixed"),
        ("tool-linux-amd64-armv7", "linux mixed"),
        ("tool-linux-gnueabihf.tgz", "linux arm eabihf glibc"),
        ("tool-linux-arm64-gnueabihf", "linux aarch64 glibc"),
        ("tool-linux-arm-avx2", "linux arm"),
        ("tool-macos-amd64-avx2", "macos x86_64 x86-64-v3"),
        ("tool-macos-arm64-avx2", "macos aarch64"),
        ("tool-osx.10.12-x64.zip", "macos x86_64"),
        ("tool-wasm32-wasi.tar.gz", "wasi wasm32"),
        ("tool-aarch64-apple-ios.zip", "ios aarch64"),
        ("tool-mac-windows-linux.zip", "mixed"),
        ("tool-windows-linux-android.zip", "mixed"),
        ("tool-darwin-amd64-arm64.tar.gz", "macos aarch64+x86_64"),
        ("ToolPortable.exe", "windows"),
        ("tool-linux-risc-v.tar.gz", "linux riscv64"),
        ("tool-aarch64_be-linux-musl.tar.gz", "linux aarch64be musl"),
        ("tool_Linux_64-bit_ARM.zip", "linux aarch64"),
        ("tool_macOS_64-bit.tar.gz", "macos x86_64"),
        ("tool-manylinux2014_x86_64.tar.gz", "linux x86_64 glibc 2.17"),
        ("tool-manylinux_2_28_aarch64.tar.gz", "linux aarch64 glibc 2.28"),
        ("tool-linux-aarch64-amazon2023.tgz", "linux aarch64 glibc"),
        ("tool-x86_64-linux-sles12.4.tar.xz", "linux x86_64 glibc"),
        ("tool-linux-openssl-3.0.x-arm64.tar.gz", "linux aarch64"),
        ("tool-linux-rv64gc", "linux riscv64"),
        ("tool-linux-armv8l", "linux otherarch"),
        ("tool-linux-mips32r2", "linux otherarch"),
        ("tool-linux-aarch_64.exe", "linux aarch64"),
        ("tool-w64.exe", "windows x86_64"),
        ("tool-w32.exe", "windows i686"),
        ("tool-win-noavx-x64.zip", "windows x86_64 x86-64-v1"),
        ("tool-macgyver-winscp-armory.tar.gz", ""),
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
        ("py3-none-manylinux1_i686", Label("linux", "i686", None, "glibc", "2.5")),
        ("py3-none-manylinux2010_x86_64", Label("linux", "x86_64", None, "glibc", "2.12")),
        ("py3-none-manylinux2014_x86_64", Label("linux", "x86_64", None, "glibc", "2.17")),
        ("py3-none-manylinux1_x86_64.manylinux1_i686", Label("linux", "mixed")),
        ("py3-none-linux_x86_64", Label("linux", "x86_64")),
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
        ("py3-none-macosx_10_9_x86_64.macosx_10_9_i386", Label("macos", archs=("i686", "x86_64"))),
        ("py3-none-macosx_10_9_intel", Label("macos", archs=("i686", "x86_64"))),
        ("py3-none-freebsd_14_0_release_amd64", Label("freebsd", "x86_64")),
        ("py3-none-android_21_armeabi_v7a", Label("android", "arm", cpu="armv7")),
        ("py3-none-tomorrow", Label("mixed")),
        ("1-py3-none-win_amd64", Label("windows", "x86_64")),
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
        ("tool-7-linux-armv7.tar.gz", "tool", "7", {"os": "linux", "arch": "arm", "cpu": "armv7"}),
        ("tool_v386_linux_arm64", "tool", "v386", {"os": "linux", "arch": "aarch64"}),
        ("arm64-tool-linux-amd64", "arm64-tool", "1", {"os": "linux", "arch": "x86_64"}),
        ("x86-64-checker-macos-arm64", "x86-64-checker", "1", {"os": "macos", "arch": "aarch64"}),
        ("win-linux-x64.tar.gz", "win", "1", {"os": "linux", "arch": "x86_64"}),
        ("foo-linux-x64.tar.gz", "linux", "1", {"os": "linux", "arch": "x86_64"}),
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
        ("@tool/native-ppc64", {"os": "aix", "cpu": "ppc64"}, Label("aix", "powerpc64")),
        ("@tool/linux-armv7", {"os": "linux", "cpu": "arm"}, Label("linux", "arm", cpu="armv7")),
        ("@tool/linux-amd64-v3", {"cpu": "arm64"}, Label("linux", "aarch64")),
        ("@tool/darwin-universal", {"cpu": "arm64"}, Label("macos", "aarch64")),
        ("@tool/linux-x64-musl", {"libc": "other"}, Label("linux", "x86_64", None, "musl")),
        ("@tool/darwin-x64", {"os": "darwin,linux", "cpu": "!arm"}, Label("macos", "x86_64")),
    ],
)
def test_what_the_publisher_says_outranks_the_name(name: str, fields: dict[str, str], expected: Label) -> None:
    assert label(name, "tool", "1.2.3", fields) == expected


def products(*names: str, version: str = "1.2.3") -> list[tuple[str, ...]]:
    return [reading.product for reading in read_release([Asset(name, "") for name in names], "tool", version)]


@pytest.mark.parametrize(
    ("name", "product"),
    [
        ("toollinux-x64.zip", ()),
        ("tool-macgyver.zip", ("macgyver",)),
        ("tool-winscp-linux-x64.zip", ("winscp",)),
        ("tool-utf8-8-linux", ("utf8",)),
    ],
)
def test_a_word_that_only_looks_like_a_platform_or_the_version_is_one_of_the_product(
    name: str, product: tuple[str, ...]
) -> None:
    assert products(name, version="8") == [product]


def test_other_versions_belong_to_a_product_only_where_they_tell_files_apart() -> None:
    assert products("tool-otp-25.3-linux-x64", "tool-otp-25.3-macos-arm64") == [("otp",), ("otp",)]
    assert products("tool-otp-25.3-linux-x64", "tool-otp-26.1-linux-x64") == [("otp", "25.3"), ("otp", "26.1")]
    assert products("tool-otp-25.3-linux-x64", "tool-otp-26.1-linux-x64.deb")[0] == ("otp",)


def test_a_vendor_between_architecture_and_system_is_no_product() -> None:
    assert products("tool-s390x-ibm-linux-musl", "tool-x86_64-portbld-freebsd", "tool-x86_64-gui-1.0") == [
        (),
        ("gui",),
        (),
    ]
    assert products("ibm-linux-x64", "tool-x64-ibm") == [("ibm",), ("ibm",)]


@pytest.mark.parametrize(
    ("name", "product"),
    [
        ("tool.sh", ()),
        ("tool-extra.sh", ("extra",)),
        ("tool-extra-more.sh", ("extra", "more")),
        ("tool.js.sh", ("js",)),
    ],
)
def test_the_ending_of_a_script_is_no_word_of_its_product(name: str, product: tuple[str, ...]) -> None:
    assert read(Asset(name, ""), ("tool",), "1.2.3").product == product


def test_a_script_whose_ending_belongs_to_the_tools_name_keeps_the_words_of_its_product() -> None:
    assert read(Asset("extra-testssl.sh", ""), ("testssl.sh",), "1.2.3").product == ("extra",)


@pytest.mark.parametrize("name", ["tool-py3-none-any.whl", "tool-1-1-1-py3-none-any.whl"])
def test_a_wheel_has_five_or_six_fields(name: str) -> None:
    assert kind(name, "tool") == "other"


def test_a_name_longer_than_any_file_system_has_is_not_read() -> None:
    linux = "-linux-amd64"
    assert label("t" * (LONGEST_NAME - len(linux)) + linux, "tool").os == "linux"
    assert label("t" * (LONGEST_NAME - len(linux) + 1) + linux, "tool").os is None


def test_what_a_wheels_name_does_not_say_is_left_open() -> None:
    said = vars(read(Asset("tool-1.2.3-py3-none-win_arm64.whl", "", size=7), ("tool",), "1.2.3"))
    assert {name: value for name, value in said.items() if value} == {
        "name": "tool-1.2.3-py3-none-win_arm64.whl",
        "label": Label("windows", "aarch64"),
        "kind": "program",
        "size_bytes": 7,
        "is_named": True,
        "format": "whl",
        "has_version": True,
    }


@pytest.mark.parametrize(
    ("name", "toolchain"),
    [
        ("tool-x86_64-pc-windows-msvc.zip", "msvc"),
        ("tool-x86_64-pc-windows-gnullvm.zip", "gnullvm"),
        ("tool_windows_amd64.exe", "go"),
        ("tool_1.2.3_windows_x86_64.exe", "go"),
        ("tool_1.2.3_windows_x86_64.zip", ""),
        ("tool-win-amd64.exe", ""),
        ("tool-darwin-amd64", ""),
        ("tool-amd64-windows.exe", ""),
    ],
)
def test_some_names_say_what_built_a_program_for_windows(name: str, toolchain: str) -> None:
    assert read(Asset(name, ""), ("tool",), "1.2.3").toolchain == toolchain


SORTS = {
    "program": "tool tool-1.2.3 tool-linux-amd64 tool-linux-amd64.tar.gz tool.exe tool-1.2.3-linux.zip "
    "tool.linux-amd64 tool.x86_64 tool_linux_amd64.gz tool-linux-x64.7z tool-v1.2 tool-linux.tar.zst "
    "tool-x86_64-linux-install_only.tar.gz tool.portable my.tool "
    "tool-1-py3-none-win_amd64.whl",
    "checksum": "SHA256SUMS SHASUMS256.txt tool_1.2.3_checksums.txt tool.tar.gz.sha256 tool-linux-amd64.sha512 "
    "checksums tool.zip.md5 tool.dgst sha256sum.txt tool-SHA-256.txt tool.tar.gz.b3 checksums-bsd SHA2-512SUMS",
    "signature": "tool.tar.gz.asc tool.sig checksums.txt.pem tool.minisig tool.intoto.jsonl multiple.intoto.jsonl "
    "cosign.pub tool.sigstore.json tool-linux-amd64.provenance.json tool.tar.gz.proof SHA2-512SUMS.sig "
    "tool-linux-amd64.cosign-bundle",
    "sbom": "tool.sbom tool.spdx.json tool_linux_amd64.sbom.json bom.json tool.cdx.json tool.cyclonedx.xml",
    "source": "tool-src.tar.gz source.tar.gz tool-1.2.3-source.zip tool-1.2.3-vendor.tar.gz go1.2.src.tar.gz",
    "package": "tool_1.2.3_amd64.deb tool-1.2.3.x86_64.rpm tool.apk tool.msi tool.dmg tool.pkg Tool.AppImage tool.snap "
    "tool.flatpak tool-1.2.3.arm64_sonoma.bottle.tar.gz tool.vsix tool.pkg.tar.zst Tool.app.zip tool.msixbundle "
    "tool-macos.artifactbundle.zip",
    "installer": "tool-installer.sh tool-installer.ps1 install.sh tool-setup.exe ToolSetup.exe tool-1.2-installer.exe "
    "tool-nsis-x64.exe",
    "debug": "tool.pdb tool-linux-amd64-debug.tar.gz tool.dSYM.zip tool-debug-symbols.zip tool-linux-x64-profile.zip "
    "tool-linux-debugsymbols.tar.gz",
    "metadata": "README.md LICENSE tool.1 tool.json manifest.yaml completions.tar.gz tool_completions.zip tool.conf "
    "dist-manifest.json latest.yml Tool.AppImage.zsync tool.exe.blockmap man.tar.gz completions_bash "
    "tool.1.gz tool.json.gz _tool",
    "image": "tool-airgap-images-amd64.tar.gz tool.iso tool.qcow2 tool-oci.tar",
    "java": "tool-standalone.jar",
    "wasm": "tool.wasm",
    "library": "libtool.so tool.dylib tool-1.2.3-cp311-cp311-win_amd64.whl node-headers.tar.gz "
    "tool_odbc-linux-amd64.zip",
    "script": "tool.sh tool.py tool.phar tool.pyz tool.js",
    "other": "tool.strange tool.asar.gz tool.sit",
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


@pytest.mark.parametrize(
    "piece", ["a", "-", ".", "x86_", "1.", "linux", "64", "arm", "v1-", "_linux_", "x86-64", "1.2.3-rc.", "(", "*"]
)
def test_long_hostile_names_cost_next_to_nothing(piece: str) -> None:
    names = [(piece * LONGEST_NAME)[:LONGEST_NAME], piece * 10_000]
    started = time.process_time()
    for name in names:
        label(name, name, name)
        kind(name, name, name)
    assert time.process_time() - started < 1
