# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files does a mirror have for its lock files? Pure; runs on the controller.

Each asset lies under its address. Where that is not the address of a release on a forge, or no static server can serve
it, the asset also lies in ``releases/TOOL/VERSION/NAME``. Lock files lie in ``locks/``, with their evidence and
signatures beside them as they were made; signatures whose published names are known lie beside the assets, too.
"""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.names import nested
from ansible_collections.pinned.release.plugins.plugin_utils._lock.components_file import path_beside
from ansible_collections.pinned.release.plugins.plugin_utils._lock.evidence_folder import EvidenceFolder
from ansible_collections.pinned.release.plugins.plugin_utils._mirror import addresses
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import (
    AssetOrigin,
    Entry,
    File,
    GivenLock,
    Kind,
)
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.listings import SIDECAR, SUMS
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.redaction import redacted
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import Proof
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset


@dataclass(frozen=True)
class Publication:
    """The files that a mirror is to have, by their paths, and what people are told about them."""

    files: Mapping[str, File]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Named:
    """A file of a release: its address, where its bytes come from, and the proofs of it.

    url    empty where it has no address
    place  the path of its address; None if no static server can serve that
    """

    origin: AssetOrigin
    name: str
    url: str
    entry: Entry
    place: str | None
    proofs: tuple[Proof, ...] = ()
    evidence: Mapping[str, bytes] = field(default_factory=dict)


def publication(locks: Sequence[GivenLock]) -> Publication:
    """Return what a mirror has for *locks*.

    Raises ReleaseError where there are none, and where two of them pin other bytes at one address, or have one name.
    """
    refuse_none(locks)
    named = [one for lock in locks for one in _of_lock(lock)]
    served, notes = _served(named)
    files: dict[str, File] = {}
    for one in named:
        for place, kind in _places(one, served):
            _add(files, place, File(replace(one.entry, kind=kind), one.origin))
    for one in named:
        for place, kind in _places(one, served):
            if kind != "blob":
                _add_evidence(files, posixpath.dirname(place), one)
    for lock in locks:
        for name, content in beside_lock(lock).items():
            _add(files, f"{addresses.LOCKS}/{name}", File(_entry("lock", content), content))
    return Publication(files, (*notes, *_published(named), *dict.fromkeys(_unlisted(named, served, files))))


def refuse_none(locks: Sequence[GivenLock]) -> None:
    """Raise ReleaseError where no lock file is given: a list that came out empty would empty the mirror with prune."""
    if not locks:
        raise ReleaseError(
            "lockfile names no lock file",
            expected="one at least",
            found="an empty list",
            fix="see where the list comes from; to remove a mirror, remove its folder",
        )


def _of_lock(lock: GivenLock) -> Iterator[_Named]:
    """Yield each file of a release in *lock* once: an asset for several targets is one file."""
    for name, tool in lock.lock.tools.items():
        assets = {asset.name: asset for asset in tool.assets}
        for asset in assets.values():
            entry = Entry("asset", asset.sha256, asset.size)
            origin = AssetOrigin(lock.path, name, tool, asset)
            place = addresses.place_of(asset.url)
            yield _Named(origin, asset.name, asset.url, entry, place, asset.evidence.proofs, lock.evidence)
        for alias in tool.aliases:
            if alias.of == alias.name:
                continue
            asset = assets[alias.of]
            entry = Entry("alias", alias.sha256, alias.size)
            # The address of a blob in a registry does not end in its name: nobody knows one for a copy of it.
            has_own_name = addresses.name_in(asset.url) == asset.name
            url = addresses.beside(asset.url, alias.name) if has_own_name else ""
            place = addresses.place_of(url)
            yield _Named(AssetOrigin(lock.path, name, tool, asset, alias), alias.name, url, entry, place)


def _served(named: Sequence[_Named]) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the paths of addresses at which each has one content, and what to tell of the others."""
    of_place: dict[str, list[_Named]] = {}
    for one in named:
        if one.place is not None:
            of_place.setdefault(one.place, []).append(one)
    notes = {}
    for place, several in of_place.items():
        if len({one.entry.sha256 for one in several}) > 1:
            _refuse_republished(several)
            notes[place] = "a static server cannot tell addresses apart that differ only in what follows the ?"
    while folder := nested(of_place.keys() - notes.keys()):
        notes[folder] = "a file cannot lie where the folder of another does"
    hidden = {one.url: notes[place] for place in notes for one in of_place[place]}
    hidden.update({one.url: "a static server cannot serve that" for one in named if one.url and one.place is None})
    told = tuple(_note(one, hidden[one.url]) for one in named if one.url in hidden)
    return frozenset(of_place.keys() - notes.keys()), tuple(dict.fromkeys(told))


def _note(one: _Named, reason: str) -> str:
    place = addresses.released_at(one.origin.name, one.origin.tool.version, one.name)
    address = redacted(one.url)
    if urlsplit(one.url).scheme == "file":
        # Where the lock file came in a bundle, its folder is none that anybody knows.
        address, reason = "its address", "that is a folder of a controller"
    return f"{one.origin.name}: {one.name} is at {place} only, not under {address}: {reason}"


