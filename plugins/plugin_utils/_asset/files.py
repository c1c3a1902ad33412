# Copyright (c) pinned.release contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files of an asset are linked beside its programs, and where inside are they? Pure; on the controller."""

from __future__ import annotations

import difflib
import posixpath
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from ansible_collections.pinned.release.plugins.module_utils.errors import ReleaseError
from ansible_collections.pinned.release.plugins.module_utils.tree_listing import Unpacked, top_folder
from ansible_collections.pinned.release.plugins.plugin_utils._asset.lasting_pattern import lasting_pattern, written
from ansible_collections.pinned.release.plugins.plugin_utils._values.text import listed

#: Of a name that is asked for and not there, so many that are like it are shown; how alike, from 0 to 1.
MOST_NEAR, NEAR = 5, 0.5


def choose_files(unpacked: Unpacked, wanted: Mapping[str, str], asset: str) -> dict[str, str]:
    """Return the path inside the *asset* of each file that is *wanted*: link → glob on the path, as the manifest says.

    A symbolic link in the asset counts as the file that it leads to. Raises ReleaseError, with the nearest names, about
    all globs that fit no file, or files that are not the same.
    """
    digests = {file.path: file.sha256 for file in unpacked.files}
    leads_to = {path: path for path in digests}
    for path, text in unpacked.links.items():
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), text))
        if target in digests:
            leads_to[path] = target
    fitting = {link: _fitting(glob, leads_to) for link, glob in wanted.items()}
    wrong = [link for link, paths in fitting.items() if len({digests[leads_to[path]] for path in paths}) != 1]
    if wrong:
        raise _misfit(wanted, wrong, fitting, asset, sorted(leads_to))
    return {link: leads_to[paths[0]] for link, paths in fitting.items()}


def _fitting(glob: str, paths: Iterable[str]) -> list[str]:
    return sorted(path for path in paths if fnmatchcase(path, glob) or fnmatchcase(f"/{path}", glob))


def _misfit(
    wanted: Mapping[str, str], wrong: Sequence[str], fitting: Mapping[str, Sequence[str]], asset: str, paths: list[str]
) -> ReleaseError:
    """Return the error about the links whose globs are *wrong*; *fitting* are those of all *paths* that each fits."""
    near = {link: fitting[link] or _near(wanted[link], paths) for link in wrong}
    misfits = [
        f"{wanted[link]} of the manifest's files fits {'several files' if fitting[link] else 'no file'}"
        for link in wrong
    ]
    found = [listed(near[link]) or "nothing like it" for link in wrong]
    if len(wrong) > 1:
        found = [f"{wanted[link]}: {text}" for link, text in zip(wrong, found, strict=True)]
    lines = {link: written(glob) for link, glob in wanted.items()} | {
        link: _lasting(near[link][0], paths) if near[link] else "<path>" for link in wrong
    }
    return ReleaseError(
        f"{asset}: {'; '.join(misfits)}",
        expected="a path, or a glob on it, that fits exactly one of the files in the asset",
        found="; ".join(found),
        fix=f"write files: {{{', '.join(f'{link}: {line}' for link, line in lines.items())}}}",
    )


def _lasting(path: str, paths: list[str]) -> str:
    root = f"{top}/" if (top := top_folder(paths)) else ""
    return written(lasting_pattern(path, root, lambda glob: _fitting(glob, paths) == [path]))


def _near(glob: str, paths: Iterable[str]) -> list[str]:
    """Return the paths whose last step is most like that of *glob*."""
    by_name: dict[str, list[str]] = {}
    for path in sorted(paths):
        by_name.setdefault(posixpath.basename(path), []).append(path)
    near = difflib.get_close_matches(posixpath.basename(glob), by_name, MOST_NEAR, NEAR)
    return [path for name in near for path in by_name[name]][:MOST_NEAR]
