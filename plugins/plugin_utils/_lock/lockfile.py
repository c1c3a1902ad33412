# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exactly was pinned? The lock file: parsed strictly, emitted deterministically. Pure; runs on the controller.

Its schema is docs/schema/releases.lock.schema.json; a test shows that parse() accepts what the schema does, less what
contradicts itself. What a lock file says becomes paths on hosts and words in a shell: it is hostile until it is parsed.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shlex
from collections.abc import Callable, Mapping
from typing import Any

from ansible_collections.pinned.release.plugins.module_utils.archive import FORMATS
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.accepted import emit_accept, read_accept
from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import read_source
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Document, MisfitError, Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import read_evidence
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import emit_pins, read_pins
from ansible_collections.pinned.release.plugins.plugin_utils._values.json_text import read_json
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import (
    CATALOGUED,
    Alias,
    LockedAsset,
    LockedTool,
    LockFile,
    read_executable,
    read_files,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.package_url import read_purls
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import Policy, read_policy, read_require
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import conflict_line, shown
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import (
    ARCHITECTURES,
    LIBCS,
    OPERATING_SYSTEMS,
)

LOCK_VERSION = 1
REMAKE = "do not edit it by hand: restore it from version control, or delete it and lock again with pinned.release.lock"
#: For a lock that an older collection wrote. All that its publisher says of the pinned versions is looked up once more.
MAKE_ANEW = "make it anew with this version of the collection: rm {lockfile} && ansible-playbook pinned.release.lock"
#: The two commands that resolve a conflict in a lock file. Of what both sides locked, nothing is looked up again.
AFTER_CONFLICT = "git checkout --theirs -- {lockfile} && ansible-playbook pinned.release.lock"
#: What an asset's entry has only where there is something to say.
_OPTIONAL_OF_ASSET = "files looks_beside wrapped private_url"
#: It may be the manifest, which must not be deleted.
NAME_ANOTHER = "name the file that pinned.release.lock wrote; if this is it, restore it from version control"


def emit(lock: LockFile) -> str:
    """Return the text of *lock*: sorted keys, two-space indent, newline at the end; equal locks are equal bytes.

    Raises ReleaseError for a lock that parse() would refuse, because of what a publisher named a file for example.
    """
    document = {
        "lock_version": LOCK_VERSION,
        "platforms": sorted(lock.platforms),
        "tools": {name: _emit_tool(tool) for name, tool in lock.tools.items()},
        **({"policy": lock.policy.as_dict()} if lock.policy.as_dict() else {}),
        **({"confirmed": lock.confirmed} if lock.confirmed else {}),
    }
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=True) + "\n"
    try:
        _parse_document(_top(json.loads(text), "the lock file"))
    except MisfitError as misfit:
        raise ReleaseError(
            f"what was found cannot be pinned: {misfit.way}",
            expected=misfit.expected,
            found=misfit.found,
            fix="choose another version or asset of this tool in the manifest",
        ) from None
    return text


def parse(text: str, name: str = "the lock file") -> LockFile:
    """Return the lock that *text* is. Raises ReleaseError that names the place in *name* where it is not one."""
    try:
        document = read_json(text)
    except ValueError as error:
        raise _not_json(text, name, error) from error
    if not isinstance(document, dict) or "lock_version" not in document:
        raise ReleaseError(
            f"{name} is no lock file of pinned.release",
            expected="an object with lock_version, platforms and tools",
            found=shown(document),
            fix=NAME_ANOTHER,
        )
    version = document["lock_version"]
    if version != LOCK_VERSION or not isinstance(version, int) or isinstance(version, bool):
        raise ReleaseError(
            f"{name} has lock_version {shown(version)}",
            expected=f"lock_version {LOCK_VERSION}, which this version of pinned.release reads",
            fix=f"update the collection if the number is above {LOCK_VERSION}; else {REMAKE}",
        )
    top = _top(document, name)
    _refuse_without_question(top)
    return _parse_document(top)


def _top(document: object, name: str) -> Place:
    newer = f"update the collection if a newer one wrote the file; else {REMAKE}"
    return Place(document, Document(name, fix=REMAKE, fix_unknown_key=newer))


def _not_json(text: str, name: str, error: ValueError) -> ReleaseError:
    line = conflict_line(text)
    if line is not None:
        return ReleaseError(
            f"{name} holds a merge conflict, in line {line}",
            fix="if releases.yml has one, too, correct it first; then take the file of either side, and lock again:\n"
            + "    "
            + AFTER_CONFLICT.format(lockfile=shlex.quote(name)),
        )
    return ReleaseError(
        f"{name} is not JSON", expected="a file that pinned.release.lock wrote", found=str(error), fix=NAME_ANOTHER
    )


