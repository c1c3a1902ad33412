# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What else stands below root, so that other tools find each kept version? Pure; runs on hosts and on the controller.

    ROOT/modulefiles/TOOL/{VERSION, .version}       for Environment Modules and Lmod, which both read Tcl
    ROOT/tool_cache/TOOL/VERSION/ARCH -> ../../../store/TOOL/TREE/{tree or bin}
    ROOT/tool_cache/TOOL/VERSION/ARCH.complete -> ../../../store/TOOL/TREE/listing

The second is what actions of GitHub look for below RUNNER_TOOL_CACHE: a folder, and beside it a mark that says that it
is complete (github.com/actions/toolkit, packages/tool-cache). They find versions of semver.org, with Node.js' word for
the architecture, which is why that layout is ordered as ``tool_cache/x64``. All links are relative, and a module file
finds its tree from its own place: root may be mounted anywhere.
"""

import hashlib
import re
import typing as t

MODULEFILES, TOOL_CACHE = "modulefiles", "tool_cache"
#: A layout as it is ordered.
LAYOUT = re.compile(r"(?:modulefiles|tool_cache/[a-z0-9]{1,16})\Z")
#: A path below root at which something of a layout may stand.
ENTRY = re.compile(r"(?:modulefiles|tool_cache)/[A-Za-z0-9][A-Za-z0-9._+-]*(?:/[A-Za-z0-9._+~!-]+){1,2}\Z")

_NUMBER = r"(?:0|[1-9][0-9]*)"
_IDENTIFIER = r"(?:0|[1-9][0-9]*|[0-9]*[A-Za-z-][0-9A-Za-z-]*)"
_SEMVER = re.compile(r"v?({0}\.{0}\.{0}(?:-{1}(?:\.{1})*)?)(?:\+[0-9A-Za-z.-]+)?\Z".format(_NUMBER, _IDENTIFIER))
#: Names have nothing in them that Tcl would expand.
_MODULEFILE = """#%Module1.0
# Made by pinned.release. It finds the version from its own place.
module-whatis {{{tool} {version}}}
conflict {tool}
prepend-path PATH [file normalize [file join [file dirname $ModulesCurrentModulefile] ../../store/{tool}/{tree}/bin]]
"""
_DEFAULT = """#%Module1.0
# Made by pinned.release: the version that is active.
set ModulesVersion {version}
"""


class Entry(t.NamedTuple):
    """What stands at one place: a file with a text, or a link with one of several."""

    is_link: bool
    texts: t.Tuple[str, ...]

    @property
    def looks(self) -> t.FrozenSet[str]:
        """What a host may say of it: ``link TEXT`` or ``file SHA256``."""
        if self.is_link:
            return frozenset("link " + text for text in self.texts)
        return frozenset("file " + hashlib.sha256(text.encode("ascii")).hexdigest() for text in self.texts)


def entries(layouts: t.Iterable[str], tool: str, trees: t.Iterable[str], active: t.Optional[str]) -> t.Dict[str, Entry]:
    """Return what stands where for *tool*, by paths below root, if there are *trees* of it, of which one is *active*.

    Of several trees of one version, it is the active one that counts, or else the last by name.
    """
    found = {}  # type: t.Dict[str, Entry]
    for tree in sorted(trees, key=lambda tree: (tree == active, tree)):
        for layout in layouts:
            kind, _slash, arch = layout.partition("/")
            found.update(_cached(tool, tree, arch) if kind == TOOL_CACHE else _module(tool, tree, tree == active))
    return found


def is_ours(path: str, look: str) -> bool:
    """Tell whether what *look*s so at *path* was put there by us: a runner keeps its own folders in a tool cache."""
    return path.startswith(MODULEFILES + "/") or look.startswith("link ../../../store/")


def version_of(tree: str) -> str:
    """Return the version whose tree is called *tree*: VERSION-DIGEST."""
    return tree.rpartition("-")[0]


def cached_version(version: str) -> t.Optional[str]:
    """Return *version* as a tool cache has it; None if it is none that would be found there."""
    semver = _SEMVER.match(version)
    return semver.group(1) if semver else None


def _module(tool: str, tree: str, is_active: bool) -> t.Dict[str, Entry]:
    version = version_of(tree)
    folder = "{0}/{1}/".format(MODULEFILES, tool)
    text = _MODULEFILE.format(tool=tool, version=version, tree=tree)
    found = {folder + version: Entry(False, (text,))}
    if is_active:
        found[folder + ".version"] = Entry(False, (_DEFAULT.format(version=version),))
    return found


def _cached(tool: str, tree: str, arch: str) -> t.Dict[str, Entry]:
    version = cached_version(version_of(tree))
    if version is None:
        return {}
    place = "{0}/{1}/{2}/{3}".format(TOOL_CACHE, tool, version, arch)
    target = "../../../store/{0}/{1}/".format(tool, tree)
    return {
        place: Entry(True, (target + "tree", target + "bin")),
        place + ".complete": Entry(True, (target + "listing",)),
    }
