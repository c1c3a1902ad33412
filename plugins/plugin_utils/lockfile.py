# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exactly was pinned? The lock file: parsed strictly, emitted deterministically. Pure; runs on the controller.

Its schema is docs/schema/releases.lock.schema.json; a test shows that parse() accepts what the schema does, less what
contradicts itself. What a lock file says becomes paths on hosts and words in a shell: it is hostile until it is parsed.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import re
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from ipaddress import IPv6Address
from typing import Any, NoReturn, TypeVar
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.module_utils.archive import FORMATS
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils.evidence import Evidence
from ansible_collections.pinned.release.plugins.plugin_utils.requirement import (
    ARCHITECTURES,
    LIBCS,
    OPERATING_SYSTEMS,
    Requirement,
)

LOCK_VERSION = 1
#: Whole numbers that every JSON reader keeps exact (RFC 7493, section 2.2).
LARGEST_NUMBER = 2**53 - 1
REMAKE = "do not edit it by hand: restore it from version control, or delete it and lock again with pinned.release.lock"

#: It may be the manifest, which must not be deleted.
NAME_ANOTHER = "name the file that pinned.release.lock wrote; if this is it, restore it from version control"

#: What is in no name, path or address: control characters, ends of lines, halves of characters.
_CONTROL = r"\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff"
_STEP = rf"(?!\.{{1,2}}(?:/|\Z))[^/\\{_CONTROL}]{{1,255}}"
_AUTHORITY = rf"(?:\[[0-9A-Fa-f:.]+\]|[^/?#@:\\\[\] {_CONTROL}]+)(?::[0-9]{{1,5}})?"
#: Names become paths and links on hosts, so they are held to what is a plain file name everywhere.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}\Z")
#: A line of text for people.
LINE = re.compile(rf"[^{_CONTROL}]+\Z")


@dataclass(frozen=True)
class _Form:
    """What a text must look like: for the reader, and in words for people."""

    pattern: re.Pattern[str]
    words: str


_NAME = _Form(NAME, "a name of letters, digits and . _ + -")
_LINE = _Form(LINE, "a line of text")
_VERSION = _Form(re.compile(r"[0-9A-Za-z][0-9A-Za-z._+~!-]{0,127}\Z"), "a version such as 1.2.3")
_MOMENT = _Form(
    re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z\Z"),
    "a time in UTC, 2024-01-15T09:30:00Z",
)
_PLATFORM = _Form(re.compile(r"[a-z0-9]+/[a-z0-9_]+\Z"), "a platform such as linux/x86_64")
_FILE_NAME = _Form(re.compile(rf"{_STEP}\Z"), "the name of a file, without a folder")
_URL = _Form(
    re.compile(rf"(?:https?://{_AUTHORITY}(?:[/?#][^ {_CONTROL}]*)?|file:///[^ {_CONTROL}]+)\Z"),
    "an address that begins with https://, http:// or file:///, without user and password",
)
_SHA256 = _Form(re.compile(r"[0-9a-f]{64}\Z"), "a SHA-256 digest: 64 hexadecimal digits in lower case")
_HEXADECIMAL = _Form(re.compile(r"[0-9a-f]+\Z"), "a digest: hexadecimal digits in lower case")
_TARGET = _Form(
    re.compile(r"[a-z0-9][a-z0-9._-]*(?:/[a-z0-9_]+)?\Z"), "a target triple such as x86_64-unknown-linux-musl"
)
_PATH = _Form(
    re.compile(rf"(?=.{{1,1024}}\Z)(?![A-Za-z]:){_STEP}(?:/{_STEP})*\Z"),
    "a plain path inside the asset: relative, without .. and backslashes",
)
_WORD = _Form(re.compile(r"[a-z0-9][a-z0-9._-]{0,63}\Z"), "a word in lower case")
_DOTTED = _Form(re.compile(r"[0-9]{1,18}(?:\.[0-9]{1,18})*\Z"), "numbers with dots between them, such as 2.28")


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

    def __post_init__(self) -> None:
        """Put the evidence in order, so that equal assets are equal whoever found what first."""
        object.__setattr__(self, "evidence", tuple(sorted(self.evidence)))


@dataclass(frozen=True)
class LockedTool:
    """One tool as pinned: the version, and every asset that may serve a platform.

    *source*, *asset* and *executables* are what the manifest asked for: with another question, there is another answer.
    """

    version: str
    source: Mapping[str, str]
    assets: tuple[LockedAsset, ...]
    published: str | None = None
    asset: str | None = None
    executables: Mapping[str, str] = dataclasses.field(default_factory=dict)

    def __post_init__(self) -> None:
        """Put the assets in order, so that equal tools are equal whatever was downloaded first."""
        ordered = sorted(self.assets, key=lambda asset: (asset.target, asset.name, asset.sha256))
        object.__setattr__(self, "assets", tuple(ordered))