def _emit_tool(tool: LockedTool) -> dict[str, Any]:
    emitted = {"version": tool.version, "source": dict(tool.source), "assets": [_emit_asset(a) for a in tool.assets]}
    emitted["platforms"] = sorted(tool.platforms)
    aliases = [dataclasses.asdict(alias) for alias in tool.aliases]
    optional: dict[str, Any] = {"published": tool.published, "asset": tool.asset, "verify": emit_pins(tool.verify)}
    optional["executables"] = dict(tool.executables)
    optional["files"] = dict(tool.files)
    optional["constraint"] = tool.constraint
    optional["require"] = list(tool.require)
    optional["aliases"] = aliases
    optional["purpose"], optional["owner"] = tool.purpose, tool.owner
    optional["purl"] = list(tool.purls)
    optional["catalogue"] = list(tool.catalogued)
    optional["accept"] = emit_accept(tool.without_digest, tool.accepted)
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
    emitted["evidence"] = asset.evidence.as_dict()
    emitted["files"] = dict(asset.files)
    emitted["looks_beside"] = dict(asset.looks_beside)
    return {key: value for key, value in emitted.items() if value or key not in _OPTIONAL_OF_ASSET.split()}


def emit_requirement(requirement: Requirement) -> dict[str, Any]:
    """Return *requirement* as the lock file writes it: what it does not ask for is not written."""
    emitted = {key: value for key, value in dataclasses.asdict(requirement).items() if value}
    if requirement.libraries:
        emitted["libraries"] = sorted(requirement.libraries)
    if requirement.versions:
        emitted["versions"] = dict(requirement.versions)
    return emitted


def _parse_document(place: Place) -> LockFile:
    fields = place.fields("lock_version platforms tools", "policy confirmed")
    return LockFile(
        platforms=_parse_platforms(fields["platforms"]),
        tools=fields["tools"].mapping(_parse_tool),
        policy=read_policy(fields["policy"]) if "policy" in fields else Policy(),
        confirmed=fields["confirmed"].text(forms.DAY) if "confirmed" in fields else None,
    )


def _parse_platforms(place: Place) -> tuple[str, ...]:
    return place.items(lambda platform: platform.text(forms.PLATFORM))


def _parse_tool(place: Place) -> LockedTool:
    _refuse_without_question(place)
    optional = "published constraint asset executables files verify require accept aliases purpose owner purl"
    fields = place.fields("version source platforms assets digest", f"{optional} catalogue")
    assets = fields["assets"].items(_parse_asset, least=1)
    without_digest, accepted = read_accept(fields["accept"]) if "accept" in fields else ((), {})
    _refuse_two_of_a_name(fields["assets"], assets)
    tool = LockedTool(
        version=fields["version"].text(forms.VERSION),
        source=read_source(fields["source"]),
        assets=assets,
        published=fields["published"].text(forms.MOMENT) if "published" in fields else None,
        asset=fields["asset"].text() if "asset" in fields else None,
        executables=fields["executables"].mapping(Place.text, least=1) if "executables" in fields else {},
        files=read_files(fields["files"], Place.text) if "files" in fields else {},
        verify=read_pins(fields["verify"]) if "verify" in fields else {},
        without_digest=without_digest,
        require=read_require(fields["require"]) if "require" in fields else (),
        accepted=accepted,
        constraint=fields["constraint"].text() if "constraint" in fields else "",
        platforms=_parse_platforms(fields["platforms"]),
        aliases=_parse_aliases(fields["aliases"], assets) if "aliases" in fields else (),
        purpose=fields["purpose"].text(forms.REMARK) if "purpose" in fields else "",
        owner=fields["owner"].text(forms.REMARK) if "owner" in fields else "",
        purls=read_purls(fields["purl"]) if "purl" in fields else (),
        catalogued=_parse_catalogued(fields["catalogue"]) if "catalogue" in fields else (),
    )
    _refuse_edited(place, fields["digest"].text(forms.SHA256))
    return tool


def _parse_catalogued(place: Place) -> tuple[str, ...]:
    return tuple(sorted(place.items(lambda key: key.one_of(list(CATALOGUED)), least=1)))


def _refuse_without_question(place: Place) -> None:
    """A lock from before it remembered what it answers cannot tell whether the manifest asks otherwise now."""
    if isinstance(place.value, dict) and "platforms" not in place.value:
        fix = MAKE_ANEW.format(lockfile=shlex.quote(place.document.name))
        raise place.misfit("the key platforms", fix=fix)


def _refuse_edited(place: Place, digest: str) -> None:
    """Valid by itself, an edited entry would still put into receipts what nobody resolved, downloaded or read."""
    found = entry_digest(place.value)
    if found != digest:
        name = place.document.name
        restore = f"git checkout -- {shlex.quote(name)}"
        raise MisfitError(
            place.way,
            f"{name}: the entry of {place.step} was edited, or merged from two",
            None,
            None,
            f"correct the manifest instead, and restore the lock file before you lock again: {restore}",
        )


