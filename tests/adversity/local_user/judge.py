# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Did an attack succeed? What must hold after each run, whatever somebody did; the code under test is not asked."""

from __future__ import annotations

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.pinned.release.plugins.plugin_utils._rollout.wanted import Wanted
from ansible_collections.pinned.release.tests.adversity.local_user.host import Host, Outcome
from ansible_collections.pinned.release.tests.adversity.local_user.people import as_user


@dataclass(frozen=True)
class Snapshot:
    """What was there, by path: of the witness only, or of everything outside of root and bin_dir."""

    is_witness_only: bool
    seen: Mapping[str, tuple[object, ...]]


#: Below it, no path is short enough for the kernel: who makes such a place has only themselves in there.
MOST_PATH_BYTES = 3000


def snapshot(host: Host, *, is_witness_only: bool) -> Snapshot:
    """Return what lies outside of root and bin_dir, with content, mode, owner and time of change of each.

    *is_witness_only* leaves out where an attacker may be at work meanwhile.
    """
    tops = [host.witness] if is_witness_only else [host.folder]
    left_out = {*host.places, host.loot}
    seen = {}
    for path in (path for top in tops for path in _walk(top, left_out)):
        with suppress(FileNotFoundError):
            seen[str(path)] = _state(path)
    neighbour = host.bin_dir / "neighbour"
    if not is_witness_only and neighbour.is_file():
        seen["neighbour"] = _state(neighbour)
    return Snapshot(is_witness_only, seen)


def _walk(top: Path, left_out: set[Path]) -> Iterator[Path]:
    """Yield *top* and what lies below it. What somebody takes away meanwhile may be left out."""
    # os.walk() of Python 3.11 calls itself for each folder below another: 1,000 of them end it.
    ahead = [top]
    while ahead:
        here = ahead.pop()
        yield here
        with suppress(OSError), os.scandir(here) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if here / entry.name not in left_out and len(str(here)) < MOST_PATH_BYTES:
                        ahead.append(here / entry.name)
                # Files of the steps themselves: the orders, and what is mounted over the machine's accounts.
                elif not entry.name.startswith("accounts-"):
                    yield here / entry.name


def _state(path: Path) -> tuple[object, ...]:
    status = path.lstat()
    content: object = None
    if stat.S_ISLNK(status.st_mode):
        content = os.readlink(path)
    elif stat.S_ISREG(status.st_mode) and status.st_size < 1 << 20:
        content = path.read_bytes()
    # A folder's time of change tells nothing more than what is in it.
    changed = None if stat.S_ISDIR(status.st_mode) else status.st_mtime_ns
    return (status.st_mode, status.st_uid, status.st_gid, changed, content)


def holes(host: Host, before: Snapshot, wanted: Wanted, outcome: Outcome) -> list[str]:
    """Return in words what the attacker achieved with a run of *wanted* that ended with *outcome*; nothing is best."""
    after = snapshot(host, is_witness_only=before.is_witness_only)
    found = [f"changed outside of root and bin_dir: {path}" for path in _differences(host, before, after)]
    found += [f"the attacker's program ran as user {uid}" for uid in _robbed(host)]
    if host.token in outcome.text:
        found.append("words of a file that only root may read were told")
    if _digest_of_secret(host) in outcome.text:
        found.append("the digest of a file that only root may read was told")
    found += [f"the attacker can read {path}" for path in _secrets_in_reach(host)]
    found += [f"set-id file of somebody else: {path}" for path in _set_id_files(host)]
    if outcome.kind == "hung":
        found.append("a step did not end")
    if outcome.kind == "broken" or "Traceback" in outcome.text:
        found.append(f"an error that nobody can act on: {outcome.text.strip()[-300:]}")
    if outcome.kind == "refused" and str(host.folder) not in outcome.text:
        found.append(f"an error that does not name the place: {outcome.text.strip()[-300:]}")
    if outcome.is_success:
        found += [f"said to be as pinned, but {fault}" for fault in faults(host, wanted)]
    return found


def _differences(host: Host, before: Snapshot, after: Snapshot) -> list[str]:
    changed = sorted({path for path, _state in set(before.seen.items()) ^ set(after.seen.items())})
    return [os.path.relpath(path, host.folder) if path.startswith("/") else path for path in changed][:5]


def _robbed(host: Host) -> list[str]:
    uids = set(host.loot.read_text().split())
    return sorted(uids - {str(host.attacker.uid)})


def _digest_of_secret(host: Host) -> str:
    return hashlib.sha256(host.secret_file.read_bytes()).hexdigest()


def _secrets_in_reach(host: Host) -> list[str]:
    """Return which files the attacker can read that hold words of the secret."""
    holding = [path for path in _walk(host.folder, set()) if _holds(path, host.token.encode())]

    def readable() -> list[str]:
        return [os.path.relpath(path, host.folder) for path in holding if os.access(path, os.R_OK)]

    found: list[str] = as_user(host.attacker, readable, timeout_s=10) if len(holding) > 1 else []
    return found


def _holds(path: Path, word: bytes) -> bool:
    with suppress(FileNotFoundError):
        status = path.lstat()
        return stat.S_ISREG(status.st_mode) and status.st_size < 1 << 20 and word in path.read_bytes()
    return False


