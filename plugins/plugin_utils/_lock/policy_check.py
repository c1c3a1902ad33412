# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does what is pinned satisfy its policy? Pure; runs on the controller, when it is locked and on every rollout.

Sources and hosts are looked at before anybody is asked, evidence and sizes again when all of it is known. A rollout
has the lock file alone: that holds the policy, and all that the policy is about.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import DeclaredSource, sources_in
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockedTool, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import (
    DIGEST,
    PROOF,
    Policy,
    duration_text,
    size_text,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from ansible_collections.pinned.release.plugins.plugin_utils._values.source_name import source_name
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed, shown

if TYPE_CHECKING:
    # A rollout must not wait for the libraries that its module brings.
    from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import WantedTool

#: Of violations, so many are shown.
MOST_SHOWN = 10
#: The clock of whoever locks may be ahead of ours by so much.
CLOCKS_DIFFER = timedelta(days=1)
#: Of the time for which a lock file is valid, so much may pass before ``lock`` confirms it anew.
CONFIRMED_AFTER = 0.25


@dataclass(frozen=True)
class Violation:
    """What does not satisfy the policy.

    subject  the tool, or "" for the whole lock file
    what     it is about: ``source``, ``host``, ``size``, ``evidence``, ``age``, ``valid_for``
    """

    subject: str
    what: str
    expected: str
    found: str


def of_lock(lock: LockFile, now: datetime) -> tuple[Violation, ...]:
    """Return how *lock* violates the policy that it holds, at *now*."""
    of_tools = (one for name, tool in sorted(lock.tools.items()) for one in of_tool(lock.policy, name, tool, now))
    return (*_of_validity(lock, now), *of_tools)


def of_tool(policy: Policy, name: str, tool: LockedTool, now: datetime) -> tuple[Violation, ...]:
    """Return how the locked *tool* of this *name* violates *policy* at *now*."""
    found = [*of_source(policy, name, tool.source), *_of_age(policy, name, tool, now)]
    required = {*policy.require, *tool.require}
    for asset in tool.assets:
        found += of_asset(policy, name, asset)
        if asset.unpacked_size > policy.maximum_unpacked_bytes:
            size = f"{asset.name} unpacks to {asset.unpacked_size} bytes"
            found.append(Violation(name, "size", f"at most {size_text(policy.maximum_unpacked_bytes)}", size))
        kinds = kinds_of(asset) | ({DIGEST} if is_accepted(tool.without_digest, tool.version, asset.name) else set())
        found += of_evidence(name, asset.name, required, kinds)
    return tuple(dict.fromkeys(found))


def kinds_of(asset: LockedAsset) -> set[str]:
    """Return the kinds of evidence that *asset* has, in the words of ``require``."""
    kinds = {proof.kind for proof in asset.evidence.proofs}
    return kinds | ({PROOF} if kinds else set()) | ({DIGEST} if asset.evidence.by_publisher else set())


def is_accepted(without_digest: Collection[str], version: str, asset: str) -> bool:
    """Return whether one of the patterns *without_digest* is about the *asset* of the *version*."""
    if not without_digest:
        return False
    # It brings the words of all names, which no rollout waits for that needs no pattern.
    from ansible_collections.pinned.release.plugins.plugin_utils._naming.asset_pattern import names_by

    return any(names_by(pattern, version).match(asset) for pattern in without_digest)


def of_source(policy: Policy, name: str, source: DeclaredSource) -> Iterator[Violation]:
    """Yield how the *source* of the tool *name*, or the one that lists its versions, violates *policy*."""
    for one in sources_in(source):
        known = source_name(one)
        if policy.sources and not (known and any(_is_source(known, one, pattern) for pattern in policy.sources)):
            found = shown(known)[1:-1] if known else f"a source of no certain kind: {shown(dict(one))}"
            yield Violation(name, "source", f"one of {listed(policy.sources)}", found)


def of_asset(policy: Policy, name: str, asset: LockedAsset) -> Iterator[Violation]:
    """Yield how the address and the size of an *asset* of the tool *name* violate *policy*."""
    yield from of_address(policy, name, asset.url)
    yield from _of_size(policy, name, asset.name, asset.size)


def of_address(policy: Policy, name: str, url: str) -> Iterator[Violation]:
    """Yield how the address *url* of an asset violates *policy*. A file on the controller has no host."""
    if not policy.hosts or url.startswith("file:"):
        return
    host = _host_of(url)
    if not any(_is_host(host, pattern) for pattern in policy.hosts):
        yield Violation(name, "host", f"one of {listed(policy.hosts)}", host or shown(url))


def of_evidence(name: str, asset: str, required: Collection[str], kinds: Collection[str]) -> Iterator[Violation]:
    """Yield which of the *required* kinds of evidence an *asset* of the tool *name* does not have among *kinds*."""
    missing = sorted(set(required) - set(kinds))
    if missing:
        found = f"{asset} has {' and '.join(sorted(kinds)) or 'none'}"
        yield Violation(name, "evidence", " and ".join(missing), found)


def confirmed_on(policy: Policy, before: LockFile, now: datetime) -> str | None:
    """Return the day that a lock file of *now* says it was confirmed on; None where *policy* does not ask.

    It is that of the lock file *before* until a quarter of the time is over, so that a lock with nothing new changes
    nothing. It depends on nothing but these, so all controllers write the same on one day.
    """
    if policy.valid_for is None:
        return None
    confirmed, today = _day(before.confirmed), now.date()
    if confirmed and timedelta(0) <= today - confirmed <= policy.valid_for * CONFIRMED_AFTER:
        return before.confirmed
    return today.isoformat()


def confirmation_notes(policy: Policy, before: LockFile, confirmed: str | None) -> tuple[str, ...]:
    """Return a line if a lock file that was confirmed *before* is now *confirmed* on another day."""
    if policy.valid_for is None or confirmed is None or before.confirmed in (None, confirmed):
        return ()
    until = date.fromisoformat(confirmed) + policy.valid_for
    return (f"confirmed: on {confirmed} instead of {before.confirmed}, valid until {until}",)


def refuse_source(policy: Policy, name: str, source: DeclaredSource) -> None:
    """Raise ReleaseError if the *policy* does not allow the *source* of the tool *name*. Nobody was asked yet."""
    refuse(tuple(of_source(policy, name, source)), "the manifest", f"change policy.sources, or tools.{name}.source")


def refuse_asset(policy: Policy, name: str, asset: Asset) -> None:
    """Raise ReleaseError if the *policy* does not allow an *asset* of the tool *name*, as its publisher lists it."""
    found = [*of_address(policy, name, asset.url), *_of_size(policy, name, asset.name, asset.size or 0)]
    refuse(found, f"{asset.name} of {name}", "change the policy in the manifest, or allow another version of the tool")


def refuse_without_digest(policy: Policy, wanted: WantedTool, version: str, stated: Mapping[str, bool]) -> None:
    """Raise ReleaseError if digests are required, and the publisher has none of an asset. Nothing was downloaded yet.

    *stated* tells of each asset of the *version* whether there is a digest of it.
    """
    required = {DIGEST} & {*policy.require, *wanted.require}
    without = [
        name for name, has in stated.items() if not has and not is_accepted(wanted.without_digest, version, name)
    ]
    found = [one for name in without for one in of_evidence(wanted.name, name, required, ())]
    names = json.dumps(without, ensure_ascii=False)
    fix = f"to pin them as they are downloaded, write into tools.{wanted.name}: accept: {{without_digest: {names}}}"
    refuse(found, f"{wanted.name} {version}", fix)


def refuse_tool(policy: Policy, name: str, tool: LockedTool, now: datetime) -> None:
    """Raise ReleaseError if the *tool* that was locked now under this *name* violates the *policy*."""
    fix = "change the policy in the manifest, pin a proof with verify, or allow another version of the tool"
    refuse(of_tool(policy, name, tool, now), f"{name} {tool.version}", fix)


def refuse(violations: Collection[Violation], where: str, fix: str) -> None:
    """Raise ReleaseError if there are *violations* of a policy in what is pinned *where*. *fix* says what to do."""
    if not violations:
        return
    demands = ((one.subject, f"{one.what} {one.expected}" if one.subject else one.expected) for one in violations)
    raise ReleaseError(
        f"{where} does not satisfy the policy",
        expected=_told(demands),
        found=_told((one.subject, one.found) for one in violations),
        fix=fix,
    )


def refuse_lock(lock: LockFile, path: Path, now: datetime) -> None:
    """Raise ReleaseError if the *lock* that stands in *path* violates the policy that it holds, at *now*."""
    violations = of_lock(lock, now)
    subjects = listed(dict.fromkeys(filter(None, (one.subject for one in violations))), MOST_SHOWN)
    fix = "lock again with pinned.release.lock, and commit the lock file"
    refuse(violations, f"{path}: {subjects}" if subjects else str(path), fix)


def _told(texts: Iterator[tuple[str, str]]) -> str:
    """Return each text once, with its subject."""
    lines = list(dict.fromkeys(f"{subject}: {text}" if subject else text for subject, text in texts))
    more = [f"and {len(lines) - MOST_SHOWN} more"] if len(lines) > MOST_SHOWN else []
    return "; ".join(lines[:MOST_SHOWN] + more)


def _of_validity(lock: LockFile, now: datetime) -> Iterator[Violation]:
    valid_for = lock.policy.valid_for
    if valid_for is None:
        return
    confirmed = _day(lock.confirmed)
    expected = f"confirmed within {duration_text(valid_for)} before {now.date()}, as policy.valid_for demands"
    if confirmed is None:
        yield Violation("", "valid_for", expected, "no day on which it was confirmed")
    elif not -CLOCKS_DIFFER <= now.date() - confirmed <= valid_for:
        yield Violation("", "valid_for", expected, f"confirmed on {confirmed}")


def _of_age(policy: Policy, name: str, tool: LockedTool, now: datetime) -> Iterator[Violation]:
    if not policy.minimum_age:
        return
    age = f"at least {duration_text(policy.minimum_age)}"
    published = _moment(tool.published)
    if published is None:
        yield Violation(name, "age", age, f"{tool.version}, of unknown age")
    elif now - published < policy.minimum_age:
        yield Violation(name, "age", age, f"{tool.version}, published {tool.published}")


def _of_size(policy: Policy, name: str, asset: str, size: int) -> Iterator[Violation]:
    if policy.maximum_bytes is not None and size > policy.maximum_bytes:
        yield Violation(name, "size", f"at most {size_text(policy.maximum_bytes)}", f"{asset} has {size} bytes")


def _is_source(known: str, source: DeclaredSource, pattern: str) -> bool:
    """Return whether a *pattern* of the policy is about a *source* of the name *known*.

    A kind alone stands for its usual server: of one that a source names, a pattern must say so, too. A step upwards
    would lead out of the folder that a pattern names.
    """
    kind, _colon, name = known.partition(":")
    if ":" not in pattern:
        return kind == pattern and name == source[kind]
    return ".." not in re.split(r"[/\\]", unquote(name)) and fnmatchcase(known, pattern)


def _host_of(url: str) -> str:
    """Return the host of an address, "" where there is none."""
    try:
        return (urlsplit(url).hostname or "").rstrip(".")
    except ValueError:
        return ""


def _is_host(host: str, pattern: str) -> bool:
    return host.endswith(pattern[1:]) if pattern.startswith("*.") else host == pattern


def _day(text: str | None) -> date | None:
    """Return the day that *text* is; None for none, and for one that no calendar has."""
    try:
        return date.fromisoformat(text) if text else None
    except ValueError:
        return None


def _moment(text: str | None) -> datetime | None:
    """Return the moment that *text* is; None for none, and for one that no calendar or clock has."""
    try:
        return datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None
    except ValueError:
        return None
