# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exactly was pinned? The lock file: parsed strictly, emitted deterministically. Pure; runs on the controller.

Its schema is docs/schema/releases.lock.schema.json. What a lock file says is hostile until it has passed parse().

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

from ansible_collections.pinned.release.plugins.module_utils.archive import FORMATS
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils.evidence import Evidence
from ansible_collections.pinned.release.plugins.plugin_utils.requirement import Requirement

LOCK_VERSION = 1
#: Names become paths and links on hosts, so they are held to what is a plain file name everywhere.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}\Z")
SHA256 = re.compile(r"[0-9a-f]{64}\Z")
REMAKE = "make the lock file again with pinned.release.lock; it is not meant to be edited by hand"


@dataclass(frozen=True)
class Executable:
    """One program of an asset: its path inside, the digest of its own bytes, its size in bytes."""

    path: str
    sha256: str
    size: int


@dataclass(frozen=True)
class LockedAsset:
    """One asset as pinned. Fields as in the lock file; *unpacked_size* is the sum of its files, in bytes."""

    name: str
    url: str
    size: int
    sha256: str
    format: str
    target: str
    requires: Requirement
    executables: Mapping[str, Executable]
    evidence: tuple[Evidence, ...]
    unpacked_size: int


@dataclass(frozen=True)
class LockedTool:
    """One tool as pinned: the version, where it comes from, and every asset that may serve a platform."""

    version: str
    source: Mapping[str, str]
    assets: tuple[LockedAsset, ...]
    published: str | None = None


@dataclass(frozen=True)
class LockFile:
    """All that a fleet was pinned to."""

    platforms: tuple[str, ...] = ()
    tools: Mapping[str, LockedTool] = dataclasses.field(default_factory=dict)


def emit(lock: LockFile) -> str:
    """Return the text of *lock*: sorted keys, two-space indent, newline at the end; equal locks are equal bytes."""
    document = {
        "lock_version": LOCK_VERSION,
        "platforms": sorted(lock.platforms),
        "tools": {name: _emit_tool(tool) for name, tool in lock.tools.items()},
    }
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=True) + "\n"


def parse(text: str, name: str = "the lock file") -> LockFile:
    """Return the lock that *text* is. Raises ReleaseError that names the place in *name* where it is not one."""
    try:
        document = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_repeated_keys)
    except (ValueError, RecursionError) as error:
        raise ReleaseError(f"{name} is not JSON", found=str(error), fix=REMAKE) from error
    version = document.get("lock_version") if isinstance(document, dict) else None
    if version != LOCK_VERSION or isinstance(version, bool):
        raise ReleaseError(
            f"{name} has lock_version {version!r}",
            expected=f"lock_version {LOCK_VERSION}, which this version of pinned.release reads",
            fix="update the collection if the number is higher, else " + REMAKE,
        )
    try:
        return _parse_document(_Place(document, ""))
    except _MisfitError as misfit:
        raise ReleaseError(
            f"{name} is not valid at {misfit.where}", expected=misfit.expected, found=misfit.found, fix=REMAKE
        ) from None


def _emit_tool(tool: LockedTool) -> dict[str, Any]:
    assets = sorted(tool.assets, key=lambda asset: (asset.target, asset.name, asset.sha256))
    emitted = {"version": tool.version, "source": dict(tool.source), "assets": [_emit_asset(a) for a in assets]}
    return emitted | ({"published": tool.published} if tool.published else {})


def _emit_asset(asset: LockedAsset) -> dict[str, Any]:
    emitted = {field.name: getattr(asset, field.name) for field in dataclasses.fields(asset)}
    emitted["requires"] = emit_requirement(asset.requires)
    emitted["executables"] = {name: dataclasses.asdict(program) for name, program in asset.executables.items()}
    emitted["evidence"] = sorted(
        (dataclasses.asdict(evidence) for evidence in asset.evidence), key=lambda evidence: sorted(evidence.items())
    )
    return emitted


def emit_requirement(requirement: Requirement) -> dict[str, Any]:
    """Return *requirement* as the lock file writes it: what it does not ask for is not written."""
    emitted = {key: value for key, value in dataclasses.asdict(requirement).items() if value}
    if requirement.versions:
        emitted["versions"] = dict(requirement.versions)
    return emitted


class _MisfitError(Exception):
    def __init__(self, where: str, expected: str, found: object) -> None:
        super().__init__(where)
        self.where = where or "the top"
        self.expected = expected
        self.found = _shorten(found)


def _shorten(value: object) -> str:
    text = json.dumps(value, default=str)
    return text if len(text) <= 120 else text[:117] + "..."


