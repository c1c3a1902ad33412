# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What does a reviewer need to see of a lock file? The text that a diff shows. Pure; runs on the controller.

A line for each thing that somebody decides on: version, source, size, digest, who vouches for it. What does not change
between two versions has the same line, so that a diff shows what did. The file itself is shown with ``-v``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from ansible_collections.pinned.release.plugins.plugin_utils._lock import answers
from ansible_collections.pinned.release.plugins.plugin_utils._lock.components_file import Recorded
from ansible_collections.pinned.release.plugins.plugin_utils._lock.inside_words import in_words
from ansible_collections.pinned.release.plugins.plugin_utils._publisher.progress import MEGABYTE
from ansible_collections.pinned.release.plugins.plugin_utils._values.components import Inside
from ansible_collections.pinned.release.plugins.plugin_utils._values.evidence import LISTING
from ansible_collections.pinned.release.plugins.plugin_utils._values.locked import LockedAsset, LockedTool, LockFile

#: Of a digest, so many characters are shown.
DIGEST_SHOWN = 16


def text(lock: LockFile, recorded: Recorded | None = None) -> str:
    """Return what people see of *lock*, a line each; "" for one without tools. *recorded* is what is inside."""
    if not lock.tools:
        return ""
    tools = [
        line
        for name, tool in sorted(lock.tools.items())
        for line in ("", f"{name}:", *_tool_lines(tool), *_inside_lines((recorded or {}).get(name, {}), tool))
    ]
    return "\n".join([*_lines_of_all(lock), *tools]) + "\n"


def _lines_of_all(lock: LockFile) -> Iterator[str]:
    yield f"platforms: {', '.join(sorted(lock.platforms))}"
    policy = answers.policy_words(lock.policy)
    if policy:
        yield f"policy: {policy}"
    if lock.confirmed:
        yield f"confirmed: {lock.confirmed}"


def _tool_lines(tool: LockedTool) -> Iterator[str]:
    yield f"  version: {tool.version}"
    if tool.published:
        yield f"  published: {tool.published.partition('T')[0]}"
    yield from (f"  asked {key}: {words}" for key, words in answers.question(tool).items())
    hosts = sorted({urlsplit(asset.url).hostname or "a folder" for asset in tool.assets})
    yield f"  from: {', '.join(hosts)}"
    programs = sorted({program for asset in tool.assets for program in asset.executables})
    yield f"  programs: {', '.join(programs)}"
    for asset in tool.assets:
        yield from _asset_lines(asset)
    for alias in tool.aliases:
        yield f"  alias {alias.name}: copy of {alias.of}, sha256 {alias.sha256[:DIGEST_SHOWN]}…"


def _inside_lines(known: Mapping[str, Mapping[str, Inside]], tool: LockedTool) -> Iterator[str]:
    """Yield what is inside the programs of each target; nothing where compilers recorded nothing."""
    for asset in tool.assets:
        found = in_words(known.get(asset.sha256, {}).values())
        if found:
            yield f"  inside {asset.target}: {found}"


def _asset_lines(asset: LockedAsset) -> Iterator[str]:
    needs = " ".join(filter(None, (asset.requires.libc, asset.requires.libc_min))) if asset.requires.libc_min else ""
    size = f"{asset.size / MEGABYTE:.1f} MB"
    facts = [asset.name, size, f"sha256 {asset.sha256[:DIGEST_SHOWN]}…", *([f"needs {needs}"] if needs else [])]
    yield f"  {asset.target}: {', '.join(facts)}"
    places = {LISTING if claim.origin == LISTING else "sums" for claim in asset.evidence.by_publisher}
    others = {claim.origin for claim in asset.evidence.claims if not claim.is_by_publisher}
    by_publisher = " and ".join(sorted(places)) or "none by its publisher"
    yield f"    digest: {'; '.join([by_publisher, *sorted(others)])}"
    for kind, signer in sorted({(proof.kind, proof.signer) for proof in asset.evidence.proofs}):
        yield f"    {kind}: {signer}"
