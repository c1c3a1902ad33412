# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By what else shall tools be found below root, and what stands in the way of that? Pure; runs on the controller."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ansible_collections.pinned.release.plugins.module_utils import layouts
from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils._host.state import State
from ansible_collections.pinned.release.plugins.plugin_utils._values.host import Host
from ansible_collections.pinned.release.plugins.plugin_utils._values.words import Layout

#: What Node.js calls architectures (``os.arch()``), by which a tool cache is searched.
_NODE_ARCHES = {
    "x86_64": "x64",
    "i686": "ia32",
    "aarch64": "arm64",
    "arm": "arm",
    "powerpc64": "ppc64",
    "powerpc64le": "ppc64",
    "s390x": "s390x",
    "riscv64": "riscv64",
    "loongarch64": "loong64",
}


def of_host(ordered: Sequence[Layout], host: Host) -> tuple[str, ...]:
    """Return the layouts *ordered*, as layouts.py names them where the programs run on *host*.

    Raises ReleaseError where a tool cache has no word for its architecture.
    """
    if "tool_cache" not in ordered:
        return tuple(ordered)
    arch = _NODE_ARCHES.get(host.arch or "")
    if arch is None:
        raise ReleaseError(
            "a tool cache has no word for the architecture of the host",
            expected=f"one of {', '.join(_NODE_ARCHES)}",
            found=host.arch or "unknown",
            fix="leave tool_cache out of layouts",
        )
    return tuple(sorted({f"tool_cache/{arch}" if layout == "tool_cache" else layout for layout in ordered}))


def refuse_unfit(ordered: Iterable[str], trees: Mapping[str, str], state: State) -> None:
    """Raise ReleaseError where a layout *ordered* cannot have the new *trees*, by tool, or has no room for them."""
    cache = [layout for layout in ordered if layout.startswith(layouts.TOOL_CACHE)]
    for tool, tree in trees.items() if cache else ():
        version = layouts.version_of(tree)
        if layouts.cached_version(version) is None:
            raise ReleaseError(
                f"{tool} {version}: no tool cache finds such a version",
                expected="one of semver.org, such as 1.2.3",
                fix="install it in a task of its own, without tool_cache in layouts",
            )
        for path in layouts.entries(cache, tool, [tree, *state.trees.get(tool, ())], None):
            found = state.layouts.get(path)
            if found and not layouts.is_ours(path, found):
                raise ReleaseError(
                    f"{tool}: {state.root}/{path} is there already, and pinned.release did not put it there",
                    fix="remove it, or leave tool_cache out of layouts",
                )
