#!/usr/bin/python
# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays the publisher: puts a release, real archives of real programs with a sums file, into a folder.

FOLDER/VERSION/{TOOL-VERSION-PLATFORM.tar.gz, SHA256SUMS}, which the source ``directory`` reads. The programs are shell
scripts; with ``static: true`` executables for Linux on x86_64 or aarch64 that need no library; and copies of
``binaries``. Each prints its name and version.
"""

import hashlib
import io
import os
import struct
import tarfile
import time
from typing import Any

from ansible.module_utils.basic import AnsibleModule

OPTIONS = {
    "tool": {"type": "str", "required": True},
    "version": {"type": "str", "required": True},
    "folder": {"type": "path", "required": True},
    "platforms": {"type": "list", "elements": "str", "required": True},
    "programs": {"type": "list", "elements": "str", "default": []},
    "body": {"type": "str", "default": 'echo "$(basename "$0") {version}"'},
    "static": {"type": "bool", "default": False},
    "binaries": {"type": "dict", "default": {}},
}


def main() -> None:
    module = AnsibleModule(argument_spec=OPTIONS)
    options = module.params
    folder = os.path.join(options["folder"], options["version"])
    os.makedirs(folder, exist_ok=True)
    for platform in options["platforms"]:
        write_archive(folder, platform.replace("/", "-"), options)
    module.exit_json(changed=True, folder=folder, assets=write_sums(folder))


# The types are in quotes because the Python of a test host may be too old to read them.
def write_archive(folder: str, platform: str, options: "dict[str, Any]") -> None:
    stem = f"{options['tool']}-{options['version']}"
    with tarfile.open(os.path.join(folder, f"{stem}-{platform}.tar.gz"), "w:gz") as archive:
        add(archive, f"{stem}/README.md", b"Made for a test.\n", 0o644)
        for program in options["programs"]:
            content = executable(platform, program, options) if options["static"] else script(options)
            add(archive, f"{stem}/bin/{program}", content, 0o755)
        for program, path in sorted(options["binaries"].items()):
            with open(path, "rb") as binary:
                add(archive, f"{stem}/bin/{program}", binary.read(), 0o755)


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


def executable(platform: str, program: str, options: "dict[str, Any]") -> bytes:
    """Return an ELF file whose only segment calls write(2) and exit(2)."""
    text = f"{program} {options['version']}\n".encode()
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
    return file_header + segment + code + text


def write_sums(folder: str) -> "dict[str, str]":
    sums = {}
    for name in sorted(os.listdir(folder)):
        if name.endswith(".tar.gz"):
            with open(os.path.join(folder, name), "rb") as asset:
                sums[name] = hashlib.sha256(asset.read()).hexdigest()
    with open(os.path.join(folder, "SHA256SUMS"), "w") as file:
        file.writelines(f"{digest}  {name}\n" for name, digest in sorted(sums.items()))
    return sums


if __name__ == "__main__":
    main()