def _published(named: Sequence[_Named]) -> tuple[str, ...]:
    """Return what to tell of assets that their publishers refuse to strangers, and a mirror does not."""
    told = (
        f"{one.origin.name}: {one.name} is private at its publisher; whoever may read the mirror can read it"
        for one in named
        if one.origin.asset.private_url
    )
    return tuple(dict.fromkeys(told))


def _unlisted(named: Sequence[_Named], served: frozenset[str], files: Mapping[str, File]) -> Iterator[str]:
    """Yield what to tell of aliases that the sums in their folder do not name, because these are signed."""
    for one in named:
        for place, kind in _places(one, served):
            if kind == "alias" and posixpath.join(posixpath.dirname(place), SUMS) in files:
                yield (
                    f"{one.origin.name}: {SUMS} beside {one.name} is the publisher's own, which does not name it; "
                    f"{one.name}{SIDECAR} does"
                )


def _refuse_republished(several: Sequence[_Named]) -> None:
    """Raise ReleaseError if one address has two contents: hosts of one lock file would get what the other pins."""
    by_url: dict[str, _Named] = {}
    for one in several:
        other = by_url.setdefault(one.url.partition("://")[2], one)
        if other.entry.sha256 != one.entry.sha256:
            raise _two_contents(redacted(one.url), (other.origin, other.entry), (one.origin, one.entry))


def _two_contents(place: str, *several: tuple[AssetOrigin, Entry]) -> ReleaseError:
    (one, its), (other, other_its) = several
    return ReleaseError(
        f"{place} would have two contents on one mirror",
        expected=f"sha256 {its.sha256}, for {one}",
        found=f"sha256 {other_its.sha256}, for {other}",
        fix="lock the older of both again, or give each lock file a mirror (dest) of its own",
    )


def _places(one: _Named, served: frozenset[str]) -> Iterator[tuple[str, Kind]]:
    """Yield the paths at which a file of a release lies, and what it is there."""
    is_served = one.place is not None and one.place in served
    has_own_name = one.place is not None and posixpath.basename(one.place) == one.name
    if one.place is not None and is_served:
        yield one.place, one.entry.kind if has_own_name else "blob"
    if not (is_served and has_own_name and addresses.is_of_release(one.place or "")):
        place = addresses.released_at(one.origin.name, one.origin.tool.version, one.name)
        if not addresses.is_servable(place):
            raise ReleaseError(
                f"{one.origin}: no file of a mirror can be called so",
                expected=f"at most {addresses.MOST_BYTES_OF_STEP} bytes, without slashes and control characters, "
                "and not what servers read their settings from, such as .htaccess",
                found=ascii(one.name[:100])[1:-1],
                fix="leave the tool out of the lock file that is mirrored",
            )
        yield place, one.entry.kind


def _add_evidence(files: dict[str, File], folder: str, one: _Named) -> None:
    """Add what is known by name of the evidence about *one* to its *folder*; an asset of that name has precedence."""
    for proof in one.proofs:
        for part, sha256 in proof.kept:
            name = published_name(proof, part, one.origin.asset)
            place = posixpath.join(folder, name)
            if name and addresses.is_servable(place) and place not in files and sha256 in one.evidence:
                content = one.evidence[sha256]
                files[place] = File(_entry("evidence", content), content)


def published_name(proof: Proof, part: str, asset: LockedAsset) -> str:
    """Return the name under which its publisher has a *part* of a *proof* of *asset*; "" where that is not known."""
    if part == "sums":
        return proof.file
    is_signature = part == "signature" and addresses.are_in_one_folder(proof.origin, asset.url)
    name = addresses.name_in(proof.origin) if is_signature else ""
    # The address of a blob in a registry ends in its digest.
    return "" if name.startswith(("sha256:", "sha512:")) else name


def beside_lock(given: GivenLock) -> dict[str, bytes]:
    """Return the lock file and all that lies beside it, by their paths below the folder of lock files."""
    folder = EvidenceFolder(given.path).path.name
    return {
        given.path.name: given.text,
        **given.signatures,
        **({path_beside(given.path).name: given.components} if given.components else {}),
        **{f"{folder}/{sha256}": content for sha256, content in given.evidence.items()},
    }


def _entry(kind: Kind, content: bytes) -> Entry:
    return Entry(kind, hashlib.sha256(content).hexdigest(), len(content))


def _add(files: dict[str, File], place: str, file: File) -> None:
    other = files.setdefault(place, file)
    if other.entry.sha256 != file.entry.sha256:
        if isinstance(file.origin, bytes) or isinstance(other.origin, bytes):
            raise ReleaseError(
                f"two lock files are called {posixpath.basename(place)}",
                fix="give each a name of its own: a mirror has them in one folder",
            )
        raise _two_contents(place, (other.origin, other.entry), (file.origin, file.entry))
