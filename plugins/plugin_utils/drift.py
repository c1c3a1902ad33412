# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is a tool on a host still what was installed? Pure; runs on the controller, over what the probe brought.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.orders import Program
from ansible_collections.pinned.release.plugins.plugin_utils.probe import State, Tree


class Expected(Protocol):
    """What is known of a program from elsewhere: the lock file, or the receipt."""

    @property
    def path(self) -> str:
        """Where it lies, below the asset's root."""

    @property
    def sha256(self) -> str:
        """The digest of its bytes."""


def of_tree(tool: str, tree: Tree, programs: Mapping[str, Expected], sha256: str | None) -> tuple[str, ...]:
    """Return how *tree* differs from *programs*, which came from the asset with digest *sha256*.

    Raises ReleaseError where nobody could look: an unverifiable tree is never taken for a good one.
    """
    if not tree.verified_by:
        raise ReleaseError(
            f"{tool}: what is installed cannot be verified",
            expected="a command that computes SHA-256 on the host: sha256sum, shasum, sha256 or openssl",
            found="none of them in its system folders",
            fix="install one of them on the host",
        )
    differences = list(tree.damage)
    if tree.receipt.get("sha256") != sha256:
        differences.append("its receipt speaks of another asset")
    for name, expected in sorted(programs.items()):
        file = f"libexec/{expected.path}"
        program = tree.programs.get(name)
        if program is None or program.link != f"../{file}":
            differences.append(f"bin/{name} does not lead to {file}")
        elif program.mode == "-":
            differences.append(f"{file} is missing")
        elif tree.verified_by == "hash" and program.sha256 != expected.sha256:
            differences.append(f"{file} is changed")
    return tuple(dict.fromkeys(differences))


def of_receipt(tool: str, tree: Tree) -> tuple[str, ...]:
    """Return how *tree* differs from what its own receipt says; a receipt that says nothing proves nothing."""
    programs = receipted(tree)
    silent = () if programs or tree.damage else ("its receipt names no program",)
    return of_tree(tool, tree, programs, tree.receipt.get("sha256")) + silent


def receipted(tree: Tree) -> dict[str, Program]:
    """Return the programs that *tree*'s receipt names; one that cannot be read names none."""
    try:
        return {name: Program(**program) for name, program in tree.receipt.get("executables", {}).items()}
    except (AttributeError, TypeError):
        return {}


def of_links(tool: str, programs: Iterable[str], state: State) -> tuple[str, ...]:
    """Return which links in bin_dir do not lead to *tool*'s *programs*, and which are left over from earlier ones."""
    wanted = sorted(programs)
    lost = [
        f"{state.bin_dir}/{name} does not lead to it"
        for name in wanted
        if state.links.get(name) != f"{state.root}/current/{tool}/bin/{name}"
    ]
    left_over = [f"{state.bin_dir}/{name} is left over" for name in links_of(tool, state) if name not in wanted]
    return tuple(lost + left_over)


def owner(name: str, state: State) -> str | None:
    """Return the tool that the link *name* in bin_dir belongs to, None if it is no link of ours."""
    prefix = f"{state.root}/current/"
    link = state.links.get(name, "")
    return link[len(prefix) :].split("/")[0] if link.startswith(prefix) else None


def links_of(tool: str, state: State) -> tuple[str, ...]:
    """Return the names in bin_dir whose links belong to *tool*."""
    return tuple(name for name in sorted(state.links) if owner(name, state) == tool)