def _refuse_two_of_a_name(place: Place, assets: tuple[LockedAsset, ...]) -> None:
    """One asset may serve several targets (a universal program), each of them once, always with the same bytes."""
    seen: dict[str, LockedAsset] = {}
    targets: set[tuple[str, str]] = set()
    for index, asset in enumerate(assets):
        other = seen.setdefault(asset.name, asset)
        if other.sha256 != asset.sha256:
            raise place.at(index).at("sha256").misfit(f"{other.sha256}, as for the other asset of this name")
        if (asset.name, asset.target) in targets:
            raise place.at(index).misfit("each asset once for each target", f"{asset.name} twice")
        targets.add((asset.name, asset.target))


def _parse_asset(place: Place) -> LockedAsset:
    fields = place.fields(
        "name url size sha256 format target requires executables evidence unpacked_size tree_sha256",
        _OPTIONAL_OF_ASSET,
    )
    asset = LockedAsset(
        name=fields["name"].text(forms.FILE_NAME),
        url=fields["url"].url(forms.LOCKED_URL),
        size=fields["size"].number(),
        sha256=fields["sha256"].text(forms.SHA256),
        format=fields["format"].one_of(FORMATS),
        target=fields["target"].text(forms.TARGET),
        requires=_parse_requirement(fields["requires"]),
        executables=fields["executables"].mapping(read_executable, least=1),
        evidence=read_evidence(fields["evidence"]),
        unpacked_size=fields["unpacked_size"].number(),
        tree_sha256=fields["tree_sha256"].text(forms.SHA256),
        files=read_files(fields["files"], lambda path: path.text(forms.PATH)) if "files" in fields else {},
        looks_beside=fields["looks_beside"].mapping(Place.text, least=1) if "looks_beside" in fields else {},
        wrapped=_parse_wrapped(fields["wrapped"]) if "wrapped" in fields else (),
        private_url=fields["private_url"].url(forms.WEB_URL) if "private_url" in fields else "",
    )
    for name in sorted({*asset.looks_beside, *asset.wrapped} - set(asset.executables)):
        raise fields["executables"].misfit(f"{name} as well, which looks beside itself", shown(list(asset.executables)))
    _refuse_contradiction(fields["sha256"], asset)
    return asset


def _parse_aliases(place: Place, assets: tuple[LockedAsset, ...]) -> tuple[Alias, ...]:
    digests = {asset.name: (asset.sha256, asset.size) for asset in assets}
    aliases = place.items(_parse_alias, least=1)
    names: set[str] = set()
    for index, alias in enumerate(aliases):
        if alias.of not in digests:
            raise place.at(index).at("of").misfit("the name of an asset of the tool")
        of_name = digests.get(alias.name)
        if of_name is not None and (alias.of != alias.name or of_name != (alias.sha256, alias.size)):
            raise place.at(index).misfit("the asset itself where it has this name")
        if alias.name in names:
            raise place.at(index).at("name").misfit("each name once")
        names.add(alias.name)
    return aliases


def _parse_alias(place: Place) -> Alias:
    fields = place.fields("asset name of sha256 size")
    return Alias(
        asset=fields["asset"].text(),
        name=fields["name"].text(forms.FILE_NAME),
        of=fields["of"].text(forms.FILE_NAME),
        sha256=fields["sha256"].text(forms.SHA256),
        size=fields["size"].number(),
    )


def _parse_wrapped(place: Place) -> tuple[str, ...]:
    return tuple(sorted(place.items(lambda name: name.text(forms.NAME), least=1)))


def _refuse_contradiction(place: Place, asset: LockedAsset) -> None:
    said = [(claim.algorithm, claim.value) for claim in asset.evidence.claims]
    said += [("sha256", proof.sha256) for proof in asset.evidence.proofs if proof.file == asset.name]
    digests = {"sha256": asset.sha256}
    for algorithm, value in said:
        known = digests.setdefault(algorithm, value)
        if known != value:
            raise place.misfit(f"{algorithm} {value}, as its evidence says", shown(known))


#: How each field of a Requirement is read.
_REQUIREMENT: dict[str, Callable[[Place], Any]] = {
    "os": lambda place: place.one_of((*OPERATING_SYSTEMS, "any")),
    "arch": lambda place: place.one_of((*ARCHITECTURES, "any")),
    "abi": lambda place: place.text(forms.WORD),
    "libc": lambda place: place.one_of(LIBCS),
    "libc_min": lambda place: place.text(forms.DOTTED),
    "interpreter": Place.text,
    "more_interpreters": lambda place: tuple(sorted(place.items(Place.text))),
    "libraries": lambda place: tuple(sorted(place.items(Place.text))),
    "cpu": lambda place: place.text(forms.WORD),
    "fpu": lambda place: place.one_of(("vfpd32", "neon")),
    "os_min": lambda place: place.text(forms.DOTTED),
    "versions": lambda place: tuple(sorted(place.mapping(lambda version: version.text(forms.DOTTED)).items())),
    "page_size": lambda place: place.number(least=1),
}


def _parse_requirement(place: Place) -> Requirement:
    fields = place.fields("os arch", " ".join(_REQUIREMENT))
    return Requirement(**{key: _REQUIREMENT[key](field) for key, field in fields.items()})