@dataclass(frozen=True)
class LockFile:
    """All that a fleet was pinned to."""

    platforms: tuple[str, ...] = ()
    tools: Mapping[str, LockedTool] = dataclasses.field(default_factory=dict)


def emit(lock: LockFile) -> str:
    """Return the text of *lock*: sorted keys, two-space indent, newline at the end; equal locks are equal bytes.

    Raises ReleaseError for a lock that parse() would refuse, because of what a publisher named a file for example.
    """
    document = {
        "lock_version": LOCK_VERSION,
        "platforms": sorted(lock.platforms),
        "tools": {name: _emit_tool(tool) for name, tool in lock.tools.items()},
    }
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=True) + "\n"
    try:
        _parse_document(_Place(json.loads(text), ""))
    except _MisfitError as misfit:
        raise ReleaseError(
            f"what was found cannot be pinned: {misfit.where}",
            expected=misfit.expected,
            found=misfit.found,
            fix="choose another version or asset of this tool in the manifest",
        ) from None
    return text


def parse(text: str, name: str = "the lock file") -> LockFile:
    """Return the lock that *text* is. Raises ReleaseError that names the place in *name* where it is not one."""
    try:
        document = json.loads(text, parse_constant=_refuse_constant, object_pairs_hook=_refuse_repeated_keys)
    except (ValueError, RecursionError) as error:
        raise _not_json(text, name, error) from error
    if not isinstance(document, dict) or "lock_version" not in document:
        raise ReleaseError(
            f"{name} is no lock file of pinned.release",
            expected="an object with lock_version, platforms and tools",
            found=shown(document),
            fix=NAME_ANOTHER,
        )
    version = document["lock_version"]
    if version != LOCK_VERSION or not _is_whole(version):
        raise ReleaseError(
            f"{name} has lock_version {shown(version)}",
            expected=f"lock_version {LOCK_VERSION}, which this version of pinned.release reads",
            fix=f"update the collection if the number is above {LOCK_VERSION}; else {REMAKE}",
        )
    try:
        return _parse_document(_Place(document, ""))
    except _MisfitError as misfit:
        raise ReleaseError(
            f"{name} is not valid at {misfit.where}", expected=misfit.expected, found=misfit.found, fix=misfit.fix
        ) from None


def shown(value: object) -> str:
    """Return *value* for an error: on one line, short whatever it is, without passwords."""
    if isinstance(value, dict):
        more = ", …" if len(value) > 8 else ""
        return f"a mapping of {', '.join(shown(key) for key in list(value)[:8])}{more}" if value else "an empty mapping"
    if isinstance(value, (list, tuple)):
        return f"a list that begins with {_kind(value[0])}" if value else "an empty list"
    if isinstance(value, str):
        value = re.sub(r"//[^/\s]*@", "//…@", value[:1000])
    text = json.dumps(value, ensure_ascii=not str(value).isprintable(), default=str)
    return text if len(text) <= 120 else text[:117] + "..."


def _kind(value: object) -> str:
    """Return *value* itself where it is short, else what it is: lists of lists of lists have no end."""
    if isinstance(value, (dict, list, tuple)):
        return "a mapping" if isinstance(value, dict) else "a list"
    return shown(value)


def _not_json(text: str, name: str, error: Exception) -> ReleaseError:
    conflict = re.search(r"^(?:<{7}|>{7})(?: |$)", text, re.MULTILINE)
    if conflict:
        line = text.count("\n", 0, conflict.start()) + 1
        return ReleaseError(
            f"{name} holds a merge conflict",
            found=f"the marks of one, in line {line}",
            fix="take the file of either side as it is, and lock again with pinned.release.lock",
        )
    found = str(error)
    if isinstance(error, json.JSONDecodeError):
        found = f"{error.msg} in line {error.lineno}, column {error.colno}" if text.strip() else "an empty file"
    elif isinstance(error, RecursionError):
        found = "lists in lists in lists, without end"
    return ReleaseError(
        f"{name} is not JSON", expected="a file that pinned.release.lock wrote", found=found, fix=NAME_ANOTHER
    )


def _emit_tool(tool: LockedTool) -> dict[str, Any]:
    emitted = {"version": tool.version, "source": dict(tool.source), "assets": [_emit_asset(a) for a in tool.assets]}
    optional = {"published": tool.published, "asset": tool.asset, "executables": dict(tool.executables)}
    entry = emitted | {key: value for key, value in optional.items() if value}
    return entry | {"digest": entry_digest(entry)}


