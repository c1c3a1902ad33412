# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does the name of a wheel say: which product, for which platform, bound to a Python or not? Pure; controller.

Follows PEP 427 (the name), 425 (its tags), 513, 571, 599, 600 (manylinux) and 656 (musllinux).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.platform_words import ARCH_WORDS
from ansible_collections.pinned.release.plugins.plugin_utils._values.label import Label


@dataclass(frozen=True)
class WheelName:
    """What a wheel's name says. *is_for_one_python*: it is an extension for that Python, not a program."""

    project: str
    label: Label
    is_for_one_python: bool


def read_wheel_name(name: str) -> WheelName | None:
    """Read a wheel's name, whose last three fields are tags, each of one or several. None: it is no wheel's name."""
    fields = name[: -len(".whl")].lower().split("-")
    if len(fields) not in (5, 6):
        return None
    label = _merged([_said_by(tag) for tag in fields[-1].split(".")])
    return WheelName(fields[0], label, is_for_one_python="none" not in fields[-2].split("."))


_TAGS: tuple[tuple[re.Pattern[str], str, str | None], ...] = tuple(
    (re.compile(pattern), system, libc)
    for pattern, system, libc in (
        (r"(?P<old>manylinux1|manylinux2010|manylinux2014)_(?P<arch>\w+)", "linux", "glibc"),
        (r"manylinux_(?P<major>\d+)_(?P<minor>\d+)_(?P<arch>\w+)", "linux", "glibc"),
        (r"musllinux_\d+_\d+_(?P<arch>\w+)", "linux", "musl"),
        (r"linux_(?P<arch>\w+)", "linux", None),
        (r"macosx_\d+_\d+_(?P<arch>\w+)", "macos", None),
        (r"win_(?P<arch>\w+)", "windows", None),
        (r"win(?P<arch>32)", "windows", None),
        (r"android_\d+_(?P<arch>\w+)", "android", None),
        (r"freebsd_\d+_\w+?_(?P<arch>amd64|arm64|aarch64|i386)", "freebsd", None),
        (r"ios_\w+", "ios", None),
    )
)
_OLD_MANYLINUX = {"manylinux1": "2.5", "manylinux2010": "2.12", "manylinux2014": "2.17"}
_ARCHES = {"x86_64": "x8664", "amd64": "x8664", "arm64_v8a": "arm64", "armeabi_v7a": "armv7", "32": "i686"}
_FAT_MACOS = {"universal2": ("aarch64", "x86_64"), "intel": ("i686", "x86_64"), "fat64": ("powerpc64", "x86_64")}


def _said_by(tag: str) -> Label:
    """Return the label that one platform tag makes."""
    for pattern, system, libc in _TAGS:
        found = pattern.fullmatch(tag)
        if not found:
            continue
        said = found.groupdict()
        word = said.get("arch") or ""
        if system == "macos" and word in _FAT_MACOS:
            return Label(os=system, archs=_FAT_MACOS[word])
        arch = ARCH_WORDS.get(_ARCHES.get(word, word), {"arch": word})
        floor = _OLD_MANYLINUX.get(said.get("old") or "") or (
            f"{said['major']}.{said['minor']}" if said.get("major") else None
        )
        hard = "eabihf" if system == "linux" and arch["arch"] == "arm" else None
        return Label(system, arch["arch"], hard, libc, floor if libc == "glibc" else None, arch.get("cpu"))
    return Label() if tag == "any" else Label(os="mixed")


def _merged(tags: Sequence[Label]) -> Label:
    """Return the label that all tags of a wheel make together: with tags of glibc and of musl, it needs neither."""
    systems = {tag.os for tag in tags}
    arches = {arch for tag in tags for arch in (tag.archs or (tag.arch,)) if arch}
    libcs = {tag.libc for tag in tags}
    if len(systems) != 1:
        return Label(os="mixed")
    first = tags[0]
    if len(arches) > 1:
        is_fat = first.os == "macos"
        return Label(os=first.os, arch=None if is_fat else "mixed", archs=tuple(sorted(arches)) if is_fat else ())
    floors = sorted((tag.libc_min for tag in tags if tag.libc_min), key=lambda text: [int(n) for n in text.split(".")])
    libc = "static" if {"glibc", "musl"} <= libcs else next((name for name in ("glibc", "musl") if name in libcs), None)
    return Label(first.os, first.arch, first.abi, libc, floors[0] if floors and libc == "glibc" else None, first.cpu)
