# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What became of a tool between two lock files, in words for those whose hosts it is? Pure; runs on the controller.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from ansible_collections.pinned.release.plugins.plugin_utils import target
from ansible_collections.pinned.release.plugins.plugin_utils.host import PROCESSORS, fpu_level, version_key
from ansible_collections.pinned.release.plugins.plugin_utils.lockfile import LockedTool
from ansible_collections.pinned.release.plugins.plugin_utils.newest import newness
from ansible_collections.pinned.release.plugins.plugin_utils.platforms import Platform
from ansible_collections.pinned.release.plugins.plugin_utils.promises import serves
from ansible_collections.pinned.release.plugins.plugin_utils.release import Release
from ansible_collections.pinned.release.plugins.plugin_utils.requirement import Requirement


@dataclass(frozen=True)
class Outcome:
    """What became of one tool, and notes.

    action  ``kept``, ``added``, ``upgraded``, ``downgraded``, ``relocked`` (same version, other assets), ``removed``
    """

    action: str
    version: str | None
    previous: str | None
    targets: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def outcome(before: LockedTool | None, after: LockedTool | None, platforms: Sequence[Platform] = ()) -> Outcome:
    """Return what became of a tool that was locked as *before*, and is *after*, to serve *platforms*."""
    if after is None:
        return Outcome("removed", None, before.version if before else None)
    targets = tuple(sorted({asset.target for asset in after.assets}))
    if before is None:
        return Outcome("added", after.version, None, targets)
    if before == after:
        return Outcome("kept", after.version, before.version, targets)
    return Outcome(
        _move(before, after), after.version, before.version, targets, tuple(_notes(before, after, platforms))
    )


def _move(before: LockedTool, after: LockedTool) -> str:
    if before.version == after.version:
        return "relocked"
    is_up = newness(Release(after.version, ())) > newness(Release(before.version, ()))
    return "upgraded" if is_up else "downgraded"


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
    return version_key(requires.libc_min or ""), version_key(requires.os_min or "")


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
        yield target.FPU_NAMES[str(new.fpu)]
    if new.libc not in ("static", old.libc, None):
        yield " ".join(filter(None, (new.libc, new.libc_min)))
    elif version_key(new.libc_min or "") > version_key(old.libc_min or ""):
        yield f"{new.libc} {new.libc_min} instead of {old.libc_min or 'any'}"
    if version_key(new.os_min or "") > version_key(old.os_min or ""):
        yield f"{target.SYSTEM_NAMES.get(new.os, new.os)} {new.os_min} instead of {old.os_min or 'any'}"
    if _largest_page(new, new.arch) < _largest_page(old, new.arch):
        yield f"a kernel with pages of at most {new.page_size} bytes"
    for need in sorted(set(target.needs(new)) - set(target.needs(old))):
        yield need.removeprefix("bin/").replace(":", " with ")


def _largest_page(requires: Requirement, arch: str) -> int:
    """Return the size of the largest pages, in bytes, that the program can live with and kernels of *arch* have."""
    largest = target.FIXED_PAGE_SIZES.get(arch, target.LARGEST_PAGE_SIZE)
    return min(largest, requires.page_size or largest)
