# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How do lock files become a bundle, the same bytes each time? Streamed, written beside, renamed; on the controller.

Everything is fetched before anything is written. A bundle that is there is read whole: it is replaced only if it is
damaged or another one. Python packages that it has stay as they are while the same are needed, so that newer ones in
the index do not change the bundle. A new bundle has the mode that the umask gives; one that is replaced keeps its. What
a run that was killed left beside it is removed by the next one: it may be as large as the bundle.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import stat
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._asset import tar_writer
from ansible_collections.pinned.release.plugins.plugin_utils._bundle import (
    collection_archive,
    layout,
    python_packages,
    reading,
)
from ansible_collections.pinned.release.plugins.plugin_utils._bundle.reading import Bundle
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.asset_bytes import AssetBytes
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.entry import AssetOrigin, GivenLock
from ansible_collections.pinned.release.plugins.plugin_utils._mirror.publication import beside_lock, publication
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.folders import mode_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import advice, amount

_CHUNK_BYTES = 1 << 20
#: How the names of bundles end that are not whole yet.
_UNFINISHED = ".pinned-release"


@dataclass(frozen=True)
class FromBundle:
    """The bytes of the member *path* of a bundle that is there already."""

    bundle: Bundle
    path: str


#: Where the bytes of a member come from.
Origin: TypeAlias = bytes | Path | AssetOrigin | FromBundle


@dataclass(frozen=True)
class Member:
    """A member of a bundle: the digest of its bytes, how many these are, and where they come from."""

    sha256: str
    size: int
    origin: Origin


@dataclass(frozen=True)
class Pinned:
    """What a bundle has for its lock files.

    members    the files of the lock files, and their assets, by path
    left_out   the assets that the other side has, ``tool version: name``
    """

    members: Mapping[str, Member]
    left_out: tuple[str, ...] = ()


@dataclass(frozen=True)
class Written:
    """What a run did, or would do: SHA256SUMS before and after, and the digest of the bundle where that is known.

    packages  whether pip fetches Python packages; before it did, SHA256SUMS does not name them
    """

    before: str
    after: str
    size: int
    is_changed: bool
    sha256: str = ""
    packages: bool = False


def pinned(locks: Sequence[GivenLock], since: Sequence[LockFile] = ()) -> Pinned:
    """Return what a bundle has for *locks*, less the assets that the lock files of the other side have, *since*.

    Raises ReleaseError for lock files that cannot be in one mirror.
    """
    publication(locks)
    members: dict[str, Member] = {}
    left_out: dict[str, None] = {}
    known = {asset.sha256 for lock in since for tool in lock.tools.values() for asset in tool.assets}
    for given in locks:
        for name, content in beside_lock(given).items():
            members[layout.LOCKS + name] = _of_bytes(content)
        for name, tool in given.lock.tools.items():
            for asset in tool.assets:
                if asset.sha256 in known:
                    left_out[f"{name} {tool.version}: {asset.name}"] = None
                    continue
                origin = AssetOrigin(given.path, name, tool, asset)
                members[layout.asset_path(asset.sha256)] = Member(asset.sha256, asset.size, origin)
    return Pinned(members, tuple(left_out))


