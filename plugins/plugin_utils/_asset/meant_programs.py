# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which programs of an asset are its users meant to start? Pure; on the controller.

Archives keep programs at the top, in a bin/, or deeper. The rules are tiers: the first that finds any is the answer.
A link in a bin/ counts as the program that it leads to.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TypeAlias

from ansible_collections.pinned.release.plugins.plugin_utils._asset.bin_links import linked_programs
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import BIN, DEEPER, TOP, Contents, Found
from ansible_collections.pinned.release.plugins.plugin_utils._naming.words.name_words import BREAK, part, words_of

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


def meant(contents: Contents, tool: str) -> Sequence[Found]:
    """Return the programs that users of the *tool* are meant to start; none where that cannot be told."""
    found = _Sorted(contents, tool)
    return next(filter(None, (tier(found) for tier in _tiers(found))), [])


def passed_over(contents: Contents, chosen: Iterable[Found]) -> Sequence[str]:
    """Return the names of the executable scripts in a bin/ beside *chosen* programs that are none of them."""
    executable = {file.path for file in contents.unpacked.files if file.is_executable}
    linked = list(chosen)
    folders = {folder_of(contents, found.place) for found in linked}
    left = [one for one in contents.programs if one.is_script and one.path in executable - {p.path for p in linked}]
    beside = [one for one in left if folder_of(contents, one.path) in folders]
    return sorted(plain_name(one.path) for one in _Sorted(contents, "").within(beside, BIN, DEEPER))


def is_source(contents: Contents) -> bool:
    """Return whether the asset holds files that only a build needs."""
    return not contents.files.isdisjoint(BUILD_FILES)


def is_wheel(contents: Contents) -> bool:
    """Return whether the asset is a Python package."""
    return contents.files >= WHEEL_FILES


def is_npm_package(contents: Contents) -> bool:
    """Return whether the asset is a package as ``npm pack`` makes it: all of it is in the folder ``package``."""
    return contents.root == "package/" and "package.json" in contents.files


def folder_of(contents: Contents, path: str) -> str:
    """Return the folder of *path* with its slash, below the one that everything lies in."""
    return path[len(contents.root) : path.rfind("/") + 1]


def plain_name(path: str) -> str:
    """Return the file's name, without the ending that only Windows wants."""
    name = posixpath.basename(path)
    return name[:-4] if name.lower().endswith(".exe") else name


@dataclass(frozen=True)
class _Sorted:
    """The programs of an asset, by what they are."""

    contents: Contents
    tool: str

    @cached_property
    def native(self) -> Sequence[Found]:
        """All that an operating system starts by itself, less what is a library, if there is anything else."""
        native = [found for found in self.contents.programs if not found.is_script]
        return [found for found in native if not LIBRARY.match(plain_name(found.path))] or native

    @cached_property
    def scripts(self) -> Sequence[Found]:
        """All that an interpreter runs."""
        return [found for found in self.contents.programs if found.is_script]

    @cached_property
    def links(self) -> Sequence[Found]:
        """All that links in a bin/ lead to, less libraries."""
        linked = linked_programs(self.contents)
        return [one for one in linked if not any(LIBRARY.match(plain_name(path)) for path in (one.link, one.path))]

    @cached_property
    def native_links(self) -> Sequence[Found]:
        """The links in a bin/ to programs that an operating system starts by itself."""
        return [found for found in self.links if not found.is_script]

    @cached_property
    def script_links(self) -> Sequence[Found]:
        """The links in a bin/ to scripts."""
        return [found for found in self.links if found.is_script]

    @cached_property
    def starters(self) -> Sequence[Found]:
        """The scripts that may start the tool."""
        scripts = [*self.scripts, *self.script_links]
        return [found for found in scripts if not NO_STARTER.match(plain_name(found.place))]

    @cached_property
    def front_doors(self) -> Sequence[Found]:
        """The scripts that start the native programs: where programs are kept, or else above all of them."""
        above = [found for found in self.starters if self._lies_above_the_native(found)]
        return self.within(self.starters, BIN, TOP, DEEPER) or above

    def native_within(self, *places: re.Pattern[str]) -> Sequence[Found]:
        """The native programs there; where any is, a link beside it is a command, and a script there that it leads to.

        ``bin/pip`` leads to ``bin/pip3.12``, which is a command as well; ``bin/npm`` leads to a script in ``lib``.
        """
        native = self.within([*self.native, *self.native_links], *places)
        links = self.within(self.script_links, *places)
        led_to = {found.path for found in links}
        scripts = [found for found in self.within(self.scripts, *places) if found.path in led_to]
        return native and [*native, *scripts, *links]

    def within(self, programs: Sequence[Found], *places: re.Pattern[str]) -> Sequence[Found]:
        """Return those of *programs* whose folder, below the asset's one root folder, matches any of *places*."""
        folders = ((found, folder_of(self.contents, found.place)) for found in programs)
        return [found for found, folder in folders if any(place.match(folder) for place in places)]

    @cached_property
    def native_in_folders_for_platforms(self) -> Sequence[Found]:
        """The native programs in folders that say only a platform, such as ``linux-amd64/`` or ``bin/darwin/``."""
        folders = ((found, folder_of(self.contents, found.path)) for found in self.native)
        return [found for found, folder in folders if _says_only_a_platform(folder)]

    def named_as_the_tool(self, programs: Sequence[Found]) -> Sequence[Found]:
        """Return those of *programs* that are called exactly like the tool, ``.exe`` aside."""
        return [found for found in programs if plain_name(found.place) == self.tool]

    def _lies_above_the_native(self, script: Found) -> bool:
        folder = script.place[: script.place.rfind("/") + 1]
        return all(program.path.startswith(folder) for program in self.native)


