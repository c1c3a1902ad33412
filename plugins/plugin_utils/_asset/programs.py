# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of an asset's programs are to be installed, and under what names? Pure; on the controller."""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.names import NAME
from ansible_collections.pinned.release.plugins.plugin_utils._asset import requirements
from ansible_collections.pinned.release.plugins.plugin_utils._asset.bin_links import linked_programs, unreadable_places
from ansible_collections.pinned.release.plugins.plugin_utils._asset.contents import BIN, DEEPER, TOP, Contents, Found
from ansible_collections.pinned.release.plugins.plugin_utils._asset.lasting_pattern import lasting_pattern, written
from ansible_collections.pinned.release.plugins.plugin_utils._asset.meant_programs import (
    folder_of,
    is_npm_package,
    is_source,
    is_wheel,
    meant,
    plain_name,
)
from ansible_collections.pinned.release.plugins.plugin_utils._asset.program_names import link_names
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed


class NoProgramError(ReleaseError):
    """An asset holds nothing that an operating system can start."""


class SeveralProgramsError(ReleaseError):
    """An asset holds several programs that may be meant by one name."""

    def __init__(self, error: ReleaseError, name: str, path: str) -> None:
        """Take the *error* to show, the *name* that users type, and the *path* of the first program it may mean."""
        super().__init__(error.what, error.expected, error.found, error.fix)
        self.name, self.path = name, path

    def fixed_by(self, fix: str) -> SeveralProgramsError:
        """Return this error with another *fix*."""
        return SeveralProgramsError(ReleaseError(self.what, self.expected, self.found, fix), self.name, self.path)


def choose_programs(
    contents: Contents, tool: str, version: str, wanted: Mapping[str, str], asset: str
) -> dict[str, Found]:
    """Return the programs to install, by the name of their link; *version* is that of the release.

    *wanted* is the manifest's ``executables``: name → glob on the path, which is looked for in bin/ first. Without it:
    the programs where archives keep programs, or all there are; scripts only where there is nothing else, or where they
    start what lies elsewhere. A link in a bin/ counts as the program that it leads to. Raises ReleaseError where that
    is no answer.
    """
    if wanted:
        chosen = _named(contents, wanted, asset)
    else:
        found = meant(contents, tool)
        _refuse_unreadable(contents, tool, asset, is_all=all(one.is_script for one in found))
        if not found:
            raise _no_program(contents, tool, asset)
        chosen = _by_link_name(contents, found, tool, version, asset)
    return requirements.of_the_host(chosen, contents)


def _refuse_unreadable(contents: Contents, tool: str, asset: str, is_all: bool) -> None:
    """A program of which nobody can tell anything may be the very one that is meant, or that a script starts."""
    for path, error in sorted(unreadable_places(contents).items()):
        folder = folder_of(contents, path)
        if is_all or BIN.match(folder) or TOP.match(folder):
            others = f"to do without it, name those to take: tools.{tool}.executables: [...]"
            fix = f"{error.fix}; {others}" if error.fix else others
            raise ReleaseError(f"{tool}: {asset}: {error.what}", error.expected, error.found, fix)


def _no_program(contents: Contents, tool: str, asset: str) -> NoProgramError:
    fix = f'name the asset to take in the manifest: tools.{tool}.asset: "<pattern>"'
    if is_wheel(contents):
        fix = "this is Python code, for pip to install; programs may be in another project, or have another source"
    elif is_npm_package(contents):
        fix = "this is code for Node.js, for npm to install; programs may be in another package, or have another source"
    return NoProgramError(
        f"{tool}: {asset} holds {'sources, ' if is_source(contents) else ''}no program",
        expected="at least one file that an operating system can start",
        found=listed(sorted(contents.files)) or "an empty archive",
        fix=fix,
    )


