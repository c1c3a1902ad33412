# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a tool between two lock files, in words for those whose hosts it is? Pure; runs on the controller."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._choice import floor, target
from ansible_collections.pinned.release.plugins.plugin_utils._lock import answers
from ansible_collections.pinned.release.plugins.plugin_utils._lock.name_check import serves
from ansible_collections.pinned.release.plugins.plugin_utils._values import hardware
from ansible_collections.pinned.release.plugins.plugin_utils._values.hardware import (
    PROCESSORS,
    dotted_numbers,
    fpu_level,
)
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockedTool
from ansible_collections.pinned.release.plugins.plugin_utils._values.platforms import Platform, parse_platform
from ansible_collections.pinned.release.plugins.plugin_utils._values.requirement import Requirement
from ansible_collections.pinned.release.plugins.plugin_utils._values.version import Move, is_newer, move_of
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import LockAction


@dataclass(frozen=True)
class Outcome:
    """What became of one tool, and notes.

    action  ``kept``, ``added``, ``upgraded``, ``downgraded``, ``relocked`` (same version, other assets or evidence),
            ``removed``
    needs   what the builds for each platform need: ``linux/x86_64`` → ``nothing (static) or glibc 2.28 (gnu)``
    kind    how far another version is from the one before: ``patch``, ``minor``, ``major``
    """

    action: LockAction
    version: str | None
    previous: str | None
    targets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    needs: Mapping[str, str] = dataclasses.field(default_factory=dict)
    kind: Move | None = None


def outcome(before: LockedTool | None, after: LockedTool | None, platforms: Sequence[Platform] = ()) -> Outcome:
    """Return what became of a tool that was locked as *before*, and is *after*, to serve *platforms*."""
    if after is None:
        return Outcome("removed", None, before.version if before else None)
    targets = tuple(sorted({asset.target for asset in after.assets}))
    needs = {name: needed for name in after.platforms if (needed := _needed(name, after.assets))}
    if before is None:
        return Outcome("added", after.version, None, targets, tuple(_needs_notes(needs)), needs)
    if _answer(before) == _answer(after):
        return Outcome("kept", after.version, before.version, targets, tuple(_question_notes(before, after)), needs)
    notes = tuple(_notes(before, after, platforms))
    kind = move_of(before.version, after.version) if before.version != after.version else None
    return Outcome(_move(before, after), after.version, before.version, targets, notes, needs, kind)


def _needed(name: str, assets: Sequence[LockedAsset]) -> str:
    """Return what the builds among *assets* for the platform *name* need, each of libc or system, the least first.

    Of several builds of one kind, the one that needs the least counts. "" for a platform that is not known here.
    """
    try:
        platform = parse_platform(name)
    except ReleaseError:
        return ""
    least: dict[str, Requirement] = {}
    for requires in sorted((one.requires for one in assets if serves(one.requires, platform)), key=floor.order):
        least.setdefault(_kind(requires), requires)
    told = ((floor.needed(requires), kind) for kind, requires in least.items())
    return " or ".join(f"{needed} ({kind})" if kind else needed for needed, kind in told)


def _kind(requires: Requirement) -> str:
    kinds = {"glibc": "gnu", "musl": "musl", "static": "static"}
    return "script" if requires.is_script else kinds.get(str(requires.libc), "")


def _needs_notes(needs: Mapping[str, str]) -> Iterator[str]:
    """Yield what a new tool needs of its hosts: of each platform of which some of them may lack it."""
    for name, needed in needs.items():
        if not needed.startswith("nothing") and not parse_platform(name).floor:
            yield f"{name} needs {needed}"


def _answer(tool: LockedTool) -> LockedTool:
    """Return *tool* without what the manifest may ask otherwise though the answer stays."""
    return replace(
        tool, constraint="", platforms=(), require=(), accepted={}, purpose="", owner="", purls=(), catalogued=()
    )


def _question_notes(before: LockedTool, after: LockedTool) -> Iterator[str]:
    for field, (now, then) in answers.changes(before, after).items():
        yield f"stays, now for {answers.FIELDS[field]} {now} instead of {then}"


def _move(before: LockedTool, after: LockedTool) -> LockAction:
    if before.version == after.version:
        return "relocked"
    return "upgraded" if is_newer(after.version, before.version) else "downgraded"


def _notes(before: LockedTool, after: LockedTool, platforms: Sequence[Platform]) -> Iterator[str]:
    """Yield a line for each build that is gone, with what serves its hosts now, that asks for more, or that is new."""
    old, new = _builds(before), _builds(after)
    heirs = set()
    for name in sorted(old):
        if not any(serves(old[name], platform) for platform in platforms):
            yield f"{name} is no longer asked for"
        elif name in new:
            more = _more(new[name], old[name])
            if more:
                yield f"{name} now needs {more}"
        else:
            heir = _heir(old[name], new)
            heirs.add(heir)
            yield f"{name} disappeared → {_inheritance(old[name], heir, new)}"
    yield from (f"{name} is new" for name in sorted(set(new) - set(old) - heirs))
    yield from _choice_notes(before, after)
    yield from _evidence_notes(before, after)


def _choice_notes(before: LockedTool, after: LockedTool) -> Iterator[str]:
    """Yield a line for each way in which the manifest now asks for other parts of a release."""
    for field, (now, then) in answers.changes(before, after).items():
        if field in ("asset", "executables", "files"):
            yield f"now for {answers.FIELDS[field]} {now} instead of {then}"


