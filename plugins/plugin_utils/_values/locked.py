# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What exactly was pinned? The value types of the lock file. Pure; controller."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.names import nested
from ansible_collections.pinned.release.plugins.plugin_utils._values import forms
from ansible_collections.pinned.release.plugins.plugin_utils._values.declared_source import DeclaredSource
from ansible_collections.pinned.release.plugins.plugin_utils._values.document import Place
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Evidence
from ansible_collections.pinned.release.plugins.plugin_utils._values.identity import Pins
from ansible_collections.pinned.release.plugins.plugin_utils._values.nearest import nearest
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import Policy
from ansible_collections.pinned.release.plugins.plugin_utils._values.release import Asset
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import shown

#: What a relative path of the controller follows in a lock file, in place of an absolute address.
LOCAL = "file:"
#: The keys of a tool in a manifest that a catalogue may have in its place → the fields that hold what they say.
CATALOGUED = {
    "source": "source",
    "asset": "asset",
    "executables": "executables",
    "files": "files",
    "verify": "verify",
    "require": "require",
    "purl": "purls",
}


@dataclass(frozen=True)
class Executable:
    """One program of an asset: its path inside, the digest of its own bytes, its size in bytes."""

    path: str
    sha256: str
    size: int


def read_executable(place: Place) -> Executable:
    """Return the program that *place* tells of, in a lock file or receipt. Raises MisfitError for any other form."""
    fields = place.fields("path sha256 size")
    return Executable(fields["path"].text(forms.PATH), fields["sha256"].text(forms.SHA256), fields["size"].number())


def read_files(place: Place, read: Callable[[Place], str], example: str | None = None) -> dict[str, str]:
    """Return the files to link, as *place* tells of them in a manifest, lock file or receipt: path → what *read* says.

    Raises MisfitError, with an *example* for people, also where one file would stand in the place of another's folder.
    """
    files = place.mapping(read, least=1, expected=example, keys=forms.LINKED_FILE)
    folder = nested(files)
    if folder:
        raise place.at(folder).misfit("a path that no other file goes through as through a folder", folder)
    return files


@dataclass(frozen=True)
class LockedAsset:
    """One asset as pinned. Fields as in the lock file.

    files           what else is linked: path below the folder that bin_dir lies in → path inside
    unpacked_size   the sum of its files, in bytes
    tree_sha256     the digest of the listing of what it becomes on a host (module_utils/tree_listing.py)
    looks_beside    the programs that look for other files beside themselves, each with the words that tell so
    wrapped         those of them that would not find them through a link
    private_url     where the controller reads it with its credentials, "" where anybody may: hosts have none
    """

    name: str
    url: str
    size: int
    sha256: str
    format: str
    target: str
    requires: Requirement
    executables: Mapping[str, Executable]
    evidence: Evidence
    unpacked_size: int
    tree_sha256: str
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    looks_beside: Mapping[str, str] = dataclasses.field(default_factory=dict)
    wrapped: tuple[str, ...] = ()
    private_url: str = ""

    @property
    def links(self) -> tuple[str, ...]:
        """The names of all its links outside of root: programs, and paths below the folder that bin_dir lies in."""
        return tuple(sorted({*self.executables, *self.files}))


@dataclass(frozen=True)
class Alias:
    """A name under which a mirror publishes one of a tool's assets, because consumers know no other.

    asset   what the manifest asked: the name, with ``{version}`` where the version stands
    name    what that is in this version
    of      the name of the asset that it is a copy of; *name* itself while the publisher still has it
    sha256, size  of the copy: names inside of it follow its own
    """

    asset: str
    name: str
    of: str
    sha256: str
    size: int


def found_at(url: str, folder: Path) -> str:
    """Return the *url* of a lock file in *folder*, which is absolute, with that folder before a relative path.

    Each ``..`` takes a name away, whatever that leads to: so the path was made, and so it is the same in all rings.
    """
    is_relative = url.startswith(LOCAL) and not url.startswith(f"{LOCAL}/")
    return Path(os.path.normpath(folder / unquote(url[len(LOCAL) :]))).as_uri() if is_relative else url