def _set_id_files(host: Host) -> list[str]:
    found = []
    for path in _walk(host.folder, set()):
        with suppress(FileNotFoundError):
            status = path.lstat()
            if stat.S_ISREG(status.st_mode) and status.st_mode & 0o6000 and status.st_uid != host.attacker.uid:
                found.append(os.path.relpath(path, host.folder))
    return found


def faults(host: Host, wanted: Wanted) -> list[str]:
    """Return how the host differs from *wanted*: bytes, links, modes, owners, and who else could change them."""
    found = []
    for folder in (host.root, host.root / "store", host.root / "current", host.bin_dir):
        found += _faults_of_chain(host, folder)
    for tool, pinned in wanted.lock.tools.items():
        (asset,) = pinned.assets
        release = host.releases_by_version[pinned.version]
        active = Path(os.path.realpath(host.root / "current" / tool))
        if active.parent != Path(os.path.realpath(host.root)) / "store" / tool:
            found.append(f"{tool} leads to {active}")
            continue
        found += _faults_of_tree(host, active, release.contents, wanted.mode)
        for name, program in asset.executables.items():
            if wanted.bin == "copy":
                found += _faults_of_copy(host, host.bin_dir / name, release.contents[program.path], wanted.mode)
                continue
            place = Path(os.path.realpath(host.bin_dir / name))
            if place != active / "libexec" / program.path:
                found.append(f"{name} leads to {place}")
        for path, inside in asset.files.items():
            found += _faults_of_chain(host, (host.bin_dir.parent / path).parent)
            place = Path(os.path.realpath(host.bin_dir.parent / path))
            if place != active / "libexec" / inside:
                found.append(f"{path} leads to {place}")
    return found


def _faults_of_copy(host: Host, place: Path, content: bytes, mode: int) -> list[str]:
    if place.is_symlink() or not place.is_file():
        return [f"{place.name} is no copy"]
    status = place.stat()
    found = [f"{place.name} has other bytes"] if place.read_bytes() != content else []
    if stat.S_IMODE(status.st_mode) != mode:
        found.append(f"{place.name} has mode {stat.S_IMODE(status.st_mode):04o}")
    if status.st_uid not in (0, host.runner.uid):
        found.append(f"{place.name} belongs to user {status.st_uid}")
    if "system.posix_acl_access" in os.listxattr(place) or "security.capability" in os.listxattr(place):
        found.append(f"{place.name} has an ACL or a capability")
    return found


def _faults_of_tree(host: Host, tree: Path, contents: Mapping[str, bytes], mode: int) -> list[str]:
    libexec = tree / "libexec"
    wanted = {f"{path}": content for path, content in contents.items()}
    wanted_folders = {str(parent) for path in contents for parent in Path(path).parents} - {"."}
    there: dict[str, Path] = {os.path.relpath(path, libexec): path for path in _walk(libexec, set())}
    there.pop(".", None)
    found = [f"libexec/{path} is missing" for path in wanted if path not in there]
    for path, place in there.items():
        status = place.lstat()
        if path in wanted_folders and stat.S_ISDIR(status.st_mode):
            right_mode = 0o755
        elif path in wanted and stat.S_ISREG(status.st_mode):
            right_mode = mode if "/bin/" in path else 0o644
            if place.read_bytes() != wanted[path]:
                found.append(f"libexec/{path} has other bytes")
        else:
            found.append(f"libexec/{path} was added, or is of another kind")
            continue
        if stat.S_IMODE(status.st_mode) != right_mode:
            found.append(f"libexec/{path} has mode {stat.S_IMODE(status.st_mode):04o}")
        if status.st_uid not in (0, host.runner.uid):
            found.append(f"libexec/{path} belongs to user {status.st_uid}")
        if "system.posix_acl_access" in os.listxattr(place) or "security.capability" in os.listxattr(place):
            found.append(f"libexec/{path} has an ACL or a capability")
    return found


def _faults_of_chain(host: Host, folder: Path) -> list[str]:
    """Return which folders on the way to *folder*, itself included, somebody else may change something in."""
    found: list[str] = []
    for component in [*reversed(folder.parents), folder]:
        if not os.path.lexists(component):
            return [*found, f"{component} is missing"]
        status = component.lstat()
        is_above = component not in (host.root, host.bin_dir) and host.root not in component.parents
        if status.st_uid not in (0, host.runner.uid):
            found.append(f"{component} belongs to user {status.st_uid}")
        if stat.S_ISLNK(status.st_mode):
            found += _faults_of_chain(host, Path(os.path.realpath(component)))
            continue
        is_sticky = is_above and status.st_mode & stat.S_ISVTX
        writers = status.st_mode & (0o002 if status.st_gid in host.harmless_groups else 0o022)
        if writers and not is_sticky:
            found.append(f"{component} has mode {stat.S_IMODE(status.st_mode):04o}")
        if _is_writable_by_acl(component):
            found.append(f"{component} has an ACL")
    return found


def _is_writable_by_acl(path: Path) -> bool:
    return "system.posix_acl_access" in os.listxattr(path)
