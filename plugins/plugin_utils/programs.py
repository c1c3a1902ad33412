# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of an asset's programs are to be installed, and under what names? Pure; on the controller.

Private to the collection: plugins and roles are its API, nothing in this file is.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.plugin_utils import needs
from ansible_collections.pinned.release.plugins.plugin_utils.contents import BIN, Contents, Found, listed
from ansible_collections.pinned.release.plugins.plugin_utils.lockfile import NAME
from ansible_collections.pinned.release.plugins.plugin_utils.names.name_words import is_platform_word

#: Where else archives keep what is meant to be started: at the top, or in a bin/ further down.
TOP, DEEPER = re.compile(r"\Z"), re.compile(r".+/s?bin/\Z")
#: Glibc's own library and loader can be started, but nobody means to.
LIBRARY = re.compile(r"(.*\.so(\.[0-9]+)*|ld-[^/]*)\Z")
#: Scripts that are no program's front door: helpers have a suffix, installers a telling name.
NO_STARTER = re.compile(r".*\.|(un)?install|setup|configure|bootstrap|(pre|post)(inst|rm)", re.IGNORECASE)
#: What every wheel holds (PyPA binary distribution format).
WHEEL_FILES = frozenset(["METADATA", "RECORD", "WHEEL"])
#: Where these lie and nothing is built, scripts build it: it is an archive of sources.
BUILD_FILES = frozenset(
    "configure configure.ac Makefile Makefile.am Makefile.in CMakeLists.txt meson.build build.zig Cargo.toml go.mod "
    "setup.py pyproject.toml build.gradle pom.xml".split()
)
VERSION_WORD = re.compile(r"v?[0-9][0-9A-Za-z]*\Z")


def choose_programs(contents: Contents, tool: str, wanted: Mapping[str, str], asset: str) -> dict[str, Found]:
    """Return the programs to install, by the name of their link.

    *wanted* is the manifest's ``executables``: name → glob on the path. Without it: the programs where archives keep
    programs, or all there are; scripts only where there is nothing else, or where they start what lies elsewhere.
    Raises ReleaseError where that is no answer.
    """
    if wanted:
        chosen = {name: _matching(contents, name, glob, asset) for name, glob in wanted.items()}
    else:
        found = _meant(contents, tool)
        _refuse_unreadable(contents, tool, asset, is_all=all(one.is_script for one in found))
        if not found:
            raise _no_program(contents, tool, asset)
        chosen = _by_link_name(found, tool, asset)
    return needs.of_the_host(chosen, contents)


def _meant(contents: Contents, tool: str) -> Sequence[Found]:
    """Return the programs that a release's users are meant to start."""
    native = [found for found in contents.programs if not found.is_script]
    scripts = [found for found in contents.programs if found.is_script]

    def within(programs: Sequence[Found], *places: re.Pattern[str]) -> Sequence[Found]:
        return [found for found in programs if any(place.match(_folder(contents, found.path)) for place in places)]

    def named(programs: Sequence[Found]) -> Sequence[Found]:
        return [found for found in programs if _plain_name(found.path) == tool]

    if not native and contents.files >= WHEEL_FILES:
        return within(scripts, BIN)  # others are modules, and Python's installers make the commands that use them
    starters = [found for found in scripts if not NO_STARTER.match(_plain_name(found.path))]
    if not native:
        surely = within(scripts, BIN) or named(within(scripts, TOP))
        return surely or ([] if _is_source(contents) else within(starters, TOP, DEEPER) or starters)
    programs = [found for found in native if not LIBRARY.match(_plain_name(found.path))] or native
    above = [found for found in starters if _lies_above(found, programs)]
    usual = within(programs, BIN, TOP) or within(programs, DEEPER)
    front_doors = within(starters, BIN, TOP, DEEPER) or above
    return usual or named(front_doors) or named(programs) or front_doors or programs


def _is_source(contents: Contents) -> bool:
    return not contents.files.isdisjoint(BUILD_FILES)


def _lies_above(script: Found, programs: Iterable[Found]) -> bool:
    folder = script.path[: script.path.rfind("/") + 1]
    return all(program.path.startswith(folder) for program in programs)


def _folder(contents: Contents, path: str) -> str:
    """Return the folder of *path* with its slash, below the one that everything lies in."""
    return path[len(contents.root) : path.rfind("/") + 1]