def _by_link_name(contents: Contents, chosen: Sequence[Found], tool: str, version: str, asset: str) -> dict[str, Found]:
    names = link_names(chosen, tool, version)
    links: dict[str, Found] = {}
    for name, found in zip(names, chosen, strict=True):
        if not NAME.match(name):
            raise ReleaseError(
                f"{tool}: {found.path} of {asset} has a name that cannot be that of a link",
                expected="a name of letters, digits and . _ + -",
                fix=f"name it in the manifest: tools.{tool}.executables: {{<name>: {_offered(contents, found)}}}",
            )
        if links.setdefault(name, found).sha256 != found.sha256:
            line = _offered(contents, links[name])
            error = ReleaseError(
                f"{tool}: {asset} holds several programs of one name",
                found=listed(chosen),
                fix=f"name the paths in the manifest: tools.{tool}.executables: {{{name}: {line}}}",
            )
            raise SeveralProgramsError(error, name, links[name].path)
    return links


def _named(contents: Contents, wanted: Mapping[str, str], asset: str) -> dict[str, Found]:
    """Return the programs that *wanted* names. Raises ReleaseError about all globs that do not fit one program."""
    fitting = {name: _fitting(contents, glob) for name, glob in wanted.items()}
    wrong = [name for name, some in fitting.items() if len({found.sha256 for found in some}) != 1]
    if not wrong:
        return {name: some[0] for name, some in fitting.items()}
    for path, error in unreadable_places(contents).items():
        if any(not fitting[name] and _fits(path, wanted[name]) for name in wrong):
            raise error.about(asset)
    near = {name: fitting[name] or _near(contents, wanted[name]) for name in wrong}
    lines = {name: written(glob) for name, glob in wanted.items()} | {
        name: _offered(contents, some[0]) if some else "<path>" for name, some in near.items()
    }
    is_one = len(wrong) == 1
    error = ReleaseError(
        f"{asset}: {', '.join(wanted[name] for name in wrong)} of the manifest's executables "
        f"{'is not one program' if is_one else 'are not one program each'}",
        expected="a path, or a glob on it, that fits exactly one of the programs in the asset",
        found=listed(dict.fromkeys(found for some in near.values() for found in some)) or "no program at all",
        fix=f"write executables: {{{', '.join(f'{name}: {line}' for name, line in lines.items())}}}",
    )
    if is_one and fitting[wrong[0]]:
        raise SeveralProgramsError(error, wrong[0], near[wrong[0]][0].path)
    raise error


def _fitting(contents: Contents, glob: str) -> Sequence[Found]:
    programs = [*contents.programs, *linked_programs(contents)]
    return _first_place([found for found in programs if _fits(found.place, glob)], contents)


def _near(contents: Contents, glob: str) -> Sequence[Found]:
    """Return all programs, those first whose names are most like that in *glob*."""
    name = posixpath.basename(glob)
    return sorted(
        contents.programs,
        key=lambda found: difflib.SequenceMatcher(None, name, plain_name(found.path)).ratio(),
        reverse=True,
    )


def _offered(contents: Contents, found: Found) -> str:
    """Return what to write into the manifest for the program."""

    def is_right(glob: str) -> bool:
        """Return whether *glob* finds this program and no other one."""
        return {one.sha256 for one in _fitting(contents, glob)} == {found.sha256}

    return written(lasting_pattern(found.place, contents.root, is_right))


def _first_place(fitting: Sequence[Found], contents: Contents) -> Sequence[Found]:
    """Return those of the first place that has any: ``bin/npm``, not ``lib/node_modules/corepack/shims/npm``."""
    for place in (BIN, TOP, DEEPER):
        there = [found for found in fitting if place.match(folder_of(contents, found.place))]
        if there:
            return there
    return fitting


def _fits(path: str, glob: str) -> bool:
    plain = path[: path.rfind("/") + 1] + plain_name(path)
    return any(fnmatchcase(form, glob) for form in (plain, f"/{plain}", path, f"/{path}"))