def _says_only_a_platform(folder: str) -> bool:
    steps = [step for step in folder.split("/") if step and not BIN.match(f"{step}/")]
    said, rest = part(words_of("-".join(steps)))
    return bool(said) and not [word for word in rest if word != BREAK]


_Tier: TypeAlias = Callable[[_Sorted], Sequence[Found]]


def _native_in_bin_or_at_the_top(found: _Sorted) -> Sequence[Found]:
    return found.native_within(BIN, TOP)


def _native_in_a_deeper_bin(found: _Sorted) -> Sequence[Found]:
    return found.native_within(DEEPER)


def _front_door_of_the_tools_name(found: _Sorted) -> Sequence[Found]:
    return found.named_as_the_tool(found.front_doors)


def _native_in_folders_for_platforms(found: _Sorted) -> Sequence[Found]:
    """All of them belong to the tool where each program of its name lies in such a folder."""
    named, native = found.named_as_the_tool(found.native), found.native_in_folders_for_platforms
    return native if named and set(named) <= set(native) else []


def _native_of_the_tools_name(found: _Sorted) -> Sequence[Found]:
    return found.named_as_the_tool(found.native)


def _any_front_door(found: _Sorted) -> Sequence[Found]:
    return found.front_doors


def _any_native(found: _Sorted) -> Sequence[Found]:
    return found.native


def _scripts_in_bin(found: _Sorted) -> Sequence[Found]:
    return found.within([*found.scripts, *found.script_links], BIN)


def _script_of_the_tools_name_at_the_top(found: _Sorted) -> Sequence[Found]:
    return found.named_as_the_tool(found.within(found.scripts, TOP))


def _starters_where_programs_are_kept(found: _Sorted) -> Sequence[Found]:
    return found.within(found.starters, TOP, DEEPER)


def _any_starter(found: _Sorted) -> Sequence[Found]:
    return found.starters


_OF_NATIVE: tuple[_Tier, ...] = (
    _native_in_bin_or_at_the_top,
    _native_in_a_deeper_bin,
    _front_door_of_the_tools_name,
    _native_in_folders_for_platforms,
    _native_of_the_tools_name,
    _any_front_door,
    _any_native,
)
#: In a wheel, other scripts are modules, and Python's installers make the commands that use them.
_OF_WHEEL: tuple[_Tier, ...] = (_scripts_in_bin,)
#: In an archive of sources, other scripts build it.
_OF_SOURCES: tuple[_Tier, ...] = (_scripts_in_bin, _script_of_the_tools_name_at_the_top)
_OF_SCRIPTS: tuple[_Tier, ...] = (*_OF_SOURCES, _starters_where_programs_are_kept, _any_starter)


def _tiers(found: _Sorted) -> tuple[_Tier, ...]:
    if found.native:
        return _OF_NATIVE
    if is_wheel(found.contents):
        return _OF_WHEEL
    return _OF_SOURCES if is_source(found.contents) else _OF_SCRIPTS
