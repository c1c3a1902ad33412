# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a multitool.lock.json pin, and how is one written? Runs on the controller; pure.

Format: theoremlp/rules_multitool, lockfile.schema.json. It knows neither versions nor tools of several programs, and of
each program has one file for a system and processor.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.imported import (
    ForeignFile,
    ForeignTool,
    Imported,
    Left,
    bounded,
    digest,
    file_at,
    fit_name,
    named,
    platform_of,
    text,
)
from ansible_collections.pinned.release.plugins.plugin_utils._lock.importers.written import Written, is_on_the_web
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockFile

SCHEMA = "https://raw.githubusercontent.com/theoremlp/rules_multitool/main/lockfile.schema.json"
_CPUS = {"x86_64": "x86_64", "aarch64": "arm64"}
_SYSTEMS = ("linux", "macos", "windows")
#: Of several builds for one system and processor, the one that runs on most hosts comes first.
_LIBCS = {"static": 0, "system": 0, "glibc": 1, "musl": 2}
_ARCHIVES = ("tar.gz", "tar.xz", "tar.bz2", "tar.zst", "tar", "zip")


def is_it(document: Mapping[str, Any]) -> bool:
    """Tell whether *document* has the shape of a multitool.lock.json."""
    return any(isinstance(tool, dict) and "binaries" in tool for tool in document.values())


def read(place: Place) -> Imported:
    """Return what the multitool.lock.json at *place* pins. Raises MisfitError where it is not one."""
    tools: list[ForeignTool] = []
    left: list[Left] = []
    for name, tool in named(place, lambda tool: tool).items():
        if name.startswith("$"):
            continue
        binaries = tool.required("binaries")
        found = [_file(name, binary, left) for binary in binaries.items(lambda binary: binary)]
        files = bounded(filter(None, found), binaries)
        if files:
            tools.append(ForeignTool(fit_name(name), None, files))
    return Imported(place.document.name, bounded(tools, place), tuple(left))


def _file(name: str, binary: Place, left: list[Left]) -> ForeignFile | None:
    stated = binary.optional("sha256")
    digests = digest(stated, text(stated), "sha256") if stated is not None else {}
    file = file_at(binary.required("url"), digests, platform_of(_words(binary)))
    if text(binary.required("kind")) == "pkg":
        left.append(Left(f"{name}, {file.name}", "it is a package for the installer of macOS"))
        return None
    return file


def _words(binary: Place) -> str:
    return f"{text(binary.required('os'))}/{text(binary.required('cpu'))}"


def write(lock: LockFile) -> Written:
    """Return a multitool.lock.json with every program of *lock* that it can name, and what it leaves out."""
    chosen: dict[str, dict[tuple[str, str], LockedAsset]] = {}
    left: list[str] = []
    for name, tool in sorted(lock.tools.items()):
        for asset in sorted(tool.assets, key=_preference):
            why = _why_not(asset)
            if why:
                left.append(f"{name}: {asset.name} for {asset.target}, {why}")
                continue
            for program in asset.executables:
                chosen.setdefault(program, {}).setdefault((asset.requires.os, _CPUS[asset.requires.arch]), asset)
    document: dict[str, Any] = {"$schema": SCHEMA}
    for program, of_platforms in sorted(chosen.items()):
        document[program] = {"binaries": list(_binaries(program, of_platforms))}
    return Written(json.dumps(document, indent=2, ensure_ascii=True) + "\n", tuple(left))


def _preference(asset: LockedAsset) -> tuple[int, str, str]:
    return _LIBCS.get(asset.requires.libc or "static", len(_LIBCS)), asset.target, asset.name


def _why_not(asset: LockedAsset) -> str:
    if asset.requires.os not in _SYSTEMS or asset.requires.arch not in _CPUS:
        return "a platform that rules_multitool does not know"
    if not is_on_the_web(asset):
        return "which is on no web server"
    return "" if asset.format in ("bare", *_ARCHIVES) else f"which is packed as {asset.format}"


def _binaries(program: str, of_platforms: Mapping[tuple[str, str], LockedAsset]) -> Iterator[dict[str, str]]:
    for (system, cpu), asset in sorted(of_platforms.items()):
        binary = {"kind": "file", "url": asset.url}
        if asset.format != "bare":
            binary |= {"kind": "archive", "file": asset.executables[program].path}
            if not asset.url.endswith(f".{asset.format}"):
                binary["type"] = asset.format  # a wheel is a zip file
        yield binary | {"sha256": asset.sha256, "os": system, "cpu": cpu}