def entry_digest(entry: Mapping[str, Any]) -> str:
    """Return the SHA-256 of a tool's *entry* in a lock file, less its own ``digest``: it tells of edits by hand.

    It is each tool's own, so that version control can merge changes of different tools. It is no protection against
    an attacker, who would write another one: that is the review of whoever commits a lock file.
    """
    told = {key: value for key, value in entry.items() if key != "digest"}
    return hashlib.sha256(json.dumps(told, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def _emit_asset(asset: LockedAsset) -> dict[str, Any]:
    emitted = {field.name: getattr(asset, field.name) for field in dataclasses.fields(asset)}
    emitted["requires"] = emit_requirement(asset.requires)
    emitted["executables"] = {name: dataclasses.asdict(program) for name, program in asset.executables.items()}
    emitted["evidence"] = [dataclasses.asdict(evidence) for evidence in asset.evidence]
    return emitted


def emit_requirement(requirement: Requirement) -> dict[str, Any]:
    """Return *requirement* as the lock file writes it: what it does not ask for is not written."""
    emitted = {key: value for key, value in dataclasses.asdict(requirement).items() if value}
    if requirement.libraries:
        emitted["libraries"] = sorted(requirement.libraries)
    if requirement.versions:
        emitted["versions"] = dict(requirement.versions)
    return emitted


class _MisfitError(Exception):
    def __init__(self, where: str, expected: str, found: object, fix: str = REMAKE) -> None:
        super().__init__(where)
        self.where = where or "the top"
        self.expected = expected
        self.found = shown(found)
        self.fix = fix


def _refuse_constant(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is no number")


def _refuse_repeated_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    document = dict(pairs)
    if len(document) != len(pairs):
        [(key, count)] = Counter(key for key, value in pairs).most_common(1)
        raise ValueError(f"the key {shown(key)} stands {count} times in one object")
    return document


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


T = TypeVar("T")


@dataclass(frozen=True)
class _Place:
    """A value in the document and the way to it, so that each refusal can say where."""

    value: Any
    where: str

    def fields(self, required: str, optional: str = "") -> dict[str, _Place]:
        known = set(required.split()) | set(optional.split())
        for key in self._mapping():
            if key not in known:
                raise _MisfitError(
                    self.at(key).where,
                    f"one of {', '.join(sorted(known))}: this version of pinned.release knows no other key",
                    key,
                    fix=f"update the collection if a newer one wrote the file; else {REMAKE}",
                )
        for key in required.split():
            if key not in self.value:
                raise _MisfitError(self.where, f"the key {key}", self.value)
        return {key: self.at(key) for key in self.value}

    def at(self, key: str) -> _Place:
        step = key if NAME.match(key) else shown(key)
        return _Place(self.value[key], f"{self.where}.{step}".removeprefix("."))

    def mapping(self, read: Callable[[_Place], T], least: int = 0) -> dict[str, T]:
        for key in self._mapping():
            if not NAME.match(key):
                raise _MisfitError(self.where, _NAME.words, key)
        if len(self.value) < least:
            raise _MisfitError(self.where, f"at least {least} entry", self.value)
        return {key: read(self.at(key)) for key in sorted(self.value)}

    def items(self, read: Callable[[_Place], T], least: int = 0) -> tuple[T, ...]:
        if not isinstance(self.value, list):
            raise _MisfitError(self.where, "a list", self.value)
        if len(self.value) < least:
            raise _MisfitError(self.where, f"at least {least} entry", self.value)
        return tuple(read(_Place(value, f"{self.where}[{index}]")) for index, value in enumerate(self.value))

    def text(self, form: _Form = _LINE) -> str:
        if not isinstance(self.value, str) or not form.pattern.match(self.value):
            raise _MisfitError(self.where, form.words, self.value)
        return self.value

    def one_of(self, words: tuple[str, ...]) -> str:
        if self.value not in words:
            raise _MisfitError(self.where, f"one of {', '.join(words)}", self.value)
        return str(self.value)

    def number(self, least: int = 0) -> int:
        if not _is_whole(self.value) or not least <= self.value <= LARGEST_NUMBER:
            raise _MisfitError(self.where, f"a whole number from {least} to {LARGEST_NUMBER}", self.value)
        return int(self.value)

    def _mapping(self) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            raise _MisfitError(self.where, "an object", self.value)
        return self.value


def _parse_document(place: _Place) -> LockFile:
    fields = place.fields("lock_version platforms tools")
    platforms = fields["platforms"].items(lambda platform: platform.text(_PLATFORM))
    return LockFile(platforms, fields["tools"].mapping(_parse_tool))


def _parse_tool(place: _Place) -> LockedTool:
    fields = place.fields("version source assets digest", "published asset executables")
    assets = fields["assets"].items(_parse_asset, least=1)
    _refuse_two_of_a_name(fields["assets"].where, assets)
    tool = LockedTool(
        version=fields["version"].text(_VERSION),
        source=fields["source"].mapping(_Place.text, least=1),
        assets=assets,
        published=fields["published"].text(_MOMENT) if "published" in fields else None,
        asset=fields["asset"].text() if "asset" in fields else None,
        executables=fields["executables"].mapping(_Place.text, least=1) if "executables" in fields else {},
    )
    _refuse_edited(place, fields["digest"].text(_SHA256))
    return tool


def _refuse_edited(place: _Place, digest: str) -> None:
    """Valid by itself, an edited entry would still put into receipts what nobody resolved, downloaded or read."""
    found = entry_digest(place.value)
    if found != digest:
        raise _MisfitError(
            place.where,
            f"the entry as pinned.release.lock wrote it, with the digest {digest}",
            f"an entry with the digest {found}: it was edited",
        )


def _refuse_two_of_a_name(where: str, assets: tuple[LockedAsset, ...]) -> None:
    """One asset may serve several targets (a universal program), each of them once, always with the same bytes."""
    seen: dict[str, LockedAsset] = {}
    targets: set[tuple[str, str]] = set()
    for index, asset in enumerate(assets):
        other = seen.setdefault(asset.name, asset)
        if other.sha256 != asset.sha256:
            raise _MisfitError(
                f"{where}[{index}].sha256", f"{other.sha256}, as for the other asset of this name", asset.sha256
            )
        if (asset.name, asset.target) in targets:
            raise _MisfitError(f"{where}[{index}]", "each asset once for each target", f"{asset.name} twice")
        targets.add((asset.name, asset.target))


def _parse_asset(place: _Place) -> LockedAsset:
    fields = place.fields("name url size sha256 format target requires executables evidence unpacked_size")
    asset = LockedAsset(
        name=fields["name"].text(_FILE_NAME),
        url=_parse_url(fields["url"]),
        size=fields["size"].number(),
        sha256=fields["sha256"].text(_SHA256),
        format=fields["format"].one_of(FORMATS),
        target=fields["target"].text(_TARGET),
        requires=_parse_requirement(fields["requires"]),
        executables=fields["executables"].mapping(_parse_executable, least=1),
        evidence=fields["evidence"].items(_parse_evidence),
        unpacked_size=fields["unpacked_size"].number(),
    )
    _refuse_contradiction(fields["sha256"].where, asset)
    return asset


def _refuse_contradiction(where: str, asset: LockedAsset) -> None:
    digests = {"sha256": asset.sha256}
    for evidence in asset.evidence:
        if evidence.kind != "digest" and evidence.algorithm != "sha256":
            continue
        known = digests.setdefault(evidence.algorithm, evidence.value)
        if known != evidence.value:
            raise _MisfitError(where, f"{evidence.algorithm} {evidence.value}, as its evidence says", known)


def _parse_url(place: _Place) -> str:
    url = place.text(_URL)
    try:
        parts = urlsplit(url)
        is_right = parts.port != 0 and (":" not in (parts.hostname or "") or bool(IPv6Address(parts.hostname)))
    except ValueError:
        is_right = False
    if not is_right:
        raise _MisfitError(place.where, _URL.words, url)
    return url


def _parse_executable(place: _Place) -> Executable:
    fields = place.fields("path sha256 size")
    return Executable(fields["path"].text(_PATH), fields["sha256"].text(_SHA256), fields["size"].number())


def _parse_evidence(place: _Place) -> Evidence:
    fields = place.fields("kind algorithm value origin")
    kind = fields["kind"].text(_WORD)
    return Evidence(
        kind=kind,
        algorithm=fields["algorithm"].text(_WORD),
        value=fields["value"].text(_HEXADECIMAL if kind == "digest" else _LINE),
        origin=fields["origin"].text(),
    )


#: How each field of a Requirement is read.
_REQUIREMENT: dict[str, Callable[[_Place], Any]] = {
    "os": lambda place: place.one_of((*OPERATING_SYSTEMS, "any")),
    "arch": lambda place: place.one_of((*ARCHITECTURES, "any")),
    "abi": lambda place: place.text(_WORD),
    "libc": lambda place: place.one_of(LIBCS),
    "libc_min": lambda place: place.text(_DOTTED),
    "interpreter": _Place.text,
    "libraries": lambda place: tuple(sorted(place.items(_Place.text))),
    "cpu": lambda place: place.text(_WORD),
    "fpu": lambda place: place.one_of(("vfpd32", "neon")),
    "os_min": lambda place: place.text(_DOTTED),
    "versions": lambda place: tuple(sorted(place.mapping(lambda version: version.text(_DOTTED)).items())),
    "page_size": lambda place: place.number(least=1),
}


def _parse_requirement(place: _Place) -> Requirement:
    fields = place.fields("os arch", " ".join(_REQUIREMENT))
    return Requirement(**{key: _REQUIREMENT[key](field) for key, field in fields.items()})