def to_fetch(locked: LockedAsset) -> Asset:
    """Return what is asked for: the pinned bytes, of a private asset where they are served with credentials."""
    private = locked.private_url if locked.private_url not in ("", locked.url) else None
    return Asset(locked.name, locked.url, locked.size, {"sha256": locked.sha256}, api_url=private)


@dataclass(frozen=True)
class LockedTool:
    """One tool as pinned: the version, and every asset that may serve a platform.

    *source*, *constraint*, *asset*, *executables*, *files*, *platforms*, *verify*, *require*, *without_digest*,
    *accepted* and *purls* are what the manifest asked for, as is the *asset* of each of the *aliases*: with another
    question, there is another answer. *purpose* and *owner* are what it says of the tool for people, ""
    where it says nothing. *catalogued* names the keys of which the catalogue said that, and not the manifest itself.
    """

    version: str
    source: DeclaredSource
    assets: tuple[LockedAsset, ...]
    published: str | None = None
    asset: str | None = None
    executables: Mapping[str, str] = dataclasses.field(default_factory=dict)
    files: Mapping[str, str] = dataclasses.field(default_factory=dict)
    verify: Pins = dataclasses.field(default_factory=dict)
    without_digest: tuple[str, ...] = ()
    require: tuple[str, ...] = ()
    accepted: Mapping[str, tuple[str, ...]] = dataclasses.field(default_factory=dict)
    constraint: str = ""
    platforms: tuple[str, ...] = ()
    aliases: tuple[Alias, ...] = ()
    purpose: str = ""
    owner: str = ""
    purls: tuple[str, ...] = ()
    catalogued: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Put the assets in order, so that equal tools are equal whatever was downloaded first."""
        ordered = sorted(self.assets, key=lambda asset: (asset.target, asset.name, asset.sha256))
        object.__setattr__(self, "assets", tuple(ordered))

    def tree_of(self, asset: LockedAsset) -> str:
        """Return the name of the tree that *asset*, one of its own, becomes on a host."""
        return f"{self.version}-{asset.sha256[:12]}"

    @cached_property
    def assets_sha256(self) -> str:
        """The SHA-256 of all that is pinned of the assets, as Python writes it: several times as fast as JSON."""
        return hashlib.sha256(repr(self.assets).encode()).hexdigest()


@dataclass(frozen=True)
class LockFile:
    """All that a fleet was pinned to, and the policy that all of it was held to.

    *confirmed* is the day on which it was made or confirmed, ``2026-01-31`` in UTC; None where the policy does not ask.
    """

    platforms: tuple[str, ...] = ()
    tools: Mapping[str, LockedTool] = dataclasses.field(default_factory=dict)
    policy: Policy = dataclasses.field(default_factory=Policy)
    confirmed: str | None = None


def no_such_tool(lock: LockFile, names: Iterable[str]) -> ReleaseError:
    """Return the error that *lock* has no tools with these *names*. One that is a program's says whose."""
    told, fixes = [], []
    is_meant = True
    for name in sorted(names):
        owner = _owner(lock, name)
        near = None if owner else nearest(name, lock.tools)
        meant = f", did you mean {near}?" if near else ""
        named = name if forms.NAME.pattern.match(name) else shown(name)
        told.append(f"{named}, which is a program of {owner}" if owner else f"{named}{meant}")
        is_meant = is_meant and bool(owner or near)
        fixes += [f"name the tool: {owner} in place of {name}"] if owner else []
    return ReleaseError(
        f"the lock file has no tool named {'; '.join(told)}",
        expected=None if is_meant else f"one of {', '.join(sorted(lock.tools)) or 'none: it is empty'}",
        fix="; ".join(fixes) or "correct the name, or add the tool to the manifest and lock again",
    )


def _owner(lock: LockFile, program: str) -> str | None:
    """Return the tool that has the *program* on some platform, None if none has it."""
    return next(
        (name for name, tool in lock.tools.items() for asset in tool.assets if program in asset.executables), None
    )
