#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays the publisher: puts a release, real archives of real programs with a sums file, into a folder.

FOLDER/VERSION/{TOOL-VERSION-PLATFORM.tar.gz, SHA256SUMS} for each ``version``, as the source ``directory`` reads them.
The programs are shell scripts; with ``static: true`` executables for Linux on x86_64 or aarch64 that need no library,
and that say, as cargo-auditable does, that they were made of ``crates``; and copies of ``binaries``. Each prints its
name and version. ``builds`` are such executables, by their paths in the archive's folder, each for the architecture
given; they print the path as well. ``scripts`` are others, by their paths, ``files`` hold the text given, and ``links``
are the targets of links by theirs. With ``sidecar``, such as ``.sha256``, a file of that ending with ``sidecar_text``
is beside each asset instead of the sums file. Returns the last folder, and the sums in it.
"""

import hashlib
import io
import json
import os
import struct
import tarfile
import time
import zlib
from typing import Any

from ansible.module_utils.basic import AnsibleModule

OPTIONS = {
    "tool": {"type": "str", "required": True},
    "version": {"type": "list", "elements": "str", "required": True},
    "folder": {"type": "path", "required": True},
    "platforms": {"type": "list", "elements": "str", "required": True},
    "programs": {"type": "list", "elements": "str", "default": []},
    "body": {"type": "str", "default": 'echo "$(basename "$0") {version}"'},
    "static": {"type": "bool", "default": False},
    "crates": {"type": "list", "elements": "str", "default": []},
    "builds": {"type": "dict", "default": {}},
    "binaries": {"type": "dict", "default": {}},
    "files": {"type": "dict", "default": {}},
    "scripts": {"type": "dict", "default": {}},
    "links": {"type": "dict", "default": {}},
    "sidecar": {"type": "str", "default": ""},
    "sidecar_text": {"type": "str", "default": "{digest}\n"},
}


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS)
    for version in module.params["version"]:
        options = dict(module.params, version=version)
        folder = os.path.join(options["folder"], version)
        os.makedirs(folder, exist_ok=True)
        for platform in options["platforms"]:
            write_archive(folder, platform.replace("/", "-"), options)
        sums = sums_of(folder)
        write_sums(folder, sums, options)
    module.exit_json(changed=True, folder=folder, assets=sums)


# The types are in quotes because the Python of a test host may be too old to read them.
def write_archive(folder: str, platform: str, options: "dict[str, Any]") -> None:
    stem = f"{options['tool']}-{options['version']}"
    with tarfile.open(os.path.join(folder, f"{stem}-{platform}.tar.gz"), "w:gz") as archive:
        add(archive, f"{stem}/README.md", b"Made for a test.\n", 0o644)
        for path, text in sorted(options["files"].items()):
            add(archive, f"{stem}/{path}", text.replace("{version}", options["version"]).encode(), 0o644)
        for program in options["programs"]:
            content = executable(platform, program, options) if options["static"] else script(options)
            add(archive, f"{stem}/bin/{program}", content, 0o755)
        for path, architecture in sorted(options["builds"].items()):
            content = executable(architecture, os.path.basename(path), options, " at " + path)
            add(archive, f"{stem}/{path}", content, 0o755)
        for program, path in sorted(options["binaries"].items()):
            with open(path, "rb") as binary:
                add(archive, f"{stem}/bin/{program}", binary.read(), 0o755)
        for path, body in sorted(options["scripts"].items()):
            add(archive, f"{stem}/{path}", f"#!/bin/sh\n{body}\n".encode(), 0o755)
        for path, target in sorted(options["links"].items()):
            link = tarfile.TarInfo(f"{stem}/{path}")
            link.type, link.linkname = tarfile.SYMTYPE, target
            archive.addfile(link)


def add(archive: tarfile.TarFile, name: str, content: bytes, mode: int) -> None:
    member = tarfile.TarInfo(name)
    member.size = len(content)
    member.mode = mode
    # The time makes the bytes those of this run alone, so that no cache has seen them.
    member.mtime = int(time.time())
    archive.addfile(member, io.BytesIO(content))


def script(options: "dict[str, Any]") -> bytes:
    body: str = options["body"].replace("{version}", options["version"])
    return f"#!/bin/sh\n{body}\n".encode()


def executable(platform: str, program: str, options: "dict[str, Any]", words: str = "") -> bytes:
    """Return an ELF file whose only segment calls write(2) and exit(2)."""
    text = f"{program} {options['version']}{words}\n".encode()
    if "x86_64" in platform:
        machine = 62
        code = struct.pack("<BIBI", 0xB8, 1, 0xBF, 1)  # mov eax, 1; mov edi, 1
        code += b"\x48\x8d\x35" + struct.pack("<IBI", 16, 0xBA, len(text))  # lea rsi, [text]; mov edx, LENGTH
        code += b"\x0f\x05" + struct.pack("<BI", 0xB8, 60) + b"\x31\xff\x0f\x05"  # syscall; exit with 0
    else:
        machine = 183
        code = struct.pack("<II", 0xD2800808, 0xD2800020)  # mov x8, #64; mov x0, #1
        code += struct.pack("<II", 0x100000C1, 0xD2800002 | len(text) << 5)  # adr x1, text; mov x2, #LENGTH
        code += struct.pack("<IIII", 0xD4000001, 0xD2800BA8, 0xD2800000, 0xD4000001)  # svc #0; exit with 0
    start, headers = 0x400000, 64 + 56
    size = headers + len(code) + len(text)
    file_header = b"\x7fELF\x02\x01\x01" + bytes(9)
    file_header += struct.pack("<HHIQQQIHHHHHH", 2, machine, 1, start + headers, 64, 0, 0, 64, 56, 1, 64, 0, 0)
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, start, start, size, size, 0x10000)
    content = file_header + segment + code + text
    return with_record(content, options["crates"], options["version"]) if options.get("crates") else content


def with_record(program: bytes, crates: "list[str]", version: str) -> bytes:
    """Return the ELF *program* with a section that names *crates*, each in this *version*."""
    packages = [{"name": name, "version": version, "source": "crates.io"} for name in crates]
    record = zlib.compress(json.dumps({"packages": packages}).encode())
    names = b"\0.dep-v0\0.shstrtab\0"
    areas = [(1, len(program), len(record)), (9, len(program) + len(record), len(names))]
    headers = b"".join(struct.pack("<IIQQQQIIQQ", name, 1, 0, 0, at, size, 0, 0, 1, 0) for name, at, size in areas)
    sections = struct.pack("<Q", len(program) + len(record) + len(names))
    program = program[:40] + sections + program[48:58] + struct.pack("<HHH", 64, 2, 1) + program[64:]
    return program + record + names + headers


def sums_of(folder: str) -> "dict[str, str]":
    sums = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".tar.gz"):
            with open(os.path.join(folder, name), "rb") as asset:
                sums[name] = hashlib.sha256(asset.read()).hexdigest()
    return sums


def write_sums(folder: str, sums: "dict[str, str]", options: "dict[str, Any]") -> None:
    texts = {"SHA256SUMS": "".join(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))}
    if options["sidecar"]:
        text = options["sidecar_text"]
        texts = {name + options["sidecar"]: text.format(digest=digest, name=name) for name, digest in sums.items()}
    for name, text in texts.items():
        with open(os.path.join(folder, name), "w") as file:
            file.write(text)


if __name__ == "__main__":
    main()