@dataclass(frozen=True)
class BundleFile:
    """The bundle at *path* with what it is to have; with *has_controller*, what a controller needs, too."""

    path: Path
    wanted: Pinned
    has_controller: bool = True

    def foreseen(self) -> Written:
        """Return what write() would do, and fetch and write nothing. Raises ReleaseError as it does, short of that."""
        with self._there() as there:
            needed = self._controller(there)
            return self._compared(there, self._all(needed or {}), lacks_packages=needed is None)

    def write(self, assets: AssetBytes) -> Written:
        """Make the file the bundle, and return what was done.

        Raises ReleaseError if an asset or a package cannot be had, another file is in the way, or the system refuses.
        """
        _forget_unfinished(self.path)
        with self._there() as there, tempfile.TemporaryDirectory() as folder:
            needed = self._controller(there)
            fetches = needed is None
            if needed is None:
                needed = _downloaded(Path(folder))
            members = self._all(needed)
            compared = self._compared(there, members, lacks_packages=False)
            if not compared.is_changed:
                return compared
            assets.fetch(one.origin for one in members.values() if isinstance(one.origin, AssetOrigin))
            try:
                sha256, size = _written(self.path, compared.after, members, assets)
            except OSError as error:
                raise _failure(self.path, error) from error
            return replace(compared, sha256=sha256, size=size, packages=fetches)

    @contextlib.contextmanager
    def _there(self) -> Iterator[Bundle | None]:
        """Give the bundle that is there, None where it is damaged or missing. Raises ReleaseError for another file."""
        with contextlib.ExitStack() as stack:
            there = None
            try:
                there = stack.enter_context(reading.opened(self.path))
            except FileNotFoundError:
                if not self.path.parent.is_dir():
                    raise _failure(self.path, NotADirectoryError(2, "its folder is missing")) from None
            except reading.NoBundleError as error:
                fix = "move it away, or name another file in the option bundle"
                raise ReleaseError(error.what, error.expected, error.found, fix) from error
            except ReleaseError:
                pass
            yield there

    def _all(self, controller: Mapping[str, Member]) -> dict[str, Member]:
        archive = next((path for path in controller if path.endswith(".tar.gz")), None)
        text = layout.readme(archive and archive.removeprefix(layout.CONTROLLER), *python_packages.made_for())
        return {layout.README: _of_bytes(text.encode()), **controller, **self.wanted.members}

    def _controller(self, there: Bundle | None) -> dict[str, Member] | None:
        """Return what a controller needs; None if pip must be asked for its packages."""
        if not self.has_controller:
            return {}
        wanted = _of_bytes(python_packages.requirements().encode())
        if there is None or layout.REQUIREMENTS not in there.parts:
            return None
        if there.parts[layout.REQUIREMENTS].sha256 != wanted.sha256:
            return None
        wheels = {
            path: Member(part.sha256, part.size, FromBundle(there, path))
            for path, part in there.parts.items()
            if path.startswith(layout.WHEELS)
        }
        return {layout.REQUIREMENTS: wanted, **_collection(), **wheels}

    def _compared(self, there: Bundle | None, members: Mapping[str, Member], *, lacks_packages: bool) -> Written:
        before = there.sums if there else ""
        after = layout.sums_text({path: one.sha256 for path, one in members.items()})
        is_changed = lacks_packages or there is None or before != after
        size = sum(one.size for one in members.values())
        return Written(
            before, after, size, is_changed, "" if is_changed or there is None else there.sha256, lacks_packages
        )


def result(path: Path, wanted: Pinned, written: Written) -> dict[str, Any]:
    """Return the result of a task that has *written* the bundle at *path*, or would do it."""
    before, after = _seen(written.before), _seen(written.after)
    diff = {"before_header": f"{path} {layout.SUMS}", "after_header": f"{path} {layout.SUMS}"}
    return {
        "changed": written.is_changed,
        "bundle": str(path),
        "sha256": written.sha256,
        "left_out": list(wanted.left_out),
        "notes": list(_notes(wanted, written)),
        "diff": {**diff, "before": before, "after": after} if before != after else {},
    }


def _seen(sums: str) -> str:
    """Return SHA256SUMS without Python packages: which these are is not known before pip was asked."""
    return "".join(line for line in sums.splitlines(keepends=True) if f"  {layout.WHEELS}" not in line)


def _notes(wanted: Pinned, written: Written) -> Iterator[str]:
    if wanted.left_out:
        yield f"left out what the other side has: {_assets(len(wanted.left_out))}"
    if written.packages:
        yield "pip fetches the Python packages that a controller needs"
    if written.is_changed and written.sha256:
        assets = len(layout.asset_digests(line[66:] for line in written.after.splitlines()))
        yield f"wrote {_assets(assets)}, {amount(written.size)}, sha256 {written.sha256}"


def _assets(count: int) -> str:
    return f"{count} asset{'' if count == 1 else 's'}"


