# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Does the lock file answer what the manifest asks now, and if not, what differs? Pure; runs on the controller.

The lock file remembers what it was asked, so neither the network nor an asset is needed to tell.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import Alias, LockedTool, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import Policy

if TYPE_CHECKING:
    # Whoever only has a value of these must not wait for the libraries that their module brings.
    from ansible_collections.pinned.release.plugins.plugin_utils._lock.manifest import Manifest, WantedTool

#: What decides a tool's entry: the field of WantedTool and LockedTool, and the key in a manifest.
FIELDS = {
    "source": "source",
    "constraint": "version",
    "asset": "asset",
    "executables": "executables",
    "files": "files",
    "platforms": "platforms",
    "verify": "verify",
    "without_digest": "accept.without_digest",
    "require": "require",
    "accepted": "accept",
    "aliases": "aliases",
    "purpose": "purpose",
    "owner": "owner",
    "purls": "purl",
    "catalogued": "keys of the catalogue",
}
NOTHING = "nothing"
#: What may be a user and password in an address, whatever is in them.
_PASSWORD = re.compile(r"(?<=:)//.*@", re.DOTALL)


@dataclass(frozen=True)
class Difference:
    """What the manifest asks and the lock file does not answer.

    subject  a tool, or ``policy`` or ``platforms``, which hold for all
    asked    what the manifest says, such as ``version ==0.10.*``, and *locked*, what the lock file was made for
    """

    subject: str
    asked: str
    locked: str


def differences(lock: LockFile, manifest: Manifest) -> tuple[Difference, ...]:
    """Return all that keeps *lock* from being what pinned.release.lock would leave as it is for *manifest*."""
    return (*_of_all(lock, manifest), *_of_tools(lock, manifest))


def changes(before: LockedTool | WantedTool, now: LockedTool | WantedTool) -> dict[str, tuple[str, str]]:
    """Return which of FIELDS are asked otherwise *now* than they were *before*: both in words, now and before."""
    return {
        field: (_said(_asked(now, field)), _said(_asked(before, field)))
        for field in FIELDS
        if _asked(now, field) != _asked(before, field)
    }


def question(tool: LockedTool) -> dict[str, str]:
    """Return what the manifest asked of a locked *tool*: its key there → what it said, in words, where it said any."""
    return {key: _said(_asked(tool, field)) for field, key in FIELDS.items() if _asked(tool, field)}


def policy_words(policy: Policy) -> str:
    """Return what the *policy* demands, on one line; "" where that is the default."""
    return _said(policy.as_dict()) if policy.as_dict() else ""


def policy_notes(lock: LockFile, manifest: Manifest) -> Iterator[str]:
    """Yield a line if the *manifest* has another policy than the one that the *lock* was made under."""
    if lock.policy != manifest.policy:
        now, before = _said(manifest.policy.as_dict()), _said(lock.policy.as_dict())
        yield f"policy: is now {now} instead of {before}"


def platforms_of(manifest: Manifest) -> tuple[str, ...]:
    """Return every platform that a tool of the *manifest* is to serve, sorted."""
    return tuple(sorted({str(platform) for wanted in manifest.tools.values() for platform in wanted.platforms}))


def _of_all(lock: LockFile, manifest: Manifest) -> Iterator[Difference]:
    if lock.policy != manifest.policy:
        yield Difference("policy", _said(manifest.policy.as_dict()), _said(lock.policy.as_dict()))
    if tuple(sorted(lock.platforms)) != platforms_of(manifest):
        yield Difference("platforms", _said(platforms_of(manifest)), _said(sorted(lock.platforms)))


def _of_tools(lock: LockFile, manifest: Manifest) -> Iterator[Difference]:
    for name in sorted({*lock.tools, *manifest.tools}):
        if name not in lock.tools:
            yield Difference(name, f"version {_said(_asked(manifest.tools[name], 'constraint'))}", NOTHING)
        elif name not in manifest.tools:
            yield Difference(name, NOTHING, f"version {lock.tools[name].version}")
        else:
            yield from _of_tool(name, lock.tools[name], manifest.tools[name])


def _of_tool(name: str, locked: LockedTool, wanted: WantedTool) -> Iterator[Difference]:
    changed = changes(locked, wanted)
    for field, (now, before) in changed.items():
        yield Difference(name, f"{FIELDS[field]} {now}", f"{FIELDS[field]} {before}")
    if "constraint" not in changed and not wanted.allows(locked.version):
        yield Difference(name, f"version {versions_said(wanted.constraint)}", f"version {locked.version}")


def versions_said(constraint: str) -> str:
    """Return which versions a *constraint* allows, as manifests say it: ``0.9.*`` for ``==0.9.*``."""
    alone = constraint.removeprefix("==")
    return (constraint if "," in constraint else alone) or "any"


def _asked(one: LockedTool | WantedTool, field: str) -> object:
    value = getattr(one, field)
    if field == "platforms":
        return sorted(map(str, value))
    if field == "constraint":
        return versions_said(value)
    if field == "aliases":
        return tuple(one.asset if isinstance(one, Alias) else one for one in value)
    return dict(value) if isinstance(value, Mapping) else value


def _said(value: object) -> str:
    """Return *value* as a manifest says it, near enough, on one line and without passwords."""
    if not value:
        return NOTHING
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {_said(part)}' for key, part in value.items())}}}"
    if isinstance(value, (list, tuple)):
        return f"[{', '.join(map(_said, value))}]"
    return _PASSWORD.sub("//…@", str(value))