def _refuse_constant(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        repeated = sorted({key for key, value in pairs if [other for other, x in pairs].count(key) > 1})
        raise ValueError(f"the key {repeated[0]!r} stands twice in one object")
    return document


T = TypeVar("T")


@dataclass(frozen=True)
class _Place:
    """A value in the document and the way to it, so that each refusal can say where."""

    value: Any
    where: str

    def fields(self, required: str, optional: str = "") -> dict[str, _Place]:
        if not isinstance(self.value, dict):
            raise _MisfitError(self.where, "an object", self.value)
        known = set(required.split()) | set(optional.split())
        for key in self.value:
            if key not in known:
                raise _MisfitError(f"{self.where}.{key}".lstrip("."), f"one of {', '.join(sorted(known))}", key)
        for key in required.split():
            if key not in self.value:
                raise _MisfitError(self.where, f"the key {key}", sorted(self.value))
        return {key: self.at(key) for key in self.value}

    def at(self, key: str) -> _Place:
        return _Place(self.value[key], f"{self.where}.{key}".lstrip("."))

    def mapping(self, read: Callable[[_Place], T], key_is: re.Pattern[str] = NAME) -> dict[str, T]:
        if not isinstance(self.value, dict):
            raise _MisfitError(self.where, "an object", self.value)
        for key in self.value:
            if not key_is.match(key):
                raise _MisfitError(self.where, f"a name that matches {key_is.pattern}", key)
        return {key: read(self.at(key)) for key in sorted(self.value)}

    def items(self, read: Callable[[_Place], T]) -> tuple[T, ...]:
        if not isinstance(self.value, list):
            raise _MisfitError(self.where, "a list", self.value)
        return tuple(read(_Place(value, f"{self.where}[{index}]")) for index, value in enumerate(self.value))

    def text(self, pattern: re.Pattern[str] | None = None) -> str:
        if not isinstance(self.value, str) or "\n" in self.value or "\0" in self.value:
            raise _MisfitError(self.where, "a line of text", self.value)
        if pattern and not pattern.match(self.value):
            raise _MisfitError(self.where, f"text that matches {pattern.pattern}", self.value)
        return self.value

    def number(self) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool) or self.value < 0:
            raise _MisfitError(self.where, "a whole number", self.value)
        return self.value


def _text(place: _Place) -> str:
    return place.text()


def _parse_document(place: _Place) -> LockFile:
    fields = place.fields("lock_version platforms tools")
    return LockFile(fields["platforms"].items(_text), fields["tools"].mapping(_parse_tool))


def _parse_tool(place: _Place) -> LockedTool:
    fields = place.fields("version source assets", "published")
    return LockedTool(
        version=fields["version"].text(NAME),
        source=fields["source"].mapping(_text),
        assets=fields["assets"].items(_parse_asset),
        published=fields["published"].text() if "published" in fields else None,
    )


def _parse_asset(place: _Place) -> LockedAsset:
    fields = place.fields("name url size sha256 format target requires executables evidence unpacked_size")
    if fields["format"].text() not in FORMATS:
        raise _MisfitError(fields["format"].where, f"one of {', '.join(FORMATS)}", fields["format"].value)
    asset = LockedAsset(
        name=fields["name"].text(re.compile(r"[^/\\]{1,255}\Z")),
        url=fields["url"].text(re.compile(r"(https?|file)://.")),
        size=fields["size"].number(),
        sha256=fields["sha256"].text(SHA256),
        format=fields["format"].text(),
        target=fields["target"].text(),
        requires=_parse_requirement(fields["requires"]),
        executables=fields["executables"].mapping(_parse_executable),
        evidence=fields["evidence"].items(_parse_evidence),
        unpacked_size=fields["unpacked_size"].number(),
    )
    for evidence in asset.evidence:
        if evidence.algorithm == "sha256" and evidence.value != asset.sha256:
            raise _MisfitError(fields["sha256"].where, f"{evidence.value}, which its evidence says", asset.sha256)
    if not asset.executables:
        raise _MisfitError(fields["executables"].where, "at least one program", {})
    return asset


def _parse_executable(place: _Place) -> Executable:
    fields = place.fields("path sha256 size")
    path = fields["path"].text()
    if path.startswith("/") or "\\" in path or {"", ".", ".."} & set(path.split("/")):
        raise _MisfitError(fields["path"].where, "a plain path inside the asset", path)
    return Executable(path, fields["sha256"].text(SHA256), fields["size"].number())


def _parse_evidence(place: _Place) -> Evidence:
    fields = place.fields("kind algorithm value origin")
    return Evidence(**{key: field.text() for key, field in fields.items()})


def _parse_requirement(place: _Place) -> Requirement:
    fields = place.fields("os arch", "abi libc libc_min interpreter libraries cpu os_min versions page_size")
    values: dict[str, Any] = {}
    for key, field in fields.items():
        if key == "libraries":
            values[key] = field.items(_text)
        elif key == "versions":
            values[key] = tuple(sorted(field.mapping(_text).items()))
        else:
            values[key] = field.number() if key == "page_size" else field.text()
    return Requirement(**values)