def _downloaded(folder: Path) -> dict[str, Member]:
    """Return what a controller needs; pip puts its packages into *folder*."""
    wanted = python_packages.requirements()
    wheels = python_packages.download(wanted, folder)
    return {
        layout.REQUIREMENTS: _of_bytes(wanted.encode()),
        **_collection(),
        **{layout.WHEELS + path.name: _of_file(path) for path in wheels},
    }


def _collection() -> dict[str, Member]:
    archive = collection_archive.archive()
    return {layout.CONTROLLER + archive.name: _of_bytes(archive.content)}


def _of_bytes(content: bytes) -> Member:
    return Member(hashlib.sha256(content).hexdigest(), len(content), content)


def _of_file(path: Path) -> Member:
    digest = hashlib.sha256()
    for chunk in _read(path):
        digest.update(chunk)
    return Member(digest.hexdigest(), path.stat().st_size, path)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from iter(partial(file.read, _CHUNK_BYTES), b"")


def _written(path: Path, sums: str, members: Mapping[str, Member], assets: AssetBytes) -> tuple[str, int]:
    """Write the bundle at *path*, whole or not at all. Return its digest and its size. Raises OSError, ReleaseError."""
    descriptor, beside = tempfile.mkstemp(dir=path.parent, prefix=_prefix(path), suffix=_UNFINISHED)
    digest, size = hashlib.sha256(), 0
    try:
        with open(descriptor, "wb") as file:
            # It tells other runs that we still write, and the system takes it away whatever ends us. Where there are no
            # locks, nothing is removed either.
            with contextlib.suppress(OSError):
                fcntl.flock(file, fcntl.LOCK_EX)
            for chunk in tar_writer.end(_entries(sums, members, assets)):
                file.write(chunk)
                digest.update(chunk)
                size += len(chunk)
            file.flush()
            os.fchmod(file.fileno(), mode_of(path))
            os.fsync(file.fileno())
            os.replace(beside, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(beside)
        raise
    return digest.hexdigest(), size


def _forget_unfinished(path: Path) -> None:
    """Remove what runs that were killed left of the bundle at *path*; what cannot be removed stays."""
    name = re.compile(re.escape(_prefix(path)) + r"[a-z0-9_]{8}" + re.escape(_UNFINISHED))
    with contextlib.suppress(OSError):
        for found in filter(name.fullmatch, os.listdir(path.parent)):
            with contextlib.suppress(OSError), open(path.parent / found, "rb", opener=_without_following) as file:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                about = os.fstat(file.fileno())
                # An empty one may be that of a run that has not come to its lock yet.
                if stat.S_ISREG(about.st_mode) and about.st_uid == os.geteuid() and about.st_size:
                    os.unlink(path.parent / found)


def _prefix(path: Path) -> str:
    """Return how the name begins of what becomes the bundle at *path*: no name is too long by it."""
    return f".{path.name[:50]}."


def _without_following(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK)


def _entries(sums: str, members: Mapping[str, Member], assets: AssetBytes) -> Iterator[bytes]:
    first = {layout.SUMS: _of_bytes(sums.encode())}
    for path in [*first, *layout.in_order(members)]:
        member = first.get(path) or members[path]
        yield tar_writer.header(tar_writer.FILE, path, size=member.size)
        digest, size = hashlib.sha256(), 0
        for chunk in _chunks(member.origin, assets):
            digest.update(chunk)
            size += len(chunk)
            yield chunk
        if (digest.hexdigest(), size) != (member.sha256, member.size):
            raise ReleaseError(
                f"{path} was changed while the bundle was written",
                expected=f"sha256 {member.sha256}",
                found=f"sha256 {digest.hexdigest()}",
                fix="run again",
            )
        yield tar_writer.padding(member.size)


def _chunks(origin: Origin, assets: AssetBytes) -> Iterator[bytes]:
    if isinstance(origin, FromBundle):
        return origin.bundle.chunks(origin.path)
    return _read(origin) if isinstance(origin, Path) else assets.chunks(origin)


def _failure(path: Path, error: OSError) -> ReleaseError:
    return ReleaseError(
        f"cannot write the bundle {path}",
        found=error.strerror or str(error),
        fix=advice(error.errno or 0, "name another file in the option bundle"),
    )
