# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a reviewer see of two lock files? A line for each tool that moved. Pure; runs on the controller.

A line says what somebody decides on: version, platforms, size, evidence that was gained or lost, what is asked, what is
inside. The files themselves are shown with ``-v``.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from ansible_collections.pinned.release.plugins.plugin_utils._lock import answers, policy_check
from ansible_collections.pinned.release.plugins.plugin_utils._lock.components_file import Recorded
from ansible_collections.pinned.release.plugins.plugin_utils._lock.inside_words import in_words
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedTool, LockFile
from ansible_collections.pinned.release.plugins.plugin_utils._values.policy import PROOF
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import amount

#: Of a digest, so many characters are shown.
DIGEST_SHOWN = 16
#: Of what is asked, these have parts of their own in a line.
_SHOWN = ("platforms",)


class Seen(NamedTuple):
    """A lock file, and what is inside the programs that it names."""

    lock: LockFile
    inside: Recorded


def text(before: Seen, after: Seen) -> str:
    """Return how *before* became *after*, a line for each tool that did: ``+`` new, ``~`` changed, ``-`` gone."""
    return "".join(f"{line}\n" for line in (*_of_all(before.lock, after.lock), *_of_tools(before, after)))


def _of_all(before: LockFile, after: LockFile) -> Iterator[str]:
    words = (
        ("policy", answers.policy_words(before.policy), answers.policy_words(after.policy)),
        ("confirmed", before.confirmed or "", after.confirmed or ""),
    )
    for name, old, new in words:
        if old != new:
            yield f"~ {name}: {old or 'none'} → {new or 'none'}" if before.tools else f"+ {name}: {new}"


def _of_tools(before: Seen, after: Seen) -> Iterator[str]:
    for name in sorted({*before.lock.tools, *after.lock.tools}):
        old, new = before.lock.tools.get(name), after.lock.tools.get(name)
        if new is None and old is not None:
            yield f"- {name} {old.version}"
        elif new is not None and old is None:
            facts = (" ".join(new.platforms), _size(new), " ".join(sorted(_evidence(new))) or "no evidence")
            yield f"+ {name} {new.version}: {', '.join(filter(None, (*facts, _inside(name, after))))}"
        elif old is not None and new is not None:
            parts = list(_changes(old, new))
            made_of = _inside(name, before), _inside(name, after)
            if made_of[0] != made_of[1]:
                parts.append(f"inside {made_of[0] or 'unknown'} → {made_of[1] or 'unknown'}")
            if old != new or made_of[0] != made_of[1]:
                versions = " → ".join(dict.fromkeys((old.version, new.version)))
                yield f"~ {name} {versions}: {', '.join(parts) or 'only what -v shows'}"


def _changes(old: LockedTool, new: LockedTool) -> Iterator[str]:
    yield from _moved(old.platforms, new.platforms)
    if _size(old) != _size(new):
        yield f"{_size(old).removesuffix(_size(new)[-3:])} → {_size(new)}"
    if old.version == new.version:
        yield from _exchanged(old, new)
    yield from _moved(_evidence(old), _evidence(new))
    for field, (now, then) in answers.changes(old, new).items():
        if field not in _SHOWN:
            yield f"{answers.FIELDS[field]} {then} → {now}"


def _moved(old: Iterable[str], new: Iterable[str]) -> Iterator[str]:
    """Yield what is new as ``+NAME``, and what is gone as ``-NAME``."""
    yield from (f"+{name}" for name in sorted(set(new) - set(old)))
    yield from (f"-{name}" for name in sorted(set(old) - set(new)))


def _exchanged(old: LockedTool, new: LockedTool) -> Iterator[str]:
    """Yield the assets of one name that have other bytes in the same version."""
    known = {asset.name: asset.sha256 for asset in old.assets}
    for asset in new.assets:
        if known.get(asset.name, asset.sha256) != asset.sha256:
            yield f"{asset.name} is now sha256 {asset.sha256[:DIGEST_SHOWN]}…"


def _size(tool: LockedTool) -> str:
    return amount(sum(asset.size for asset in tool.assets))


def _evidence(tool: LockedTool) -> set[str]:
    """Return the kinds of evidence that every asset of the *tool* has."""
    return set.intersection(*(policy_check.kinds_of(asset) for asset in tool.assets)) - {PROOF}


def _inside(name: str, seen: Seen) -> str:
    """Return what is inside the programs of a tool's assets: ``531 crates``; "" where compilers recorded nothing."""
    known = seen.inside.get(name, {})
    found = (in_words(known.get(asset.sha256, {}).values()) for asset in seen.lock.tools[name].assets)
    return " or ".join(filter(None, dict.fromkeys(found)))
