# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Little archives of hand-made programs: for tests of what an asset holds, what of it is meant, and what that needs."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import Contents
from ansible_collections.pinned.release.plugins.plugin_utils._asset.programs import choose_programs
from ansible_collections.pinned.release.plugins.plugin_utils._asset.requirements import merged_requirements
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.tests.unit.plugins.module_utils import made_archives as made
from ansible_collections.pinned.release.tests.unit.plugins.plugin_utils.tiny_programs import elf

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


def members(files: Mapping[str, bytes | made.Made]) -> list[made.Made]:
    return [
        made.file(path, content, 0o755) if isinstance(content, bytes) else content for path, content in files.items()
    ]


def choose(
    found: Contents, wanted: dict[str, str] | None = None, tool: str = "tool", version: str = "1.2.3"
) -> dict[str, str]:
    chosen = choose_programs(found, tool, version, wanted or {}, "tool-1.0.tar.gz")
    return {name: one.path for name, one in chosen.items()}


def needs(found: Contents, wanted: dict[str, str] | None = None, tool: str = "tool") -> tuple[Requirement, ...]:
    return merged_requirements(choose_programs(found, tool, "1.2.3", wanted or {}, "tool-1.0.tar.gz").values())
