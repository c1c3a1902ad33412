# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must be done so that a folder is the mirror of its lock files? Wanted + record + what is there → plan. Pure."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._mirror import listings
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.addresses import INDEX
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import Entry, File
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

#: In this order files are written: nothing names what is not there yet.
_ORDER = ("asset", "blob", "alias", "evidence", "sums", "lock")
#: What is on disk at a path: SHA-256 and size.
Found = tuple[str, int]


@dataclass(frozen=True)
class Plan:
    """What a run does.

    files     all files of the mirror afterwards, without PULP_MANIFEST
    made      the text of those that list others, PULP_MANIFEST included
    interim   the text of PULP_MANIFEST while files that it names are replaced; None where none is
    withdraw  the sums files to remove before that, since they name bytes that are replaced
    write     the paths to write, in this order
    remove    the paths to remove, after that
    damaged   of these, the ones that nothing names any more, and that are not what they were
    foreign   what lies there and no run wrote
    before    the text of PULP_MANIFEST as it is; *after*, as it will be
    """

    files: Mapping[str, Entry]
    made: Mapping[str, bytes]
    interim: str | None
    withdraw: tuple[str, ...]
    write: tuple[str, ...]
    remove: tuple[str, ...]
    damaged: tuple[str, ...]
    foreign: tuple[str, ...]
    before: str
    after: str

    @property
    def is_changed(self) -> bool:
        """Whether anything is written or removed."""
        return bool(self.write or self.remove)

    @property
    def written_bytes(self) -> int:
        """How many bytes are written."""
        return sum(self.files[path].size if path in self.files else len(self.made[path]) for path in self.write)


def plan(
    wanted: Mapping[str, File],
    recorded: Mapping[str, Entry],
    found: Mapping[str, Found],
    index: str | None,
    *,
    prune: bool,
) -> Plan:
    """Return what to do so that there are the *wanted* files, and with *prune* no others that earlier runs *recorded*.

    *found* is what is on disk: of files that are wanted or recorded, and "" with size 0 for others. *index* is the text
    of PULP_MANIFEST there. Raises ReleaseError where a file that no run wrote is in the way.
    """
    unnamed = {
        path: entry for path, entry in recorded.items() if path not in wanted and entry.kind != "sums" and not prune
    }
    whole = {path: entry for path, entry in unnamed.items() if found.get(path) == (entry.sha256, entry.size)}
    content = {**whole, **{path: file.entry for path, file in wanted.items()}}
    sums = listings.sums_files(content)
    files = {**content, **{path: _entry(text) for path, text in sums.items()}}
    after = listings.pulp_manifest(files)
    lacking = {path for path, entry in files.items() if found.get(path) != (entry.sha256, entry.size)}
    _refuse_foreign([path for path in lacking if path in found and path not in recorded])
    if index is not None and not recorded and index != after:
        _refuse_foreign([INDEX])
    write = sorted(lacking, key=lambda path: (_ORDER.index(files[path].kind), path))
    left = {path: entry for path, entry in files.items() if path not in lacking}
    return Plan(
        files=files,
        made={**sums, INDEX: after.encode()},
        interim=listings.pulp_manifest(left) if index is not None and set(write) & found.keys() else None,
        withdraw=_withdrawn(files, [path for path in write if path in found]),
        write=(*write, *([INDEX] if index != after else ())),
        remove=_removed(recorded, files, found),
        damaged=tuple(sorted((unnamed.keys() - whole.keys()) & found.keys())),
        foreign=_foreign(found, files, recorded),
        before=index or "",
        after=after,
    )


def _withdrawn(files: Mapping[str, Entry], replaced: Collection[str]) -> tuple[str, ...]:
    """Return the sums files among those *replaced* in whose folders other files are replaced as well.

    Between the two, readers find no sums rather than wrong ones.
    """
    folders = {posixpath.dirname(path) for path in replaced if files[path].kind != "sums"}
    sums = (path for path in replaced if files[path].kind == "sums")
    return tuple(sorted(path for path in sums if posixpath.dirname(path) in folders))


def _removed(recorded: Mapping[str, Entry], files: Mapping[str, Entry], found: Mapping[str, Found]) -> tuple[str, ...]:
    """Return what is to be removed. What names others goes before what it names."""
    paths = (recorded.keys() - files.keys()) & found.keys()
    return tuple(sorted(paths, key=lambda path: (-_ORDER.index(recorded[path].kind), path)))


def _foreign(found: Collection[str], files: Collection[str], recorded: Collection[str]) -> tuple[str, ...]:
    return tuple(sorted(path for path in found if path not in files and path not in recorded and path != INDEX))


def _entry(text: bytes) -> Entry:
    return Entry("sums", hashlib.sha256(text).hexdigest(), len(text))


def _refuse_foreign(paths: Collection[str]) -> None:
    if paths:
        raise ReleaseError(
            "files that no run of mirror wrote are in its way",
            found=listed(sorted(paths)),
            fix="move them away, or name another folder in the option dest; whoever copies a mirror to continue it "
            "elsewhere copies the folder .pinned.release with it",
        )