def _evidence_notes(before: LockedTool, after: LockedTool) -> Iterator[str]:
    """Yield a line for each way in which the bytes are now believed on other grounds."""
    for kind in sorted({*before.verify, *after.verify}):
        old, new = (" or ".join(map(str, tool.verify.get(kind, ()))) for tool in (before, after))
        if not old:
            yield f"is now verified by {kind}: {new}"
        elif not new:
            yield f"is no longer verified by {kind}: the manifest does not ask for it"
        elif new != old:
            yield f"is now verified by another {kind} identity: {old} → {new}"
    yield from _successor_notes(before, after)
    had_claims = all(asset.evidence.by_publisher for asset in before.assets)
    without = sorted({asset.name for asset in after.assets if had_claims and not asset.evidence.by_publisher})
    yield from (f"{name} has no digest by its publisher, which all assets had before" for name in without)


def _successor_notes(before: LockedTool, after: LockedTool) -> Iterator[str]:
    """Yield a line for each kind of proof that is now by another of the identities that the manifest pins."""
    old, new = (_provers(tool) for tool in (before, after))
    for kind in sorted(set(old) & set(new)):
        if old[kind] != new[kind] and before.verify.get(kind) == after.verify.get(kind):
            yield f"has {kind} proofs by {' and '.join(new[kind])} now, by {' and '.join(old[kind])} before"


def _provers(tool: LockedTool) -> dict[str, list[str]]:
    """Return the pinned identities that the proofs of each kind were checked against, sorted."""
    found: dict[str, set[str]] = {}
    for asset in tool.assets:
        for proof in asset.evidence.proofs:
            found.setdefault(proof.kind, set()).add(str(proof.identity))
    return {kind: sorted(identities) for kind, identities in found.items()}


def _builds(tool: LockedTool) -> dict[str, Requirement]:
    """Return what each build needs, by its target and, if it is not for any, its processor; of several, the least."""
    builds: dict[str, Requirement] = {}
    for asset in tool.assets:
        requires = asset.requires
        name = f"{asset.target} ({requires.cpu})" if requires.cpu and requires.arch != "arm" else asset.target
        least = builds.setdefault(name, requires)
        if _floor(requires) < _floor(least):
            builds[name] = requires
    return builds


def _floor(requires: Requirement) -> tuple[tuple[int, ...], ...]:
    return dotted_numbers(requires.libc_min or ""), dotted_numbers(requires.os_min or "")


def _heir(old: Requirement, new: dict[str, Requirement]) -> str | None:
    """Return the build that takes the place of *old* on its hosts: of several, the one that asks the least more."""
    possible = [name for name, one in new.items() if _share_machines(one, old)]
    return min(possible, key=lambda name: (len(_more(new[name], old)), new[name].libc != "static", name), default=None)


def _share_machines(one: Requirement, other: Requirement) -> bool:
    pairs = ((one.os, other.os), (one.arch, other.arch))
    return all("any" in pair or len(set(pair)) == 1 for pair in pairs)


def _inheritance(old: Requirement, heir: str | None, new: dict[str, Requirement]) -> str:
    if heir is None:
        return "nothing serves its hosts now"
    more = _more(new[heir], old)
    kind = "static, " if new[heir].libc == "static" else ""
    return f"{heir}, {kind}needs {more}" if more else f"{heir}, {kind}runs everywhere the old one did"


def _more(new: Requirement, old: Requirement) -> str:
    """Return what *new* needs of a host that *old* did not need, in words; "" where that is nothing."""
    return ", ".join(_demands(new, old))


def _demands(new: Requirement, old: Requirement) -> Iterable[str]:
    narrower = [now for now, before in ((new.os, old.os), (new.arch, old.arch)) if before == "any" != now]
    if narrower:
        yield " ".join(narrower)
    order = PROCESSORS.get(new.arch, ())
    if new.cpu in order and (old.cpu not in order or order.index(new.cpu) > order.index(old.cpu)):
        yield f"an {new.cpu} processor"
    if fpu_level(new.fpu) > fpu_level(old.fpu):
        yield hardware.FPU_NAMES[str(new.fpu)]
    if new.libc not in ("static", old.libc, None):
        yield " ".join(filter(None, (new.libc, new.libc_min)))
    elif dotted_numbers(new.libc_min or "") > dotted_numbers(old.libc_min or ""):
        yield f"{new.libc} {new.libc_min} instead of {old.libc_min or 'any'}"
    if dotted_numbers(new.os_min or "") > dotted_numbers(old.os_min or ""):
        yield f"{hardware.SYSTEM_NAMES.get(new.os, new.os)} {new.os_min} instead of {old.os_min or 'any'}"
    if _largest_page(new, new.arch) < _largest_page(old, new.arch):
        yield f"a kernel with pages of at most {new.page_size} bytes"
    for need in sorted(set(target.needs(new)) - set(target.needs(old))):
        yield need.removeprefix("bin/").replace(":", " with ")


def _largest_page(requires: Requirement, arch: str) -> int:
    """Return the size of the largest pages, in bytes, that the program can live with and kernels of *arch* have."""
    largest = hardware.FIXED_PAGE_SIZES.get(arch, hardware.LARGEST_PAGE_SIZE)
    return min(largest, requires.page_size or largest)