def _refuse_unreadable(contents: Contents, tool: str, asset: str, is_all: bool) -> None:
    """A program of which nobody can tell anything may be the very one that is meant, or that a script starts."""
    for path, error in sorted(contents.unreadable.items()):
        folder = _folder(contents, path)
        if is_all or BIN.match(folder) or TOP.match(folder):
            others = f"to do without it, name those to take: tools.{tool}.executables: [...]"
            fix = f"{error.fix}; {others}" if error.fix else others
            raise ReleaseError(f"{tool}: {asset}: {error.what}", error.expected, error.found, fix)


def _no_program(contents: Contents, tool: str, asset: str) -> ReleaseError:
    fix = f'name the asset to take in the manifest: tools.{tool}.asset: "<pattern>"'
    if contents.files >= WHEEL_FILES:
        fix = "this is Python code, for pip to install; programs may be in another project, or have another source"
    return ReleaseError(
        f"{tool}: {asset} holds {'sources, ' if _is_source(contents) else ''}no program",
        expected="at least one file that an operating system can start",
        found=listed(sorted(contents.files)) or "an empty archive",
        fix=fix,
    )


def _by_link_name(chosen: Sequence[Found], tool: str, asset: str) -> dict[str, Found]:
    names = [_link_name(found.path, tool, is_only=len(chosen) == 1) for found in chosen]
    if len(set(names)) != len(names):
        names = [_plain_name(found.path) for found in chosen]
    links: dict[str, Found] = {}
    for name, found in zip(names, chosen, strict=True):
        if not NAME.match(name):
            raise ReleaseError(
                f"{tool}: {found.path} of {asset} has a name that cannot be that of a link",
                expected="a name of letters, digits and . _ + -",
                fix=f"name it in the manifest: tools.{tool}.executables: {{<name>: {found.path!r}}}",
            )
        if links.setdefault(name, found).sha256 != found.sha256:
            raise ReleaseError(
                f"{tool}: {asset} holds several programs of one name",
                found=listed(chosen),
                fix=f"name the paths in the manifest: tools.{tool}.executables: {{{name}: {links[name].path}}}",
            )
    return links


def _matching(contents: Contents, name: str, glob: str, asset: str) -> Found:
    fitting = {found.sha256: found for found in reversed(contents.programs) if _fits(found.path, glob)}
    if len(fitting) == 1:
        return next(iter(fitting.values()))
    for path, error in contents.unreadable.items():
        if not fitting and _fits(path, glob):
            raise error.about(asset)
    some = [found for found in contents.programs if _fits(found.path, glob)] or contents.programs
    raise ReleaseError(
        f"{asset}: {glob} of the manifest's executables is not one program",
        expected="a path, or a glob on it, that fits exactly one of the programs in the asset",
        found=listed(some) or "no program at all",
        fix=f"write executables: {{{name}: {some[0].path if some else '<path>'}}}",
    )


def _fits(path: str, glob: str) -> bool:
    plain = path[: path.rfind("/") + 1] + _plain_name(path)
    return any(fnmatchcase(form, glob) for form in (plain, f"/{plain}", path, f"/{path}"))


def _link_name(path: str, tool: str, is_only: bool) -> str:
    """Return the name that users type: the file's, without the version and platform that some carry behind the tool's.

    ``tool-v1.2-linux-amd64`` is ``tool``, and ``tool-server-linux-amd64`` is ``tool-server``.
    """
    name = _plain_name(path)
    if name.lower().startswith(tool.lower()):
        is_tool = name[len(tool) : len(tool) + 1] in tuple("-_.")
        for word in re.finditer(r"[-_.]([^-_.]+)", name):
            is_version = is_tool and VERSION_WORD.match(word[1])
            if word.start() >= len(tool) and (is_version or is_platform_word(word[1])):
                return tool if word.start() == len(tool) else name[: word.start()]
        return name
    words = re.split(r"[-_.]", name)
    says_nothing = all(is_platform_word(word) or VERSION_WORD.match(word) for word in words)
    return tool if is_only and (says_nothing or not NAME.match(name)) else name


def _plain_name(path: str) -> str:
    """Return the file's name, without the ending that only Windows wants."""
    name = posixpath.basename(path)
    return name[:-4] if name.lower().endswith(".exe") else name
