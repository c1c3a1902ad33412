# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For which platforms is a file, and what is the tool called, going by file names alone? Pure; runs on the controller.

Lock files of other tools may say neither. What a name says only fills the manifest; bytes decide when it is locked.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.imported import ForeignFile, fit_name
from ansible_collections.pinned.release.plugins.plugin_utils._naming.naming import read
from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.platform_words import WORDS
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform, parse_platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset

#: What publishers call systems and processors in addresses, the longest first where one begins another.
SPELLINGS: Mapping[str, Mapping[str, Sequence[str]]] = {
    "os": {
        "linux": ("linux", "Linux"),
        "macos": ("darwin", "Darwin", "macos", "macOS", "osx"),
        "windows": ("windows", "Windows", "win32", "win"),
    },
    "arch": {
        "x86_64": ("x86_64", "x86-64", "amd64", "x64"),
        "aarch64": ("aarch64", "arm64"),
        "i686": ("i686", "i386", "386", "x86"),
        "armv7": ("armv7", "armhf", "arm"),
        "armv6": ("armv6", "armv6l", "arm"),
        "powerpc64le": ("powerpc64le", "ppc64le", "ppc64el"),
        "s390x": ("s390x",),
        "riscv64": ("riscv64", "riscv64gc"),
    },
}


def platforms_of(file: ForeignFile, tool: str = "", version: str = "") -> tuple[Platform, ...]:
    """Return what *file* is for: what its lock says, else what its name says; several of a universal file."""
    if file.platform is not None:
        return (file.platform,)
    label = read(Asset(file.name, file.url), (tool,) if tool else (), version).label
    found = []
    for arch in label.archs or (label.arch,):
        try:
            found.append(parse_platform(f"{label.os}/{label.cpu if arch == 'arm' and label.cpu else arch}"))
        except ReleaseError:
            continue
    return tuple(found)


def common_name(names: Sequence[str]) -> str:
    """Return what the files of these *names* are called in front of version and platform; "" if that differs."""
    found = {_head(name) for name in names}
    return fit_name(found.pop()) if len(found) == 1 else ""


def further_name(file: ForeignFile, tool: str, version: str) -> str:
    """Return what to call *file*, which adds to *tool*: ``ollama-rocm`` for ``ollama-linux-amd64-rocm.tar.zst``."""
    product = read(Asset(file.name, file.url), (tool,), version).product
    return fit_name("-".join((tool, *(product or ("more",)))))


def _head(name: str) -> str:
    """Return *name* up to its first word that is a version or says a platform: ``setup-envtest`` of its Linux build."""
    kept: list[str] = []
    for piece in re.split(r"([-_. ])", name.partition(".tar.")[0]):
        is_version = re.fullmatch(r"v?[0-9]+[0-9A-Za-z]*", piece) is not None
        if kept and (is_version or piece.lower() in WORDS):
            break
        kept.append(piece)
    return "".join(kept).rstrip("-_. ")
